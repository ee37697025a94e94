"""The names of the rules by which a continuation is joined to the text."""

from __future__ import annotations

from enum import StrEnum


class JoinRule(StrEnum):
    """What a message begins with, and so where its new text begins."""

    ECHO = "echo"
    """The quote, as requested."""

    RESTART = "restart"
    """More than the quote: the text from an earlier line, or from its beginning."""

    OVERLAP = "overlap"
    """Less than the quote: only the end of it."""

    OPENING = "opening"
    """A lead-in: the tag that precedes the quote in the prompt."""

    FENCE = "fence"
    """A lead-in: a code fence that is already open."""

    ELLIPSIS = "ellipsis"
    """A lead-in: dots."""

    HEADER = "header"
    """A lead-in: the header of the table in which the text ends."""

    PREAMBLE = "preamble"
    """A lead-in: a line, or its first sentences, about the continuation itself."""

    MARKS = "marks"
    """A lead-in: quotation marks, backticks or emphasis."""

    UNFINISHED = "unfinished"
    """A repetition of the text, and nothing after it."""

    AS_IS = "as_is"
    """Nothing that is known: the complete message is new text."""

"""The names of the rules by which a continuation is joined to the text.

The rules themselves are `_RULES` in `echo_join`, which looks for repeated text, and
`_FINDERS` in `lead_ins`, which looks for what precedes it. What a rule proves is below;
outside these two modules, nothing depends on a single rule.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """A lead-in: what precedes the quote in the prompt, or another tag."""

    FENCE = "fence"
    """A lead-in: a code fence that is already open, or that can't begin there."""

    ELLIPSIS = "ellipsis"
    """A lead-in: dots."""

    HEADER = "header"
    """A lead-in: the header of the table in which the text ends."""

    PREAMBLE = "preamble"
    """A lead-in: a line, or its first sentences, about the continuation itself."""

    MARKS = "marks"
    """A lead-in: quotation marks, backticks or emphasis."""

    REMARK = "remark"
    """Only a remark that the answer was already complete."""

    UNFINISHED = "unfinished"
    """A repetition of the text, and nothing after it."""

    AS_IS = "as_is"
    """Nothing that is known: the complete message is new text."""


UNPROVEN = frozenset({JoinRule.AS_IS, JoinRule.OVERLAP})
"""Rules that did not find what the model was asked to repeat."""


@dataclass(frozen=True)
class JoinResult:
    """How a message was joined to the text.

    Attributes:
        rule: The rule that decided.
        dropped: How many characters of the message were dropped: the echo, and what
            precedes or closes it.
    """

    rule: JoinRule
    dropped: int

    @property
    def is_proven(self) -> bool:
        """Whether the message is known to go on where the text ends."""
        return self.rule not in UNPROVEN

    @property
    def ended_in_repetition(self) -> bool:
        """Whether the message may have ended while it still repeated the text."""
        return self.rule is not JoinRule.ECHO

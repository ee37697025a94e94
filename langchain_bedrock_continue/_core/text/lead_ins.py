"""Lead-ins: what models write before they continue, such as marks, fences, preambles.

Example: a message begins with "Sure, here is the rest:", a blank line, and "...and then
she left". The first line is a lead-in, and so are the dots.

LEAD-1. A lead-in lies in the first WINDOW characters of a message, or is not found.
LEAD-2. A longer message only adds lead-ins after those that are already found.
LEAD-3. A lead-in is droppable if it could not occur there in an answer that was not
    interrupted. It is dropped even if no repeated text follows. Any other lead-in is
    dropped only if repeated text follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from langchain_bedrock_continue._core.text.join_rules import JoinRule
from langchain_bedrock_continue._core.text.preambles import (
    LINE,
    OPENERS,
    SENTENCE_END,
    mentions_interruption,
)
from langchain_bedrock_continue._core.text.rest import FENCES
from langchain_bedrock_continue._core.text.rewritten_line import is_cut_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue._core.text.text_end import TextEnd

WINDOW = 300
"""How many characters of a message are searched for lead-ins."""

_MAX_LEAD_INS = 4
_MAX_LINE = 200
_MAX_FENCE_LINE = 40
_MAX_MARKS = 12


@dataclass(frozen=True)
class LeadIn:
    """A lead-in of a message.

    Attributes:
        rule: The kind of lead-in.
        at: Where the text after it begins.
        droppable: It is dropped even if no repeated text follows (LEAD-3).
        trusted: The quote counts as a repetition after it, however short it is.
        doubtful: The quote counts only if it is heavy, or if what closes the lead-in
            follows it: new HTML begins with tags.
        closings: What may follow the repeated text, in order, to be dropped with the
            lead-in: marks, a closing tag, a fence.
        line_counts: An overlap that begins where the text's last line begins counts
            after this lead-in without further evidence.
        fenced: A code fence is a part of the lead-in that stands nowhere in the text.
    """

    rule: JoinRule
    at: int
    droppable: bool = False
    trusted: bool = False
    doubtful: bool = False
    closings: tuple[str, ...] = ()
    line_counts: bool = False
    fenced: bool = False


@dataclass(frozen=True)
class MessageStart:
    """The start of a message, in which lead-ins are searched.

    Attributes:
        text: Its characters.
        is_final: No more characters will come.
        text_end: The text that the message continues.
        opening: What precedes the quote in the prompt; may be empty.
    """

    text: str
    is_final: bool
    text_end: TextEnd
    opening: str


_Finder: TypeAlias = "Callable[[MessageStart, int], list[LeadIn]]"


class _NeedMore(Exception):  # noqa: N818 - no error: a request for more characters
    """More characters are needed to decide.

    Attributes:
        found: Lead-ins that are already certain.
    """

    def __init__(self, found: list[LeadIn] | None = None) -> None:
        super().__init__()
        self.found = found or []


def find_lead_ins(start: MessageStart) -> tuple[list[LeadIn], bool]:
    """Find the lead-ins of a message.

    Returns:
        The lead-ins, in order, and whether more may be found when more of the message
        is known (LEAD-2).
    """
    found: list[LeadIn] = []
    last = LeadIn(JoinRule.OPENING, 0, droppable=True)
    for _ in range(_MAX_LEAD_INS):
        try:
            results = (finder(start, last.at) for finder in _FINDERS)
            more = next(filter(None, results), None)
        except _NeedMore as need:
            return found + _chained(last, need.found), True
        if more is None:
            break
        more = _chained(last, more)
        found += more
        last = more[-1]
    return found, False


def _chained(previous: LeadIn, lead_ins: list[LeadIn]) -> list[LeadIn]:
    """Describe lead-ins that follow another one.

    They are droppable only if the other one is, and its closings follow theirs.
    """
    return [
        replace(
            lead_in,
            droppable=lead_in.droppable and previous.droppable,
            closings=lead_in.closings + previous.closings,
            fenced=lead_in.fenced or previous.fenced,
            doubtful=lead_in.doubtful or previous.doubtful,
        )
        for lead_in in lead_ins
    ]


def _starts_with(start: MessageStart, at: int, words: tuple[str, ...]) -> bool:
    """Return True if one of the words begins at this place, in any case.

    Raises:
        _NeedMore: One of them may begin here.
    """
    here = start.text[at : at + max(map(len, words))].lower().replace("\u2019", "'")
    if here.startswith(words):
        return True
    if not start.is_final and any(word.startswith(here) for word in words):
        raise _NeedMore
    return False


# What precedes the quote ----------------------------------------------------------

_TAG = re.compile(r"<([A-Za-z][\w.:-]{0,30})>")
_TAG_BEGUN = re.compile(r"<(?:[A-Za-z][\w.:-]{0,30})?\Z")


def _find_opening(start: MessageStart, at: int) -> list[LeadIn]:
    """Find what precedes the quote in the prompt."""
    opening = start.opening
    if not opening or not _starts_with(start, at, (opening.lower(),)):
        return []
    tag = _TAG.fullmatch(opening.strip())
    closing = f"</{tag[1]}>" if tag else opening.translate(_CLOSING_MARKS)[::-1].strip()
    closings = (closing,) if closing else ()
    end = at + len(opening)
    return [LeadIn(JoinRule.OPENING, end, droppable=True, closings=closings)]


def _find_tag(start: MessageStart, at: int) -> list[LeadIn]:
    """Find a tag of the model's own, or of the caller's prompt."""
    tag = _TAG.match(start.text, at)
    if tag is None:
        if not start.is_final and _TAG_BEGUN.match(start.text, at):
            raise _NeedMore
        return []
    closings = (f"</{tag[1]}>",)
    return [LeadIn(JoinRule.OPENING, tag.end(), closings=closings, doubtful=True)]


# Code fences ----------------------------------------------------------------------


def _find_fence(start: MessageStart, at: int) -> list[LeadIn]:
    """Find a code fence that the text has already opened, or that can't begin here.

    A fence begins a line. But a message can't begin with the line break before it, so
    that a fence after "For example:" is text. It is none where the text's last line
    can't be complete, such as in a string.
    """
    if not _starts_with(start, at, FENCES):
        return []
    line_end = start.text.find("\n", at, at + _MAX_FENCE_LINE)
    if line_end < 0:
        if len(start.text) < at + _MAX_FENCE_LINE and not start.is_final:
            raise _NeedMore
        return []
    end = _skip_line_breaks(start, line_end)
    text_end = start.text_end
    has_info = start.text[at:line_end].strip("`~ ")
    is_open = bool(has_info) and text_end.in_fence  # a bare fence closes the open one
    in_fence = text_end.in_fence
    return [
        LeadIn(
            JoinRule.FENCE,
            end,
            droppable=is_open or text_end.in_open_line,
            closings=() if in_fence else (start.text[at : at + 3],),
            line_counts=is_cut_line(text_end) and (is_open or not in_fence),
            fenced=not in_fence,
        )
    ]


def _skip_line_breaks(start: MessageStart, at: int) -> int:
    """Return the end of the line breaks at this place, before any indentation."""
    if not start.is_final and not start.text[at:].strip():
        raise _NeedMore
    breaks = _LINE_BREAKS.match(start.text, at)
    return breaks.end() if breaks else at


_LINE_BREAKS = re.compile(r"\s*\n")


# Dots -----------------------------------------------------------------------------


def _find_ellipsis(start: MessageStart, at: int) -> list[LeadIn]:
    """Find the dots that stand for the earlier text.

    Dots may belong to the text: if a blank or a capital letter follows, if the text
    itself uses them, or if they are the spread operator of a programming language.
    """
    if not _starts_with(start, at, ("…", "...", "[…]", "[...]")):
        return []
    match = _DOTS.match(start.text, at)
    end = match.end() if match else at + 1
    if len(start.text) < end + 2 and not start.is_final:
        raise _NeedMore
    dots, body = start.text[at:end], start.text_end.body
    is_spread = dots == "..." and body.endswith(("(", "[", "{", ","))
    is_used_by_text = dots in body[-WINDOW:]
    follows = _AFTER_THREE_DOTS if "." in dots else _AFTER_ONE_SIGN
    is_followed = bool(follows.match(start.text, end))
    droppable = is_followed and not is_used_by_text and not is_spread
    return [LeadIn(JoinRule.ELLIPSIS, end, droppable=droppable)]


_AFTER_ONE_SIGN = re.compile(r"[^\s…]| [^\s…A-Z]")
_AFTER_THREE_DOTS = re.compile(r"[^\s.…]| [^\s.…A-Z]")
_DOTS = re.compile(r"…|\.\.\.|\[(?:…|\.\.\.)\]")


# Table headers --------------------------------------------------------------------


def _find_header(start: MessageStart, at: int) -> list[LeadIn]:
    """Find the header of the table in which the text ends."""
    table = start.text_end.table
    if not table:
        return []
    header, row_is_complete = table
    end = _skip(start, at, header)
    rest = start.text[end:]
    if end < 0 or (rest.strip() and not _LINE_BREAKS.match(rest)):
        return []
    if not rest.strip() and not start.is_final:
        raise _NeedMore
    return [
        LeadIn(JoinRule.HEADER, end, droppable=True, line_counts=not row_is_complete)
    ]


def _skip(start: MessageStart, at: int, wanted: str) -> int:
    """Return where the wanted characters end, whitespace ignored, or -1."""
    for char in "".join(wanted.split()):
        while at < len(start.text) and start.text[at].isspace():
            at += 1
        if at == len(start.text) and not start.is_final:
            raise _NeedMore
        if not start.text.startswith(char, at):
            return -1
        at += 1
    return at


# Preambles ------------------------------------------------------------------------


def _find_preamble(start: MessageStart, at: int) -> list[LeadIn]:
    """Find a line, or its first sentences, about the continuation itself."""
    if not _starts_with(start, at, OPENERS):
        return []
    text = start.text
    line_end = text.find("\n", at, at + _MAX_LINE)
    is_closed = line_end >= 0 or start.is_final or len(text) > at + _MAX_LINE
    stop = line_end if line_end >= 0 else min(len(text), at + _MAX_LINE)
    found = _find_sentences(start, at, stop)
    if not is_closed:
        raise _NeedMore(found)
    if line_end < 0 or not LINE.fullmatch(text[at:line_end].rstrip()):
        return found
    try:
        end = _skip_line_breaks(start, line_end)
    except _NeedMore:
        raise _NeedMore(found) from None
    last = text[found[-1].at if found else at : line_end]
    droppable = mentions_interruption(last)
    return [*found, LeadIn(JoinRule.PREAMBLE, end, droppable=droppable)]


def _find_sentences(start: MessageStart, at: int, stop: int) -> list[LeadIn]:
    """Find the sentences of a preamble that other text follows on the same line."""
    found: list[LeadIn] = []
    for match in SENTENCE_END.finditer(start.text, at, stop):
        end = match.end()
        if end == len(start.text) and not start.is_final:
            break
        sentence = start.text[at:end]
        mentions = mentions_interruption(sentence)
        droppable = mentions and sentence.rstrip().endswith((":", "\uff1a"))
        found.append(
            LeadIn(JoinRule.PREAMBLE, end, droppable=droppable, trusted=mentions)
        )
        at = end
    return found


# Marks ----------------------------------------------------------------------------

_MARKS = re.compile("[\"'\u201c\u2018«「『`*_>(\\[]+ ?")
_CLOSING_MARKS = str.maketrans("\u201c\u2018«「『([", "\u201d\u2019»」』)]", "> ")


def _find_marks(start: MessageStart, at: int) -> list[LeadIn]:
    """Find quotation marks, backticks and emphasis.

    Each mark ends a lead-in of its own, because those after it may belong to the text.
    """
    match = _MARKS.match(start.text, at)
    if not match or len(match[0]) > _MAX_MARKS:
        if at == len(start.text) and not start.is_final:
            raise _NeedMore
        return []
    if match.end() == len(start.text) and not start.is_final:
        raise _NeedMore
    marks = match[0]
    return [
        LeadIn(
            JoinRule.MARKS,
            at + size,
            closings=(marks[:size].translate(_CLOSING_MARKS)[::-1].strip(),),
        )
        for size in range(1, len(marks) + 1)
    ]


_FINDERS: tuple[_Finder, ...] = (
    _find_opening,
    _find_tag,
    _find_fence,
    _find_ellipsis,
    _find_header,
    _find_preamble,
    _find_marks,
)
"""The strongest evidence first: the first that finds something decides."""

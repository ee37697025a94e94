"""What models write before they go on: marks, fences, headers, preambles, dots.

L1. A lead-in is seen in the first WINDOW characters of a message, or not at all.
L2. More of the message only adds lead-ins behind those already seen.
L3. A lead-in is `own` where it can be dropped with no repeated text behind it: it
    could not have stood there in an answer that was not cut. Any other is dropped
    only in front of text that is repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_bedrock_continue._core.text.preambles import (
    LINE_END,
    OPENERS,
    SENTENCE,
    speaks_of_the_cut,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue._core.text.overlap import Tail

WINDOW = 300
"""Characters of a message that a lead-in is looked for in."""

_DEPTH = 4
_LINE = 200
_FENCE_LINE = 40
_RUN = 12
_LETTERS = 3


LeadName: TypeAlias = Literal[
    "opening",  # the delimiter that the quote stood in, repeated
    "fence",  # a code fence, opened again
    "ellipsis",  # dots
    "header",  # the table's header, repeated
    "preamble",  # a line, or its first sentences, that speaks of going on
    "marks",  # quotation marks, backticks, emphasis
]


@dataclass(frozen=True)
class Lead:
    """A lead-in of a message.

    Attributes:
        how: Its name, as in `Join.how`.
        at: Where what follows begins.
        own: Whether it can be dropped by itself (L3).
        sure: Whether the quote counts behind it, however short.
        closing: What may stand behind the repeated text, to be dropped with it.
        loose: A place of the text where an overlap behind it needs no proof.
    """

    how: LeadName
    at: int
    own: bool = False
    sure: bool = False
    closing: str = ""
    loose: int | None = None


@dataclass(frozen=True)
class Head:
    """The start of a message: what is there, and whether more can come."""

    text: str
    over: bool
    tail: Tail
    opening: str


class _More(Exception):  # noqa: N818 - no error: a kind asks for more characters
    """It can't be told yet."""


Kind: TypeAlias = "Callable[[Head, int], list[Lead]]"


def leads(head: Head) -> tuple[list[Lead], bool]:
    """Return the lead-ins of a message in order, and whether more may follow (L2)."""
    found: list[Lead] = []
    last = Lead("opening", 0, own=True)
    for _ in range(_DEPTH):
        try:
            step = next(filter(None, (kind(head, last.at) for kind in KINDS)), None)
        except _Partly as partly:
            return found + _behind(last, partly.leads), True
        except _More:
            return found, True
        if step is None:
            break
        step = _behind(last, step)
        found += step
        last = step[-1]
    return found, False


class _Partly(_More):
    """Some lead-ins are sure, others may come."""

    def __init__(self, sure: list[Lead]) -> None:
        super().__init__()
        self.leads = sure


def _behind(before: Lead, step: list[Lead]) -> list[Lead]:
    """Put lead-ins behind another: it must be own too, and be closed after them."""
    return [
        replace(
            lead, own=lead.own and before.own, closing=lead.closing + before.closing
        )
        for lead in step
    ]


def _starts(head: Head, at: int, words: tuple[str, ...]) -> bool:
    """Tell whether one of the words stands here; ask for more where it may."""
    here = head.text[at : at + max(map(len, words))].lower().replace("\u2019", "'")
    if here.startswith(words):
        return True
    if not head.over and any(word.startswith(here) for word in words):
        raise _More
    return False


def _opening(head: Head, at: int) -> list[Lead]:
    """See the delimiter of the quote, repeated."""
    tag = head.opening
    if not tag or not _starts(head, at, (tag.lower(),)):
        return []
    closing = tag.replace("<", "</", 1)
    return [Lead("opening", at + len(tag), own=True, closing=closing)]


def _fence(head: Head, at: int) -> list[Lead]:
    """See a code fence that is opened again."""
    if not _starts(head, at, ("```", "~~~")):
        return []
    line_end = head.text.find("\n", at, at + _FENCE_LINE)
    if line_end < 0:
        if len(head.text) < at + _FENCE_LINE and not head.over:
            raise _More
        return []
    end = _line_breaks(head, line_end)
    if not head.text[at:line_end].strip("`~ ") or not head.tail.in_fence:
        return [Lead("fence", end)]  # a bare fence closes the one that is open
    return [Lead("fence", end, own=True, loose=_cut_line(head.tail))]


def _cut_line(tail: Tail) -> int | None:
    """Return where the text's last line begins, if it is cut after some letters."""
    begun = tail.solid[tail.line_at :]
    letters = sum(map(str.isalpha, begun))
    return tail.line_at if not tail.after and letters >= _LETTERS else None


def _line_breaks(head: Head, at: int) -> int:
    """Return the end of the line breaks here, before any indentation."""
    if not head.over and not head.text[at:].strip():
        raise _More
    breaks = _BREAKS.match(head.text, at)
    return breaks.end() if breaks else at


_BREAKS = re.compile(r"\s*\n")


def _ellipsis(head: Head, at: int) -> list[Lead]:
    """See the dots that say: there was something before this."""
    if not _starts(head, at, ("…", "...", "[…]", "[...]")):
        return []
    dots = _DOTS.match(head.text, at)
    end = dots.end() if dots else at + 1
    if len(head.text) < end + 2 and not head.over:
        raise _More
    glyph, body = head.text[at:end], head.tail.body
    spread = glyph == "..." and body.endswith(("(", "[", "{", ","))
    goes_on = (_AFTER_THREE if "." in glyph else _AFTER_ONE).match(head.text, end)
    at_home = glyph in body[-WINDOW:]
    own = bool(goes_on) and not at_home and not spread
    return [Lead("ellipsis", end, own=own)]


_AFTER_ONE = re.compile(r"[^\s…]| [^\s…A-Z]")
_AFTER_THREE = re.compile(r"[^\s.…]| [^\s.…A-Z]")
_DOTS = re.compile(r"…|\.\.\.|\[(?:…|\.\.\.)\]")
_MARKS = re.compile("[\"'\u201c\u2018«「『`*_>(\\[]+ ?")
_CLOSING = str.maketrans("\u201c\u2018«「『([", "\u201d\u2019»」』)]", "> ")


def _marks(head: Head, at: int) -> list[Lead]:
    """See quotation marks, backticks, emphasis."""
    marks = _MARKS.match(head.text, at)
    if not marks or len(marks[0]) > _RUN:
        if at == len(head.text) and not head.over:
            raise _More
        return []
    if marks.end() == len(head.text) and not head.over:
        raise _More
    return [  # the last of them may be the text's own
        Lead("marks", at + size, closing=marks[0][:size].translate(_CLOSING)[::-1])
        for size in range(1, len(marks[0]) + 1)
    ]


def _header(head: Head, at: int) -> list[Lead]:
    """See the header of the table that the text ends in, repeated."""
    table = head.tail.table
    if not table:
        return []
    end = _skip(head, at, table[0])
    rest = head.text[end:]
    if end < 0 or (rest.strip() and not _BREAKS.match(rest)):
        return []
    if not rest.strip() and not head.over:
        raise _More
    loose = None if table[1] else head.tail.line_at
    return [Lead("header", end, own=True, loose=loose)]


def _skip(head: Head, at: int, wanted: str) -> int:
    """Return where the wanted characters end, whitespace aside, or -1."""
    for char in "".join(wanted.split()):
        while at < len(head.text) and head.text[at].isspace():
            at += 1
        if at == len(head.text) and not head.over:
            raise _More
        if not head.text.startswith(char, at):
            return -1
        at += 1
    return at


def _preamble(head: Head, at: int) -> list[Lead]:
    """See a line, or its first sentences, that speaks of going on."""
    if not _starts(head, at, OPENERS):
        return []
    line_end = head.text.find("\n", at, at + _LINE)
    closed = line_end >= 0 or head.over or len(head.text) > at + _LINE
    stop = line_end if line_end >= 0 else min(len(head.text), at + _LINE)
    sure = _sentences(head, at, stop)
    if not closed:
        raise _Partly(sure)
    if line_end < 0 or not LINE_END.fullmatch(head.text[at:line_end].rstrip()):
        return sure
    try:
        end = _line_breaks(head, line_end)
    except _More:
        raise _Partly(sure) from None
    last = head.text[sure[-1].at if sure else at : line_end]
    return [*sure, Lead("preamble", end, own=speaks_of_the_cut(last))]


def _sentences(head: Head, at: int, stop: int) -> list[Lead]:
    """See the sentences of a preamble that goes on in the same line."""
    found: list[Lead] = []
    for match in SENTENCE.finditer(head.text, at, stop):
        if match.end() == len(head.text) and not head.over:
            break
        sentence = head.text[at : match.end()]
        speaks = speaks_of_the_cut(sentence)
        colon = sentence.rstrip().endswith((":", "\uff1a"))
        found.append(Lead("preamble", match.end(), own=speaks and colon, sure=speaks))
        at = match.end()
    return found


KINDS: tuple[Kind, ...] = (_opening, _fence, _ellipsis, _header, _preamble, _marks)
"""In the order of evidence: the first that sees its own takes it."""

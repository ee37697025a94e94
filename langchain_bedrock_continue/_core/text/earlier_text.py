"""The text before a seam, prepared to find in new text what it repeats.

A restart begins where a text, a line or a sentence begins (`places`). What the text
ends in says what may follow: code, a list, a table, a paragraph.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from langchain_bedrock_continue._core.text.text_before import HEAD, TAIL, TextBefore
from langchain_bedrock_continue._core.text.text_end import without_whitespace

SAME_BEFORE = 12
"""If so many visible characters before the seam and before an earlier place are equal,
the new text repeats a pattern, and is no restart."""

VERSE_LINE = 72
"""A line of prose is longer. Shorter lines may be verse, which has refrains."""


class Start(IntEnum):
    """What begins at an earlier place of the text."""

    TEXT = 0
    LINE = 1
    SENTENCE = 2


class Seam(IntEnum):
    """Where the text was truncated."""

    MIDDLE = 0
    """In the middle of a line and of a sentence."""

    SENTENCE = 1
    """Perhaps at the end of a sentence, or of a line."""

    LINE = 2
    """At the end of a line."""


class Place(NamedTuple):
    """A place of the text at which a restart may begin.

    Attributes:
        at: Its offset among the visible characters that are compared.
        start: What begins there.
        line: The line that begins there, or the rest of it.
    """

    at: int
    start: Start
    line: str


_LINE_START = re.compile(r"^[^\S\n]*(?=\S)", re.MULTILINE)
_SENTENCE_START = re.compile(
    r"[.!?\u2026][\"'\u201d\u2019)*_]*[ \t]+(?=\S)|[。\uff01\uff1f](?=\S)"
)
_MARKED = re.compile(r"\s*(?:[-*+#>]|\d{1,3}[.)])\s", re.ASCII)
ITEM = re.compile(r"[ \t]*(\d{1,3})[.)][ \t]", re.ASCII)
_LIST_LINES = 12
_SENTENCE_ENDS = ".!?\u2026:;。\uff01\uff1f\"'\u201d\u2019)]}>|`*_"


class EarlierText:
    """The text before a seam, prepared for comparison. It never changes.

    Attributes:
        before: The text.
        text: What is compared: all of it, or the start and the end of a long one.
    """

    def __init__(self, text: str | TextBefore) -> None:
        """Prepare a text."""
        self.before = TextBefore.of(text)
        self.text = self.before.text

    @cached_property
    def window(self) -> str:
        """What is compared (RESTART-5)."""
        is_long = len(self.text) > HEAD + TAIL
        return self.text[:HEAD] + self.text[-TAIL:] if is_long else self.text

    @cached_property
    def compact(self) -> str:
        """The same without whitespace."""
        return without_whitespace(self.window)

    @cached_property
    def places(self) -> list[Place]:
        """Where a restart may begin, in order."""
        window, places, at, compact_at = self.window, [], 0, 0
        sentences = _SENTENCE_START.finditer(window)
        starts = {match.end(): Start.SENTENCE for match in sentences}
        starts |= {match.end(): Start.LINE for match in _LINE_START.finditer(window)}
        for offset in sorted(starts):
            compact_at += sum(map(len, window[at:offset].split()))
            at, start = offset, starts[offset] if compact_at else Start.TEXT
            end = window.find("\n", at)
            line = window[at : end if end >= 0 else len(window)]
            if not self._has_same_words_before(compact_at):
                places.append(Place(compact_at, start, line))
        return places

    def _has_same_words_before(self, at: int) -> bool:
        last = self.compact[-SAME_BEFORE:]
        return at >= SAME_BEFORE and self.compact.startswith(last, at - SAME_BEFORE)

    @cached_property
    def _places_by_character(self) -> dict[str, list[Place]]:
        places: dict[str, list[Place]] = {}
        for place in self.places:
            places.setdefault(self.compact[place.at], []).append(place)
        return places

    def places_with(self, first: str) -> list[Place]:
        """Return the places at which a character stands."""
        return self._places_by_character.get(first, [])

    def distance(self, at: int) -> int:
        """Return how many characters of the text follow a place, at least."""
        omitted = self.before.omitted + len(self.text) - len(self.window)
        visible = len(self.compact) - at
        return visible + (omitted if visible > TAIL else 0)

    @cached_property
    def is_code(self) -> bool:
        """Whether the text ends in code, or is JSON or HTML."""
        return self.text.lstrip()[:1] in {"{", "[", "<"} or self.before.scan.in_fence

    @cached_property
    def is_prose(self) -> bool:
        """Whether the text ends in a paragraph: no code, table, list or verse."""
        last = self.text.rstrip().rpartition("\n")[2]
        is_marked = last.startswith("|") or _MARKED.match(last) is not None
        return not (self.is_code or is_marked) and len(last) >= VERSE_LINE

    @cached_property
    def last_number(self) -> int:
        """The number of the list item in which the text ends, or 0."""
        lines = self.text[-TAIL:].rstrip().split("\n")[-_LIST_LINES:]
        if lines[-1].rstrip().endswith((":", "\uff1a")):
            return 0  # a list of its own may follow
        for line in reversed(lines):
            if match := ITEM.match(line):
                return int(match[1])
            if line.startswith("#"):
                break
        return 0

    @cached_property
    def has_title(self) -> bool:
        """Whether the first line is a title: no other line of the text is equal to it.

        In a dialogue, and in a list of options, lines that look like one are repeated.
        """
        lines = [line.strip() for line in self.window.strip().split("\n")]
        looks_like_title = lines[0].startswith("#") or lines[0].endswith(":")
        return looks_like_title and lines.count(lines[0]) == 1

    @cached_property
    def open_row(self) -> str:
        """The row in which the text ends and that lacks a cell, compact, or ""."""
        row = self.before.open_row
        is_header = row and self.before.table is None
        return "" if is_header and row.count("|") == 1 else without_whitespace(row)

    @cached_property
    def rows_begun_alike(self) -> list[str]:
        """The complete rows that begin like the open one, compact."""
        row = self.open_row
        lines = self.text[-TAIL:].rstrip().split("\n")[:-1] if row else []
        rows = [without_whitespace(line) for line in lines]
        return [one for one in rows if one.startswith(row) and one.endswith("|")]

    @cached_property
    def header(self) -> str:
        """The header row of the table in which the text ends, compact, or ""."""
        table = self.before.table
        return without_whitespace(table[0].split("\n")[0]) if table else ""

    def seam(self, new: str, *, proven: bool) -> Seam:
        """Return where the seam is.

        Args:
            new: The new text, or the start of it.
            proven: The join found what the model was asked to repeat, so that the new
                text has its own line break if it needs one.
        """
        body = self.text.rstrip()
        breaks = self.text[len(body) :] + new[: len(new) - len(new.lstrip())]
        if "\n" in breaks:
            return Seam.LINE
        if not proven or body[-1:] in _SENTENCE_ENDS:
            return Seam.SENTENCE
        return Seam.MIDDLE

    def is_numbered(self, place: Place) -> bool:
        """Return True for a table row, and a list item whose number was there."""
        item = ITEM.match(place.line)
        is_item = item is not None and int(item[1]) <= self.last_number
        return is_item or place.line.startswith("|")

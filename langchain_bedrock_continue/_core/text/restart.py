"""Whether new text begins the answer again, instead of continuing it.

A model that is asked to continue may write the answer again, from its beginning or
from an earlier line, often after it has repeated the quote as requested. Such text is
not appended. `RestartCheck` reads the new text, after the join, and releases it as soon
as it can't be a restart.

Example: the text ends in "7. Put the phone aw", and the new text is "ay." or
"1. Go to bed at the same time": the second one begins the list again.

The same words can be correct twice: a refrain, a table of equal rows, tests that begin
alike. So the evidence that is needed depends on where the earlier text begins, on where
the seam is (_NEEDED), and on whether the repetition reaches the end of the text. A
restart begins where a text, a line or a sentence begins; new text that only has the
pattern of the text before, such as the next object of a JSON array, usually does not,
or follows the same words as the earlier text did.

RESTART-1. All new text is released, in order, or none of it.
RESTART-2. The result depends on the text, and not on how it is split into chunks.
RESTART-3. Text is withheld only while it equals a part of the text before the seam, or
    is the start of a line that introduces an answer.
RESTART-4. The comparison ignores whitespace and reads typographic quotation marks as
    plain ones.
RESTART-5. Time is bounded: the new text is compared with the first HEAD and the last
    TAIL characters.
RESTART-6. At the end of a line, equal lines are weak evidence, however many: a text may
    have the same function twice. If the model writes the same in every form of the user
    turn, it is kept. After a fence that opens the block again, they are strong.
RESTART-7. After a table row that is not complete, another row is a restart. On the last
    try it counts only if it is the same row again, as far as it was written.
RESTART-8. A table row that is completed as an earlier row is a restart. A table may
    have the same row twice, so this does not count on the last try.
RESTART-9. In the middle of a sentence, after the quote, new text may begin with the
    name of something with which an earlier line begins, too. A repetition that ends
    after it, before its line and before the text does, is no restart.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue._core.text.earlier_text import (
    ITEM,
    VERSE_LINE,
    EarlierText,
    Place,
    Seam,
    Start,
)
from langchain_bedrock_continue._core.text.introductions import possible_starts
from langchain_bedrock_continue._core.text.text_end import weight, without_whitespace

if TYPE_CHECKING:
    from collections.abc import Iterator


class Restart(StrEnum):
    """How new text begins the answer again."""

    FIRST_LINE = "first_line"
    """With the first line of the answer."""

    EARLIER_PLACE = "earlier_place"
    """With an earlier line, or an earlier sentence."""

    LIST_NUMBER = "list_number"
    """With list item 1, in the middle of a numbered list."""

    TABLE_HEADER = "table_header"
    """With the header of the table in which the text ends."""


class _Needed(NamedTuple):
    start: Start
    seam: Seam
    weight: int
    why: str


_NEEDED = (
    _Needed(Start.TEXT, Seam.MIDDLE, 12, "no answer begins in mid-sentence"),
    _Needed(Start.TEXT, Seam.SENTENCE, 20, "two sentences may begin alike"),
    _Needed(Start.TEXT, Seam.LINE, 32, "two lines may begin alike"),
    _Needed(Start.LINE, Seam.MIDDLE, 24, "a line does not begin in mid-sentence"),
    _Needed(Start.LINE, Seam.SENTENCE, 40, "an enumeration has words in common"),
    _Needed(Start.LINE, Seam.LINE, 60, "a paragraph is not written twice"),
    _Needed(Start.SENTENCE, Seam.MIDDLE, 32, "a sentence does not begin in another"),
    _Needed(Start.SENTENCE, Seam.SENTENCE, 60, "a long sentence is not written twice"),
    _Needed(Start.SENTENCE, Seam.LINE, 60, "the same"),
)
"""How much of the text before the seam has to be repeated to be a restart."""

_NEEDED_WEIGHT = {(need.start, need.seam): need.weight for need in _NEEDED}

_NEEDED_IN_CODE = 120
"""Lines of code, of JSON or of HTML are often the same: three or four in a row."""

_NEEDED_IN_VERSE = 240
"""A refrain has two to six lines."""

_NEEDED_NUMBERED = 12
"""A row of a table, or a list item whose number was there, is not written twice."""

_NEEDED_BEYOND_NAME = 48
"""Names have fewer letters, with few exceptions."""

_NEEDED_TO_END = 60
"""A refrain ends before the text does, and a pattern has its own words before it."""

_OPENING = re.compile(r"\s*(?:`{3,}|~{3,})\w")
_MAYBE_ITEM = re.compile(r"\s*(?:\d{0,3}|\d{1,3}[.)])", re.ASCII)


def _needed_weight(earlier: EarlierText, place: Place, seam: Seam) -> int:
    """Return how much has to be repeated from a place on to be a restart."""
    if earlier.is_numbered(place):
        return _NEEDED_NUMBERED
    least = _NEEDED_WEIGHT[place.start, seam]
    is_verse = seam is Seam.LINE and len(place.line) < VERSE_LINE
    if place.start is Start.TEXT:
        return max(least, _NEEDED_IN_VERSE // 2) if is_verse else least
    if seam is Seam.MIDDLE:
        return least
    if earlier.is_code:
        return max(least, _NEEDED_IN_CODE)
    return max(least, _NEEDED_IN_VERSE) if is_verse else least


def _needed_to_end(earlier: EarlierText, place: Place, repeated: str) -> float:
    """Return how much is enough if the repetition reaches the end of the text."""
    reaches_end = place.at + len(repeated) >= len(earlier.compact)
    return _NEEDED_TO_END if reaches_end else math.inf


def _has_words(repeated: str) -> bool:
    """Return True for text; rows of zeros and ruled lines are often the same."""
    return len(set(repeated)) >= _MIN_DIFFERENT


_MIN_DIFFERENT = 5


class Repetition:
    """Text that is compared with the places of an earlier text, as it arrives.

    Attributes:
        active: The places from which it repeats the earlier text so far.
        ended: The places from which it repeated some of it, and how many characters.
        seen: Its visible characters.
    """

    def __init__(self, earlier: EarlierText) -> None:
        """Begin with no text."""
        self._earlier, self._compact = earlier, earlier.compact
        self.active = earlier.places
        self.ended: list[tuple[Place, int]] = []
        self.seen = ""

    def feed(self, text: str) -> None:
        """Take more of the text."""
        new, at = without_whitespace(text), len(self.seen)
        if not new:
            return
        if not self.seen:
            self.active = self._earlier.places_with(new[0])
        self.seen += new
        active = []
        for place in self.active:
            if self._compact.startswith(new, place.at + at):
                active.append(place)
            else:
                more = _common(new, self._compact, place.at + at)
                self.ended.append((place, at + more))
        self.active = active

    def repeated(self) -> Iterator[tuple[Place, str]]:
        """Yield each place, and what was repeated from there on."""
        for place in self.active:
            yield place, self.seen
        for place, length in self.ended:
            yield place, self.seen[:length]


def _common(new: str, text: str, at: int) -> int:
    """Return how many characters equal those of the text from a place on."""
    pairs = zip(new, text[at : at + len(new)], strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), len(text) - at)


class RestartCheck:
    """Reads the new text of one message, and decides whether it is a restart.

    Attributes:
        restart: How the text begins the answer again; None while undecided, and if it
            does not.
        decided: Whether it is decided.
        pending: The new text that is not yet released.
    """

    def __init__(
        self, earlier: EarlierText, *, proven: bool, is_last_try: bool = False
    ) -> None:
        """Prepare a check.

        Args:
            earlier: The text before the seam.
            proven: See `EarlierText.seam`.
            is_last_try: Weak evidence does not count (RESTART-6).
        """
        self._earlier = earlier
        self._proven = proven
        self._is_last_try = is_last_try
        self.pending = ""
        self._entries: dict[int, Repetition] = {}
        self.restart: Restart | None = None
        self.decided = False

    def feed(self, text: str) -> str | None:
        """Take new text.

        Returns:
            What may be appended, or None while that is undecided.
        """
        if self.decided:
            return "" if self.restart else text
        for at, entry in self._entries.items():
            entry.feed(text[max(0, at - len(self.pending)) :])
        self.pending += text
        pending = self.pending
        released = self._decide(final=False, truncated=False)
        if self.restart is not None and len(text) > 1:
            self.restart = self._first_restart(pending)
        return released

    def _first_restart(self, text: str) -> Restart | None:
        """Return the first reason that holds, if text has several (RESTART-2)."""
        check = RestartCheck(
            self._earlier, proven=self._proven, is_last_try=self._is_last_try
        )
        for char in text:
            check.feed(char)
            if check.decided:
                return check.restart
        return self.restart

    def finish(self, *, truncated: bool) -> str:
        """Decide with what was received, because the message is over.

        Args:
            truncated: Whether the message was truncated, and not ended by the model.

        Returns:
            What to append, in addition to what `feed` returned.
        """
        if self.decided:
            return ""
        return self._decide(final=True, truncated=truncated) or ""

    def _decide(self, *, final: bool, truncated: bool) -> str | None:
        is_open = self._find_entries(final=final)
        self.restart = self._find(final=final, truncated=truncated)
        if self.restart is None and not final and (is_open or self._may_be_restart()):
            return None
        self.decided = True
        pending, self.pending = self.pending, ""
        return "" if self.restart else pending

    def _find_entries(self, *, final: bool) -> bool:
        """Find where the answer may begin; return True if more may be found."""
        starts, is_open = possible_starts(self.pending, final=final)
        for at in starts:
            if at not in self._entries:
                self._entries[at] = Repetition(self._earlier)
                self._entries[at].feed(self.pending[at:])
        return is_open

    def _find(self, *, final: bool, truncated: bool) -> Restart | None:
        if self._leaves_row() or self._completes_row_again(final=final):
            return Restart.EARLIER_PLACE
        seam = self._earlier.seam(self.pending, proven=self._proven)
        for at, entry in self._entries.items():
            text = self.pending[at:].lstrip()
            if self._repeats_header(entry.seen):
                return Restart.TABLE_HEADER
            if self._repeats_first_number(text):
                return Restart.LIST_NUMBER
            line = without_whitespace(text.partition("\n")[0]) if "\n" in text else None
            counting = []
            for place, repeated in entry.repeated():
                needed = min(
                    self._needed(place, seam, line),
                    _needed_to_end(self._earlier, place, repeated),
                )
                if self._may_be_name(place, seam, repeated) and not (
                    final and place in entry.active
                ):
                    needed = max(needed, _NEEDED_BEYOND_NAME)
                if final and truncated:  # perhaps inside the repetition
                    needed = max(_NEEDED_NUMBERED, needed // 2)
                is_enough = weight(repeated) >= needed and _has_words(repeated)
                if is_enough and not (self._is_last_try and self._is_weak(place, seam)):
                    counting.append((needed, place.start))
            if counting:
                is_first = min(counting)[1] is Start.TEXT
                return Restart.FIRST_LINE if is_first else Restart.EARLIER_PLACE
        return None

    def _needed(self, place: Place, seam: Seam, line: str | None) -> int:
        """Return how much has to be repeated from a place on.

        Args:
            place: The place.
            seam: Where the seam is.
            line: The first line from where the answer may begin, compact; None while
                it is not complete.
        """
        needed = _needed_weight(self._earlier, place, seam)
        if place.start is Start.TEXT and line == without_whitespace(place.line):
            counts = seam is not Seam.LINE or self._earlier.has_title
            if counts or self._earlier.is_code:
                needed = min(needed, max(weight(line), _MIN_LINE))
        return needed

    def _is_weak(self, place: Place, seam: Seam) -> bool:
        """Return True if equal lines are weak evidence here (RESTART-6)."""
        is_title = place.start is Start.TEXT and self._earlier.has_title
        is_strong = is_title or self._earlier.is_numbered(place) or self._reopens()
        return seam is Seam.LINE and not is_strong

    def _reopens(self) -> bool:
        """Return True if the text opens a code block inside an open one."""
        opens = _OPENING.match(self.pending) is not None
        return opens and self._earlier.before.scan.in_fence

    def _may_be_name(self, place: Place, seam: Seam, repeated: str) -> bool:
        """Return True if a text may have the same words here again (RESTART-9)."""
        is_line = without_whitespace(place.line) == repeated
        reaches_end = place.at + len(repeated) >= len(self._earlier.compact)
        is_strong = is_line or reaches_end or self._earlier.is_numbered(place)
        return seam is Seam.MIDDLE and not is_strong

    def _repeats_header(self, seen: str) -> bool:
        header = self._earlier.header
        return bool(header) and seen.startswith(header)

    def _repeats_first_number(self, text: str) -> bool:
        match = ITEM.match(text)
        is_first = match is not None and int(match[1]) == 1
        return is_first and self._earlier.last_number > 1

    def _leaves_row(self) -> bool:
        """Return True if a row follows one that is not complete (RESTART-7)."""
        row, new = self._earlier.open_row, without_whitespace(self.pending)
        blank = self.pending[: len(self.pending) - len(self.pending.lstrip())]
        header, in_new_line = self._earlier.header, "\n" in blank
        if not row or header.startswith(new):
            return False
        if len(row) > 1 and new.startswith(row) and (in_new_line or not self._proven):
            return True
        is_row = in_new_line and new[:1] == "|" and new[1:2] not in {"", "-", ":"}
        maybe_complete = row.endswith("|") and not header
        return is_row and not (self._is_last_try or maybe_complete)

    def _completes_row_again(self, *, final: bool) -> bool:
        """Return True if the open row becomes an earlier row (RESTART-8)."""
        line, line_break, _ = self.pending.partition("\n")
        row = self._earlier.open_row + without_whitespace(line)
        is_over = bool(line_break) or final
        is_same = is_over and row in self._earlier.rows_begun_alike
        return is_same and not self._is_last_try and weight(row) >= _NEEDED_NUMBERED

    def _may_complete_row(self) -> bool:
        if "\n" in self.pending or self._is_last_try:
            return False
        row = self._earlier.open_row + without_whitespace(self.pending)
        return any(one.startswith(row) for one in self._earlier.rows_begun_alike)

    def _may_leave_row(self) -> bool:
        row, new = self._earlier.open_row, without_whitespace(self.pending)
        return bool(row) and (new == "|" or row.startswith(new))

    def _may_be_restart(self) -> bool:
        """Return True if more of the text could make it a restart."""
        if self._may_leave_row() or self._may_complete_row():
            return True
        header = self._earlier.header
        for at, entry in self._entries.items():
            maybe_header = header and header.startswith(entry.seen)
            maybe_item = self._earlier.last_number and _MAYBE_ITEM.fullmatch(
                self.pending, at
            )
            if not entry.seen or entry.active or maybe_header or maybe_item:
                return True
        return False


_MIN_LINE = 6
"""The least weight of a first line that is evidence."""

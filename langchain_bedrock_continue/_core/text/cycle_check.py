"""Whether the answer to a user turn goes on with a cycle that the text has run into.

A model may write the same sentences again and again, with no end. In the answer to a
user turn such text begins where the quote ends, so it is no restart: it is what stood
there the last time. Another form of the user turn often leads out of the cycle.

Example: the text ends in "He read the letter. It was a message from his friend. He read
the letter. It was a", and the new text is " message from his friend. He read".

CYCLE-CHECK-1. The new text is compared with what followed the last words of the text
    where they stood before, and with the last lines that begin as the text's last line
    does. The distance between the two places is the period.
CYCLE-CHECK-2. It is a cycle if it completes a period: the text then has the same
    passage twice, with nothing between. In prose, SAME_PROSE characters are enough.
CYCLE-CHECK-3. On the last try more is needed (`_LAST_TRY`): most often, that the
    passage comes for the third time. What may be asked for is kept: a refrain, or the
    same line or sentence a hundred times, if the caller's messages contain it.
CYCLE-CHECK-4. Numbers, rules and other text without words are no cycle.
CYCLE-CHECK-5. Text is withheld only while it equals the earlier text. It is released
    in order, or rejected as a whole. A message that was truncated while it did has
    nothing new, so then a period is enough on the last try, too.
CYCLE-CHECK-6. The result depends on the text, and not on how it is split into chunks.

Whitespace does not count. What is evidence is measured by `text_end.weight`, as a
Japanese sentence has few characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue._core.text.repetition import has_words
from langchain_bedrock_continue._core.text.text_end import weight, without_whitespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_bedrock_continue._core.text.earlier_text import EarlierText

SAME_BEFORE = 24
"""How much before the seam stands at the earlier place, too."""

MAX_PERIOD = 2_048
MAX_PLACES = 64
"""Of the earlier places, the last ones are looked at. Short clauses that come several
times in a row are one place."""

LEAST = 60
"""The least of new text that is evidence: a line, or a table row, may be repeated."""

SAME_PROSE = 160
"""Prose does not have two sentences twice. Counted with what is the same before it."""

MAX_LINES = 8
"""Of the lines that begin as the last one does, so many are looked at."""


class _What(Enum):
    """What is repeated."""

    ROW = auto()
    """One or more rows of a table."""

    CLAUSE = auto()
    """A part of a line, without the end of a sentence."""

    PROSE = auto()
    """One or more sentences of a paragraph."""

    CODE = auto()
    """Code, HTML, JSON."""

    LINE = auto()
    """One or more short lines, as in verse, a list or a dialogue."""


class _Needed(NamedTuple):
    periods: int
    weight: int
    least_period: int
    why: str


_LAST_TRY = {
    _What.ROW: _Needed(2, 60, 0, "no table has three equal rows with words"),
    _What.CLAUSE: _Needed(4, 160, 0, "no sentence has the same clause five times"),
    _What.PROSE: _Needed(2, 240, 100, "a sentence, but not two, may be asked for"),
    _What.CODE: _Needed(2, 240, 100, "a line, but not a block, comes three times"),
    _What.LINE: _Needed(3, 600, 100, "a refrain of four lines may come three times"),
}
"""How much has to be equal on the last try: periods, and weight. A shorter period does
not count: `repetition` ends the turn where it does not end."""

_SHORT_LINE = _Needed(8, 240, 0, "no answer needs eight equal lines, unasked")
"""The same for shorter lines that the caller's messages do not contain."""


class Cycling(StrEnum):
    """Why a message is rejected that repeats a cycle."""

    CYCLE = "cycle"
    """It repeats, word for word, what the text has just repeated."""


@dataclass
class _Place:
    """An earlier place where the same words stood.

    Attributes:
        at: Its offset: the new text is compared from here on.
        needed: How much of new text has to be equal.
        if_truncated: How much is enough if the message is truncated there.
    """

    at: int
    needed: int
    if_truncated: int


class CycleCheck:
    """Reads the new text of one message, after the check for a restart.

    Attributes:
        found: The text is a cycle.
        after_cycle: The text before the seam ends in the same passage twice.
        decided: Whether it is decided.
    """

    def __init__(
        self,
        earlier: EarlierText,
        *,
        is_last_try: bool,
        is_asked_for: Callable[[str], bool] = bool,
    ) -> None:
        """Begin after a text.

        Args:
            earlier: The text.
            is_last_try: See CYCLE-CHECK-3.
            is_asked_for: Returns True if the caller's messages contain a line.
        """
        self._is_asked_for = is_asked_for
        self._is_last_try = is_last_try
        self._earlier = earlier
        self._text = earlier.compact[-2 * MAX_PERIOD :]
        self.found = False
        self.after_cycle = False
        self._places = list(self._find())
        self._seen = self._weight = 0
        self._pending = ""

    @property
    def decided(self) -> bool:
        """Whether all that follows is released unchanged, or nothing is."""
        return self.found or not self._places

    def feed(self, new: str) -> str | None:
        """Take new text.

        Returns:
            What is released, or None while that is undecided, and if it is a cycle.
        """
        if self.decided:
            return None if self.found else new
        self._pending += new
        for char in without_whitespace(new):
            if self._places and not self.found:
                self._compare(char)
        return None if self.found or self._places else self.finish()

    def finish(self, *, truncated: bool = False) -> str:
        """Decide with what was received, because the message is over.

        Args:
            truncated: Whether the message was truncated, and not ended by the model.

        Returns:
            What is released.
        """
        if truncated and any(one.if_truncated <= self._weight for one in self._places):
            self.found = True
        self._places = []
        pending, self._pending = self._pending, ""
        return "" if self.found else pending

    def _compare(self, char: str) -> None:
        self._text += char
        self._seen += 1
        self._weight += weight(char)
        self._places = [
            place
            for place in self._places
            if self._text[place.at + self._seen - 1] == char
        ]
        self.found = any(self._weight >= place.needed for place in self._places)

    def _find(self) -> Iterator[_Place]:
        """Yield the earlier places, the last one first (CYCLE-CHECK-1)."""
        run, shortest = 0, 1  # the text ends in such a run of this period
        for at in sorted({*self._same_words_before(), *self._same_lines()})[::-1]:
            period = len(self._text) - at
            if period <= run and period % shortest == 0:
                continue  # the same text follows as at the last place
            if period > MAX_PERIOD or not has_words(self._text[at:]):
                continue
            before = self._same_before(at)
            if before >= period:
                run, shortest = before, period
                self.after_cycle = True
            same = weight(self._text[len(self._text) - before :])
            place = self._place(at, same)
            if place is not None:
                yield place

    def _same_words_before(self) -> Iterator[int]:
        words, end = self._text[-SAME_BEFORE:], len(self._text) - 1
        for _ in range(MAX_PLACES):
            start = self._text.rfind(words, 0, end)
            if start < 0 or len(words) < SAME_BEFORE:
                return
            yield start + SAME_BEFORE
            end = start + SAME_BEFORE - 1

    def _same_lines(self) -> Iterator[int]:
        """Yield where the last lines go on that begin as the last one does."""
        *lines, last = self._earlier.window[-2 * MAX_PERIOD :].split("\n")
        begun, at = without_whitespace(last), len(self._text)
        at -= len(begun)
        for line in lines[: -MAX_LINES - 1 : -1]:
            compact = without_whitespace(line)
            at -= len(compact)
            if begun and compact.startswith(begun) and at >= 0:
                yield at + len(begun)

    def _same_before(self, at: int) -> int:
        pairs = zip(reversed(self._text[:at]), reversed(self._text), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _place(self, at: int, before: int) -> _Place | None:
        """Return an earlier place; None if nothing after it is evidence.

        Args:
            at: Its offset.
            before: The weight of what is the same before the seam.
        """
        what, period = self._what(at), weight(self._text[at:])
        if not self._is_last_try:
            whole = max(period, 0 if what is _What.ROW else SAME_PROSE)
            if self._earlier.is_prose:
                whole = min(period, SAME_PROSE)
            needed = max(LEAST, whole - before)
            return _Place(at, needed, needed)
        rule = _LAST_TRY[what]
        if period < rule.least_period:
            if what is not _What.LINE or self._may_be_asked_for(len(self._text) - at):
                return None
            rule = _SHORT_LINE
        needed = max(LEAST, max(rule.periods * period, rule.weight) - before)
        if what is _What.LINE:
            return _Place(at, needed, needed)
        once = max(period, rule.weight if what is _What.ROW else SAME_PROSE)
        return _Place(at, needed, max(LEAST, once - before))

    def _may_be_asked_for(self, size: int) -> bool:
        """Return True unless the lines of a period stand in no message of the caller.

        Args:
            size: The length of the period, in visible characters.
        """
        complete = self._earlier.window.split("\n")[:-1]
        lines, seen = [], 0
        for line in filter(str.strip, reversed(complete)):
            lines.append(line)
            seen += len(without_whitespace(line))
            if seen >= size:
                break
        return seen < size or any(map(self._is_asked_for, lines))

    def _what(self, at: int) -> _What:
        """Return what has stood since an earlier place."""
        line = self._earlier.text.rpartition("\n")[2].strip()
        if line.startswith("|"):
            return _What.ROW
        if self._earlier.is_code:
            return _What.CODE
        period = self._text[at:]
        if len(period) < len(without_whitespace(line)) and not _SENTENCE.search(period):
            return _What.CLAUSE
        return _What.PROSE if self._earlier.is_prose else _What.LINE


_SENTENCE = re.compile(r"[.!?\u2026。\uff01\uff1f]")

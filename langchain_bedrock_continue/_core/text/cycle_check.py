"""Whether the answer to a user turn goes on with a cycle that the text has run into.

A model may write the same sentences again and again, with no end. In the answer to a
user turn such text begins where the quote ends, so it is no restart: it is what stood
there the last time. Another form of the user turn often leads out of the cycle.

Example: the text ends in "He read the letter. It was a message from his friend. He read
the letter. It was a", and the new text is " message from his friend. He read".

CYCLE-CHECK-1. The new text is compared with what followed the last words of the text
    where they stood before. The distance between the two places is the period.
CYCLE-CHECK-2. It is a cycle if it completes a period: the text then has the same
    passage twice, with nothing between. In prose, SAME_PROSE characters are enough.
CYCLE-CHECK-3. On the last try a passage counts from its third time on, and if it is
    long: the same line a hundred times, or a refrain, may be what was asked for.
CYCLE-CHECK-4. Numbers, rules and other text without words are no cycle.
CYCLE-CHECK-5. Text is withheld only while it equals the earlier text. It is released
    in order, or rejected as a whole.
CYCLE-CHECK-6. The result depends on the text, and not on how it is split into chunks.

Whitespace does not count. What is evidence is measured by `text_end.weight`, as a
Japanese sentence has few characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.repetition import has_words
from langchain_bedrock_continue._core.text.text_end import weight, without_whitespace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_bedrock_continue._core.text.restart import EarlierText

SAME_BEFORE = 24
"""How much before the seam stands at the earlier place, too."""

MAX_PERIOD = 2_048
MAX_PLACES = 4
"""Of the earlier places, the last ones are compared."""

LEAST = 60
"""The least of new text that is evidence: a line, or a table row, may be repeated."""

SAME_PROSE = 160
"""Prose does not have two sentences twice. Counted with what is the same before it."""

LEAST_ON_LAST_TRY = 600
LEAST_PERIOD_ON_LAST_TRY = 100
"""Two sentences."""


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
    """

    at: int
    needed: int


class CycleCheck:
    """Reads the new text of one message, after the check for a restart.

    Attributes:
        found: The text is a cycle.
        after_cycle: The text before the seam ends in the same passage twice.
        decided: Whether it is decided.
    """

    def __init__(self, earlier: EarlierText, *, is_last_try: bool) -> None:
        """Begin after a text.

        Args:
            earlier: The text.
            is_last_try: See CYCLE-CHECK-3.
        """
        self._is_last_try = is_last_try
        self._is_prose = earlier.is_prose
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

    def finish(self) -> str:
        """Return what is released because the message is over."""
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
        shortest: int | None = None
        for at in self._same_words_before():
            period, before = len(self._text) - at, self._same_before(at)
            same = weight(self._text[len(self._text) - before :])
            if period > MAX_PERIOD or not has_words(self._text[at:]):
                continue
            if shortest is not None and period % shortest == 0:
                continue  # the same cycle
            if before >= period:
                shortest = period
                self.after_cycle = True
            needed = self._needed(weight(self._text[at:]), same)
            if needed is not None:
                yield _Place(at, needed)

    def _same_words_before(self) -> Iterator[int]:
        words, end = self._text[-SAME_BEFORE:], len(self._text) - 1
        for _ in range(MAX_PLACES):
            start = self._text.rfind(words, 0, end)
            if start < 0 or len(words) < SAME_BEFORE:
                return
            yield start + SAME_BEFORE
            end = start + SAME_BEFORE - 1

    def _same_before(self, at: int) -> int:
        pairs = zip(reversed(self._text[:at]), reversed(self._text), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _needed(self, period: int, before: int) -> int | None:
        """Return how much new text is evidence; None if none is."""
        if self._is_last_try:
            if period < LEAST_PERIOD_ON_LAST_TRY:
                return None
            return max(LEAST, max(2 * period, LEAST_ON_LAST_TRY) - before)
        whole = min(period, SAME_PROSE) if self._is_prose else max(period, SAME_PROSE)
        return max(LEAST, whole - before)

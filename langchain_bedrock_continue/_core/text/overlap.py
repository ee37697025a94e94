"""Overlaps: where the start of a message repeats the end of a text, and if that counts.

Example: the text ends in "every evening he asked for an", and the message begins with
"he asked for another bed". The overlap is "he asked for an"; "other bed" is new.

Comparisons ignore whitespace and read typographic quotation marks as plain ones,
because models change both when they repeat a text.

OVERLAP-1. An overlap is a start of the message that equals an end of the text.
OVERLAP-2. An overlap counts only if it is evidence of a repetition: "ha ha" followed by
    "ha ha!" is four times "ha". An overlap is no evidence if it is short, if it is
    periodic, or if the text before it ends in the same way.
OVERLAP-3. The result depends on the message, and not on how it is split into chunks. A
    longer message can add overlaps; it never removes one.
OVERLAP-4. Time is linear in text and message. If the message begins with the quote,
    only the quote is compared.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue._core.text.healed_cut import is_unsafe_end
from langchain_bedrock_continue._core.text.markdown import in_fence, table_at_end

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_WEIGHT = 10
"""The least weight of an overlap that counts; see `weight`."""

MAX_DISTANCE = 240
"""An overlap may begin anywhere in so many visible characters at the text's end."""

MAX_LINES = 64
"""Before that, it may begin at the start of one of so many lines, or of the text."""

MAX_PERIOD = 1024
"""The longest period that makes an overlap periodic, in visible characters."""

_CJK = 0x2E80
_PLAIN_QUOTES = {"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"}


def without_whitespace(text: str) -> str:
    """Return a text as it is compared: without whitespace, with plain quotes."""
    compared = "".join(text.split())
    for quote, plain in _PLAIN_QUOTES.items():  # much faster than `translate`
        compared = compared.replace(quote, plain)
    return compared


def weight(text: str) -> int:
    """Measure how much a text proves if it occurs twice.

    A character counts once; a CJK character or an emoji counts three times.
    """
    return sum(3 if ord(char) >= _CJK else 1 for char in text)


def body_length(text: str) -> int:
    """Return the length of a text without its trailing whitespace."""
    end = len(text)
    while end and is_unsafe_end(text[end - 1]):
        end -= 1
    return end


class TextEnd:
    """A text whose end is compared with messages.

    It never changes, so that several joins can share it. Places in the text are
    offsets in `compact`.

    Attributes:
        body: The text without its trailing whitespace.
        trailing: That whitespace, with half a character if there is one.
        quote: What the model was asked to repeat, without whitespace.
    """

    def __init__(self, text: str, quote: str) -> None:
        """Prepare a text.

        Args:
            text: The text so far, with its trailing whitespace.
            quote: What the model was asked to repeat: an end of the text's body.

        Raises:
            ValueError: The text does not end in the quote.
        """
        end = body_length(text)
        self.body, self.trailing = text[:end], text[end:]
        self.quote = without_whitespace(quote)
        # The second test looks at the complete text, and is rarely needed.
        if not (self.body.endswith(quote) or self.compact.endswith(self.quote)):
            raise ValueError(f"quote must be the end of the text, got {quote!r}")
        self._evidence: dict[int, bool] = {}

    @cached_property
    def compact(self) -> str:
        """The body without whitespace."""
        return without_whitespace(self.body)

    @cached_property
    def quote_at(self) -> int | None:
        """Where the quote begins; None if it is empty."""
        return len(self.compact) - len(self.quote) if self.quote else None

    @cached_property
    def quote_weight(self) -> int:
        """How much a repetition of the quote proves."""
        return weight(self.quote)

    @property
    def line_at(self) -> int:
        """Where the last line begins."""
        return self._line_starts[0]

    @cached_property
    def starts(self) -> list[int]:
        """Where an overlap may begin, in order."""
        size = len(self.compact)
        near = range(max(0, size - MAX_DISTANCE), size)
        return sorted({0, *self._line_starts, *near}) if size else []

    @cached_property
    def _line_starts(self) -> list[int]:
        """Where the last lines begin that are not blank, the last one first."""
        starts: list[int] = []
        at, end = len(self.compact), len(self.body)
        while end >= 0 and len(starts) < MAX_LINES:
            start = self.body.rfind("\n", 0, end) + 1
            line = without_whitespace(self.body[start:end])
            at -= len(line)
            if line:
                starts.append(at)
            end = start - 1
        return starts or [0]

    @cached_property
    def in_fence(self) -> bool:
        """Whether the text ends inside an open code fence."""
        return in_fence(self.body)

    @cached_property
    def table(self) -> tuple[str, bool] | None:
        """The table in which the text ends; see `table_at_end`."""
        is_closed = self.trailing.count("\n") > 1
        return None if is_closed else table_at_end(self.body)

    def is_evidence(self, at: int) -> bool:
        """Return True if an overlap that begins at this place counts (OVERLAP-2)."""
        if at not in self._evidence:
            self._evidence[at] = self._judge(self.compact[at:])
        return self._evidence[at]

    def _judge(self, overlap: str) -> bool:
        size = len(overlap)
        repeated = max(3, size // 4)
        if size < MIN_WEIGHT and weight(overlap) < MIN_WEIGHT:
            return False
        if size - self._period(overlap) >= repeated:
            return False
        before = self.compact[: len(self.compact) - size]
        if len(before) >= repeated and before.endswith(overlap[-repeated:]):
            return False
        return overlap + overlap[:4] not in before[-4 * MAX_PERIOD :] + overlap

    def _period(self, overlap: str) -> int:
        """Return the smallest period of an end of the text, or its size."""
        size = min(len(overlap), MAX_PERIOD)
        period = size - self._borders[size]
        if size == len(overlap):
            return period
        repeats = overlap[period:] == overlap[:-period]
        return period if repeats else len(overlap)

    @cached_property
    def _borders(self) -> list[int]:
        """For each size of an end of the text, its longest own border."""
        end = self.compact[-MAX_PERIOD:][::-1]
        borders = [0, 0]
        border = 0
        for char in end[1:]:
            while border and end[border] != char:
                border = borders[border]
            border += end[border] == char
            borders.append(border)
        return borders


class Overlap(NamedTuple):
    """An overlap: where it begins in the text, and where it ends in the message."""

    text_start: int
    message_end: int


class _Comparison:
    """A message compared with the ends of a text that begin at certain places.

    Attributes:
        active: The places from which the message still repeats the text.
        ends: Where the message has repeated all of the text from a place on, and the
            offset in the message at which that repetition ends.
        compared: How many visible characters of the message were compared.
    """

    def __init__(self, compact: str, starts: Sequence[int]) -> None:
        self._compact = compact
        self.active = starts
        self.ends: dict[int, int] = {}
        self.compared = 0
        self._received = 0
        self._offsets: list[int] = []

    def feed(self, text: str) -> None:
        if not self.active:
            return
        new = without_whitespace(text)
        self._offsets += [
            at for at, char in enumerate(text, self._received + 1) if not char.isspace()
        ]
        self.active = [at for at in self.active if self._stays_active(at, new)]
        self.compared += len(new)
        self._received += len(text)

    def _stays_active(self, at: int, new: str) -> bool:
        """Compare new characters from one place on; record where a repetition ends."""
        position = at + self.compared
        if len(self._compact) - position > len(new):
            return self._compact.startswith(new, position)
        if new.startswith(self._compact[position:]):
            self.ends[at] = self._offsets[len(self._compact) - at - 1]
        return False


class OverlapMatcher:
    """Finds the overlaps of a text with a message, or with a message after a lead-in.

    The quote is compared first and by itself. The other places are compared only when
    they matter, because that takes the complete text (OVERLAP-4).
    """

    def __init__(self, text_end: TextEnd) -> None:
        """Prepare to match a message that begins here."""
        self._text_end = text_end
        self._quote = _Comparison(text_end.quote, [0] if text_end.quote else [])
        self._overlaps: _Comparison | None = None
        self._unread: list[str] = []

    def feed(self, text: str) -> None:
        """Receive more of the message."""
        self._quote.feed(text)
        self._unread.append(text)

    @property
    def in_quote(self) -> bool:
        """Whether all of the message so far repeats a part of the quote."""
        return bool(self._quote.active)

    @property
    def quote_end(self) -> int | None:
        """Where the quote ends in the message, once it is repeated completely."""
        return self._quote.ends.get(0)

    def is_pending(self, unproven_at: int | None = None) -> bool:
        """Return True if more of the message could make another overlap count."""
        exempt = {unproven_at, self._text_end.quote_at}
        return any(
            at in exempt or self._text_end.is_evidence(at)
            for at in self._compare().active
        )

    def repeats(self, at: int | None) -> bool:
        """Return True if all of the message so far repeats the text from a place on."""
        comparison = self._compare()
        if at is None or at not in comparison.active:
            return False
        repeated = self._text_end.compact[at : at + comparison.compared]
        return weight(repeated) >= MIN_WEIGHT

    def longest(self, unproven_at: int | None = None) -> Overlap | None:
        """Return the longest overlap that counts.

        Args:
            unproven_at: An overlap that begins at this place counts without evidence.
        """
        return min(
            (
                Overlap(at, end)
                for at, end in self._compare().ends.items()
                if at == unproven_at or self._text_end.is_evidence(at)
            ),
            default=None,
        )

    def _compare(self) -> _Comparison:
        """Compare what was received with all places where an overlap may begin."""
        if self._overlaps is None:
            self._overlaps = _Comparison(self._text_end.compact, self._text_end.starts)
        if self._unread:
            self._overlaps.feed("".join(self._unread))
            self._unread.clear()
        return self._overlaps

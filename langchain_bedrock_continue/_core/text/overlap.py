"""Where a message follows the end of a text: overlaps, and what they prove.

Whitespace is left out of every comparison, and typographic quotes count as plain
ones: models change both when they repeat a text.

O1. An overlap is a start of the message that equals an end of the text, whole.
O2. An overlap counts only where it proves something: "ha ha" + "ha ha!" are four.
    What repeats itself, what the end of the text repeats already, and what is too
    short to be no chance, proves nothing.
O3. What a follower finds depends on the message alone, not on its chunks, and what it
    found stays: more of the message adds to it.
O4. Time is linear in text and message.
"""

from __future__ import annotations

from functools import cached_property

from langchain_bedrock_continue._core.text.healed_cut import is_unsafe_end
from langchain_bedrock_continue._core.text.markdown import in_fence, table_at_end

FLOOR = 10
"""What an overlap must weigh at least; a CJK character or an emoji weighs three."""

NEAR = 240
"""An overlap may begin anywhere in so many solid characters before the text's end."""

LINES = 64
"""Further back it begins at the start of one of so many lines, or of the text."""

REACH = 1024
"""How far back a period is looked for, in solid characters."""

_CJK = 0x2E80
_PLAIN_QUOTES = str.maketrans("\u201c\u201d\u2018\u2019", "\"\"''")


def solid(text: str) -> str:
    """Return what is compared of a text: its characters without whitespace."""
    return "".join(text.split()).translate(_PLAIN_QUOTES)


def weight(text: str) -> int:
    """Weigh what a text proves by coming twice."""
    return sum(3 if ord(char) >= _CJK else 1 for char in text)


def solid_end(text: str) -> int:
    """Return the length of the text without its trailing whitespace."""
    end = len(text)
    while end and is_unsafe_end(text[end - 1]):
        end -= 1
    return end


class Tail:
    """The text that a message goes on from, prepared for comparison."""

    def __init__(self, text: str, quote: str) -> None:
        """Prepare a text.

        Args:
            text: All of the turn's text so far, with its trailing whitespace.
            quote: What the model was asked to repeat: an end of the text's body.

        Raises:
            ValueError: The text does not end in the quote.
        """
        end = solid_end(text)
        self.body, self.after = text[:end], text[end:]
        self.solid = solid(self.body)
        quoted = solid(quote)
        if not self.solid.endswith(quoted):
            raise ValueError(f"quote must be the end of the text, got {quote!r}")
        self.quote_at = len(self.solid) - len(quoted) if quoted else None
        self.quote_weight = weight(quoted)
        lines = _line_starts(self.body)
        self.line_at = lines[-1]
        near = range(max(0, len(self.solid) - NEAR), len(self.solid))
        self.starts = sorted({0, *lines[-LINES:], *near}) if self.solid else []
        self._proofs: dict[int, bool] = {}

    @cached_property
    def in_fence(self) -> bool:
        """Whether the text ends inside an open code fence."""
        return in_fence(self.body)

    @cached_property
    def table(self) -> tuple[str, bool] | None:
        """The header of the table that the text ends in, and if its row is whole."""
        ended = self.after.count("\n") > 1
        return None if ended else table_at_end(self.body)

    def proves(self, at: int) -> bool:
        """Tell whether an overlap that begins here counts (O2)."""
        if at not in self._proofs:
            self._proofs[at] = self._prove(self.solid[at:])
        return self._proofs[at]

    def _prove(self, overlap: str) -> bool:
        size = len(overlap)
        again = max(3, size // 4)
        if weight(overlap) < FLOOR or size - self._period(overlap) >= again:
            return False
        before = self.solid[: len(self.solid) - size]
        if len(before) >= again and before.endswith(overlap[-again:]):
            return False
        return overlap + overlap[:4] not in before[-4 * REACH :] + overlap

    def _period(self, overlap: str) -> int:
        """Return the smallest period of an end of the text, or its size."""
        size = min(len(overlap), REACH)
        period = size - self._borders[size]
        if size == len(overlap):
            return period
        repeats = overlap[period:] == overlap[:-period]
        return period if repeats else len(overlap)

    @cached_property
    def _borders(self) -> list[int]:
        """For each size of an end of the text, its longest own border."""
        end = self.solid[-REACH:][::-1]
        borders = [0, 0]
        border = 0
        for char in end[1:]:
            while border and end[border] != char:
                border = borders[border]
            border += end[border] == char
            borders.append(border)
        return borders


def _line_starts(body: str) -> list[int]:
    """Return where the lines that hold something begin, in solid characters."""
    starts, at = [0], 0
    for line in body.split("\n"):
        size = len(solid(line))
        if size:
            starts.append(at)
        at += size
    return starts


class Follower:
    """How a message follows the text, from one place in the message on."""

    def __init__(self, tail: Tail) -> None:
        """Begin with every place that an overlap may begin at."""
        self._tail = tail
        self._alive = tail.starts
        self._solid = 0
        self._raw = 0
        self._places: list[int] = []
        self._done: dict[int, int] = {}

    def feed(self, text: str) -> None:
        """Take more of the message."""
        if not self._alive:
            return
        new = solid(text)
        self._places += [
            at for at, char in enumerate(text, self._raw + 1) if not char.isspace()
        ]
        self._alive = [at for at in self._alive if self._follows(at, new)]
        self._solid += len(new)
        self._raw += len(text)

    def _follows(self, at: int, new: str) -> bool:
        """Tell whether the message still follows from here; note where it ends."""
        whole, since = self._tail.solid, at + self._solid
        if len(whole) - since > len(new):
            return whole.startswith(new, since)
        if new.startswith(whole[since:]):
            self._done[at] = self._places[len(whole) - at - 1]
        return False

    def pending(self, loose: int | None = None) -> bool:
        """Tell whether more of the message could make another overlap that counts."""
        free = {loose, self._tail.quote_at}
        return any(at in free or self._tail.proves(at) for at in self._alive)

    @property
    def quoting(self) -> bool:
        """Tell whether the message has begun to repeat the quote, and not ended."""
        return self._tail.quote_at in self._alive

    @property
    def quote_end(self) -> int | None:
        """Where the quote ends in the message, once repeated whole."""
        at = self._tail.quote_at
        return None if at is None else self._done.get(at)

    def repeats(self, at: int | None) -> bool:
        """Tell whether all of the message so far repeats the text from a place on."""
        if at is None or at not in self._alive:
            return False
        return weight(self._tail.solid[at : at + self._solid]) >= FLOOR

    def best(self, loose: int | None = None) -> tuple[int, int] | None:
        """Return the longest overlap that counts: its start, its end in the message.

        Args:
            loose: An overlap that begins here counts without a proof.
        """
        return min(
            (
                (at, end)
                for at, end in self._done.items()
                if at == loose or self._tail.proves(at)
            ),
            default=None,
        )

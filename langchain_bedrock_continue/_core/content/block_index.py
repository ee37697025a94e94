"""The numbers of a turn's content blocks (CONTENT-1 of `placement`)."""

from __future__ import annotations


class BlockIndex:
    """Maps the block numbers of each segment to the block numbers of the turn.

    Attributes:
        last: The number of the turn's last block; -1 if there is none.
        is_first: The segment is the turn's first: its numbers are the turn's.
        taken: Numbers of truncated reasoning, which no other block gets (CONTENT-6).
    """

    def __init__(
        self, last: int = -1, *, is_first: bool = True, taken: tuple[int, ...] = ()
    ) -> None:
        """Begin a segment with no block yet."""
        self.last = last
        self.taken = taken
        self.is_first = is_first
        self._of: dict[int, int] = {}

    def begin_segment(self) -> None:
        """Begin a later segment: its numbers follow the turn's last."""
        self._of, self.is_first = {}, False

    def of(self, number: int) -> int:
        """Return the turn's number of a segment's block; a new block gets one."""
        index = self._of.get(number)
        if index is None:
            index = self._of[number] = self._new(number)
        self.last = max(self.last, index)
        return index

    def continue_block(self, number: int, index: int) -> None:
        """Let a segment's block continue a block of the turn, its last text."""
        self._of[number] = index
        self.last = max(self.last, index)

    def move_to_new_block(self, index: int) -> int:
        """Give the segment's block that continues `index` a new number; return it."""
        self.last = self._after(self.last)
        self._of = {n: self.last if i == index else i for n, i in self._of.items()}
        return self.last

    def _new(self, number: int) -> int:
        """Return the number of a new block that no truncated reasoning has."""
        if not self.is_first:
            return self._after(self.last)
        for taken in self.taken:  # in order
            number += number >= taken
        return number

    def _after(self, number: int) -> int:
        """Return the next number that is not taken."""
        number += 1
        while number in self.taken:
            number += 1
        return number

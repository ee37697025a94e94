"""The numbers of a turn's content blocks (rule B1 of `blocks`)."""

from __future__ import annotations


class Numbers:
    """Gives the blocks of each segment their numbers in the turn.

    Attributes:
        last: The number of the turn's last block; -1 where there is none.
    """

    def __init__(self) -> None:
        """Begin with the first segment, whose numbers are the turn's."""
        self.last = -1
        self._first = True
        self._of: dict[int, int] = {}

    def begin_segment(self) -> None:
        """Begin a later segment: its numbers follow on."""
        self._of, self._first = {}, False

    def of(self, number: int) -> int:
        """Return the turn's number of a segment's block."""
        new = number if self._first else self.last + 1
        index = self._of.setdefault(number, new)
        self.last = max(self.last, index)
        return index

    def known(self, number: int) -> int | None:
        """Return the same where the block has come before, else None."""
        return self._of.get(number)

    def join(self, number: int, index: int) -> None:
        """Let a segment's block go on in a block of the turn, its last."""
        self._of[number] = self.last = index

    def move_on(self, index: int) -> int:
        """Give what goes on in a block a new number, behind the last; return it."""
        self.last += 1
        self._of = {n: self.last if i == index else i for n, i in self._of.items()}
        return self.last

"""The text of a turn over its blocks, as the joins of user turns see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue._core.text.healed_cut import last_of
from langchain_bedrock_continue._core.text.text_before import (
    TextBefore,
    TextScan,
    compared,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue._core.text.healed_cut import TextBuffer


class TurnTextMark(NamedTuple):
    """The state of a turn's text at a moment; its size does not depend on the text's.

    Attributes:
        closed: The number of closed blocks.
        length: How many characters these have.
        read: What is known of the text.
    """

    closed: int
    length: int
    read: TextScan


class TurnText:
    """The closed text blocks of a turn, and what is known of its text.

    Attributes:
        length: How many characters the closed blocks have.
    """

    def __init__(self, tags: tuple[str, str] | None = None) -> None:
        """Begin with no text.

        Args:
            tags: The tags around the model's thinking, or None.
        """
        self.length = 0
        self._closed: list[str] = []
        self._read = TextScan(tags)
        self._longest = 0  # of the segments, in characters

    def mark(self) -> TurnTextMark:
        """Return the state, for `at`."""
        return TurnTextMark(len(self._closed), self.length, self._read)

    def at(self, mark: TurnTextMark) -> TurnText:
        """Return a new text as this one was at a mark."""
        text = TurnText()
        text.restore(self._closed[: mark.closed], mark, self._longest)
        return text

    def restore(self, closed: list[str], mark: TurnTextMark, longest: int) -> None:
        """Set the state to that of a mark.

        Args:
            closed: The closed blocks up to the mark.
            mark: The state.
            longest: The length of the longest segment.
        """
        self._closed, self._longest = closed, longest
        self.length, self._read = mark.length, mark.read

    def close(self, block: str) -> None:
        """Add a block that is closed."""
        self._closed.append(block)
        self.length += len(block)

    def end_segment(self, length: int) -> None:
        """Note the length of a segment, in characters."""
        self._longest = max(self._longest, length)

    def before_seam(self, open_block: TextBuffer, capacity: int | None) -> TextBefore:
        """Return the text before a seam.

        It takes time in proportion to a segment, not to the text.

        Args:
            open_block: The block that is continued. If it is blank, it counts alone.
            capacity: How many characters the next message can have; None if unknown.
        """
        if open_block.is_blank:
            return TextBefore.of(open_block.text)
        length = self.length + len(open_block)
        new = self._last(open_block, length - self._read.length)
        at = len(new) - len(open_block.unreleased)
        self._read, rest = self._read.extended(new[:at]), new[at:]
        most = 4 * self._longest if capacity is None else capacity
        text = compared(
            self._read, rest, lambda count: self._last(open_block, count), most
        )
        return TextBefore(text, self._read, rest, self._reader(open_block))

    def _last(self, open_block: TextBuffer, count: int) -> str:
        """Return the last characters of all blocks."""
        return last_of(count, open_block.last(count), reversed(self._closed))

    def _reader(self, open_block: TextBuffer) -> Callable[[], str]:
        """Return a function that returns all blocks as they are now."""
        closed, count = self._closed, len(self._closed)
        read = open_block.reader()
        return lambda: "".join([*closed[:count], read()])

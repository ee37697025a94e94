"""The content that was released to the caller, by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.base import merge_content

from langchain_bedrock_continue._core.content.incoming import (
    REASONING,
    TEXT,
    TRUNCATED,
    as_block,
    blocks_in,
    extras_of,
    is_text,
    is_truncated,
    kind_of,
    lacks_signature,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.incoming import Block, Chunks

_TEXT_ONLY = frozenset({"type", "text", "index"})


class ReleasedMark(NamedTuple):
    """A moment in the released content.

    Attributes:
        last: The number of the last block.
        sizes: The number of parts of each text that may be continued.
    """

    last: int
    sizes: dict[int, int]


class ReleasedBlocks:
    """The content that was released, by block. Adding to it takes constant time.

    Attributes:
        last: The number of the last block; -1 if there is none.
        substance: How many blocks were added that are more than an empty text.
        reasoning: How many of them were reasoning.
        is_blank: Nothing but whitespace and reasoning was added: nothing that a
            request could end with.
    """

    def __init__(self) -> None:
        """Begin with nothing released."""
        self.substance = 0
        self.reasoning = 0
        self.is_blank = True
        self._parts: dict[int, list[str]] = {}
        self._blocks: dict[int, Block] = {}
        self.last = -1
        self._moved: dict[int, int] = {}
        self._mark = ReleasedMark(-1, {})  # the last mark
        self._reasoning_before = 0  # what `reasoning` was before the last one began

    def __bool__(self) -> bool:
        """Return True if anything was released."""
        return bool(self._blocks)

    def place_apart(self, chunk: AIMessageChunk) -> None:
        """Give a block a new number where another kind of block has its own.

        The retry of a broken segment may begin with another kind of block than the
        attempt that was shown.
        """
        if isinstance(chunk.content, str):
            return
        for block in chunk.content:
            if isinstance(block, dict):
                block["index"] = self._own_index(block)

    def _own_index(self, block: Block) -> int:
        """Return a block's number, or a new one if another kind of block has it."""
        number: int = block["index"]
        if not self._is_taken(number, kind_of(block)):
            return number
        index = self._moved.get(number)
        if index is None or self._is_taken(index, kind_of(block)):
            index = self._moved[number] = self.last + 1
        return index

    def _is_taken(self, index: int, kind: str) -> bool:
        known = self._blocks.get(index)
        return known is not None and kind_of(known) != kind

    def add(self, chunk: AIMessageChunk) -> None:
        """Add a released chunk; its blocks continue those of the same number.

        A text without a block has no number. Block 0 may be thinking: ChatBedrock
        streams the text of a model that thinks unasked as strings.
        """
        plain = isinstance(chunk.content, str)
        for block in blocks_in(chunk):
            if plain:
                block["index"] = self._own_index(block)
            kind = kind_of(block)
            if kind is TEXT:
                self._add_text(block)
                continue
            self.substance += 1
            if kind is REASONING and block["index"] not in self._blocks:
                self._reasoning_before = self.reasoning
            self.reasoning += kind is REASONING
            self.is_blank = self.is_blank and kind is REASONING
            self._merge(block)

    def has_text(self, index: int) -> bool:
        """Return True if a block is a text that was added under its own number."""
        return index in self._parts and not self._moved

    def add_to_text(self, index: int, text: str) -> None:
        """Add text to a block for which `has_text` is true."""
        self.substance += 1
        self.is_blank = self.is_blank and text.isspace()
        self._parts[index].append(text)

    def _add_text(self, block: Block) -> None:
        index, text = block["index"], block["text"]
        if text:
            self.substance += 1
            self.is_blank = self.is_blank and text.isspace()
        parts = self._parts.get(index)
        if parts is None:
            parts = self._parts[index] = []
        parts.append(text)
        if index not in self._blocks or not block.keys() <= _TEXT_ONLY:
            self._merge({**block, "text": ""})

    def _merge(self, block: Block) -> None:
        index = block["index"]
        known = self._blocks.get(index)
        both: Any = [block] if known is None else merge_content([known], [block])
        self._blocks[index] = both[0]
        self.last = max(self.last, index)

    def mark(self, first: int = 0) -> ReleasedMark:
        """Return where the released content ends, for `since`.

        The parts of a text since the last mark become one, so that a text has one part
        for each segment.

        Args:
            first: The number of the first block that may be continued.
        """
        sizes: dict[int, int] = {}
        for index in range(max(first, 0), self.last + 1):
            parts, marked = self._parts.get(index, []), self._mark.sizes.get(index, 0)
            if parts[marked:]:
                parts[marked:] = ["".join(parts[marked:])]
            sizes[index] = len(parts)
        self._mark = ReleasedMark(self.last, sizes)
        return self._mark

    def mark_truncated_reasoning(self) -> Chunks:
        """Mark the last block, if it is truncated reasoning (CONTENT-6).

        Returns:
            The mark. The reasoning does not count any more.
        """
        block = self._blocks.get(self.last)
        if block is None or is_truncated(block) or not lacks_signature(block):
            return []
        marks: Any = [{"type": block["type"], "index": self.last, TRUNCATED: True}]
        self._blocks[self.last] = {**block, TRUNCATED: True}
        self.reasoning = self._reasoning_before
        return [AIMessageChunk(content=marks)]

    def since(self, mark: ReleasedMark) -> list[Block]:
        """Return the blocks that were released since a mark.

        A text that continues over the mark has the part after it, with its citations.
        """
        blocks: list[Block] = []
        for index in sorted(self._blocks):
            if index > mark.last:
                blocks.append(self._block(index))
                continue
            size = mark.sizes.get(index)
            parts = [] if size is None else self._parts.get(index, [])[size:]
            if parts:
                text = as_block("".join(parts), index)
                blocks.append({**text, **extras_of(self._blocks[index])})
        return blocks

    def blocks(
        self, *, numbered: bool, unreleased: str = "", last: int | None = None
    ) -> list[Block]:
        """Return the blocks in order.

        Args:
            numbered: Whether each has its number, as the blocks of a stream do.
            unreleased: Text that follows the last block, and is not yet released.
            last: The number of the last block to return; None for all.
        """
        numbers = sorted(self._blocks)
        kept = [one for one in numbers if last is None or one <= last]
        blocks = [self._block(index) for index in kept]
        for block in [] if numbered else blocks:
            del block["index"]
        if unreleased and blocks and is_text(blocks[-1]):
            blocks[-1]["text"] += unreleased
        elif unreleased:
            blocks.append({"type": "text", "text": unreleased})
        return blocks

    def _block(self, index: int) -> Block:
        block = dict(self._blocks[index])
        if index in self._parts:
            block["text"] = "".join(self._parts[index])
        return block


def merged(chunks: Chunks) -> Chunks:
    """Return chunks as one: a reader parses a JSON document anew at each."""
    if not chunks or any(isinstance(chunk.content, str) for chunk in chunks):
        return chunks
    released = ReleasedBlocks()
    for chunk in chunks:
        released.add(chunk)
    content: Any = released.blocks(numbered=True)
    return [AIMessageChunk(content=content)]

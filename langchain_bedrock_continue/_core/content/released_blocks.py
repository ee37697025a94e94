"""What was released in a turn, put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.base import merge_content

from langchain_bedrock_continue._core.content.incoming import REASONING_TYPES, is_text

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.incoming import Block, Pieces


def merged(pieces: Pieces) -> Pieces:
    """Return pieces as one: a reader parses a document anew at each."""
    if not pieces or any(isinstance(piece.content, str) for piece in pieces):
        return pieces
    whole = Transcript()
    for piece in pieces:
        whole.add(piece)
    content: Any = whole.blocks(numbered=True)
    return [AIMessageChunk(content=content)]


class Transcript:
    """The released content, by block; adding to it takes no longer as it grows."""

    def __init__(self) -> None:
        """Begin with nothing released."""
        self._texts: dict[int, list[str]] = {}
        self._blocks: dict[int, Block] = {}

    def __bool__(self) -> bool:
        """Tell whether anything was released."""
        return bool(self._blocks)

    @property
    def reasons(self) -> bool:
        """Whether reasoning was released."""
        return any(b.get("type") in REASONING_TYPES for b in self._blocks.values())

    def add(self, piece: AIMessageChunk) -> None:
        """Add a released chunk: its blocks go on those of the same number."""
        content = piece.content
        if isinstance(content, str):
            content = [{"type": "text", "text": content, "index": 0}]
        for block in content:
            if isinstance(block, dict):
                self._add_block(block)

    def _add_block(self, block: Block) -> None:
        index = block["index"]
        if is_text(block):
            self._texts.setdefault(index, []).append(block["text"])
            block = {**block, "text": ""}
        known = self._blocks.get(index)
        if known is not None and block.keys() <= {"type", "text", "index"}:
            return
        both: Any = [block] if known is None else merge_content([known], [block])
        self._blocks[index] = both[0]

    def blocks(self, *, numbered: bool, held: str = "") -> list[Block]:
        """Return the blocks in order, with or without their numbers.

        Args:
            numbered: Whether each says its number, as the blocks of a stream do.
            held: Text that stands behind the last block, and is not yet released.
        """
        texts = self._texts
        blocks = [
            {
                key: "".join(texts[index])
                if key == "text" and index in texts
                else value
                for key, value in self._blocks[index].items()
                if numbered or key != "index"
            }
            for index in sorted(self._blocks)
        ]
        if held and blocks and is_text(blocks[-1]):
            blocks[-1]["text"] += held
        elif held:
            blocks.append({"type": "text", "text": held})
        return blocks

    def says(self) -> bool:
        """Tell whether there is more than blank text."""
        blocks = self.blocks(numbered=False)
        return any(not is_text(block) or block["text"].strip() for block in blocks)

"""Where a segment starts: what a retry of it needs to start there again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.incoming import Block, Chunks
    from langchain_bedrock_continue._core.content.turn_text import TurnTextMark
    from langchain_bedrock_continue._core.text.continuation_join import (
        ContinuationJoin,
    )
    from langchain_bedrock_continue._core.text.healed_cut import BufferMark, TextBuffer


@dataclass(slots=True)
class OpenText:
    """The text block that is being written.

    Attributes:
        buffer: Its text.
        index: Its number in the turn.
        number: The number of the segment's block that writes it; None before that
            block has come.
        cited: It has citations, or other extras (CONTENT-7).
    """

    buffer: TextBuffer
    index: int
    number: int | None = None
    cited: bool = False

    def chunks(
        self,
        released: str,
        extras: Block | None = None,
        *,
        plain: bool,
        always: bool = False,
    ) -> Chunks:
        """Wrap released text as it came: a plain string, or a block with its extras.

        Args:
            released: The text.
            extras: What else the block holds, such as citations.
            plain: The text comes without blocks.
            always: Whether an empty text has a chunk, too.
        """
        if not (released or extras or always):
            return []
        content: Any = released
        if extras:
            self.cited = True
        if not plain:
            block = {"type": "text", "text": released, **(extras or {})}
            content = [{**block, "index": self.index}]
        return [AIMessageChunk(content=content)]


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """The placement where a segment begins; taking it costs constant time."""

    open: OpenText | None
    mark: BufferMark | None
    cited: bool
    last_index: int
    is_first: bool
    text: TurnTextMark
    seams: int
    last_seam: int
    join: ContinuationJoin | None
    continues_text: bool
    drops_reasoning: bool
    plain: bool

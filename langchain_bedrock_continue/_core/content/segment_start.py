"""Where a segment starts: what a retry of it needs to start there again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.inline_thinking import (
        ThinkingAwareJoin,
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


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """The placement where a segment begins; taking it costs constant time."""

    open: OpenText | None
    mark: BufferMark | None
    cited: bool
    last_index: int
    is_first: bool
    closed_length: int
    closed_texts: int
    seams: int
    last_seam: int
    join: ThinkingAwareJoin | None
    continues_text: bool
    drops_reasoning: bool
    plain: bool

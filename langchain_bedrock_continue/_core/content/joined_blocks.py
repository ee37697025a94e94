"""What a join keeps of a segment's text blocks (CONTENT-12 of `placement`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.content.incoming import extras_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_bedrock_continue._core.content.incoming import Block


def kept_blocks(
    blocks: Sequence[tuple[int, Block]], new: str, *, cited: bool
) -> Iterator[tuple[int, str, Block]]:
    """Divide the text that a join keeps into the blocks in which it arrived.

    Args:
        blocks: The segment's text blocks with their numbers, or parts of them.
        new: What the join keeps: an end of their text.
        cited: The text that the segment continues has its citations.

    Yields:
        The number of each block, its part of the new text, and its extras. The
        citations of a repetition are dropped, except at its end: they belong to the
        text that is continued, unless that has its own.
    """
    dropped = sum(len(block["text"]) for _, block in blocks) - len(new)
    end = kept = 0
    for number, block in blocks:
        end += len(block["text"])
        part = new[kept : max(kept, end - dropped)]
        is_repetition = not (part or kept) and (cited or end < dropped)
        kept += len(part)
        yield number, part, {} if is_repetition else extras_of(block)

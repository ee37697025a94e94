"""A chunk to which the others of a stream can be added in linear time.

At the end of a stream, langchain-core adds up its chunks for the callbacks, as
`chunks[0] + chunks[1:]` (`BaseChatModel.stream`, `merge_chat_generation_chunks`). For
each chunk it copies the text so far, so the sum takes time in proportion to the square
of the answer's length.

SUM-1. Chunks that have nothing but text of the same block are joined first. The sum is
    the one that langchain-core makes of the chunks themselves.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

_TEXT_KEYS = frozenset({"type", "text", "index"})
_PROVIDER_ONLY = frozenset({"model_provider"})


class LinearSumChunk(ChatGenerationChunk):
    """A ChatGenerationChunk, except for how the others are added to it."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id under which LangChain saves it: that of the base class."""
        return ChatGenerationChunk.lc_id()

    def __add__(
        self, other: ChatGenerationChunk | list[ChatGenerationChunk]
    ) -> ChatGenerationChunk:
        """Add a chunk, or all chunks of a list (SUM-1)."""
        if not isinstance(other, list):
            return super().__add__(other)
        joined: list[ChatGenerationChunk] = []
        for block, group in groupby(other, _block_of_text):
            chunks = list(group)
            joined += chunks if block is None else [_joined(chunks)]
        return super().__add__(joined)


def _block_of_text(chunk: Any) -> tuple[int, str | None] | None:
    """Return the number and the message of a chunk's text, if it has nothing else."""
    message = getattr(chunk, "message", None)
    if type(message) is not AIMessageChunk or len(message.content) != 1:
        return None
    block: Any = message.content[0]
    if not isinstance(block, dict) or block.keys() != _TEXT_KEYS:
        return None
    is_text = block["type"] == "text" and isinstance(block["text"], str)
    has_more = (
        chunk.generation_info
        or message.usage_metadata
        or message.tool_call_chunks
        or message.additional_kwargs
        or message.chunk_position
        or not message.response_metadata.keys() <= _PROVIDER_ONLY
    )
    if has_more or not is_text or not isinstance(block["index"], int):
        return None
    return block["index"], message.id


def _joined(chunks: list[ChatGenerationChunk]) -> ChatGenerationChunk:
    """Return the texts of one block as one chunk. A stream has one provider."""
    messages: list[Any] = [chunk.message for chunk in chunks]
    named = [one.response_metadata for one in messages if one.response_metadata]
    text = "".join(message.content[0]["text"] for message in messages)
    message = AIMessageChunk(
        content=[{**messages[0].content[0], "text": text}],
        id=messages[0].id,
        response_metadata=dict(named[0]) if named else {},
    )
    return ChatGenerationChunk(message=message)

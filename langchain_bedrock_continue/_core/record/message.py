"""The message of a turn, and the last chunk of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import is_text
from langchain_bedrock_continue._core.content.inline_thinking import (
    seams_after_split,
    split,
)
from langchain_bedrock_continue._core.content.tool_calls import InvalidCallChunk
from langchain_bedrock_continue._core.record.addable import AddableContinuation
from langchain_bedrock_continue._core.record.continuation import (
    continuation_of,
    usages_of,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.content import Content
    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.record.record import Record


def whole_message(record: Record, content: Content, policy: Policy) -> AIMessage:
    """Return a turn as one message."""
    joined = _joined_content(content, record)
    thinking = None if record.streamed else policy.inline_thinking
    seams = seams_after_split(joined, content.seams, thinking)
    return AIMessage(
        id=record.resumed.id,
        content=split(joined, thinking),
        additional_kwargs=record.last.response.additional_kwargs,
        response_metadata=_metadata(record, content, seams),
        usage_metadata=usages_of(record)[policy.usage_view],
        tool_calls=content.valid_calls,
        invalid_tool_calls=content.invalid_calls,
    )


def last_chunk(record: Record, content: Content, policy: Policy) -> AIMessageChunk:
    """Return the last chunk of a stream: metadata, usage, and no content."""
    metadata = _metadata(record, content, content.seams)
    metadata["continuation"] = AddableContinuation(metadata["continuation"])
    kind = InvalidCallChunk if content.invalid_calls else AIMessageChunk
    return kind(
        id=record.resumed.id,
        content="",
        response_metadata=metadata,
        additional_kwargs=record.last.response.additional_kwargs,
        usage_metadata=usages_of(record)[policy.usage_view],
        chunk_position="last",
    )


def _metadata(record: Record, content: Content, seams: list[int]) -> dict[str, Any]:
    """Return the last segment's metadata, with how the message came about."""
    continuation = continuation_of(record, seams, content.reasoning)
    return {**record.metadata, "continuation": continuation}


def _joined_content(
    content: Content, record: Record
) -> str | list[str | dict[str, Any]]:
    """Return the content in the form in which the wrapped model returns it.

    ChatBedrock returns an answer of nothing as a string, ChatBedrockConverse as a list.
    """
    blocks = content.blocks(numbered=record.streamed)
    if not blocks and record.last.response.plain:
        return ""
    may_be_string = content.plain or not record.streamed
    if may_be_string and [*map(is_text, blocks)] == [True]:
        return str(blocks[0]["text"])
    return list(blocks)

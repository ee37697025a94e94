"""Converts a message with LangChain's v1 content blocks to the wrapped model's own.

A partial message may come from a model with `output_version="v1"`. The core reads the
wrapped model's own blocks only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.messages import AIMessage

_CALL_TYPES = frozenset(
    {
        "input_json_delta",
        "invalid_tool_call",
        "tool_call",
        "tool_call_chunk",
        "tool_use",
    }
)
"""Types of the blocks that are dropped: the message also lists its calls elsewhere."""


def from_v1(
    message: AIMessage, convert: Callable[[list[Any]], list[dict[str, Any]]]
) -> AIMessage:
    """Return a message with the wrapped model's own content blocks.

    Args:
        message: Never changed. Returned as it is if its blocks are not v1.
        convert: Converts v1 blocks to those of the wrapped model's class.
    """
    is_v1 = message.response_metadata.get("output_version") == "v1"
    if not is_v1 or isinstance(message.content, str):
        return message
    blocks: list[Any] = [
        block
        for block in message.content
        if isinstance(block, dict) and block.get("type") not in _CALL_TYPES
    ]
    return message.model_copy(update={"content": convert(blocks)})

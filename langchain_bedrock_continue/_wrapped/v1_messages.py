"""Converts a message with LangChain's v1 content blocks to ChatBedrockConverse's.

A partial message may come from a model with `output_version="v1"`. The core reads the
wrapped model's own blocks only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._wrapped import private_names

if TYPE_CHECKING:
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


def in_converse_form(message: AIMessage) -> AIMessage:
    """Return a message with ChatBedrockConverse's own content blocks.

    Args:
        message: Never changed. Returned as it is if its blocks are not v1.

    Raises:
        UnsupportedVersionError: langchain-aws has no such conversion.
    """
    is_v1 = message.response_metadata.get("output_version") == "v1"
    if not is_v1 or isinstance(message.content, str):
        return message
    blocks: Any = [
        block
        for block in message.content
        if isinstance(block, dict) and block.get("type") not in _CALL_TYPES
    ]
    content: Any = private_names.v1_to_converse(blocks)
    return message.model_copy(update={"content": content})

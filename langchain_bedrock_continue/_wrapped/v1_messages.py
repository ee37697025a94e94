"""LangChain's v1 content blocks, converted to those that ChatBedrockConverse gives.

A partial message may come from a model with `output_version="v1"`. The core reads the
wrapped model's own blocks only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_aws.chat_models._compat import _convert_from_v1_to_converse

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

_CALLS = frozenset(
    {
        "input_json_delta",
        "invalid_tool_call",
        "tool_call",
        "tool_call_chunk",
        "tool_use",
    }
)
"""Types of blocks that a conversion drops: the message lists its calls elsewhere."""


def in_converse_form(message: AIMessage) -> AIMessage:
    """Return a message with ChatBedrockConverse's own content blocks.

    Args:
        message: Never changed. It is returned as it is where its blocks are not v1.
    """
    is_v1 = message.response_metadata.get("output_version") == "v1"
    if not is_v1 or isinstance(message.content, str):
        return message
    blocks: Any = [
        block
        for block in message.content
        if isinstance(block, dict) and block.get("type") not in _CALLS
    ]
    content = _convert_from_v1_to_converse(blocks, "bedrock_converse")
    return message.model_copy(update={"content": content})

"""Content blocks of server tools, which Anthropic runs itself, such as web search.

SERVERTOOL-1. Inside the endpoint these blocks have Converse's shape, with the `type`
    that botocore's service model has for server tools. They keep everything that a rule
    or a script reads.
SERVERTOOL-2. An assistant message in the final position that holds such a block is a
    paused turn (`pause_turn`), not a prefill. Anthropic's documentation says to send it
    back unchanged. The endpoint also accepts it for models that do not accept prefill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json

USE = "server_tool_use"
"""Anthropic's block type of a server tool's call."""

_RESULT_SUFFIX = "_tool_result"


def is_server_block(block_type: str) -> bool:
    """Return True if Anthropic's block type belongs to a server tool.

    Args:
        block_type: `type` of a block in the Messages API.
    """
    return block_type == USE or block_type.endswith(_RESULT_SUFFIX)


def to_converse(block: Json) -> Json:
    """Translate a server tool's block to Converse's shape (SERVERTOOL-1).

    Args:
        block: A block of the Messages API for which `is_server_block` is True.
    """
    if block["type"] == USE:
        call = {"toolUseId": block["id"], "name": block["name"]}
        return {"toolUse": {**call, "input": block["input"], "type": USE}}
    content = [{"json": block["content"]}]
    result = {"toolUseId": block["tool_use_id"], "content": content}
    return {"toolResult": {**result, "type": block["type"]}}


def to_converse_tool(tool: Json) -> Json:
    """Translate the definition of a server tool to Converse's `systemTool`.

    Args:
        tool: A tool of the Messages API, such as `web_search_20250305`.
    """
    return {"systemTool": {"name": tool["name"]}}


def server_tool_id(block: Json) -> tuple[str, str] | None:
    """Return type and `toolUseId` of a server tool's block; None for other blocks.

    Args:
        block: A block in Converse's shape.
    """
    fields: Json = block.get("toolUse") or block.get("toolResult") or {}
    return (fields["type"], fields["toolUseId"]) if fields.get("type") else None


def is_paused(message: Json) -> bool:
    """Return True if the message, in the final position, is a paused turn.

    Args:
        message: The final message of a Converse request (SERVERTOOL-2).
    """
    blocks = message.get("content") or []
    from_assistant = message.get("role") == "assistant"
    return from_assistant and any(server_tool_id(block) for block in blocks)

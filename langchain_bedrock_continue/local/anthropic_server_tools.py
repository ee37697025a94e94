"""The blocks of tools that Anthropic's own servers run, such as web search.

T1. Inside the endpoint they have Converse's shape, with the `type` that Converse has
    for a server's tool; nothing of them is lost that a rule or a script looks at.
T2. An assistant message that ends the conversation and holds one of them is a paused
    turn, sent back to go on (`pause_turn`); it is no prefill. Anthropic's documents
    say to send it back as it is, also for models that take no prefill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json

USE = "server_tool_use"
_RESULT = "_tool_result"


def is_server_block(kind: str) -> bool:
    """Whether Anthropic's name of a block's type is a server tool's."""
    return kind == USE or kind.endswith(_RESULT)


def to_converse(block: Json) -> Json:
    """Translate one of Anthropic's server tool blocks (T1)."""
    if block["type"] == USE:
        call = {"toolUseId": block["id"], "name": block["name"]}
        return {"toolUse": {**call, "input": block["input"], "type": USE}}
    content = [{"json": block["content"]}]
    result = {"toolUseId": block["tool_use_id"], "content": content}
    return {"toolResult": {**result, "type": block["type"]}}


def to_converse_tool(tool: Json) -> Json:
    """Translate the definition of a server's tool, such as `web_search_20250305`."""
    return {"systemTool": {"name": tool["name"]}}


def server_tool_id(block: Json) -> tuple[str, str] | None:
    """What a server tool block in Converse's shape is known by; else None."""
    kind: Json = block.get("toolUse") or block.get("toolResult") or {}
    return (kind["type"], kind["toolUseId"]) if kind.get("type") else None


def is_paused(message: Json) -> bool:
    """Whether a final message is a paused turn (T2)."""
    blocks = message.get("content") or []
    theirs = message.get("role") == "assistant"
    return theirs and any(server_tool_id(block) for block in blocks)

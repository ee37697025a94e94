"""InvokeModel's Anthropic body, translated to Converse's.

Q1. What Converse has a place for goes there; every other field goes to
    `additionalModelRequestFields`, as a Converse caller would send it.
Q2. A `cache_control` becomes a cachePoint behind its block.
Q3. The blocks and definitions of server tools are carried along as the server's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.anthropic_server_tools import (
    is_server_block,
    to_converse,
    to_converse_tool,
)
from langchain_bedrock_continue.local.wire.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_bedrock_continue.local.backend import Json

# Anthropic's names, and Converse's in `inferenceConfig`.
_INFERENCE = {
    "max_tokens": "maxTokens",
    "stop_sequences": "stopSequences",
    "temperature": "temperature",
    "top_p": "topP",
}
_REQUIRED = ("anthropic_version", "max_tokens", "messages")
_ELSEWHERE = {*_INFERENCE, *_REQUIRED, "system", "tools", "tool_choice"}


def converse_body(body: Json) -> Json:
    """Translate an Anthropic body; raise `ServiceError` where it is malformed."""
    for name in _REQUIRED:
        if name not in body:
            raise invalid(f"{name}: Field required")
    try:
        return _translated(body)
    except (AttributeError, KeyError, TypeError) as error:
        text = f"Malformed input request: {error!r} in an Anthropic body"
        raise invalid(text) from error


def _translated(body: Json) -> Json:
    found: Json = {
        "messages": [
            {"role": m["role"], "content": _blocks(m["content"])}
            for m in body["messages"]
        ],
        "system": _blocks(body.get("system") or []),
        "inferenceConfig": {_INFERENCE[k]: body[k] for k in _INFERENCE if k in body},
        "additionalModelRequestFields": {
            name: value for name, value in body.items() if name not in _ELSEWHERE
        },
    }
    if body.get("tools"):
        found["toolConfig"] = _tool_config(body)
    return found


def _blocks(content: str | list[Json]) -> list[Json]:
    blocks = (
        [{"type": "text", "text": content}] if isinstance(content, str) else content
    )
    return [b for block in blocks for b in _with_cache_point(block, _block)]


def _with_cache_point(block: Json, translate: Callable[[Json], Json]) -> Iterator[Json]:
    """Give the block, and the cachePoint that Anthropic writes into it (Q2)."""
    yield translate(block)
    if control := block.get("cache_control"):
        ttl = {"ttl": control["ttl"]} if "ttl" in control else {}
        yield {"cachePoint": {"type": "default", **ttl}}


def _block(block: Json) -> Json:
    translate = _BLOCKS.get(block["type"])
    if translate is None and is_server_block(block["type"]):
        return to_converse(block)
    if translate is None:
        raise invalid(
            f"The local endpoint has no content block of type {block['type']!r}; it "
            f"has {', '.join(_BLOCKS)}."
        )
    return translate(block)


def _text(block: Json) -> Json:
    return {"text": block["text"]}


def _thinking(block: Json) -> Json:
    signature = {"signature": block["signature"]} if "signature" in block else {}
    return {
        "reasoningContent": {"reasoningText": {"text": block["thinking"], **signature}}
    }


def _redacted(block: Json) -> Json:
    return {"reasoningContent": {"redactedContent": block["data"]}}


def _tool_use(block: Json) -> Json:
    call = {"toolUseId": block["id"], "name": block["name"], "input": block["input"]}
    return {"toolUse": call}


def _tool_result(block: Json) -> Json:
    result = {
        "toolUseId": block["tool_use_id"],
        "content": _blocks(block.get("content") or []),
        "status": "error" if block.get("is_error") else "success",
    }
    return {"toolResult": result}


def _image(block: Json) -> Json:
    source = block["source"]
    kind = source["media_type"].removeprefix("image/")
    return {"image": {"format": kind, "source": {"bytes": source["data"]}}}


_BLOCKS: dict[str, Callable[[Json], Json]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _image,
}


def _tool_config(body: Json) -> Json:
    tools = [t for tool in body["tools"] for t in _with_cache_point(tool, _tool)]
    choice = body.get("tool_choice") or {}
    kind = choice.get("type")
    if kind == "tool":
        return {"tools": tools, "toolChoice": {"tool": {"name": choice["name"]}}}
    return {"tools": tools, **({"toolChoice": {kind: {}}} if kind else {})}


def _tool(tool: Json) -> Json:
    if tool.get("type", "custom") != "custom" and "input_schema" not in tool:
        return to_converse_tool(tool)
    described = {"description": tool["description"]} if tool.get("description") else {}
    schema = {"json": tool["input_schema"]}
    return {"toolSpec": {"name": tool["name"], **described, "inputSchema": schema}}

"""Translation of InvokeModel's body, in Anthropic's Messages API, to Converse's body.

INVOKE-1. A field that Converse has goes to its place in Converse. Every other field
    goes to `additionalModelRequestFields`, where a caller of Converse would put it.
INVOKE-2. A `cache_control` becomes a cachePoint after its block.
INVOKE-3. Blocks and definitions of server tools get the shape that Converse has for
    them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.anthropic_server_tools import (
    is_server_block,
    to_converse,
    to_converse_tool,
)
from langchain_bedrock_continue.local.wire.errors import validation_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_bedrock_continue.local.backend import Json

_INFERENCE = {
    "max_tokens": "maxTokens",
    "stop_sequences": "stopSequences",
    "temperature": "temperature",
    "top_p": "topP",
}
"""Field of `inferenceConfig` by field of the Messages API."""

_REQUIRED = ("anthropic_version", "max_tokens", "messages")
_TRANSLATED = {*_INFERENCE, *_REQUIRED, "system", "tools", "tool_choice"}


def converse_body(body: Json) -> Json:
    """Translate a body of InvokeModel to a body of Converse.

    Args:
        body: Body in the shape of Anthropic's Messages API on Bedrock.

    Raises:
        ServiceError: The body lacks a required field or is malformed.
    """
    for name in _REQUIRED:
        if name not in body:
            raise validation_error(f"{name}: Field required")
    try:
        return _translated(body)
    except (AttributeError, KeyError, TypeError) as error:
        text = f"Malformed input request: {error!r} in an Anthropic body"
        raise validation_error(text) from error


def _translated(body: Json) -> Json:
    translated: Json = {
        "messages": [
            {"role": m["role"], "content": _blocks(m["content"])}
            for m in body["messages"]
        ],
        "system": _blocks(body.get("system") or []),
        "inferenceConfig": {_INFERENCE[k]: body[k] for k in _INFERENCE if k in body},
        "additionalModelRequestFields": {
            name: value for name, value in body.items() if name not in _TRANSLATED
        },
    }
    if body.get("tools"):
        translated["toolConfig"] = _tool_config(body)
    return translated


def _blocks(content: str | list[Json]) -> list[Json]:
    blocks = (
        [{"type": "text", "text": content}] if isinstance(content, str) else content
    )
    return [b for block in blocks for b in _with_cache_point(block, _block)]


def _with_cache_point(block: Json, translate: Callable[[Json], Json]) -> Iterator[Json]:
    """Yield the block, then a cachePoint for its `cache_control` (INVOKE-2)."""
    yield translate(block)
    if control := block.get("cache_control"):
        ttl = {"ttl": control["ttl"]} if "ttl" in control else {}
        yield {"cachePoint": {"type": "default", **ttl}}


def _block(block: Json) -> Json:
    translate = _BLOCKS.get(block["type"])
    if translate is None and is_server_block(block["type"]):
        return to_converse(block)
    if translate is None:
        raise validation_error(
            f"The local endpoint does not support the content block type "
            f"{block['type']!r}; it supports {', '.join(_BLOCKS)}."
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
    image_format = source["media_type"].removeprefix("image/")
    return {"image": {"format": image_format, "source": {"bytes": source["data"]}}}


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
    choice_type = choice.get("type")
    if choice_type == "tool":
        return {"tools": tools, "toolChoice": {"tool": {"name": choice["name"]}}}
    return {
        "tools": tools,
        **({"toolChoice": {choice_type: {}}} if choice_type else {}),
    }


def _tool(tool: Json) -> Json:
    if tool.get("type", "custom") != "custom" and "input_schema" not in tool:
        return to_converse_tool(tool)
    described = {"description": tool["description"]} if tool.get("description") else {}
    schema = {"json": tool["input_schema"]}
    return {"toolSpec": {"name": tool["name"], **described, "inputSchema": schema}}

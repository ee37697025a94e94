"""Converts a Converse request to the input of a chat template.

The template belongs to the model, and llama.cpp applies it. This module puts a request
into the shape that templates expect, which is OpenAI's. It is pure.

TEMPLATE-1. A prefill is not a part of the template's input: a template may trim or
    close the last message. Its text is kept byte for byte, and the caller appends it to
    the prompt.
TEMPLATE-2. Text blocks of an assistant message are joined without a separator, because
    they were one answer. Those of user and system are joined with a line break.
TEMPLATE-3. Tool calls and results go through a template that supports tools. For other
    templates they are written as text.
TEMPLATE-4. The name of a control token in a text stays text: `SPLIT` is inserted into
    it, and the prompt is split there before it is tokenized.
TEMPLATE-5. Content that the model cannot read is refused with Bedrock's text. Only
    cachePoints, which have no content, and reasoning, which templates do not support,
    are dropped.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue.local.backend import Json, Request

SPLIT = "\ufdd0"
"""A Unicode noncharacter, reserved for internal use. In a text it is dropped."""

_CONTROL = re.compile(r"<(?=\|[^<>|\s]{1,64}\|>|/?s>)")
_TEXT_FORMATS = {"txt", "md", "html", "csv"}
_DROPPED = {"cachePoint", "reasoningContent"}


class UnsupportedContentError(ValueError):
    """The request has content that the model cannot read. The text is Bedrock's."""


@dataclass(frozen=True)
class Chat:
    """The input of a chat template.

    Attributes:
        messages: `{"role", "content"}`, and `tool_calls` or `tool_call_id`.
        tools: Function declarations; empty if the template does not support tools.
        prefill: The beginning of the answer; None if there is none.
    """

    messages: list[Json]
    tools: list[Json]
    prefill: str | None


def to_chat(request: Request, *, native_tools: bool) -> Chat:
    """Convert a Converse request to the input of a chat template.

    Args:
        request: The request, or a prefix of one.
        native_tools: Whether the model's template supports tools.

    Raises:
        UnsupportedContentError: A block cannot be read as text.
    """
    messages, prefill = _split_prefill(request.messages)
    chat: list[Json] = []
    if request.system:
        chat.append(_message("system", _text(request.system, "\n")))
    for message in messages:
        turn = _assistant_turn if message["role"] == "assistant" else _user_turn
        chat += turn(message["content"], native_tools)
    if not chat:  # a prefix of a request may have tools only
        chat.append(_message("user", ""))
    return Chat(chat, _tools(request.tool_config) if native_tools else [], prefill)


def _split_prefill(messages: list[Json]) -> tuple[list[Json], str | None]:
    if not messages or messages[-1]["role"] != "assistant":
        return messages, None
    blocks = messages[-1]["content"]
    if any("toolUse" in block for block in blocks):
        return messages, None
    return messages[:-1], _text(blocks, "")


def _message(role: str, content: str, **more: Any) -> Json:
    return {"role": role, "content": content, **more}


def _assistant_turn(blocks: list[Json], native_tools: bool) -> list[Json]:  # noqa: FBT001 # one signature for both roles
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    text = _text([block for block in blocks if "toolUse" not in block], "")
    if calls and native_tools:
        native = [_native_call(call) for call in calls]
        return [_message("assistant", text, tool_calls=native)]
    written = [json.dumps(_call(call), ensure_ascii=False) for call in calls]
    return [_message("assistant", "\n".join(filter(None, [text, *written])))]


def _user_turn(blocks: list[Json], native_tools: bool) -> list[Json]:  # noqa: FBT001 # the same
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    rest = [block for block in blocks if "toolResult" not in block]
    if native_tools:
        chat = [_native_result(result) for result in results]
    else:
        chat = [_message("user", "Result:\n" + _result(result)) for result in results]
    # Results come first. Source: Anthropic's rule for user messages.
    return [*chat, _message("user", _text(rest, "\n"))] if rest or not chat else chat


def _call(call: Json) -> Json:
    return {"name": call["name"], "arguments": call.get("input", {})}


def _native_call(call: Json) -> Json:
    arguments = json.dumps(call.get("input", {}), ensure_ascii=False)
    arguments = _without_control_tokens(arguments)
    function = {"name": call["name"], "arguments": arguments}
    return {"type": "function", "id": call["toolUseId"], "function": function}


def _native_result(result: Json) -> Json:
    return _message("tool", _result(result), tool_call_id=result["toolUseId"])


def _result(result: Json) -> str:
    failed = "Error: " if result.get("status") == "error" else ""
    return failed + _text(result["content"], "\n")


def _tools(tool_config: Json | None) -> list[Json]:
    entries = (tool_config or {}).get("tools", [])
    return [_tool(entry["toolSpec"]) for entry in entries if "toolSpec" in entry]


def _tool(spec: Json) -> Json:
    function = {
        "name": spec["name"],
        "description": spec.get("description", ""),
        "parameters": spec["inputSchema"]["json"],
    }
    return {"type": "function", "function": function}


def _text(blocks: list[Json], separator: str) -> str:
    texts = [_block_text(block) for block in blocks if not _DROPPED & block.keys()]
    return _without_control_tokens(separator.join(texts))


def _without_control_tokens(text: str) -> str:
    """Split every control token's name after its first character (TEMPLATE-4)."""
    return _CONTROL.sub("<" + SPLIT, text)


def _block_text(block: Json) -> str:
    kind = next(iter(block), "empty")
    to_text = _TO_TEXT.get(kind)
    if to_text is None:
        raise _unsupported(kind)
    return to_text(block[kind])


def _guard_content(guard: Json) -> str:
    if "text" not in guard:
        raise _unsupported("image")
    return str(guard["text"]["text"])


def _texts(block: Json) -> str:
    return "".join(part["text"] for part in block.get("content", []))


def _search_result(result: Json) -> str:
    return f"{result.get('title', '')} ({result.get('source', '')})\n{_texts(result)}"


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _document(document: Json) -> str:
    source = document["source"]
    if "text" in source:
        text = str(source["text"])
    elif "content" in source:
        text = _texts(source)
    else:
        text = _decoded(document.get("format", "txt"), source.get("bytes"))
    return f"Document: {document.get('name', '')}\n{text}"


def _decoded(document_format: str, data: str | bytes | None) -> str:
    """Return the text of a document's bytes, which are base64 in JSON."""
    if document_format not in _TEXT_FORMATS or data is None:
        raise _unsupported(f"{document_format} document")
    try:
        raw = base64.b64decode(data, validate=True) if isinstance(data, str) else data
        return raw.decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _unsupported(f"{document_format} document") from None


def _unsupported(kind: str) -> UnsupportedContentError:
    return UnsupportedContentError(
        f"This model doesn't support the {kind} content block that you provided. "
        f"Remove the {kind} content block and try again."
    )


_TO_TEXT: dict[str, Callable[[Any], str]] = {
    "text": str,
    "json": _json_text,
    "document": _document,
    "guardContent": _guard_content,
    "citationsContent": _texts,
    "searchResult": _search_result,
}

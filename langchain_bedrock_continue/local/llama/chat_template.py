"""Converse's blocks as the messages of a chat template.

The template belongs to the model and is applied by llama.cpp; here the request is put
into the shape that templates expect (OpenAI's), as a pure function. Rules:

C1. A prefill stays out of the template, and its text stays byte for byte: a template
    may trim or close the last message. The caller appends it to the prompt.
C2. Text blocks of an assistant turn are joined by nothing (they were one answer),
    those of the user and of the system by a line break.
C3. Tool calls and results go through the template where it knows tools; elsewhere
    they are written out as text.
C4. A control token's name in somebody's text stays text: `SPLIT` stands inside it, and
    the prompt is split there before it is tokenized.
C5. What the model cannot read is refused in Bedrock's words, never dropped in silence.
    Dropped on purpose: cachePoint (no content), reasoning (templates have no place).
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
"""A Unicode noncharacter, set aside for a program's internal use; dropped in texts."""

_CONTROL = re.compile(r"<(?=\|[^<>|\s]{1,64}\|>|/?s>)")
_TEXT_FORMATS = {"txt", "md", "html", "csv"}
_DROPPED = {"cachePoint", "reasoningContent"}


class UnsupportedContentError(ValueError):
    """A block that the model cannot read; the text is Bedrock's."""


@dataclass(frozen=True)
class Chat:
    """A request in the shape that chat templates expect.

    Attributes:
        messages: `{"role", "content"}`, and `tool_calls` or `tool_call_id`.
        tools: Function declarations; empty where the template knows none.
        prefill: What the answer has so far; None where a new one begins.
    """

    messages: list[Json]
    tools: list[Json]
    prefill: str | None


def to_chat(request: Request, *, native_tools: bool) -> Chat:
    """Put a Converse request into the shape that chat templates expect.

    Args:
        request: The request.
        native_tools: Whether the model's template knows tools and tool calls.

    Raises:
        UnsupportedContentError: A block that is not text.
    """
    messages, prefill = _split_prefill(request.messages)
    chat: list[Json] = []
    if request.system:
        chat.append(_message("system", _text(request.system, "\n")))
    for message in messages:
        turn = _assistant_turn if message["role"] == "assistant" else _user_turn
        chat += turn(message["content"], native_tools)
    if not chat:  # the endpoint counts the head of a request: its tools alone, perhaps
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


def _assistant_turn(blocks: list[Json], native_tools: bool) -> list[Json]:  # noqa: FBT001 # chosen from a pair by role
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
    # Results come first, as in Claude's own rule for the user's turn.
    return [*chat, _message("user", _text(rest, "\n"))] if rest or not chat else chat


def _call(call: Json) -> Json:
    return {"name": call["name"], "arguments": call.get("input", {})}


def _native_call(call: Json) -> Json:
    arguments = _guarded(json.dumps(call.get("input", {}), ensure_ascii=False))
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


def _text(blocks: list[Json], joint: str) -> str:
    texts = [_block_text(block) for block in blocks if not _DROPPED & block.keys()]
    return _guarded(joint.join(texts))


def _guarded(text: str) -> str:
    """Break every control token's name after its first character (C4)."""
    return _CONTROL.sub("<" + SPLIT, text)


def _block_text(block: Json) -> str:
    kind = next(iter(block), "empty")
    kind = next(iter(block), "empty")
    read = _READERS.get(kind)
    if read is None:
        raise _unsupported(kind)
    return read(block[kind])


def _guard_content(guard: Json) -> str:
    if "text" not in guard:
        raise _unsupported("image")
    return str(guard["text"]["text"])


def _texts(holder: Json) -> str:
    return "".join(part["text"] for part in holder.get("content", []))


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
    """Read a document's bytes, which are base64 in a request's JSON."""
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


_READERS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "json": _json_text,
    "document": _document,
    "guardContent": _guard_content,
    "citationsContent": _texts,
    "searchResult": _search_result,
}

"""Converse's shapes: body to `Request`, pieces to events, events to message.

C1. The stream is the one source: `Converse` answers with what its events add up to.
C2. Text and reasoning blocks have no `contentBlockStart`; a tool call has one.
C3. Blocks are numbered from 0, in order.
C4. A tool call's input is whole JSON, or it is the keys that arrived whole, or `{}`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Citation,
    Finish,
    Json,
    Reasoning,
    Request,
    ServerBlock,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.wire import frames

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Piece
    from langchain_bedrock_continue.local.rules.models import ModelRules

Event: TypeAlias = tuple[str, Json]


def request_from(model_id: str, body: Json, model: ModelRules) -> Request:
    """Read a Converse body that passed the rules."""
    inference = body.get("inferenceConfig") or {}
    return Request(
        model_id=model_id,
        messages=body["messages"],
        max_tokens=inference.get("maxTokens") or _default_tokens(model),
        system=body.get("system") or [],
        stop_sequences=tuple(inference.get("stopSequences") or ()),
        temperature=inference.get("temperature"),
        top_p=inference.get("topP"),
        tool_config=body.get("toolConfig"),
        additional_fields=body.get("additionalModelRequestFields") or {},
        output_config=body.get("outputConfig"),
    )


def _default_tokens(model: ModelRules) -> int:
    return min(model.default_max_tokens, model.max_output_tokens or 1 << 62)


class ConverseEvents:
    """Pieces in, events out; for one response of `ConverseStream`."""

    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        """Begin with the first block."""
        self._index = 0

    def open(self) -> list[Event]:
        """The events before the first piece."""
        return [("messageStart", {"role": "assistant"})]

    def close(self, usage: Json | None, latency_ms: int) -> list[Event]:
        """The events after the last piece."""
        if usage is None:
            return []
        metrics = {"latencyMs": latency_ms}
        return [("metadata", {"usage": usage, "metrics": metrics})]

    def frame(self, event: Event) -> bytes:
        """One event on the wire."""
        return frames.event(*event)

    def feed(self, piece: Piece) -> list[Event]:
        """The events of one piece; none for what has no event."""
        if isinstance(piece, Finish):
            return [_message_stop(piece)]
        index = self._index
        if isinstance(piece, BlockEnd):
            self._index += 1
            return [("contentBlockStop", {"contentBlockIndex": index})]
        if isinstance(piece, ToolStart):
            start = {"toolUseId": piece.tool_use_id, "name": piece.name}
            return [_at(index, "contentBlockStart", start={"toolUse": start})]
        if isinstance(piece, ServerBlock):
            raise TypeError("Converse has no ServerBlock; ask by InvokeModel")
        return [_at(index, "contentBlockDelta", delta=d) for d in _deltas(piece)]


def _at(index: int, name: str, **payload: Any) -> Event:
    return name, {**payload, "contentBlockIndex": index}


def _message_stop(finish: Finish) -> Event:
    payload: Json = {"stopReason": finish.stop_reason}
    if finish.additional_fields is not None:
        payload["additionalModelResponseFields"] = finish.additional_fields
    return "messageStop", payload


def _deltas(piece: Piece) -> list[Json]:
    if isinstance(piece, Text):
        return [{"text": piece.text}]
    if isinstance(piece, ToolInput):
        return [{"toolUse": {"input": piece.json_text}}]
    if isinstance(piece, Citation):
        return [{"citation": piece.citation}]
    if isinstance(piece, Reasoning):
        return [{"reasoningContent": part} for part in _reasoning_parts(piece)]
    return []


def _reasoning_parts(piece: Reasoning) -> list[Json]:
    """Each of a union's members is an event of its own."""
    parts: list[Json] = []
    if piece.text:
        parts.append({"text": piece.text})
    if piece.redacted:
        parts.append({"redactedContent": b64encode(piece.redacted).decode()})
    if piece.signature:
        parts.append({"signature": piece.signature})
    return parts


class ConverseMessage:
    """Events in, the response of `Converse` out (C1)."""

    def __init__(self) -> None:
        """Begin without a block."""
        self._blocks: dict[int, _Block] = {}
        self._rest: Json = {}

    def feed(self, event: Event) -> None:
        """Take one event of the stream."""
        name, payload = event
        if name in ("messageStop", "metadata"):
            self._rest |= payload
        elif name in ("contentBlockStart", "contentBlockDelta"):
            block = self._blocks.setdefault(payload["contentBlockIndex"], _Block())
            block.take(payload.get("start") or payload["delta"])

    def response(self) -> Json:
        """The body of the response."""
        content = [self._blocks[index].content() for index in sorted(self._blocks)]
        message = {"role": "assistant", "content": content}
        return {"output": {"message": message}, **self._rest}

    def headers(self) -> dict[str, str]:
        """None: all is in the body."""
        return {}


class _Block:
    def __init__(self) -> None:
        self.text: list[str] = []
        self.tool: Json = {}
        self.tool_input: list[str] = []
        self.citations: list[Json] = []
        self.reasoning: list[Json] = []

    def take(self, part: Json) -> None:
        if "text" in part:
            self.text.append(part["text"])
        elif "citation" in part:
            self.citations.append(part["citation"])
        elif "reasoningContent" in part:
            self.reasoning.append(part["reasoningContent"])
        elif "input" in part["toolUse"]:
            self.tool_input.append(part["toolUse"]["input"])
        else:
            self.tool = part["toolUse"]

    def content(self) -> Json:
        text = "".join(self.text)
        if self.tool:
            call_input = whole_keys("".join(self.tool_input))
            return {"toolUse": {**self.tool, "input": call_input}}
        if self.reasoning:
            return {"reasoningContent": self._reasoning()}
        if self.citations:
            cited = {"content": [{"text": text}], "citations": self.citations}
            return {"citationsContent": cited}
        return {"text": text}

    def _reasoning(self) -> Json:
        def joined(key: str) -> str:
            return "".join(part.get(key, "") for part in self.reasoning)

        if redacted := joined("redactedContent"):
            return {"redactedContent": redacted}
        signature = joined("signature")
        signed = {"signature": signature} if signature else {}
        return {"reasoningText": {"text": joined("text"), **signed}}


_DECODER = json.JSONDecoder()


def whole_keys(text: str) -> Json:
    """Read a tool call's input that may be cut: the keys whose values are whole (C4).

    A number or a word at the very end may go on, and does not count.
    """
    keys: Json = {}
    at = _skip(text, 0, "{")
    try:
        while text[at] != "}":
            key, at = _DECODER.raw_decode(text, _skip(text, at))
            value, at = _DECODER.raw_decode(text, _skip(text, at, ":"))
            if at < len(text) or text[-1] in '"]}':
                keys[key] = value
            at = _skip(text, at, ",")
    except (IndexError, json.JSONDecodeError):
        pass
    return keys


def _skip(text: str, at: int, sign: str = "") -> int:
    """Go past whitespace, one `sign` if it stands there, and whitespace."""
    rest = text[at:].lstrip()
    if sign and rest.startswith(sign):
        rest = rest[1:].lstrip()
    return len(text) - len(rest)

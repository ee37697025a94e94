"""Converse's shapes: body to `Request`, pieces to events, events to a message.

CONVERSE-1. The stream is the only source: the response of `Converse` is assembled from
    the events of `ConverseStream`.
CONVERSE-2. Text and reasoning blocks have no `contentBlockStart`; a tool call has one.
    botocore fails on an empty `start`.
CONVERSE-3. Blocks are numbered from 0, in order.
CONVERSE-4. The `input` of a truncated tool call holds the members that are complete, or
    is `{}`. Source: third-party reports.
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

Event: TypeAlias = tuple[str, Json]
"""Name and payload of a stream event."""


def request_from(model_id: str, body: Json, default_max_tokens: int) -> Request:
    """Return the request of a Converse body that passed the rules.

    Args:
        model_id: Model id, inference profile or ARN, decoded from the URL.
        body: Body of `Converse` or `ConverseStream`.
        default_max_tokens: Output tokens of a request without `maxTokens`.
    """
    inference = body.get("inferenceConfig") or {}
    return Request(
        model_id=model_id,
        messages=body["messages"],
        max_tokens=inference.get("maxTokens") or default_max_tokens,
        system=body.get("system") or [],
        stop_sequences=tuple(inference.get("stopSequences") or ()),
        temperature=inference.get("temperature"),
        top_p=inference.get("topP"),
        tool_config=body.get("toolConfig"),
        additional_fields=body.get("additionalModelRequestFields") or {},
        output_config=body.get("outputConfig"),
    )


class ConverseEvents:
    """Converts the pieces of one response to the events of `ConverseStream`.

    Attributes:
        headers: Additional HTTP headers of the response: none.
    """

    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        """Start before the first block."""
        self._index = 0

    def open(self) -> list[Event]:
        """Return the events before the first piece."""
        return [("messageStart", {"role": "assistant"})]

    def close(self, usage: Json | None, latency_ms: int) -> list[Event]:
        """Return the events after the last piece.

        Args:
            usage: Converse's `usage`, or None to leave out `metadata`.
            latency_ms: Time since the request arrived, in milliseconds.
        """
        if usage is None:
            return []
        metrics = {"latencyMs": latency_ms}
        return [("metadata", {"usage": usage, "metrics": metrics})]

    def frame(self, event: Event) -> bytes:
        """Encode an event as a frame.

        Args:
            event: One of this object's events.
        """
        return frames.event(*event)

    def feed(self, piece: Piece) -> list[Event]:
        """Return the events of a piece.

        Args:
            piece: The next piece of the response.

        Raises:
            TypeError: The piece is a `ServerBlock`, for which Converse has no event.
        """
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
            raise TypeError("Converse does not support ServerBlock; use InvokeModel")
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
        return [{"reasoningContent": delta} for delta in _reasoning_deltas(piece)]
    return []


def _reasoning_deltas(piece: Reasoning) -> list[Json]:
    """Return one delta per field: `ReasoningContentBlockDelta` is a union."""
    deltas: list[Json] = []
    if piece.text:
        deltas.append({"text": piece.text})
    if piece.redacted:
        deltas.append({"redactedContent": b64encode(piece.redacted).decode()})
    if piece.signature:
        deltas.append({"signature": piece.signature})
    return deltas


class ConverseMessage:
    """Assembles the events of one stream to the response of `Converse` (CONVERSE-1)."""

    def __init__(self) -> None:
        """Start without a block."""
        self._blocks: dict[int, _Block] = {}
        self._rest: Json = {}

    def feed(self, event: Event) -> None:
        """Add an event.

        Args:
            event: The next event of the stream.
        """
        name, payload = event
        if name in ("messageStop", "metadata"):
            self._rest |= payload
        elif name in ("contentBlockStart", "contentBlockDelta"):
            block = self._blocks.setdefault(payload["contentBlockIndex"], _Block())
            block.add(payload.get("start") or payload["delta"])

    def response(self) -> Json:
        """Return the body of the response."""
        content = [self._blocks[index].content() for index in sorted(self._blocks)]
        message = {"role": "assistant", "content": content}
        return {"output": {"message": message}, **self._rest}

    def headers(self) -> dict[str, str]:
        """Return the additional HTTP headers of the response: none."""
        return {}


class _Block:
    """One content block, assembled from its start and its deltas."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.tool: Json = {}
        self.tool_input: list[str] = []
        self.citations: list[Json] = []
        self.reasoning: list[Json] = []

    def add(self, part: Json) -> None:
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
            tool_input = complete_members("".join(self.tool_input))
            return {"toolUse": {**self.tool, "input": tool_input}}
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


_DECODER = json.JSONDecoder(strict=False)  # models write raw line breaks


def complete_members(text: str) -> Json:
    """Return the complete members of a JSON object that may be truncated (CONVERSE-4).

    A number or a literal at the very end does not count: more of it may be missing.

    Args:
        text: JSON text of an object, or the beginning of one.
    """
    members: Json = {}
    at = _skip(text, 0, "{")
    try:
        while text[at] != "}":
            key, at = _DECODER.raw_decode(text, _skip(text, at))
            value, at = _DECODER.raw_decode(text, _skip(text, at, ":"))
            if at < len(text) or text[-1] in '"]}':
                members[key] = value
            at = _skip(text, at, ",")
    except (IndexError, json.JSONDecodeError):
        pass
    return members


def _skip(text: str, at: int, sign: str = "") -> int:
    """Return the index after whitespace, one `sign` if it is there, and whitespace."""
    rest = text[at:].lstrip()
    if sign and rest.startswith(sign):
        rest = rest[1:].lstrip()
    return len(text) - len(rest)

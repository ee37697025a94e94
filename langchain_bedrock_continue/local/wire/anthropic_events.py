"""InvokeModel's responses in Anthropic's shapes: pieces to events, events to a body.

ANTHROPIC-1. Each event of Anthropic's stream is sent as a `chunk` with the event's JSON
    in base64. Source: botocore's service model.
ANTHROPIC-2. Every block has a `content_block_start` with its type. (Converse sends one
    for tool calls only.)
ANTHROPIC-3. The last event, `message_stop`, carries Bedrock's invocation metrics.
ANTHROPIC-4. A server tool's call has its input in one delta. A server tool's result is
    complete in its `content_block_start`.
ANTHROPIC-5. The stream is the only source: the response of `InvokeModel` is assembled
    from the events of `InvokeModelWithResponseStream`.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Citation,
    Finish,
    Json,
    Reasoning,
    ServerBlock,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.wire import frames
from langchain_bedrock_continue.local.wire.converse import complete_members

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Piece

Event: TypeAlias = tuple[str, Json]
"""Type and payload of a stream event."""

_METRIC_HEADERS = {
    "inputTokenCount": "x-amzn-bedrock-input-token-count",
    "outputTokenCount": "x-amzn-bedrock-output-token-count",
    "invocationLatency": "x-amzn-bedrock-invocation-latency",
    "cacheReadInputTokenCount": "x-amzn-bedrock-cache-read-input-token-count",
    "cacheWriteInputTokenCount": "x-amzn-bedrock-cache-write-input-token-count",
}


class AnthropicEvents:
    """Converts the pieces of one response to InvokeModelWithResponseStream's events.

    Args:
        model_id: The model id of the request.
        usage: Converse's `usage` of the input.

    Attributes:
        headers: Additional HTTP headers of the response.
    """

    headers: tuple[tuple[str, str], ...] = (
        ("x-amzn-bedrock-content-type", "application/json"),
    )

    def __init__(self, model_id: str, usage: Json) -> None:
        """Start before the first block; see the class."""
        self._model_id = model_id
        self._usage = usage
        self._index = 0
        self._in_block = False

    def open(self) -> list[Event]:
        """Return the events before the first piece."""
        message: Json = {
            "id": f"msg_bdrk_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": self._model_id,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _input_usage(self._usage),
        }
        return [_event("message_start", message=message)]

    def feed(self, piece: Piece) -> list[Event]:
        """Return the events of a piece.

        Args:
            piece: The next piece of the response.
        """
        if isinstance(piece, Finish):
            return [_message_delta(piece)]
        if isinstance(piece, BlockEnd):
            stop = _event("content_block_stop", index=self._index)
            self._index, self._in_block = self._index + 1, False
            return [stop]
        return [*self._block_start(piece), *self._block_deltas(piece)]

    def close(self, usage: Json | None, latency_ms: int) -> list[Event]:
        """Return the events after the last piece.

        Args:
            usage: Converse's `usage`, or None to leave out the metrics.
            latency_ms: Time since the request arrived, in milliseconds.
        """
        if usage is None:
            return [_event("message_stop")]
        metrics = {
            "inputTokenCount": usage["inputTokens"],
            "outputTokenCount": usage["outputTokens"],
            "invocationLatency": latency_ms,
            "firstByteLatency": latency_ms,
            "cacheReadInputTokenCount": usage["cacheReadInputTokens"],
            "cacheWriteInputTokenCount": usage["cacheWriteInputTokens"],
        }
        return [_event("message_stop", **{"amazon-bedrock-invocationMetrics": metrics})]

    def frame(self, event: Event) -> bytes:
        """Encode an event as a frame (ANTHROPIC-1).

        Args:
            event: One of this object's events.
        """
        raw = json.dumps(event[1], ensure_ascii=False).encode()
        return frames.event("chunk", {"bytes": b64encode(raw).decode()})

    def _block_start(self, piece: Piece) -> list[Event]:
        if self._in_block:
            return []
        self._in_block = True
        block = _empty_block(piece)
        return [_event("content_block_start", index=self._index, content_block=block)]

    def _block_deltas(self, piece: Piece) -> list[Event]:
        return [
            _event("content_block_delta", index=self._index, delta=delta)
            for delta in _deltas(piece)
        ]


def _event(event_type: str, **payload: Any) -> Event:
    return event_type, {"type": event_type, **payload}


def _input_usage(usage: Json) -> Json:
    return {
        "input_tokens": usage["inputTokens"],
        "cache_creation_input_tokens": usage["cacheWriteInputTokens"],
        "cache_read_input_tokens": usage["cacheReadInputTokens"],
        "output_tokens": usage["outputTokens"],
    }


def _message_delta(finish: Finish) -> Event:
    sequence = (finish.additional_fields or {}).get("stop_sequence")
    delta = {"stop_reason": finish.stop_reason, "stop_sequence": sequence}
    usage = {"output_tokens": finish.output_tokens}
    of_bedrock = _of_bedrock(finish.additional_fields or {})
    return _event("message_delta", delta=delta, usage=usage, **of_bedrock)


def _of_bedrock(fields: Json) -> Json:
    """Return the fields that Bedrock itself adds, such as those of a guardrail."""
    return {k: v for k, v in fields.items() if k.startswith("amazon-bedrock-")}


def _empty_block(piece: Piece) -> Json:
    if isinstance(piece, ToolStart):
        call = {"id": piece.tool_use_id, "name": piece.name, "input": {}}
        return {"type": "tool_use", **call}
    if isinstance(piece, ServerBlock):
        return piece.block | ({"input": {}} if "input" in piece.block else {})
    if isinstance(piece, Reasoning) and piece.redacted:
        return {"type": "redacted_thinking", "data": b64encode(piece.redacted).decode()}
    if isinstance(piece, Reasoning):
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def _deltas(piece: Piece) -> list[Json]:
    if isinstance(piece, Text):
        return [{"type": "text_delta", "text": piece.text}]
    if isinstance(piece, ToolInput):
        return [{"type": "input_json_delta", "partial_json": piece.json_text}]
    if isinstance(piece, Citation):
        return [{"type": "citations_delta", "citation": piece.citation}]
    if isinstance(piece, Reasoning):
        return _thinking_deltas(piece)
    if isinstance(piece, ServerBlock) and "input" in piece.block:
        tool_input = json.dumps(piece.block["input"], ensure_ascii=False)
        return [{"type": "input_json_delta", "partial_json": tool_input}]
    return []


def _thinking_deltas(piece: Reasoning) -> list[Json]:
    deltas: list[Json] = []
    if piece.text:
        deltas.append({"type": "thinking_delta", "thinking": piece.text})
    if piece.signature:
        deltas.append({"type": "signature_delta", "signature": piece.signature})
    return deltas


class AnthropicMessage:
    """Assembles the events of a stream to the response of InvokeModel (ANTHROPIC-5)."""

    def __init__(self) -> None:
        """Start without a message."""
        self._message: Json = {}
        self._inputs: dict[int, str] = {}
        self._metrics: Json = {}

    def feed(self, event: Event) -> None:
        """Add an event.

        Args:
            event: The next event of the stream.
        """
        event_type, payload = event
        if event_type == "message_start":
            self._message = payload["message"]
        elif event_type == "content_block_start":
            self._message["content"].append({**payload["content_block"]})
        elif event_type == "content_block_delta":
            self._add_delta(payload["index"], payload["delta"])
        elif event_type == "message_delta":
            self._message |= payload["delta"]
            self._message["usage"] |= payload["usage"]
            self._message |= _of_bedrock(payload)
        elif event_type == "message_stop":
            self._metrics = payload.get("amazon-bedrock-invocationMetrics", {})

    def response(self) -> Json:
        """Return the body of the response."""
        for index, text in self._inputs.items():
            self._message["content"][index]["input"] = complete_members(text)
        return self._message

    def headers(self) -> dict[str, str]:
        """Return the additional HTTP headers of the response: the stream's metrics."""
        return {
            header: str(self._metrics[name])
            for name, header in _METRIC_HEADERS.items()
            if name in self._metrics
        }

    def _add_delta(self, index: int, delta: Json) -> None:
        block = self._message["content"][index]
        delta_type = delta["type"]
        if delta_type == "input_json_delta":
            text = self._inputs.get(index, "") + delta["partial_json"]
            self._inputs[index] = text
        elif delta_type == "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])
        else:
            key = delta_type.removesuffix("_delta")
            block[key] += delta[key]

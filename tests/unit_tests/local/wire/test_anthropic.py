"""InvokeModel's Anthropic shapes (INVOKE, ANTHROPIC)."""

import json
from base64 import b64decode
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Citation,
    Finish,
    Piece,
    Reasoning,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.wire.anthropic_events import (
    AnthropicEvents,
    AnthropicMessage,
)
from langchain_bedrock_continue.local.wire.anthropic_request import converse_body
from langchain_bedrock_continue.local.wire.errors import ServiceError

Json = dict[str, Any]
EPHEMERAL = {"type": "ephemeral"}


def body(content: Any = "Hi", role: str = "user", **fields: Any) -> Json:
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 10,
        "messages": [{"role": role, "content": content}],
        **fields,
    }


def test_a_body_is_translated() -> None:
    """INVOKE-1."""
    thinking = {"type": "enabled", "budget_tokens": 5}
    schema = {"type": "object"}
    translated = converse_body(
        body(
            system="Be brief.",
            stop_sequences=["x"],
            temperature=1,
            top_p=0.5,
            thinking=thinking,
            top_k=3,
            tools=[{"name": "f", "description": "d", "input_schema": schema}],
            tool_choice={"type": "tool", "name": "f"},
        )
    )
    tool = {"name": "f", "description": "d", "inputSchema": {"json": schema}}
    assert translated == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {
            "maxTokens": 10,
            "stopSequences": ["x"],
            "temperature": 1,
            "topP": 0.5,
        },
        "additionalModelRequestFields": {"thinking": thinking, "top_k": 3},
        "toolConfig": {
            "tools": [{"toolSpec": tool}],
            "toolChoice": {"tool": {"name": "f"}},
        },
    }


THINKING = {"text": "Mm", "signature": "s"}
RESULT = {"toolUseId": "t", "content": [{"text": "1"}], "status": "error"}
IMAGE = {"type": "base64", "media_type": "image/png", "data": "AAE="}


@pytest.mark.parametrize(
    ("block", "converse"),
    [
        ({"type": "text", "text": "a"}, {"text": "a"}),
        (
            {"type": "thinking", "thinking": "Mm", "signature": "s"},
            {"reasoningContent": {"reasoningText": THINKING}},
        ),
        (
            {"type": "redacted_thinking", "data": "AAE="},
            {"reasoningContent": {"redactedContent": "AAE="}},
        ),
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
        ),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "1", "is_error": 1},
            {"toolResult": RESULT},
        ),
        (
            {"type": "image", "source": IMAGE},
            {"image": {"format": "png", "source": {"bytes": "AAE="}}},
        ),
    ],
)
def test_blocks_are_translated(block: Json, converse: Json) -> None:
    """INVOKE-1, INVOKE-2."""
    cached = {**block, "cache_control": {**EPHEMERAL, "ttl": "1h"}}
    translated = converse_body(body([block, cached]))["messages"][0]["content"]
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert translated == [converse, converse, point]


def test_cache_control_on_system_and_tools() -> None:
    """INVOKE-2."""
    system = [{"type": "text", "text": "a", "cache_control": EPHEMERAL}]
    tools = [{"name": "f", "input_schema": {}, "cache_control": EPHEMERAL}]
    translated = converse_body(body(system=system, tools=tools))
    point = {"cachePoint": {"type": "default"}}
    assert translated["system"][1] == point
    assert translated["toolConfig"]["tools"][1] == point


@pytest.mark.parametrize(
    ("request_body", "text"),
    [
        ({"max_tokens": 1, "messages": []}, "anthropic_version: Field required"),
        ({"anthropic_version": "x", "messages": []}, "max_tokens: Field required"),
        (body([{"type": "video"}]), "does not support the content block type 'video'"),
        (body([{"type": "text"}]), "KeyError('text')"),
        (body(5), "Malformed input request"),
    ],
)
def test_a_malformed_body_is_an_error(request_body: Json, text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        converse_body(request_body)
    assert caught.value.code == "ValidationException"
    assert text in caught.value.message


USAGE = {
    "inputTokens": 4,
    "outputTokens": 0,
    "cacheReadInputTokens": 2,
    "cacheWriteInputTokens": 3,
}
PIECES: list[Piece] = [
    Reasoning("Mm "),
    Reasoning("hm", signature="s"),
    BlockEnd(),
    Reasoning(redacted=b"\x00\x01"),
    BlockEnd(),
    Text("Hel"),
    Text("lo"),
    Citation({"title": "t"}),
    BlockEnd(),
    ToolStart("t1", "f"),
    ToolInput('{"a": "b"'),
    BlockEnd(),
    Finish("max_tokens", 9),
]


def events(*, metadata: bool = True) -> list[tuple[str, Json]]:
    encoder = AnthropicEvents("m", USAGE)
    found = encoder.open()
    for piece in PIECES:
        found += encoder.feed(piece)
    final = {**USAGE, "outputTokens": 9} if metadata else None
    return found + encoder.close(final, 5)


def test_every_block_has_a_start() -> None:
    """ANTHROPIC-2."""
    blocks = [p["content_block"] for n, p in events() if n == "content_block_start"]
    assert [b["type"] for b in blocks] == [
        "thinking",
        "redacted_thinking",
        "text",
        "tool_use",
    ]
    indices = [p["index"] for n, p in events() if n == "content_block_stop"]
    assert indices == [0, 1, 2, 3]


def test_the_metrics_come_last() -> None:
    """ANTHROPIC-3."""
    name, payload = events()[-1]
    assert name == "message_stop"
    assert payload["amazon-bedrock-invocationMetrics"] == {
        "inputTokenCount": 4,
        "outputTokenCount": 9,
        "invocationLatency": 5,
        "firstByteLatency": 5,
        "cacheReadInputTokenCount": 2,
        "cacheWriteInputTokenCount": 3,
    }
    assert events(metadata=False)[-1] == ("message_stop", {"type": "message_stop"})


def test_events_are_chunks() -> None:
    """ANTHROPIC-1."""
    buffer = EventStreamBuffer()
    buffer.add_data(AnthropicEvents("m", USAGE).frame(events()[1]))
    (frame,) = list(buffer)
    assert frame.headers[":event-type"] == "chunk"
    assert json.loads(b64decode(json.loads(frame.payload)["bytes"])) == events()[1][1]


def test_the_message_is_assembled_from_the_events() -> None:
    """ANTHROPIC-5."""
    message = AnthropicMessage()
    for event in events():
        message.feed(event)
    response = message.response()
    assert response.pop("id").startswith("msg_bdrk_")
    cited = {"type": "text", "text": "Hello", "citations": [{"title": "t"}]}
    assert response == {
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Mm hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "AAE="},
            cited,
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": "b"}},
        ],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 4,
            "cache_creation_input_tokens": 3,
            "cache_read_input_tokens": 2,
            "output_tokens": 9,
        },
    }
    assert message.headers()["x-amzn-bedrock-output-token-count"] == "9"

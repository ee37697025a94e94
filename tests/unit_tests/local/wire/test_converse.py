"""Converse's shapes (CONVERSE)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from langchain_bedrock_continue.local.rules.models import ModelRules
from langchain_bedrock_continue.local.wire.converse import (
    ConverseEvents,
    ConverseMessage,
    complete_members,
    request_from,
)

CITED = {"title": "t", "location": {"documentChar": {"documentIndex": 0}}}
PIECES: list[Piece] = [
    Reasoning("Let "),
    Reasoning("me."),
    Reasoning(signature="sig"),
    BlockEnd(),
    Reasoning(redacted=b"\x00\x01"),
    BlockEnd(),
    Text("Hel"),
    Text("lo"),
    BlockEnd(),
    Text("Cited."),
    Citation(CITED),
    BlockEnd(),
    ToolStart("t1", "f"),
    ToolInput(""),
    ToolInput('{"a": 1'),
    ToolInput(', "b": [2]}'),
    BlockEnd(),
    Finish("tool_use", 9, {"stop_sequence": None}),
]


def events() -> list[tuple[str, dict[str, Any]]]:
    encoder = ConverseEvents()
    found = encoder.open()
    for piece in PIECES:
        found += encoder.feed(piece)
    return found + encoder.close({"inputTokens": 1}, 5)


def test_block_starts_and_indexes() -> None:
    """CONVERSE-2, CONVERSE-3."""
    starts = [e for e in events() if e[0] == "contentBlockStart"]
    tool = {"toolUse": {"toolUseId": "t1", "name": "f"}}
    assert starts == [("contentBlockStart", {"start": tool, "contentBlockIndex": 4})]
    stops = [p["contentBlockIndex"] for n, p in events() if n == "contentBlockStop"]
    assert stops == [0, 1, 2, 3, 4]


def test_the_message_is_assembled_from_the_events() -> None:
    """CONVERSE-1."""
    message = ConverseMessage()
    for event in events():
        message.feed(event)
    reasoning = {"text": "Let me.", "signature": "sig"}
    cited = {"content": [{"text": "Cited."}], "citations": [CITED]}
    tool = {"toolUseId": "t1", "name": "f", "input": {"a": 1, "b": [2]}}
    assert message.response() == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": reasoning}},
                    {"reasoningContent": {"redactedContent": "AAE="}},
                    {"text": "Hello"},
                    {"citationsContent": cited},
                    {"toolUse": tool},
                ],
            }
        },
        "stopReason": "tool_use",
        "additionalModelResponseFields": {"stop_sequence": None},
        "usage": {"inputTokens": 1},
        "metrics": {"latencyMs": 5},
    }


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("{", {}),
        ('{"a', {}),
        ('{"a": "hel', {}),
        ('{"a": "hello"', {"a": "hello"}),
        ('{"a": "hello", "b": "x', {"a": "hello"}),
        ('{"a": 1', {}),
        ('{"a": 1,', {"a": 1}),
        ('{"a": {"b": [1', {}),
        ('{"a": {"b": [1]}', {"a": {"b": [1]}}),
        ('{"a": tru', {}),
        ('{ "a" : true , "b" : null }', {"a": True, "b": None}),
        ('{"a": "b"} and more', {"a": "b"}),
    ],
)
def test_complete_members(text: str, members: dict[str, Any]) -> None:
    """CONVERSE-4."""
    assert complete_members(text) == members


_VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(st.dictionaries(st.text(), _VALUES), st.data())
def test_a_truncated_input_has_the_first_members_with_their_values(
    arguments: dict[str, Any], data: st.DataObject
) -> None:
    """CONVERSE-4."""
    text = json.dumps(arguments)
    assert complete_members(text) == arguments
    truncated = complete_members(text[: data.draw(st.integers(0, len(text)))])
    assert list(truncated.items()) == list(arguments.items())[: len(truncated)]


def test_default_max_tokens() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    assert request_from("m", body, ModelRules().max_tokens_if_unset).max_tokens == 4096
    small = ModelRules(max_output_tokens=100)
    assert request_from("m", body, small.max_tokens_if_unset).max_tokens == 100
    with_inference = {
        **body,
        "inferenceConfig": {"maxTokens": 7, "stopSequences": ["x"]},
    }
    request = request_from("m", with_inference, small.max_tokens_if_unset)
    assert (request.max_tokens, request.stop_sequences) == (7, ("x",))

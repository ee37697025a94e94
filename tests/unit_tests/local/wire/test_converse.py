"""Converse's shapes (C1-C4)."""

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
    request_from,
    whole_keys,
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


def test_starts_and_numbers() -> None:
    """C2, C3."""
    starts = [e for e in events() if e[0] == "contentBlockStart"]
    tool = {"toolUse": {"toolUseId": "t1", "name": "f"}}
    assert starts == [("contentBlockStart", {"start": tool, "contentBlockIndex": 4})]
    stops = [p["contentBlockIndex"] for n, p in events() if n == "contentBlockStop"]
    assert stops == [0, 1, 2, 3, 4]


def test_the_message_is_what_the_events_add_up_to() -> None:
    """C1."""
    message = ConverseMessage()
    for event in events():
        message.feed(event)
    thought = {"text": "Let me.", "signature": "sig"}
    cited = {"content": [{"text": "Cited."}], "citations": [CITED]}
    tool = {"toolUseId": "t1", "name": "f", "input": {"a": 1, "b": [2]}}
    assert message.response() == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": thought}},
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
    ("text", "keys"),
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
def test_whole_keys(text: str, keys: dict[str, Any]) -> None:
    """C4."""
    assert whole_keys(text) == keys


_VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(st.dictionaries(st.text(), _VALUES), st.data())
def test_a_cut_input_has_the_first_keys_with_their_values(
    arguments: dict[str, Any], data: st.DataObject
) -> None:
    """C4."""
    text = json.dumps(arguments)
    assert whole_keys(text) == arguments
    cut = whole_keys(text[: data.draw(st.integers(0, len(text)))])
    assert list(cut.items()) == list(arguments.items())[: len(cut)]


def test_max_tokens_by_default() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    assert request_from("m", body, ModelRules()).max_tokens == 4096
    small = ModelRules(max_output_tokens=100)
    assert request_from("m", body, small).max_tokens == 100
    asked = {**body, "inferenceConfig": {"maxTokens": 7, "stopSequences": ["x"]}}
    request = request_from("m", asked, small)
    assert (request.max_tokens, request.stop_sequences) == (7, ("x",))

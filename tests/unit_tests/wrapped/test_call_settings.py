"""What a call's arguments ask for, and which of them are refused."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_bedrock_continue._wrapped.call_settings import (
    check_call,
    is_constrained,
    is_thinking,
    stop_sequences,
)


@pytest.mark.parametrize("tokens", [0, -1, "9", 1.5, True])
@pytest.mark.parametrize("name", ["max_tokens", "maxTokens"])
def test_a_call_with_a_bad_max_tokens_is_refused(name: str, tokens: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: must be a whole number"):
        check_call([HumanMessage("h")], {name: tokens})


def test_an_empty_conversation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^messages: empty"):
        check_call([], {})


@pytest.mark.parametrize(
    ("kwargs", "stops"),
    [
        ({}, []),
        ({"stop_sequences": ["a"]}, ["a"]),
        ({"stopSequences": ["a"]}, ["a"]),
        ({"stop_sequences": None}, []),
        ({"inference_config": {"stopSequences": ["a"]}, "stop_sequences": "b"}, ["a"]),
        ({"inferenceConfig": {"stop_sequences": ["a"]}}, ["a"]),
    ],
)
def test_stop_sequences_are_found(kwargs: dict[str, Any], stops: list[str]) -> None:
    assert stop_sequences(kwargs) == stops


@pytest.mark.parametrize(
    ("kwargs", "constrained"),
    [
        ({}, False),
        ({"output_config": {}}, False),
        ({"output_config": {"format": {}}}, True),
        ({"outputConfig": {"format": {}}}, True),
        ({"response_format": {"type": "json_schema"}}, True),
    ],
)
def test_a_schema_constrains_the_output(
    kwargs: dict[str, Any], constrained: bool
) -> None:
    assert is_constrained(kwargs) is constrained


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({}, False),
        ({"thinking": {"type": "enabled"}}, True),
        ({"thinking": {"type": "adaptive"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"thinking": "enabled"}, False),
        ({"reasoningConfig": {"type": "enabled"}}, True),
    ],
)
def test_request_fields_turn_reasoning_on(
    fields: dict[str, Any], thinking: bool
) -> None:
    assert is_thinking(fields) is thinking

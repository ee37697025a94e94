"""How `max_tokens` and the tool choice of a call are read and changed."""

import copy
from typing import Any

import pytest

from langchain_bedrock_continue._core.request.call_arguments import (
    max_tokens_of,
    with_max_tokens,
    without_tool_choice,
)


@pytest.mark.parametrize(
    ("kwargs", "tokens"),
    [
        ({}, 7),
        ({"max_tokens": 5}, 5),
        ({"maxTokens": 5}, 5),
        ({"max_tokens": None}, 7),
        ({"inference_config": {"maxTokens": 3}, "max_tokens": 5}, 3),
        ({"inferenceConfig": {"temperature": 0.0}}, None),
    ],
)
def test_max_tokens_is_what_chat_bedrock_converse_sends(
    kwargs: dict[str, Any], tokens: int | None
) -> None:
    assert max_tokens_of(kwargs, 7) == tokens
    assert max_tokens_of(with_max_tokens(kwargs, 2), 7) == 2


def test_another_max_tokens_leaves_the_callers_arguments_unchanged() -> None:
    kwargs = {"inference_config": {"maxTokens": 3, "temperature": 0.5}, "tools": []}
    before = copy.deepcopy(kwargs)
    assert with_max_tokens(kwargs, 2) == {
        "inference_config": {"maxTokens": 2, "temperature": 0.5},
        "tools": [],
    }
    assert kwargs == before


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, {}),
        ({"tools": [1], "tool_choice": "any"}, {"tools": [1]}),
        ({"toolChoice": {"any": {}}, "temperature": 0.5}, {"temperature": 0.5}),
        (
            {"toolConfig": {"tools": [1], "toolChoice": {"any": {}}}},
            {"toolConfig": {"tools": [1]}},
        ),
        (
            {"tool_config": {"tools": [1], "tool_choice": {"any": {}}}},
            {"tool_config": {"tools": [1]}},
        ),
        ({"toolConfig": None}, {"toolConfig": None}),
    ],
)
def test_the_tool_choice_is_dropped_and_the_tools_are_kept(
    kwargs: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = copy.deepcopy(kwargs)
    assert without_tool_choice(kwargs) == expected
    assert kwargs == before

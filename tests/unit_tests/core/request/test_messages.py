"""The numbered invariants of `requests`."""

import copy
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_bedrock_continue._core.request.call_arguments import (
    max_tokens_of,
    with_max_tokens,
)
from langchain_bedrock_continue._core.request.messages import (
    own_copy,
    with_prefill,
)

ANSWER: list[dict[str, Any]] = [{"type": "text", "text": "so far"}]
IMAGE = {"type": "image", "source": {"type": "base64", "data": "eA=="}}


def test_r2_the_partial_answer_is_added_after_all_messages() -> None:
    messages = [SystemMessage("s"), HumanMessage("h")]
    assert with_prefill(messages, ANSWER) == [*messages, AIMessage("so far")]


def test_r2_several_blocks_stay_blocks() -> None:
    answer = [*ANSWER, {"type": "text", "text": " cited", "citations": [{}]}]
    assert with_prefill([HumanMessage("h")], answer)[-1].content == answer


@pytest.mark.parametrize("content", ["begun ", [{"type": "text", "text": "begun\n"}]])
def test_r3_the_callers_objects_stay_as_they_are(content: Any) -> None:
    messages: list[BaseMessage] = [HumanMessage("h"), AIMessage(content)]
    before = copy.deepcopy(messages)
    copied = own_copy(messages)
    copied[-1].content = "changed"
    with_prefill(messages, ANSWER)[-1].content = "changed"
    assert messages == before


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("begun", "begunso far"),
        ("begun \n", "begunso far"),
        (["begun "], "begunso far"),
        ([{"type": "text", "text": "begun\n"}], "begunso far"),
        ([IMAGE], [IMAGE, *ANSWER]),
        ([], "so far"),
        ("", "so far"),
    ],
)
def test_r4_the_answer_goes_on_in_the_callers_own_prefill(
    content: Any, sent: Any
) -> None:
    messages: list[BaseMessage] = [HumanMessage("h"), AIMessage(content)]
    result = with_prefill(messages, ANSWER)
    assert len(result) == 2
    assert result[-1].content == sent


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


def test_shrinking_leaves_the_callers_arguments_alone() -> None:
    kwargs = {"inference_config": {"maxTokens": 3, "temperature": 0.5}, "tools": []}
    before = copy.deepcopy(kwargs)
    assert with_max_tokens(kwargs, 2) == {
        "inference_config": {"maxTokens": 2, "temperature": 0.5},
        "tools": [],
    }
    assert kwargs == before

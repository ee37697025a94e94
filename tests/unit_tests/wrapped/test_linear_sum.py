"""SUM-1: the sum of a stream's chunks is langchain-core's own, in linear time."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumpd
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_bedrock_continue._wrapped.linear_sum import LinearSumChunk
from tests.support.responses import usage_of

CALL = {"name": "f", "args": "{}", "id": "1", "index": 2, "type": "tool_call_chunk"}


def text(said: str, index: Any = 0, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said, "index": index, **more}]}


PROVIDER: dict[str, Any] = {"response_metadata": {"model_provider": "bedrock"}}
KINDS: list[dict[str, Any]] = [
    text("one "),
    text("two ") | PROVIDER,
    text("three ") | {"id": "lc_run--1"},
    text("", 0) | PROVIDER,
    text("four ", 1),
    text("five ", "lc_txt_0"),
    text("six ", citations=[{"source": 1}]),
    text("seven ") | {"usage_metadata": usage_of(1)},
    text("eight ") | {"tool_call_chunks": [CALL]},
    text("nine ") | {"additional_kwargs": {"usage": {"input_tokens": 1}}},
    text("ten ") | {"response_metadata": {"stopReason": "end_turn"}},
    text("eleven ") | {"chunk_position": "last"},
    {"content": [{"type": "reasoning_content", "index": 3}]},
    {"content": []},
    {"content": ""},
    {"content": "plain"},
]


def sum_with(kind: type[ChatGenerationChunk], parts: list[Any]) -> ChatGenerationChunk:
    """Add chunks up as `BaseChatModel.stream` does, the first being of a class."""
    messages = [AIMessageChunk(**copy.deepcopy(part)) for part in parts]
    first, *others = messages
    return kind(message=first) + [ChatGenerationChunk(message=one) for one in others]


MANY = st.lists(st.sampled_from([*KINDS[:4] * 4, *KINDS]), min_size=1, max_size=12)


@given(MANY)
def test_sum_1_the_sum_is_langchains_own(parts: list[Any]) -> None:
    assert sum_with(LinearSumChunk, parts) == sum_with(ChatGenerationChunk, parts)


def test_sum_1_the_texts_of_a_block_are_added_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added: list[int] = []
    add = AIMessageChunk.__add__

    def counted(self: AIMessageChunk, other: Any) -> Any:
        added.append(len(other))
        return add(self, other)

    monkeypatch.setattr(AIMessageChunk, "__add__", counted)
    parts = [{"content": []}, *[text("a "), text("b ") | PROVIDER] * 500]
    total = sum_with(LinearSumChunk, parts)
    assert added == [1]
    assert total.text == total.message.text == "a b " * 500
    assert total.message.response_metadata == PROVIDER["response_metadata"]


def test_the_chunks_that_are_added_are_not_changed() -> None:
    messages = [AIMessageChunk(**text(said)) for said in ("one ", "two ", "three ")]
    first, *others = [ChatGenerationChunk(message=message) for message in messages]
    before = copy.deepcopy(others)
    LinearSumChunk(message=first.message) + others
    assert others == before


def test_a_single_chunk_is_added_as_ever() -> None:
    one, two = (AIMessageChunk(**text(said)) for said in ("one ", "two"))
    added = LinearSumChunk(message=one) + ChatGenerationChunk(message=two)
    assert added.text == "one two"


def test_langchain_saves_it_as_its_base_class() -> None:
    message = AIMessageChunk(**text("one"))
    saved = dumpd(LinearSumChunk(message=message))
    assert saved == dumpd(ChatGenerationChunk(message=message))

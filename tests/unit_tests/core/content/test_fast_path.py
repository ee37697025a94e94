"""FAST-1 and FAST-2: the fast path changes nothing but the cost of a chunk."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.fast_path import FastPath
from langchain_bedrock_continue._core.content.incoming import as_block
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.text.healed_cut import TextBuffer
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import text_block
from tests.support.random_texts import TEXTS, chunked
from tests.support.random_turns import RANDOM, run_random_turn
from tests.support.responses import usage_of
from tests.support.turns import QUESTION, Response, TurnRun, policy, run_turn


def without_fast_path(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Turn, "_open_fast_path", lambda _turn: None)


def seen(run: TurnRun) -> list[Any]:
    """Return what the caller saw, chunk by chunk, and what the service did."""
    requests = [request.messages for request in run.requests]
    return [[chunk.content for chunk in run.chunks], requests, run.message]


@given(RANDOM)
def test_fast_1_a_turn_is_the_same_without_it(chance: random.Random) -> None:
    again = copy.copy(chance)
    again.setstate(chance.getstate())
    by_path, *_ = run_random_turn(chance)
    with pytest.MonkeyPatch.context() as patch:
        without_fast_path(patch)
        without, *_ = run_random_turn(again)
    assert seen(by_path) == seen(without)


@st.composite
def segments_in_chunks(draw: st.DrawFn) -> list[list[str]]:
    return [chunked(draw, draw(TEXTS)) for _ in range(draw(st.integers(1, 4)))]


@given(segments_in_chunks(), st.booleans())
def test_fast_1_text_is_released_at_the_same_moments(
    segments: list[list[str]], plain: bool
) -> None:
    def run() -> list[Any]:
        waiting = iter(segments)

        def model(_: SegmentRequest) -> Response:
            for text in next(waiting, []):
                content: Any = text if plain else [as_block(text, 0)]
                yield AIMessageChunk(content=content)
            yield AIMessageChunk(
                content="", response_metadata={"stopReason": "max_tokens"}
            )
            yield AIMessageChunk(content="", usage_metadata=usage_of(1))

        return seen(run_turn(Turn(QUESTION, {}, policy()), model))

    by_path = run()
    with pytest.MonkeyPatch.context() as patch:
        without_fast_path(patch)
        assert by_path == run()


def path(*, plain: bool = False) -> FastPath:
    buffer = TextBuffer()
    buffer.feed("one")
    return FastPath(buffer, number=0, index=3, plain=plain)


def test_the_chunk_itself_passes_and_what_is_held_of_it_comes_in_the_next() -> None:
    opened = path()
    texts = [" two,", " three"]
    chunks = [AIMessageChunk(content=[as_block(text, 0)]) for text in texts]
    assert [opened.take(chunk) for chunk in chunks] == [" two", ", three"]
    assert [chunk.content for chunk in chunks] == [
        [as_block(" two", 3)],
        [as_block(", three", 3)],
    ]
    assert opened.received == opened.released == " two, three"


HAS_MORE: dict[str, dict[str, Any]] = {
    "another block": {"content": [as_block("x", 1)]},
    "two blocks": {"content": [as_block("x", 0)] * 2},
    "a citation": {"content": [{**as_block("x", 0), "citations": [1]}]},
    "no index": {"content": [{**text_block("x"), "citations": [1]}]},
    "reasoning": {"content": [{"type": "thinking", "text": "x", "index": 0}]},
    "a string": {"content": "x"},
    "a string in a list": {"content": ["x"]},
    "held back": {"content": [as_block(".", 0)]},
    "usage": {"usage_metadata": usage_of(1)},
    "a stop reason": {"response_metadata": {"stopReason": "end_turn"}},
    "a tool call": {"tool_call_chunks": [{"name": "f", "args": "", "id": "1"}]},
    "other": {"additional_kwargs": {"usage": {}}},
}


@pytest.mark.parametrize("more", HAS_MORE.values(), ids=HAS_MORE)
def test_a_chunk_that_has_more_than_text_of_its_block_is_not_taken(
    more: dict[str, Any],
) -> None:
    opened = path()
    before = {"content": [as_block("x", 0)], **more}
    chunk = AIMessageChunk(**copy.deepcopy(before))
    assert opened.take(chunk) is None
    assert chunk == AIMessageChunk(**before)
    assert opened.received == ""
    assert opened.take(AIMessageChunk(content=[as_block("x", 0)])) == "x"

"""The rules CONTENT-1 to CONTENT-7, and the restart of a segment for a retry."""

import copy
import pickle
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import read
from langchain_bedrock_continue._core.content.placement import Placement
from langchain_bedrock_continue._core.text.continuation_join import ExpectedEcho
from langchain_bedrock_continue._core.text.quote import choose_quote
from langchain_bedrock_continue._core.text.text_before import HEAD, LINE
from tests.support.contents import (
    complete_response,
    contents,
    image_block,
    reasoning_block,
    released_blocks,
    text_block,
    truncated_response,
)
from tests.support.responses import Block


def text_chunk(text: str, index: int) -> AIMessageChunk:
    return AIMessageChunk(content=[{**text_block(text), "index": index}])


def receive(placement: Placement, *messages: AIMessage) -> list[AIMessageChunk]:
    """Receive messages or chunks; return what is released."""
    return [chunk for one in messages for chunk in placement.receive(read(one))]


def finish(placement: Placement, *, truncated: bool = False) -> list[AIMessageChunk]:
    return placement.finish(
        reason="max_tokens" if truncated else "end_turn",
        last_block_complete=not truncated,
        truncated=truncated,
    )


def test_content_1_a_later_segment_continues_the_open_block_and_the_numbering() -> None:
    placement = Placement()
    image = {**image_block("eA=="), "index": 0}
    chunks = receive(placement, AIMessageChunk(content=[image]))
    chunks += receive(placement, text_chunk("one two", 1))
    chunks += placement.end_for_prefill()
    chunks += receive(placement, text_chunk(" three", 0))
    chunks += receive(placement, AIMessageChunk(content=[{**image, "index": 1}]))
    chunks += receive(placement, text_chunk("four", 2)) + finish(placement)
    assert released_blocks(chunks, numbered=True) == [
        {**image, "index": 0},
        {**text_block("one two three"), "index": 1},
        {**image, "index": 2},
        {**text_block("four"), "index": 3},
    ]


def test_content_2_a_complete_block_is_released_before_the_next_one() -> None:
    placement = Placement()
    first = receive(placement, text_chunk("held {\n", 0))
    assert [chunk.text for chunk in first] == ["held"]
    then = receive(placement, text_chunk("next", 1))
    assert [chunk.text for chunk in then] == [" {\n", "next"]


def test_content_3_nothing_is_released_after_a_tool_call_before_the_end() -> None:
    placement = Placement()
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    assert receive(placement, AIMessage(content=[call, text_block("x")])) == []
    blocks = released_blocks(finish(placement))
    assert [block["type"] for block in blocks] == ["tool_use", "text"]


def test_content_5_reasoning_of_a_later_segment_is_dropped() -> None:
    placement = Placement()
    thought = {"type": "reasoning_content", "reasoning_content": {"text": "Hm."}}
    chunks = receive(placement, AIMessage(content=[thought, text_block("a b")]))
    chunks += placement.end_for_prefill()
    chunks += receive(placement, AIMessage(content=[thought, text_block(" c")]))
    chunks += finish(placement)
    assert released_blocks(chunks) == [thought, text_block("a b c")]


def test_content_6_reasoning_is_released_as_it_comes() -> None:
    placement = Placement()
    thought: Any = {**reasoning_block("Hm."), "index": 0}
    chunks = receive(placement, AIMessageChunk(content=[thought]))
    assert released_blocks(chunks, numbered=True) == [thought]
    assert not placement.has_progress()
    chunks = receive(placement, text_chunk("one", 1))
    assert released_blocks(chunks, numbered=True) == [
        {**text_block("one"), "index": 1},
    ]


def test_content_6_no_block_gets_the_number_of_truncated_reasoning() -> None:
    placement = Placement()
    placement.take_number(0, 2)
    thought: Any = {**reasoning_block("Hm."), "index": 0}
    chunks = receive(placement, AIMessageChunk(content=[thought]))
    chunks += receive(placement, text_chunk("one", 1)) + finish(placement)
    assert [block["index"] for block in released_blocks(chunks, numbered=True)] == [
        1,
        3,
    ]


CITATIONS = {"citations": [{"source": 1}]}


def test_content_7_a_cited_text_block_is_not_continued() -> None:
    placement = Placement()
    cited: Any = {**text_block("as it says"), **CITATIONS, "index": 0}
    chunks = receive(placement, AIMessageChunk(content=[cited]))
    chunks += placement.end_for_prefill()
    chunks += receive(placement, text_chunk(" and more", 0)) + finish(placement)
    assert released_blocks(chunks) == [
        {**text_block("as it says"), **CITATIONS},
        text_block(" and more"),
    ]


def test_content_7_a_cited_text_block_is_not_continued_in_a_user_turn() -> None:
    placement = Placement()
    cited: Any = {**text_block("as it says"), **CITATIONS, "index": 0}
    chunks = receive(placement, AIMessageChunk(content=[cited]))
    chunks += placement.end_for_user_turn(ExpectedEcho("as it says"))
    chunks += receive(placement, text_chunk("as it says and more", 0))
    chunks += finish(placement)
    assert released_blocks(chunks) == [
        {**text_block("as it says"), **CITATIONS},
        text_block(" and more"),
    ]


def test_content_7_citations_may_come_with_the_continuation() -> None:
    placement = Placement()
    chunks = receive(placement, text_chunk("as it", 0)) + placement.end_for_prefill()
    cited: Any = {**text_block(" says"), **CITATIONS, "index": 0}
    chunks += receive(placement, AIMessageChunk(content=[cited])) + finish(placement)
    assert released_blocks(chunks) == [{**text_block("as it says"), **CITATIONS}]


VALUES = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers())
NAMES = st.sampled_from(["type", "text", "id", "name", "input", "x"])
TYPES: st.SearchStrategy[Any] = st.sampled_from(
    ["text", "tool_use", "reasoning_content", "image", None, []]
)


@st.composite
def strange_blocks(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    return {**block, "type": draw(TYPES)}


@given(st.lists(strange_blocks(), max_size=5), st.booleans())
def test_content_4_a_block_of_an_unknown_kind_is_not_changed(
    strange: list[dict[str, Any]], truncated: bool
) -> None:
    placement = Placement()
    blocks: Any = [block for block in strange if block["type"] != "tool_use"]
    chunks = receive(placement, AIMessage(content=blocks))
    chunks += placement.finish(
        reason="end_turn", last_block_complete=True, truncated=truncated
    )
    assert released_blocks(chunks) == blocks


@given(st.lists(strange_blocks(), max_size=5), st.booleans())
def test_no_block_breaks_the_placement(
    strange: list[dict[str, Any]], streamed: bool
) -> None:
    placement = Placement()
    blocks: Any = strange
    kind = AIMessageChunk if streamed else AIMessage
    chunks = receive(placement, kind(content=blocks))
    released_blocks([*chunks, *finish(placement, truncated=True)])


# The restart of a segment ---------------------------------------------------------

CHUNK_SIZES = st.sampled_from([0, 1, 3])


class History(NamedTuple):
    """The segments of a turn so far.

    Attributes:
        segments: The blocks of each segment, and how it ended.
        chunk_size: The characters of a chunk; 0 for responses that are not streamed.
        stops: The caller's stop sequences.
    """

    segments: list[tuple[list[Block], str]]
    chunk_size: int
    stops: tuple[str, ...]

    def placement(self) -> Placement:
        """Return a placement in which the next segment begins."""
        placement = Placement(self.stops)
        for blocks, ending in self.segments:
            receive(placement, *self.complete(blocks))
            placement.end_text(truncated=True)
            end_segment(placement, ending)
        return placement

    def complete(self, blocks: list[Block]) -> list[Any]:
        return complete_response(blocks, self.chunk_size)

    def truncated(self, blocks: list[Block], size: int) -> list[Any]:
        return truncated_response(blocks, size, self.chunk_size)


def end_segment(placement: Placement, ending: str) -> None:
    """End a segment so that another one follows, as a turn does."""
    if ending == "resend" or not placement.has_progress():
        placement.end_for_resend()
    elif ending == "prefill":
        placement.end_for_prefill()
    else:
        placement.end_for_user_turn(ExpectedEcho(quote_of(placement)))


def quote_of(placement: Placement) -> str:
    return choose_quote(placement.open_text, 1024)


def with_echo(placement: Placement, blocks: list[Block]) -> list[Block]:
    """Return an answer with the echo that a user turn asks for, if there is one."""
    if placement._join is None:
        return blocks
    return [text_block(f"{quote_of(placement)}\n more"), *blocks]


ENDINGS = st.sampled_from(["prefill", "user turn", "resend"])
HISTORIES = st.builds(
    History,
    st.lists(st.tuples(contents(max_calls=0), ENDINGS), max_size=3),
    CHUNK_SIZES,
    st.sampled_from([(), ("}\n", "two one")]),
)


def state_of(placement: Placement) -> Any:
    """Return what can be seen of a placement; a copy."""
    seen = (
        len(placement),
        placement.open_text,
        placement.unreleased_text,
        placement.seams,
        placement.plain,
        placement.last_index,
        placement.stopped,
        placement.rejected,
        placement.join_result,
        placement.has_progress(),
        placement.calls.begun,
        placement.calls.count,
    )
    return copy.deepcopy(seen)


ATTEMPTS = st.tuples(contents(), contents(), st.integers(0, 60))
"""The first attempt of a segment, the second one, and where the first is truncated."""


@given(HISTORIES, ATTEMPTS, st.booleans())
def test_a_restarted_segment_is_received_as_if_it_were_the_first_attempt(
    history: History, attempts: tuple[list[Block], list[Block], int], has_echo: bool
) -> None:
    first, second, truncation = attempts
    placement = history.placement()
    assume(not placement.stopped)  # a turn has ended there
    start, state = placement.start(), state_of(placement)
    if has_echo:
        first, second = with_echo(placement, first), with_echo(placement, second)
    receive(placement, *history.truncated(first, truncation))
    placement.end_text(truncated=True)
    first_state = state_of(placement)
    retry = placement.restarted(start)
    assert state_of(retry) == state
    expected = history.placement()
    response = history.complete(second)
    assert receive(retry, *response) == receive(expected, *response)
    assert state_of(retry) == state_of(expected)
    assert finish(retry, truncated=True) == finish(expected, truncated=True)
    assert state_of(retry) == state_of(expected)
    assert retry.calls.invalid == expected.calls.invalid
    assert state_of(placement) == first_state


@given(HISTORIES, contents(max_calls=0), st.integers(2, 4))
def test_a_segment_can_be_restarted_any_number_of_times(
    history: History, blocks: list[Block], retries: int
) -> None:
    placement = history.placement()
    assume(not placement.stopped)
    start, state = placement.start(), state_of(placement)
    for _ in range(retries):
        receive(placement, *history.complete(blocks))
        placement = placement.restarted(start)
        assert state_of(placement) == state


def test_a_restarted_segment_does_not_continue_a_cited_text_block() -> None:
    placement = Placement()
    cited: Any = {**text_block("as it says"), **CITATIONS, "index": 0}
    receive(placement, AIMessageChunk(content=[cited]))
    placement.end_for_prefill()
    retry = placement.restarted(placement.start())
    chunks = receive(retry, text_chunk(" and more", 0))
    assert released_blocks(chunks, numbered=True) == [
        {**text_block(" and more"), "index": 1}
    ]


def test_a_restarted_segment_undoes_what_a_join_replaced() -> None:
    placement = Placement()
    receive(placement, text_chunk("one \n", 0))
    placement.end_for_user_turn(ExpectedEcho("one"))
    start, seams = placement.start(), list(placement.seams)
    receive(placement, text_chunk("one\n\ntwo", 0))
    assert placement.seams < seams
    retry = placement.restarted(start)
    assert (retry.seams, retry.open_text) == (seams, "one \n")
    chunks = receive(retry, text_chunk("one three", 0)) + finish(retry)
    assert [chunk.text for chunk in chunks] == [" three"]


def test_a_restarted_segment_of_text_without_blocks_has_none() -> None:
    placement = Placement()
    receive(placement, AIMessageChunk(content="one"))
    placement.end_for_prefill()
    retry = placement.restarted(placement.start())
    assert retry.plain
    chunks = receive(retry, AIMessageChunk(content=" two"))
    assert [chunk.content for chunk in chunks] == [" two"]


@pytest.mark.parametrize("ending", ["prefill", "user turn"])
def test_the_start_of_a_segment_does_not_copy_the_text(ending: str) -> None:
    placement = Placement()
    for _ in range(1_000):
        receive(placement, text_chunk("a word " * 10, 0))
    placement.seams += range(1_000)
    end_segment(placement, ending)
    start = placement.start()
    assert start.open is placement._open
    assert start.join is placement._join
    values = [start.mark, start.seams, start.last_seam]
    assert len(pickle.dumps(values)) < 500
    assert len(pickle.dumps(start.text)) < HEAD + LINE + 1_000

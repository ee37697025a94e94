"""The numbered invariants of `blocks`."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.content import ReleasedBlocks
from langchain_bedrock_continue._core.content.incoming import read
from langchain_bedrock_continue._core.content.placement import Placement


def text(words: str, index: int) -> AIMessageChunk:
    return AIMessageChunk(content=[{"type": "text", "text": words, "index": index}])


def released(*pieces: AIMessageChunk) -> list[Any]:
    transcript = ReleasedBlocks()
    for piece in pieces:
        transcript.add(piece)
    return transcript.blocks(numbered=True)


def test_b1_later_segments_go_on_in_the_open_block_and_number_on() -> None:
    blocks = Placement()
    image = {"type": "image", "source": {"data": "eA=="}, "index": 0}
    seen = blocks.receive(read(AIMessageChunk(content=[image])))
    seen += blocks.receive(read(text("one two", 1))) + blocks.end_for_prefill()
    seen += blocks.receive(read(text(" three", 0)))
    seen += blocks.receive(read(AIMessageChunk(content=[{**image, "index": 1}])))
    seen += blocks.receive(read(text("four", 2)))
    seen += blocks.finish(reason="end_turn", last_block_complete=True, truncated=False)
    assert released(*seen) == [
        {**image, "index": 0},
        {"type": "text", "text": "one two three", "index": 1},
        {**image, "index": 2},
        {"type": "text", "text": "four", "index": 3},
    ]


def test_b2_a_block_is_released_whole_before_the_next() -> None:
    blocks = Placement()
    first = blocks.receive(read(text("held {\n", 0)))
    assert released(*first)[0]["text"] == "held"
    then = blocks.receive(read(text("next", 1)))
    assert [piece.text for piece in then] == [" {\n", "next"]


def test_b3_nothing_comes_out_behind_a_tool_call_until_the_segment_is_over() -> None:
    blocks = Placement()
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    assert (
        blocks.receive(read(AIMessage(content=[call, {"type": "text", "text": "x"}])))
        == []
    )
    seen = blocks.finish(reason="end_turn", last_block_complete=True, truncated=False)
    assert [block["type"] for block in released(*seen)] == ["tool_use", "text"]


def test_b5_later_reasoning_is_dropped() -> None:
    blocks = Placement()
    thought = {"type": "reasoning_content", "reasoning_content": {"text": "Hm."}}
    seen = blocks.receive(
        read(AIMessage(content=[thought, {"type": "text", "text": "a b"}]))
    )
    seen += blocks.end_for_prefill()
    seen += blocks.receive(
        read(AIMessage(content=[thought, {"type": "text", "text": " c"}]))
    )
    seen += blocks.finish(reason="end_turn", last_block_complete=True, truncated=False)
    assert [block["type"] for block in released(*seen)] == ["reasoning_content", "text"]
    assert released(*seen)[1]["text"] == "a b c"


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
def test_b4_what_is_not_known_passes_through_unharmed(
    strange: list[dict[str, Any]], cut: bool
) -> None:
    blocks = Placement()
    given_blocks: Any = [block for block in strange if block["type"] != "tool_use"]
    seen = blocks.receive(read(AIMessage(content=given_blocks)))
    seen += blocks.finish(reason="end_turn", last_block_complete=True, truncated=cut)
    transcript = ReleasedBlocks()
    for piece in seen:
        transcript.add(piece)
    out = transcript.blocks(numbered=False)
    assert out == given_blocks


@given(st.lists(strange_blocks(), max_size=5), st.booleans())
def test_no_block_that_comes_from_outside_breaks_the_turn(
    strange: list[dict[str, Any]], streamed: bool
) -> None:
    blocks = Placement()
    given_blocks: Any = strange
    kind = AIMessageChunk if streamed else AIMessage
    seen = blocks.receive(read(kind(content=given_blocks)))
    released(
        *seen,
        *blocks.finish(reason="max_tokens", last_block_complete=False, truncated=True),
    )

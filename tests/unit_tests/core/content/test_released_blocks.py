"""Released blocks: what released chunks add up to, and what was added after a mark."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.released_blocks import ReleasedBlocks
from tests.support.contents import (
    image_block,
    reasoning_block,
    released_blocks,
    text_block,
    text_in,
)
from tests.support.responses import Block, text_of

CITED = {**text_block("cited"), "citations": [{"source": 1}]}
STEPS = st.lists(
    st.one_of(
        st.builds(text_block, st.text("ab \n", max_size=3)),
        st.sampled_from([reasoning_block("hm"), image_block("eA=="), CITED]),
    ),
    max_size=12,
)


def chunks_of(blocks: list[Block]) -> list[AIMessageChunk]:
    """Return blocks as they are released; text without extras continues other text."""
    chunks: list[AIMessageChunk] = []
    index, continues = -1, False
    for block in blocks:
        is_plain_text = block.keys() == {"type", "text"}
        index += not (continues and is_plain_text)
        continues = is_plain_text
        content: Any = [{**block, "index": index}]
        chunks.append(AIMessageChunk(content=content))
    return chunks


def release(chunks: list[AIMessageChunk]) -> ReleasedBlocks:
    released = ReleasedBlocks()
    for chunk in chunks:
        released.add(chunk)
    return released


@given(STEPS)
def test_chunks_add_up_to_blocks(blocks: list[Block]) -> None:
    chunks = chunks_of(blocks)
    released = release(chunks)
    numbered = released.blocks(numbered=True)
    assert [block.pop("index") for block in numbered] == list(range(len(numbered)))
    assert numbered == released.blocks(numbered=False)
    assert text_in(numbered) == text_of(chunks)
    others = [block for block in blocks if block["type"] != "text"]
    assert [block for block in numbered if block["type"] != "text"] == others


@given(STEPS, st.data())
def test_since_returns_what_was_added_after_a_mark(
    blocks: list[Block], data: st.DataObject
) -> None:
    chunks = chunks_of(blocks)
    at = data.draw(st.integers(0, len(chunks)))
    released = release(chunks[:at])
    mark = released.mark()
    for chunk in chunks[at:]:
        released.add(chunk)
    new = released.since(mark)
    expected = release(chunks[at:]).blocks(numbered=True)
    assert [block for block in new if block.get("text", " ")] == [
        block for block in expected if block.get("text", " ")
    ]
    assert {block["index"] for block in new} <= {block["index"] for block in expected}


@given(STEPS)
def test_since_the_first_mark_returns_all_blocks(blocks: list[Block]) -> None:
    released = release(chunks_of(blocks))
    first = ReleasedBlocks().mark()
    assert released.since(first) == released.blocks(numbered=True)


@given(STEPS)
def test_since_returns_nothing_if_nothing_was_added(blocks: list[Block]) -> None:
    released = release(chunks_of(blocks))
    assert released.since(released.mark()) == []


def test_a_mark_stays_valid_while_more_is_added() -> None:
    first, second, third = chunks_of(
        [text_block("one "), text_block("two "), image_block("eA==")]
    )
    released = release([first])
    mark = released.mark()
    released.add(second)
    assert released.since(mark) == [{**text_block("two "), "index": 0}]
    released.add(third)
    assert released.since(mark) == [
        {**text_block("two "), "index": 0},
        {**image_block("eA=="), "index": 1},
    ]


def test_a_text_without_a_block_is_block_0() -> None:
    chunks = [AIMessageChunk(content="one "), AIMessageChunk(content="two")]
    assert released_blocks(chunks, numbered=True) == [
        {**text_block("one two"), "index": 0}
    ]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], [text_block("end")]),
        ([text_block("one ")], [text_block("one end")]),
        ([CITED], [{**CITED, "text": "citedend"}]),
        ([image_block("eA==")], [image_block("eA=="), text_block("end")]),
    ],
)
def test_unreleased_text_follows_the_last_block(
    blocks: list[Block], expected: list[Block]
) -> None:
    released = release(chunks_of(blocks))
    assert released.blocks(numbered=False, unreleased="end") == expected
    assert released.blocks(numbered=False) == blocks


def test_empty_text_and_reasoning_are_counted_as_what_they_are() -> None:
    released = release(chunks_of([text_block("")]))
    assert (released.substance, released.reasoning, released.is_blank) == (0, 0, True)
    released = release(chunks_of([text_block(" \n")]))
    assert (released.substance, released.reasoning, released.is_blank) == (1, 0, True)
    released = release(chunks_of([reasoning_block("hm"), text_block("a")]))
    assert (released.substance, released.reasoning, released.is_blank) == (2, 1, False)


def test_a_block_of_another_kind_gets_a_number_of_its_own() -> None:
    released = ReleasedBlocks()
    thought: Any = {"type": "reasoning_content", "reasoning_content": {"text": "hm"}}
    for block in (
        thought,
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ):
        chunk = AIMessageChunk(content=[{**block, "index": 0}])
        released.place_apart(chunk)
        released.add(chunk)
    blocks = released.blocks(numbered=True)
    assert [(block["type"], block["index"]) for block in blocks] == [
        ("reasoning_content", 0),
        ("text", 1),
    ]
    assert blocks[1]["text"] == "ab"

"""The rules RETRY-1 to RETRY-4: what is new in a retried segment."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import REASONING, kind_of
from langchain_bedrock_continue._core.content.released_blocks import ReleasedBlocks
from langchain_bedrock_continue._core.content.retry_filter import RetryFilter
from tests.support.contents import (
    contents,
    reasoning_block,
    released_blocks,
    text_block,
)
from tests.support.responses import Block, text_of

CHUNK_SIZES = st.integers(1, 6)


def chunks_of(blocks: list[Block], size: int) -> list[AIMessageChunk]:
    """Return blocks as they are released: numbered, with texts in chunks."""
    chunks: list[AIMessageChunk] = []
    for index, block in enumerate(blocks):
        text = block["text"] if block["type"] == "text" else " "
        for at in range(0, len(text), size):
            part = {"text": text[at : at + size]} if block["type"] == "text" else {}
            content: Any = [{**block, **part, "index": index}]
            chunks.append(AIMessageChunk(content=content))
    return chunks


def plain_chunks_of(text: str, size: int) -> list[AIMessageChunk]:
    """Return a text as it is released without blocks."""
    places = range(0, len(text), size)
    return [AIMessageChunk(content=text[at : at + size]) for at in places]


def filter_after(shown: list[AIMessageChunk]) -> RetryFilter:
    """Return the filter of a retry whose first attempt has shown these chunks."""
    released = ReleasedBlocks()
    for chunk in shown:
        released.add(chunk)
    return RetryFilter(released.since(ReleasedBlocks().mark()))


@given(contents(max_calls=0), st.integers(0, 40), CHUNK_SIZES, CHUNK_SIZES)
def test_retry_2_what_was_shown_is_dropped_and_what_follows_is_new(
    blocks: list[Block], truncation: int, first_size: int, retry_size: int
) -> None:
    shown = chunks_of(blocks, first_size)[:truncation]
    retry_filter = filter_after(shown)
    new = retry_filter.new_in(chunks_of(blocks, retry_size))
    assert not retry_filter.diverged
    assert retry_filter.replayed
    assert released_blocks([*shown, *new]) == released_blocks(chunks_of(blocks, 100))


@given(contents(max_calls=0), st.integers(0, 40), CHUNK_SIZES, CHUNK_SIZES)
def test_retry_1_nothing_is_shown_twice(
    blocks: list[Block], truncation: int, first_size: int, retry_size: int
) -> None:
    shown = chunks_of(blocks, first_size)[:truncation]
    new = filter_after(shown).new_in(chunks_of(blocks, retry_size))
    assert text_of([*shown, *new]) == "".join(b.get("text", "") for b in blocks)
    released = [block for chunk in [*shown, *new] for block in chunk.content]
    expected = [block for block in blocks if block["type"] != "text"]
    assert len(list(filter(_is_not_text, released))) == len(expected)


def _is_not_text(block: Any) -> bool:
    return isinstance(block, dict) and block["type"] != "text"


@given(contents(max_calls=0), st.integers(0, 40), st.integers(0, 40), CHUNK_SIZES)
def test_a_retry_is_replayed_once_all_that_was_shown_has_arrived_again(
    blocks: list[Block], truncation: int, received: int, chunk_size: int
) -> None:
    chunks = chunks_of(blocks, chunk_size)
    retry_filter = filter_after(chunks[:truncation])
    new = retry_filter.new_in(chunks[:received])
    begins_with_reasoning = any(kind_of(block) is REASONING for block in blocks[:1])
    if received >= truncation or (truncation == 1 and begins_with_reasoning):
        assert retry_filter.replayed
    if received < truncation:
        assert new == []


@given(
    st.text("ab \n", max_size=12),
    st.text("ab \n", max_size=12),
    CHUNK_SIZES,
    CHUNK_SIZES,
)
def test_retry_2_retry_3_texts_without_blocks(
    shown: str, text: str, first_size: int, retry_size: int
) -> None:
    retry_filter = filter_after(plain_chunks_of(shown, first_size))
    new = text_of(retry_filter.new_in(plain_chunks_of(text, retry_size)))
    is_prefix = text.startswith(shown) or shown.startswith(text)
    assert retry_filter.diverged == (not is_prefix)
    assert retry_filter.replayed == text.startswith(shown)
    assert new == (text[len(shown) :] if retry_filter.replayed else "")


@given(contents(max_calls=0), contents(max_calls=0), CHUNK_SIZES)
def test_retry_3_a_retry_that_diverges_shows_nothing(
    blocks: list[Block], others: list[Block], chunk_size: int
) -> None:
    shown = chunks_of([text_block("said "), *blocks], chunk_size)
    retry_filter = filter_after(shown)
    retry = chunks_of([text_block("told "), *others], chunk_size)
    assert retry_filter.new_in(retry) == []
    assert retry_filter.diverged
    assert not retry_filter.replayed


def test_retry_4_reasoning_is_dropped_before_the_replay_is_over() -> None:
    retry_filter = filter_after(chunks_of([text_block("one ")], 9))
    blocks = [
        reasoning_block("a"),
        text_block("one "),
        reasoning_block("b"),
        text_block("two"),
    ]
    chunks = chunks_of(blocks, 9)
    for chunk, index in zip(chunks, (-1, 0, 1, 2), strict=True):
        content: Any = chunk.content
        content[0]["index"] = index
    new = retry_filter.new_in(chunks)
    assert released_blocks(new) == [reasoning_block("b"), text_block("two")]


def test_retry_3_a_later_block_before_the_first_one_diverges() -> None:
    retry_filter = filter_after(chunks_of([text_block("one "), text_block("two")], 9))
    content: Any = [{**text_block("two and more"), "index": 1}]
    assert retry_filter.new_in([AIMessageChunk(content=content)]) == []
    assert retry_filter.diverged


@pytest.mark.parametrize("shown_text", ["as it", "as it says"])
@pytest.mark.parametrize("shown_citations", [True, False])
def test_retry_1_citations_are_shown_once(
    shown_text: str, shown_citations: bool
) -> None:
    cited = {**text_block("as it says"), "citations": [{"source": 1}]}
    first = {**cited, "text": shown_text} if shown_citations else text_block(shown_text)
    shown = chunks_of([first], 99)
    new = filter_after(shown).new_in(chunks_of([cited], 99))
    released = [block for chunk in [*shown, *new] for block in chunk.content]
    assert len([block for block in released if "citations" in block]) == 1
    assert released_blocks([*shown, *new]) == [cited]


STRANGE_BLOCKS: Any = st.lists(
    st.dictionaries(st.sampled_from(["type", "text", "x"]), st.none()), max_size=4
)


@given(STRANGE_BLOCKS, STRANGE_BLOCKS)
def test_no_block_breaks_the_filter(first: Any, second: Any) -> None:
    shown = chunks_of([{"type": "odd", **block} for block in first], 3)
    assert filter_after(shown).new_in(shown) == []
    retry = chunks_of([{"type": "odd", **block} for block in second], 3)
    filter_after(shown).new_in(retry)

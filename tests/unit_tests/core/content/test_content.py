"""The rules CONTENT-8 to CONTENT-11: content over segments and their retries."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.content import Content
from langchain_bedrock_continue._core.content.incoming import read
from tests.support.contents import (
    call_block,
    complete_response,
    contents,
    image_block,
    reasoning_block,
    released_blocks,
    text_block,
    text_in,
    truncated_response,
)
from tests.support.responses import Block, text_of

CHUNK_SIZES = st.sampled_from([0, 0, 1, 2, 5])
TRUNCATIONS = st.lists(st.integers(0, 60), min_size=1, max_size=3)
OTHER_TEXT = "A second version with other words"


def receive(content: Content, messages: Sequence[AIMessage]) -> list[AIMessageChunk]:
    """Receive messages or chunks; return what is released."""
    return [chunk for message in messages for chunk in content.receive(read(message))]


def finish(content: Content, *, truncated: bool = False) -> list[AIMessageChunk]:
    reason = "max_tokens" if truncated else "end_turn"
    return content.finish(
        reason=reason, last_block_complete=not truncated, truncated=truncated
    )


def complete_content(blocks: list[Block], chunk_size: int) -> Content:
    """Return the content of an answer that was not truncated."""
    content = Content()
    content.begin_segment()
    receive(content, complete_response(blocks, chunk_size))
    finish(content)
    return content


def receive_attempts(
    content: Content, blocks: list[Block], truncations: list[int], chunk_size: int
) -> list[AIMessageChunk]:
    """Receive the answer truncated at each place, and begin a retry after each."""
    released: list[AIMessageChunk] = []
    content.begin_segment()
    for size in truncations:
        released += receive(content, truncated_response(blocks, size, chunk_size))
        released += content.end_text(truncated=True)
        content.begin_retry()
    return released


@given(contents(), TRUNCATIONS, CHUNK_SIZES)
def test_content_9_a_retry_yields_the_answer_that_was_not_truncated(
    blocks: list[Block], truncations: list[int], chunk_size: int
) -> None:
    content = Content()
    released = receive_attempts(content, blocks, truncations, chunk_size)
    released += receive(content, complete_response(blocks, chunk_size))
    released += finish(content)
    expected = complete_content(blocks, chunk_size)
    assert content.blocks(numbered=True) == expected.blocks(numbered=True)
    assert content.valid_calls == expected.valid_calls
    assert content.invalid_calls == []
    assert released_blocks(released) == content.blocks(numbered=False)  # CONTENT-8


@given(contents(), TRUNCATIONS, CHUNK_SIZES)
def test_content_8_the_content_is_what_was_released_in_order(
    blocks: list[Block], truncations: list[int], chunk_size: int
) -> None:
    content = Content()
    released = receive_attempts(content, blocks, truncations, chunk_size)
    last = truncated_response(blocks, truncations[0], chunk_size)
    released += receive(content, last) + finish(content, truncated=True)
    assert released_blocks(released) == content.blocks(numbered=False)
    assert text_of(released) == text_in(content.blocks(numbered=False))


@given(contents(), TRUNCATIONS, CHUNK_SIZES)
def test_content_9_no_truncated_call_of_a_retry_is_valid(
    blocks: list[Block], truncations: list[int], chunk_size: int
) -> None:
    content = Content()
    receive_attempts(content, blocks, truncations, chunk_size)
    receive(content, truncated_response(blocks, truncations[0], chunk_size))
    finish(content, truncated=True)
    inputs = [block["input"] for block in blocks if block["type"] == "tool_use"]
    for call in content.valid_calls:
        assert call["args"] in inputs


@given(
    contents(max_calls=0),
    contents(max_calls=0),
    st.integers(0, 30),
    CHUNK_SIZES,
    CHUNK_SIZES,
)
def test_content_10_calls_of_a_retry_that_diverges_follow_what_was_shown(
    blocks: list[Block],
    other_blocks: list[Block],
    truncation: int,
    chunk_size: int,
    retry_size: int,
) -> None:
    if 0 in (chunk_size, retry_size):
        chunk_size = retry_size = 0
    first = [text_block("Said at first. "), *blocks, call_block("truncated", {})]
    content = Content()
    released = receive_attempts(content, first, [truncation], chunk_size)
    shown = text_of(released)
    second = [text_block(OTHER_TEXT), *other_blocks, call_block("id", {"a": 1})]
    released += receive(content, complete_response(second, retry_size))
    released += finish(content)
    assert released_blocks(released) == content.blocks(numbered=False)
    assert text_of(released).startswith(shown)
    assert [call["args"] for call in content.valid_calls] == [{"a": 1}]
    assert content.invalid_calls == []
    kinds = [block["type"] for block in content.blocks(numbered=False)]
    assert kinds[-1] == "tool_use"
    if shown:
        assert OTHER_TEXT not in text_of(released)


@given(
    contents(max_calls=0),
    st.text("xyz \n", min_size=1),
    st.integers(0, 30),
    CHUNK_SIZES,
)
def test_content_10_text_of_a_retry_that_diverges_is_joined_to_what_was_shown(
    blocks: list[Block], end: str, truncation: int, chunk_size: int
) -> None:
    first = [text_block("Said at first. "), *blocks, call_block("truncated", {})]
    content = Content()
    released = receive_attempts(content, first, [truncation], chunk_size)
    shown = text_of(released)
    second = [text_block(OTHER_TEXT + end)]
    released += receive(content, complete_response(second, chunk_size))
    released += finish(content)
    assert released_blocks(released) == content.blocks(numbered=False)
    assert text_of(released).startswith(shown)
    assert text_of(released).endswith(OTHER_TEXT + end)


@given(contents(max_calls=0), TRUNCATIONS, CHUNK_SIZES)
def test_content_11_a_truncated_document_is_replaced_by_the_new_one(
    blocks: list[Block], truncations: list[int], chunk_size: int
) -> None:
    content = Content(withholds=True)
    first = [text_block("{1, 2, 3"), *blocks]
    assert receive_attempts(content, first, truncations, chunk_size) == []
    second = complete_response([text_block('{"a": 1}')], chunk_size)
    assert receive(content, second) == []
    released = finish(content)
    assert released_blocks(released) == [text_block('{"a": 1}')]
    assert content.blocks(numbered=False) == released_blocks(released)


@given(contents(), st.integers(0, 60), st.integers(0, 60), CHUNK_SIZES)
def test_an_abandoned_retry_that_produced_less_is_discarded(
    blocks: list[Block], first_size: int, retry_size: int, chunk_size: int
) -> None:
    content = Content()
    released = receive_attempts(content, blocks, [first_size], chunk_size)
    retry = truncated_response(blocks, min(first_size, retry_size), chunk_size)
    released += receive(content, retry)
    content.abandon_retry()
    released += finish(content, truncated=True)
    expected = Content()
    expected.begin_segment()
    receive(expected, truncated_response(blocks, first_size, chunk_size))
    finish(expected, truncated=True)
    assert released_blocks(released) == content.blocks(numbered=False)
    assert without_calls(content) == without_calls(expected)
    assert bool(content.invalid_calls) == bool(expected.invalid_calls)


def without_calls(content: Content) -> list[Block]:
    blocks = content.blocks(numbered=False)
    return [block for block in blocks if "call" not in block["type"]]


def test_content_8_an_abandoned_retry_does_not_reorder_what_it_released() -> None:
    content = Content()
    released = receive_attempts(content, [call_block("first", {"a": 1})], [2], 3)
    retry = [text_block("shown "), image_block("1"), text_block("then ")]
    released += receive(content, truncated_response(retry, 20, 3))
    content.abandon_retry()
    released += finish(content, truncated=True)
    kinds = [block["type"] for block in content.blocks(numbered=False)]
    assert kinds[:3] == ["text", "image", "text"]
    assert text_of(released) == "shown then "
    assert released_blocks(released) == content.blocks(numbered=False)


@pytest.mark.parametrize("chunk_size", [0, 1, 3])
@pytest.mark.parametrize("truncation", range(20))
def test_content_9_a_retry_has_all_reasoning_between_texts(
    truncation: int, chunk_size: int
) -> None:
    blocks = [
        reasoning_block("a"),
        text_block("one "),
        reasoning_block("b"),
        text_block("two"),
        call_block("c", {}),
    ]
    content = Content()
    receive_attempts(content, blocks, [truncation], chunk_size)
    receive(content, complete_response(blocks, chunk_size))
    finish(content)
    expected = complete_content(blocks, chunk_size)
    assert content.blocks(numbered=False) == expected.blocks(numbered=False)


@pytest.mark.parametrize("first_text", ["", " ", "\n", "{\n", "one"])
@pytest.mark.parametrize("chunk_size", [0, 2])
@pytest.mark.parametrize("calls", [[], [call_block("c", {"a": 1})]])
def test_content_10_a_retry_without_the_reasoning_that_was_shown_is_not_lost(
    first_text: str, chunk_size: int, calls: list[Block]
) -> None:
    content = Content()
    first = [
        reasoning_block("hm"),
        text_block(first_text),
        call_block("truncated", {}),
    ]
    released = receive_attempts(content, first, [50], chunk_size)
    shown = text_of(released)
    second = [text_block("one two"), *calls]
    released += receive(content, complete_response(second, chunk_size))
    released += finish(content)
    blocks = content.blocks(numbered=False)
    assert blocks[0] == reasoning_block("hm")
    assert released_blocks(released) == blocks
    assert text_of(released) == text_in(blocks)
    assert text_of(released).startswith(shown)
    assert calls or text_of(released).endswith("two")
    assert len(content.valid_calls) == len(calls)


STRANGE_BLOCKS: Any = st.lists(
    st.dictionaries(
        st.sampled_from(["type", "text", "id", "name", "input", "thinking"]),
        st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers()),
        max_size=4,
    ),
    max_size=4,
)


@given(STRANGE_BLOCKS, STRANGE_BLOCKS, st.booleans())
def test_no_block_breaks_the_content(first: Any, second: Any, streamed: bool) -> None:
    kind = AIMessageChunk if streamed else AIMessage
    content = Content(("stop",))
    content.begin_segment()
    released = receive(content, [kind(content=first)])
    released += content.end_text(truncated=True)
    content.begin_retry()
    released += receive(content, [kind(content=second)]) + finish(content)
    assert released_blocks(released) == content.blocks(numbered=False)


CITED = {**text_block("c"), "citations": [{"source": 1}]}
"""One character: the stream of a test repeats the citations with every chunk."""
LATER_BLOCKS = st.lists(
    st.one_of(
        st.builds(text_block, st.sampled_from([" ", "two", " three\n", "."])),
        st.sampled_from([CITED, image_block("eA==")]),
    ),
    max_size=4,
)


@given(LATER_BLOCKS, LATER_BLOCKS, TRUNCATIONS, st.sampled_from([1, 3, 9]))
def test_retry_1_a_retry_of_a_later_segment_repeats_nothing(
    first: list[Block], later: list[Block], truncations: list[int], chunk_size: int
) -> None:
    first = [*first, text_block("The text continues")]
    later = [text_block(" here: "), *later, call_block("id", {"a": 1})]
    contents_of: list[list[Block]] = []
    for sizes in ([], truncations):
        content = Content()
        content.begin_segment()
        released = receive(content, complete_response(first, chunk_size))
        released += content.end_text(truncated=True) + content.end_for_prefill()
        released += receive_attempts(content, later, sizes, chunk_size)
        released += receive(content, complete_response(later, chunk_size))
        released += finish(content)
        assert released_blocks(released) == content.blocks(numbered=False)
        contents_of.append(content.blocks(numbered=False))
    without_retries, with_retries = contents_of
    assert with_retries == without_retries


def test_retry_1_a_block_that_a_retry_leaves_out_is_not_the_open_one() -> None:
    """The first attempt shows an empty block after the text; the retry has none."""
    content = Content()
    call = call_block("id", {"a": 1})
    released = receive_attempts(
        content, [text_block("one"), text_block(""), call], [50], 9
    )
    released += receive(content, complete_response([text_block("one two")], 9))
    released += content.end_text(truncated=True) + content.end_for_prefill()
    released += receive_attempts(content, [text_block(" three"), call], [4], 9)
    released += receive(content, complete_response([text_block(" three"), call], 9))
    released += finish(content)
    assert text_in(content.blocks(numbered=False)) == "one two three"
    assert released_blocks(released) == content.blocks(numbered=False)


@pytest.mark.parametrize("blank", ["", " ", "\n\n"])
def test_a_call_gets_no_number_of_a_text_that_was_shown(blank: str) -> None:
    """The first attempt begins with a blank text, and the retry with the call."""
    call = call_block("id", {"a": 1})
    content = Content()
    released = receive_attempts(content, [text_block(blank), call], [2], 9)
    released += receive(content, complete_response([call], 9)) + finish(content)
    blocks = content.blocks(numbered=False)
    assert [block["type"] for block in blocks] == ["text", "tool_use"]
    assert released_blocks(released) == blocks
    assert [one["args"] for one in content.valid_calls] == [{"a": 1}]


def test_retry_1_citations_of_a_continued_text_are_shown_once() -> None:
    cited = {**text_block(" here"), "citations": [{"source": 1}]}
    later = [cited, call_block("id", {"a": 1})]
    content = Content()
    content.begin_segment()
    released = receive(content, complete_response([text_block("It is")], 9))
    released += content.end_text(truncated=True) + content.end_for_prefill()
    released += receive_attempts(content, later, [3], 9)
    released += receive(content, complete_response(later, 9)) + finish(content)
    blocks = content.blocks(numbered=False)
    assert blocks[0] == {**text_block("It is here"), "citations": [{"source": 1}]}
    assert released_blocks(released) == blocks

"""The numbered invariants of `answer`."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.content import Content
from langchain_bedrock_continue._core.content.incoming import read
from tests.support.contents import (
    begun,
    call,
    contents,
    image,
    released,
    said,
    shown_text,
    text,
    thought,
)
from tests.support.players import Block

SIZES = st.sampled_from([0, 0, 1, 2, 5])
CUTS = st.lists(st.integers(0, 60), min_size=1, max_size=3)
OTHER = "Quite another wording: I would say it so"


def deliver(answer: Content, messages: Sequence[AIMessage]) -> list[AIMessageChunk]:
    """Let a segment arrive; return what was shown of it."""
    return [piece for message in messages for piece in answer.receive(read(message))]


def finish(answer: Content, *, cut: bool = False) -> list[AIMessageChunk]:
    reason = "max_tokens" if cut else "end_turn"
    return answer.finish(reason=reason, last_block_complete=not cut, truncated=cut)


def uncut(blocks: list[Block], size: int) -> Content:
    answer = Content()
    answer.begin_segment()
    deliver(answer, said(blocks, size))
    finish(answer)
    return answer


def tried(
    answer: Content, blocks: list[Block], cuts: list[int], size: int
) -> list[AIMessageChunk]:
    """Cut an answer in each place, and ask for it once more each time."""
    shown: list[AIMessageChunk] = []
    answer.begin_segment()
    for cut in cuts:
        shown += deliver(answer, begun(blocks, cut, size))
        shown += answer.end_text(truncated=True)
        answer.begin_retry()
    return shown


@given(contents(), CUTS, SIZES)
def test_c2_asked_for_again_it_is_the_uncut_answer(
    blocks: list[Block], cuts: list[int], size: int
) -> None:
    answer = Content()
    shown = tried(answer, blocks, cuts, size)
    shown += deliver(answer, said(blocks, size)) + finish(answer)
    expected = uncut(blocks, size)
    assert answer.blocks(numbered=True) == expected.blocks(numbered=True)
    assert answer.valid_calls == expected.valid_calls
    assert answer.invalid_calls == []
    assert released(shown) == answer.blocks(numbered=False)  # C1


@given(contents(), CUTS, SIZES)
def test_c1_what_was_released_is_all_there_is_and_in_order(
    blocks: list[Block], cuts: list[int], size: int
) -> None:
    answer = Content()
    shown = tried(answer, blocks, cuts, size)
    shown += deliver(answer, begun(blocks, cuts[0], size)) + finish(answer, cut=True)
    stands = answer.blocks(numbered=False)
    assert released(shown) == stands
    assert shown_text(shown) == "".join(block.get("text", "") for block in stands)


@given(contents(), CUTS, SIZES)
def test_c2_no_call_of_a_cut_try_is_valid(
    blocks: list[Block], cuts: list[int], size: int
) -> None:
    answer = Content()
    tried(answer, blocks, cuts, size)
    deliver(answer, begun(blocks, cuts[0], size))
    finish(answer, cut=True)
    for one in answer.valid_calls:
        assert one["args"] in [b["input"] for b in blocks if b["type"] == "tool_use"]


@given(contents(calls=0), contents(calls=0), st.integers(0, 30), SIZES, SIZES)
def test_c3_another_wording_with_calls_leaves_what_was_shown(
    blocks: list[Block], others: list[Block], cut: int, size: int, wording: int
) -> None:
    size, wording = (0, 0) if 0 in (size, wording) else (size, wording)
    blocks = [text("Said at first. "), *blocks, call("cut", {})]
    answer = Content()
    shown = tried(answer, blocks, [cut], size)
    before = shown_text(shown)
    whole = [text(OTHER), *others, call("id", {"a": 1})]
    shown += deliver(answer, said(whole, wording)) + finish(answer)
    assert released(shown) == answer.blocks(numbered=False)
    assert shown_text(shown).startswith(before)
    assert [one["args"] for one in answer.valid_calls] == [{"a": 1}]
    assert answer.invalid_calls == []
    kinds = [block["type"] for block in answer.blocks(numbered=False)]
    assert kinds[-1] == "tool_use"
    if before:
        assert OTHER not in shown_text(shown)


@given(contents(calls=0), st.text("xyz \n", min_size=1), st.integers(0, 30), SIZES)
def test_c3_another_wording_without_calls_is_joined_and_nothing_is_lost(
    blocks: list[Block], wording: str, cut: int, size: int
) -> None:
    blocks = [text("Said at first. "), *blocks, call("cut", {})]
    answer = Content()
    shown = tried(answer, blocks, [cut], size)
    before = shown_text(shown)
    shown += deliver(answer, said([text(OTHER + wording)], size)) + finish(answer)
    assert released(shown) == answer.blocks(numbered=False)
    text_of_it = shown_text(shown)
    assert text_of_it.startswith(before)
    assert text_of_it.endswith(OTHER + wording)


@given(contents(calls=0), CUTS, SIZES)
def test_c4_what_is_withheld_gives_way_to_the_new_document(
    blocks: list[Block], cuts: list[int], size: int
) -> None:
    answer = Content(withholds=True)
    assert tried(answer, [text("{1, 2, 3"), *blocks], cuts, size) == []
    assert deliver(answer, said([text('{"a": 1}')], size)) == []
    shown = finish(answer)
    assert released(shown) == [text('{"a": 1}')]
    assert answer.blocks(numbered=False) == released(shown)


@given(contents(), st.integers(0, 60), st.integers(0, 60), SIZES)
def test_what_is_given_up_leaves_the_first_where_it_brought_less(
    blocks: list[Block], cut: int, came: int, size: int
) -> None:
    answer = Content()
    shown = tried(answer, blocks, [cut], size)
    shown += deliver(answer, begun(blocks, min(cut, came), size))
    answer.abandon_retry()
    shown += finish(answer, cut=True)
    alone = Content()
    tried(alone, blocks, [], size)
    deliver(alone, begun(blocks, cut, size))
    finish(alone, cut=True)
    assert released(shown) == answer.blocks(numbered=False)
    texts = [
        [block for block in one.blocks(numbered=False) if "call" not in block["type"]]
        for one in (answer, alone)
    ]
    assert texts[0] == texts[1]
    assert bool(answer.invalid_calls) == bool(alone.invalid_calls)


def test_c1_what_is_given_up_does_not_get_between_what_it_showed() -> None:
    answer = Content()
    shown = tried(answer, [call("first", {"a": 1})], [2], 3)
    said_then = [text("shown "), image("1"), text("then ")]
    shown += deliver(answer, begun(said_then, 20, 3))
    answer.abandon_retry()
    shown += finish(answer, cut=True)
    kinds = [block["type"] for block in answer.blocks(numbered=False)]
    assert kinds[:3] == ["text", "image", "text"]
    assert shown_text(shown) == "shown then "
    assert released(shown) == answer.blocks(numbered=False)


def test_c2_thinking_between_texts_comes_whole() -> None:
    blocks = [thought("a"), text("one "), thought("b"), text("two"), call("c", {})]
    for cut in range(20):
        for size in (0, 1, 3):
            answer = Content()
            tried(answer, blocks, [cut], size)
            deliver(answer, said(blocks, size))
            finish(answer)
            assert answer.blocks(numbered=False) == uncut(blocks, size).blocks(
                numbered=False
            )


@pytest.mark.parametrize("begun_text", ["", " ", "\n", "{\n", "one"])
@pytest.mark.parametrize("size", [0, 2])
@pytest.mark.parametrize("calls", [[], [call("c", {"a": 1})]])
def test_c3_a_wording_without_its_thinking_is_not_lost(
    begun_text: str, size: int, calls: list[Block]
) -> None:
    answer = Content()
    first = [thought("hm"), text(begun_text), call("cut", {})]
    shown = tried(answer, first, [50], size)
    before = shown_text(shown)
    shown += deliver(answer, said([text("one two"), *calls], size)) + finish(answer)
    stands = answer.blocks(numbered=False)
    assert stands[0] == thought("hm")
    assert released(shown) == stands
    assert shown_text(shown) == "".join(block.get("text", "") for block in stands)
    assert shown_text(shown).startswith(before)
    assert calls or shown_text(shown).endswith("two")
    assert len(answer.valid_calls) == len(calls)


STRANGE: Any = st.dictionaries(
    st.sampled_from(["type", "text", "id", "name", "input", "thinking"]),
    st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers()),
    max_size=4,
)


@given(st.lists(STRANGE, max_size=4), st.lists(STRANGE, max_size=4), st.booleans())
def test_no_block_that_comes_from_outside_breaks_it(
    blocks: Any, others: Any, streamed: bool
) -> None:
    kind = AIMessageChunk if streamed else AIMessage
    answer = Content(("stop",))
    answer.begin_segment()
    shown = deliver(answer, [kind(content=blocks)]) + answer.end_text(truncated=True)
    answer.begin_retry()
    shown += deliver(answer, [kind(content=others)]) + finish(answer)
    assert released(shown) == answer.blocks(numbered=False)

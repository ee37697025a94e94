"""The numbered invariants of `retry`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.content import ReleasedBlocks
from langchain_bedrock_continue._core.content.incoming import REASONING, kind_of
from langchain_bedrock_continue._core.content.retry_filter import RetryFilter
from tests.support.contents import contents, released, text, thought
from tests.support.players import Block

SIZES = st.integers(1, 6)


def pieces(blocks: list[Block], size: int) -> list[AIMessageChunk]:
    """Blocks as they are released: numbered, their texts in parts."""
    made: list[AIMessageChunk] = []
    for index, block in enumerate(blocks):
        words = block["text"] if block["type"] == "text" else " "
        for at in range(0, len(words), size):
            part = {"text": words[at : at + size]} if block["type"] == "text" else {}
            content: Any = [{**block, **part, "index": index}]
            made.append(AIMessageChunk(content=content))
    return made


def plain(words: str, size: int) -> list[AIMessageChunk]:
    parts = range(0, len(words), size)
    return [AIMessageChunk(content=words[at : at + size]) for at in parts]


def filter_of(shown: list[AIMessageChunk]) -> RetryFilter:
    """The filter of a retry whose first attempt has shown these chunks."""
    released_blocks = ReleasedBlocks()
    for chunk in shown:
        released_blocks.add(chunk)
    return RetryFilter(released_blocks.since((-1, 0)))


@given(contents(calls=0), st.integers(0, 40), SIZES, SIZES)
def test_a1_a2_what_was_shown_is_passed_over_and_the_rest_is_new(
    blocks: list[Block], cut: int, before: int, after: int
) -> None:
    shown = pieces(blocks, before)[:cut]
    retry = filter_of(shown)
    new = retry.new_in(pieces(blocks, after))
    assert not retry.diverged
    assert retry.replayed
    assert released([*shown, *new]) == released(pieces(blocks, 100))


@given(contents(calls=0), st.integers(0, 40), SIZES, SIZES)
def test_a1_nothing_is_shown_twice(
    blocks: list[Block], cut: int, before: int, after: int
) -> None:
    shown = pieces(blocks, before)[:cut]
    new = filter_of(shown).new_in(pieces(blocks, after))
    texts = "".join(piece.text for piece in [*shown, *new])
    assert texts == "".join(block.get("text", "") for block in blocks)
    whole = [b for piece in [*shown, *new] for b in piece.content if _is_other(b)]
    assert len(whole) == len([block for block in blocks if block["type"] != "text"])


def _is_other(block: Any) -> bool:
    return isinstance(block, dict) and block["type"] != "text"


@given(contents(calls=0), st.integers(0, 40), st.integers(0, 40), SIZES)
def test_it_is_caught_up_once_all_that_was_shown_came_again(
    blocks: list[Block], cut: int, came: int, size: int
) -> None:
    parts = pieces(blocks, size)
    retry = filter_of(parts[:cut])
    new = retry.new_in(parts[:came])
    reasoning = (kind_of(block) is REASONING for block in blocks[:1])
    if came >= cut or (cut == 1 and any(reasoning)):
        assert retry.replayed
    if came < cut:
        assert new == []


@given(st.text("ab \n", max_size=12), st.text("ab \n", max_size=12), SIZES, SIZES)
def test_a2_a3_texts_without_a_block(
    shown: str, wording: str, before: int, after: int
) -> None:
    retry = filter_of(plain(shown, before))
    new = "".join(piece.text for piece in retry.new_in(plain(wording, after)))
    assert retry.diverged == (
        not wording.startswith(shown) and not shown.startswith(wording)
    )
    assert retry.replayed == wording.startswith(shown)
    assert new == (wording[len(shown) :] if retry.replayed else "")


@given(contents(calls=0), contents(calls=0), SIZES)
def test_a3_another_wording_is_held_from_where_it_differs(
    blocks: list[Block], others: list[Block], size: int
) -> None:
    shown = pieces([text("said "), *blocks], size)
    retry = filter_of(shown)
    assert retry.new_in(pieces([text("told "), *others], size)) == []
    assert retry.diverged
    assert not retry.replayed


def test_a4_reasoning_before_what_was_shown_is_passed_over() -> None:
    retry = filter_of(pieces([text("one ")], 9))
    answer = [thought("a"), text("one "), thought("b"), text("two")]
    numbered = pieces(answer, 9)
    for piece, at in zip(numbered, (-1, 0, 1, 2), strict=True):
        content: Any = piece.content
        content[0]["index"] = at
    new = retry.new_in(numbered)
    assert released(new) == [thought("b"), text("two")]


def test_a2_a_block_that_comes_before_what_was_shown_of_another_is_no_repeat() -> None:
    retry = filter_of(pieces([text("one "), text("two")], 9))
    content: Any = [{**text("two and more"), "index": 1}]
    assert retry.new_in([AIMessageChunk(content=content)]) == []
    assert retry.diverged


@pytest.mark.parametrize("begun", ["as it", "as it says"])
@pytest.mark.parametrize("were", [True, False])
def test_a1_citations_are_shown_once(begun: str, were: bool) -> None:
    cited = {**text("as it says"), "citations": [{"source": 1}]}
    whole = pieces([cited], 99)
    shown = pieces([{**cited, "text": begun} if were else text(begun)], 99)
    new = filter_of(shown).new_in(whole)
    cites = [b for piece in [*shown, *new] for b in piece.content if "citations" in b]
    assert len(cites) == 1
    assert released([*shown, *new]) == [cited]


STRANGE: Any = st.dictionaries(st.sampled_from(["type", "text", "x"]), st.none())


@given(st.lists(STRANGE, max_size=4), st.lists(STRANGE, max_size=4))
def test_no_block_that_comes_from_outside_breaks_it(strange: Any, other: Any) -> None:
    shown = pieces([{"type": "odd", **block} for block in strange], 3)
    assert filter_of(shown).new_in(shown) == []
    filter_of(shown).new_in(pieces([{"type": "odd", **block} for block in other], 3))

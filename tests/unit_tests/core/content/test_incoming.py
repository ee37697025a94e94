"""A response is read once, and to the same content for every API and mode."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from langchain_bedrock_continue._core.content.incoming import (
    CALLS_WITHOUT_BLOCK,
    OTHER,
    REASONING,
    TEXT,
    TOOL,
    Incoming,
    Response,
    as_block,
    blocks_in,
    extras_of,
    kind_of,
    read,
    text_only,
)
from tests.support.contents import (
    call_block,
    complete_response,
    contents,
    image_block,
    reasoning_block,
    text_block,
    text_in,
)
from tests.support.responses import Block, usage_of

CALL = {"name": "write", "args": {"a": 1}, "id": "t"}


def kinds_of(incoming: Incoming) -> list[tuple[int, str]]:
    return [(number, kind) for number, kind, _ in incoming.blocks]


# Content --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [AIMessage, AIMessageChunk])
def test_a_string_is_text_block_0(kind: Any) -> None:
    incoming = Response().receive(kind(content="one"))
    assert incoming.blocks == [(0, TEXT, {**text_block("one"), "index": 0})]
    assert incoming.plain is (kind is AIMessageChunk)


@pytest.mark.parametrize("content", ["", []])
@pytest.mark.parametrize("kind", [AIMessage, AIMessageChunk])
def test_empty_content_has_no_blocks(kind: Any, content: Any) -> None:
    response = Response()
    incoming = response.receive(kind(content=content))
    assert (incoming.blocks, incoming.tool_chunks, incoming.calls) == ([], {}, [])
    assert response.started
    assert not response.has_text
    assert not response.has_content


def test_blocks_have_their_numbers_and_kinds() -> None:
    blocks: Any = [
        reasoning_block("hm"),
        {"type": "thinking", "thinking": "hm"},
        {"type": "redacted_thinking", "data": "x"},
        text_block("one"),
        image_block("eA=="),
        call_block("t", {}),
    ]
    incoming = Response().receive(AIMessage(content=blocks))
    kinds = [REASONING, REASONING, REASONING, TEXT, OTHER, TOOL]
    assert kinds_of(incoming) == list(enumerate(kinds))
    assert [block for _, _, block in incoming.blocks] == blocks


def test_a_chunk_s_blocks_have_the_numbers_of_the_stream() -> None:
    content: Any = [
        {**text_block("one"), "index": 3},
        {"type": "input_json_delta", "input": "{", "index": 4},
    ]
    incoming = Response().receive(AIMessageChunk(content=content))
    assert kinds_of(incoming) == [(3, TEXT), (4, TOOL)]
    assert not incoming.plain


def test_a_string_among_blocks_is_text() -> None:
    incoming = Response().receive(AIMessage(content=["one", image_block("eA==")]))
    assert kinds_of(incoming) == [(0, TEXT), (1, OTHER)]
    assert incoming.blocks[0][2] == {**text_block("one"), "index": 0}


def test_tool_call_chunks_are_grouped_by_block() -> None:
    content: Any = [{"type": "tool_use", "id": "t", "name": "write", "index": 1}]
    chunks = [
        tool_call_chunk(name="write", id="t", index=1),
        tool_call_chunk(args="{", index=1),
        tool_call_chunk(args="[", index=2),
        tool_call_chunk(args="x", index=None),
    ]
    message = AIMessageChunk(content=content, tool_call_chunks=chunks)
    incoming = Response().receive(message)
    assert incoming.tool_chunks == {1: chunks[:2], 2: [chunks[2]], 3: [chunks[3]]}
    assert incoming.calls == []


def test_calls_without_a_block_are_returned_beside_the_blocks() -> None:
    content: Any = [text_block("one"), call_block("t", {"a": 1})]
    other = {"name": "read", "args": {}, "id": "u"}
    incoming = Response().receive(AIMessage(content, tool_calls=[CALL, other]))
    assert kinds_of(incoming) == [(0, TEXT), (1, TOOL)]
    assert incoming.calls == [{"id": "u", "name": "read", "input": {}}]


def test_the_calls_of_a_string_are_returned_beside_it() -> None:
    incoming = Response().receive(AIMessage("one", tool_calls=[CALL]))
    assert kinds_of(incoming) == [(0, TEXT)]
    assert incoming.calls == [{"id": "t", "name": "write", "input": {"a": 1}}]
    assert len(incoming.blocks) < CALLS_WITHOUT_BLOCK


@given(contents(), st.integers(1, 5))
def test_a_stream_has_the_content_of_the_complete_response(
    blocks: list[Block], chunk_size: int
) -> None:
    streamed, complete = Response(keeps_text=True), Response(keeps_text=True)
    for chunk in complete_response(blocks, chunk_size):
        streamed.receive(chunk)
    complete.receive(complete_response(blocks, 0)[0])
    assert (streamed.streamed, complete.streamed) == (True, False)
    assert streamed.text == complete.text == text_in(blocks)
    assert streamed.has_text == complete.has_text
    assert streamed.has_content == complete.has_content
    assert streamed.reasoning_blocks == complete.reasoning_blocks
    assert streamed.stop_reason == complete.stop_reason == "end_turn"


# What is known of the response ----------------------------------------------------


def test_the_text_is_kept_only_if_it_is_needed() -> None:
    chunks = [AIMessageChunk(content="one "), AIMessageChunk(content="two")]
    kept, not_kept = Response(keeps_text=True), Response()
    for chunk in chunks:
        kept.receive(chunk)
        not_kept.receive(chunk)
    assert (kept.text, kept.has_text) == ("one two", True)
    assert (not_kept.text, not_kept.has_text) == ("", True)


def test_an_empty_text_is_content_and_no_text() -> None:
    response = Response(keeps_text=True)
    response.receive(AIMessage(content=[text_block("")]))
    assert (response.has_content, response.has_text) == (True, False)


def test_reasoning_blocks_are_counted_once_each() -> None:
    response = Response()
    for index in (0, 0, 2):
        content: Any = [{**reasoning_block("hm"), "index": index}]
        response.receive(AIMessageChunk(content=content))
    assert response.reasoning_blocks == {0, 2}
    assert not response.has_content


def test_metadata_of_chunks_is_merged() -> None:
    response = Response()
    assert response.stop_reason is None
    for metadata in ({"a": 1, "b": 1}, {}, {"b": 2}, {"stopReason": "end_turn"}):
        message = AIMessageChunk(content="", response_metadata=metadata)
        message.additional_kwargs = dict.fromkeys(metadata, "more")
        response.receive(message)
    assert response.metadata == {"a": 1, "b": 2, "stopReason": "end_turn"}
    assert response.additional_kwargs.keys() == response.metadata.keys()
    assert response.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("metadata", "stop_reason"),
    [
        ({"stopReason": "end_turn"}, "end_turn"),
        ({"stop_reason": "max_tokens"}, "max_tokens"),
        ({"stopReason": None, "stop_reason": "max_tokens"}, "max_tokens"),
        ({"stopReason": ["end_turn"]}, None),
        ({}, None),
    ],
)
def test_the_stop_reason_of_converse_and_of_invoke_model(
    metadata: dict[str, Any], stop_reason: str | None
) -> None:
    response = Response()
    response.receive(AIMessage("", response_metadata=metadata))
    assert response.stop_reason == stop_reason


def test_usage_of_chunks_is_added() -> None:
    response = Response()
    assert response.usage is None
    response.receive(AIMessageChunk(content="", usage_metadata=usage_of(2)))
    response.receive(AIMessageChunk(content=""))
    assert response.usage == usage_of(2)
    response.receive(AIMessageChunk(content="", usage_metadata=usage_of(5)))
    assert response.usage == {
        "input_tokens": 6,
        "output_tokens": 7,
        "total_tokens": 13,
    }


def test_two_responses_share_nothing() -> None:
    first, second = Response(keeps_text=True), Response(keeps_text=True)
    first.receive(
        AIMessage(
            content=[reasoning_block("hm"), text_block("one")],
            response_metadata={"stopReason": "end_turn"},
            additional_kwargs={"a": 1},
        )
    )
    assert second == Response(keeps_text=True)


# Malformed content ----------------------------------------------------------------

STRANGE_VALUES: Any = st.none() | st.integers() | st.text(max_size=4) | st.just([{}])
STRANGE_BLOCKS: Any = st.lists(
    st.dictionaries(
        st.sampled_from(["type", "text", "index", "id", "name", "input"]),
        STRANGE_VALUES | st.sampled_from(["text", "tool_use", "thinking"]),
    )
    | st.text(max_size=3),
    max_size=4,
)


@given(STRANGE_BLOCKS, st.booleans())
def test_no_content_breaks_the_reading_or_is_changed_by_it(
    content: Any, streamed: bool
) -> None:
    message_class = AIMessageChunk if streamed else AIMessage
    before = copy.deepcopy(content)
    response = Response(keeps_text=True)
    incoming = response.receive(message_class(content=content))
    assert content == before
    blocks = [as_block(item) if isinstance(item, str) else item for item in content]
    assert [
        {**block, "index": 0} if isinstance(item, str) else block
        for (_, _, block), item in zip(incoming.blocks, content, strict=True)
    ] == blocks
    for number, kind, block in incoming.blocks:
        assert isinstance(number, int)
        assert kind in {TEXT, REASONING, TOOL, OTHER}
        assert kind != TEXT or isinstance(block["text"], str)
    texts = [block["text"] for _, kind, block in incoming.blocks if kind is TEXT]
    assert response.text == "".join(texts)


@pytest.mark.parametrize(
    "block", [{}, {"type": None}, {"type": []}, {"type": "text"}, {"type": "new"}]
)
def test_a_block_of_an_unknown_form_is_of_another_kind(block: Block) -> None:
    assert kind_of(block) is OTHER
    assert read(AIMessage(content=[block])).blocks == [(0, OTHER, block)]


# Helpers --------------------------------------------------------------------------


@given(st.text(max_size=4), st.booleans())
def test_a_text_alone_is_read_as_a_string_is(text: str, plain: bool) -> None:
    incoming = text_only(text, plain=plain)
    kind = AIMessageChunk if plain else AIMessage
    assert incoming == read(kind(content=text))


def test_the_blocks_of_a_released_chunk() -> None:
    content: Any = [{**text_block("one"), "index": 3}]
    assert blocks_in(AIMessageChunk(content=content)) == content
    (block,) = blocks_in(AIMessageChunk(content="one"))
    assert block == {**text_block("one"), "index": 0}


def test_what_a_text_block_has_besides_its_text() -> None:
    assert extras_of({**text_block("one"), "index": 0}) == {}
    cited = {**text_block("one"), "index": 0, "citations": [{}]}
    assert extras_of(cited) == {"citations": [{}]}
    assert extras_of({"type": "text", "text": "one", "citations": []}) == {
        "citations": []
    }

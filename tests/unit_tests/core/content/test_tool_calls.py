"""The numbered invariants of `tool_calls`."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.utils.json import parse_partial_json

from langchain_bedrock_continue._core.content.tool_calls import Call, HeldCalls

INPUT = {"path": "a.md", "content": 'hel"lo}\n[1, {"x": "日本"}]', "n": 3}
RAW = json.dumps(INPUT, ensure_ascii=False)


def streamed(*raws: str) -> HeldCalls:
    calls = HeldCalls()
    for index, raw in enumerate(raws, start=1):
        start = tool_call_chunk(name="write", id=f"id{index}", index=index)
        parts = [start, *(tool_call_chunk(args=char, index=index) for char in raw)]
        for part in parts:
            calls.take_chunk(index, part)
            calls.hold(index, AIMessageChunk(content=[], tool_call_chunks=[part]))
    return calls


def whole(*inputs: object) -> HeldCalls:
    calls = HeldCalls()
    for index, value in enumerate(inputs, start=1):
        block = {"type": "tool_use", "id": f"id{index}", "name": "write"}
        calls.take_whole(index, {**block, "input": value})
    return calls


@pytest.mark.parametrize("end", range(len(RAW)))
def test_t1_a_streamed_call_cut_anywhere_is_invalid(end: int) -> None:
    calls = streamed(RAW[:end])
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=1)
    assert calls.valid == []
    (invalid,) = calls.invalid
    assert invalid["args"] == RAW[:end]
    assert "max_tokens" in (invalid["error"] or "")


def test_t1_a_whole_call_at_the_end_of_a_cut_segment_is_not_vouched_for() -> None:
    calls = streamed(RAW)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=1)
    assert calls.valid == []


@pytest.mark.parametrize("given_input", [{}, {"path": "a.md"}, INPUT])
def test_t1_the_last_call_of_a_cut_response_is_invalid_whatever_keys_arrived(
    given_input: object,
) -> None:
    calls = whole(given_input)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=1)
    assert calls.valid == []
    assert len(calls.invalid) == 1


def test_t1_a_call_that_text_follows_was_not_cut() -> None:
    calls = whole(INPUT)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=2)
    assert [call["args"] for call in calls.valid] == [INPUT]


@pytest.mark.parametrize("raw", ["", "{}"])
def test_t1_a_call_without_arguments_is_whole_if_the_reason_vouches(raw: str) -> None:
    calls = streamed(raw)
    calls.judge(reason="tool_use", last_block_complete=True, last_index=1)
    assert [call["args"] for call in calls.valid] == [{}]


@pytest.mark.parametrize("raw", ['{"a": ', "[1]", "null", '{"a": 1} x'])
def test_t1_arguments_that_are_no_object_are_invalid_though_the_model_ended(
    raw: str,
) -> None:
    calls = streamed(RAW, raw)
    calls.judge(reason="tool_use", last_block_complete=True, last_index=2)
    assert [call["id"] for call in calls.valid] == ["id1"]
    assert [call["id"] for call in calls.invalid] == ["id2"]


def test_t2_no_call_is_given_out_beside_one_that_was_cut() -> None:
    calls = streamed(RAW, RAW[:20])
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=2)
    assert calls.valid == []
    assert [call["args"] for call in calls.invalid] == [RAW, RAW[:20]]
    released = calls.release()
    assert len(released) == 2
    assert (released[0] + released[1]).tool_calls == []


@given(st.text(max_size=40) | st.sampled_from([RAW[:n] for n in range(len(RAW) + 1)]))
def test_t3_no_addition_makes_an_invalid_call_valid(raw: str) -> None:
    call = Call(index=1, streamed=True, call_id="i", name="n", json_chunks=[raw])
    call.error = "Truncated at max_tokens"
    piece = call.invalid_chunk()
    last = AIMessageChunk(content="", chunk_position="last")
    for message in (piece, AIMessageChunk(content="") + piece + last, piece + last):
        assert message.tool_calls == []
        assert len(message.invalid_tool_calls) == 1
        args = message.invalid_tool_calls[0]["args"] or ""
        assert raw in args
        with contextlib.suppress(ValueError):
            assert not isinstance(parse_partial_json(args), dict)


def test_t4_what_follows_a_call_stays_behind_it() -> None:
    calls = streamed("{}")
    calls.hold(2, AIMessageChunk(content=[{"type": "text", "text": "x", "index": 2}]))
    calls.judge(reason="end_turn", last_block_complete=True, last_index=2)
    released = calls.release()
    assert released[-1].content == [{"type": "text", "text": "x", "index": 2}]
    assert calls.release() == []

"""The rules CALL-1 to CALL-4: which tool calls are valid, and when they come out."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from langchain_bedrock_continue._core.content.tool_calls import (
    NO_JSON,
    Call,
    HeldCalls,
    InvalidCallChunk,
)
from tests.support.entrances import added

INPUT = {"path": "a.md", "content": 'hel"lo}\n[1, {"x": "日本"}]', "n": 3}
JSON = json.dumps(INPUT, ensure_ascii=False)


def streamed(*arguments: str) -> HeldCalls:
    """Return streamed calls with these arguments as JSON."""
    calls = HeldCalls()
    for index, text in enumerate(arguments, start=1):
        start = tool_call_chunk(name="write", id=f"id{index}", index=index)
        parts = [start, *(tool_call_chunk(args=char, index=index) for char in text)]
        for part in parts:
            calls.take_chunk(index, part)
            calls.hold(index, AIMessageChunk(content=[], tool_call_chunks=[part]))
    return calls


def not_streamed(*inputs: object) -> HeldCalls:
    """Return the calls of a response that was not streamed."""
    calls = HeldCalls()
    for index, value in enumerate(inputs, start=1):
        block = {"type": "tool_use", "id": f"id{index}", "name": "write"}
        calls.take_whole(index, {**block, "input": value})
    return calls


@pytest.mark.parametrize("end", range(len(JSON)))
def test_call_1_a_streamed_call_truncated_anywhere_is_invalid(end: int) -> None:
    calls = streamed(JSON[:end])
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=1)
    assert calls.valid == []
    (invalid,) = calls.invalid
    assert invalid["args"] == JSON[:end]
    assert "max_tokens" in (invalid["error"] or "")


def test_call_1_complete_json_at_the_end_of_a_truncated_segment_is_invalid() -> None:
    calls = streamed(JSON)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=None)
    assert calls.valid == []


@pytest.mark.parametrize("given_input", [{}, {"path": "a.md"}, INPUT])
def test_call_1_the_last_call_is_invalid_whichever_keys_arrived(
    given_input: object,
) -> None:
    calls = not_streamed(given_input)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=1)
    assert calls.valid == []
    assert len(calls.invalid) == 1


def test_call_1_a_call_before_the_last_block_is_complete() -> None:
    calls = not_streamed(INPUT)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=2)
    assert [call["args"] for call in calls.valid] == [INPUT]


@pytest.mark.parametrize("text", ["", "{}"])
def test_call_1_a_call_without_arguments_is_valid_if_the_last_block_is_complete(
    text: str,
) -> None:
    calls = streamed(text)
    calls.judge(reason="tool_use", last_block_complete=True, last_index=1)
    assert [call["args"] for call in calls.valid] == [{}]


@pytest.mark.parametrize("text", ['{"a": ', "[1]", "null", '{"a": 1} x'])
def test_call_1_arguments_that_are_no_object_are_invalid(text: str) -> None:
    calls = streamed(JSON, text)
    calls.judge(reason="tool_use", last_block_complete=True, last_index=2)
    assert [call["id"] for call in calls.valid] == ["id1"]
    assert [call["id"] for call in calls.invalid] == ["id2"]


@pytest.mark.parametrize("text", ["", '{"a": ', JSON[:-1]])
def test_call_1_a_streamed_call_that_does_not_end_is_invalid_whatever_ended_it(
    text: str,
) -> None:
    calls = streamed(text)
    calls.judge(reason="stop_sequence", last_block_complete=False, last_index=1)
    assert calls.valid == []


def test_call_1_a_streamed_call_that_ends_is_valid_if_no_limit_cut_the_segment() -> (
    None
):
    calls = streamed(JSON)
    calls.judge(reason="stop_sequence", last_block_complete=False, last_index=1)
    assert [call["args"] for call in calls.valid] == [INPUT]


RAW = st.text(st.sampled_from('a"{}[],:\\\n\t\r\x00\x1f'), max_size=12)


@given(st.dictionaries(RAW, RAW | st.lists(RAW, max_size=2), max_size=3), st.data())
def test_call_5_raw_control_characters_are_no_sign_of_a_cut(
    arguments: dict[str, object], data: st.DataObject
) -> None:
    text = json.dumps(arguments)
    for control in "\n\t\r\x00\x1f":
        escape = json.dumps(control)[1:-1]
        text = re.sub(rf"(?<!\\)((?:\\\\)*){re.escape(escape)}", rf"\1{control}", text)
    calls = streamed(text)
    calls.judge(reason="tool_use", last_block_complete=True, last_index=1)
    assert [call["args"] for call in calls.valid] == [json.loads(text, strict=False)]
    end = data.draw(st.integers(0, len(text) - 1))
    assert not Call(index=1, streamed=True, json_chunks=[text[:end]]).is_complete_json


def test_call_2_no_call_is_valid_beside_a_truncated_one() -> None:
    calls = streamed(JSON, JSON[:20])
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=2)
    assert calls.valid == []
    assert [call["args"] for call in calls.invalid] == [JSON, JSON[:20]]
    released = calls.release()
    assert len(released) == 2
    assert (released[0] + released[1]).tool_calls == []


@given(st.text(max_size=40) | st.sampled_from([JSON[:n] for n in range(len(JSON) + 1)]))
def test_call_3_adding_chunks_does_not_make_an_invalid_call_valid(text: str) -> None:
    call = Call(index=1, streamed=True, call_id="i", name="n", json_chunks=[text])
    call.error = "Truncated at max_tokens"
    chunk = call.invalid_chunk()
    first, last = AIMessageChunk(content=""), AIMessageChunk(content="")
    last.chunk_position = "last"
    whole = [chunk, first + chunk, chunk + first, sum([chunk, last], first)]
    for message in (*whole, added([first, chunk, last])):
        assert message.tool_calls == []
        (invalid,) = message.invalid_tool_calls
        assert (invalid["args"] or "").removeprefix(NO_JSON) == text
    assert all(type(message) is AIMessageChunk for message in whole[1:])


@given(st.text(max_size=40))
def test_call_3_the_sum_of_a_stream_has_the_reason_and_the_raw_arguments(
    text: str,
) -> None:
    calls = streamed(JSON, '{"a": ' + text)
    calls.judge(reason="max_tokens", last_block_complete=False, last_index=None)
    last = InvalidCallChunk(content="", chunk_position="last")
    whole = sum([*calls.release(), last], AIMessageChunk(content="Hi."))
    assert type(whole) is AIMessageChunk
    assert whole.invalid_tool_calls == calls.invalid
    assert all(call["error"] for call in whole.invalid_tool_calls)


def test_call_4_what_follows_a_call_is_released_after_it() -> None:
    calls = streamed("{}")
    calls.hold(2, AIMessageChunk(content=[{"type": "text", "text": "x", "index": 2}]))
    calls.judge(reason="end_turn", last_block_complete=True, last_index=2)
    released = calls.release()
    assert released[-1].content == [{"type": "text", "text": "x", "index": 2}]
    assert calls.release() == []

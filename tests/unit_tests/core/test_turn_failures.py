"""What is left of a turn when a call fails, or when nonsense comes from outside."""

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import (
    PrefillRefusedError,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue._core.turn import DeadlinePassedError, Turn
from tests.unit_tests.core.test_turn import MANY, QUESTION, metadata, policy, text_of


def failing_turn(begun: list[AIMessageChunk]) -> Turn:
    turn = Turn(QUESTION, {}, MANY)
    next(turn.requests())
    for chunk in begun:
        turn.receive(chunk)
    return turn


def test_i6_an_error_before_anything_arrived_is_the_callers_own() -> None:
    turn = failing_turn([])
    error = KeyError("own")
    with pytest.raises(KeyError) as raised:
        list(turn.fail(error))
    assert raised.value is error


def test_a_failure_carries_all_that_arrived() -> None:
    block = {"type": "text", "text": "one two.\n", "index": 0}
    turn = Turn(QUESTION, {}, MANY)
    next(turn.requests())
    seen = turn.receive(AIMessageChunk(content=[block]))
    assert text_of(seen) == "one two"
    cause = ValueError("gone")
    with pytest.raises(SegmentError, match="gone") as raised:
        seen.extend(turn.fail(cause))
    assert raised.value.__cause__ is cause
    assert raised.value.partial.text == text_of(seen) == "one two.\n"
    summary = raised.value.partial.response_metadata["continuation"]
    assert (summary["ended_by"], summary["complete"]) == ("error", False)
    assert raised.value.segments[0]["stop_reason"] is None


def test_a_refused_prefill_is_named() -> None:
    turn = Turn(QUESTION, {}, MANY)
    requests = turn.requests()
    next(requests)
    turn.receive(AIMessage("one two", response_metadata=metadata("max_tokens")))
    turn.end_segment()
    next(requests)
    refusal = ValueError("This model does not support assistant message prefill.")
    with pytest.raises(PrefillRefusedError, match="accepts no prefill") as raised:
        list(turn.fail(refusal))
    assert raised.value.partial.text == "one two"


def test_an_error_crosses_a_process_border_whole() -> None:
    error = TurnLimitError("why", partial=AIMessage("so far"), segments=[{"a": 1}])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is TurnLimitError
    assert (str(again), again.partial, again.segments) == (
        "why",
        error.partial,
        error.segments,
    )


STRANGE = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers())
KEYS = st.sampled_from(["stopReason", "stop_reason", "ResponseMetadata", "model_name"])


@given(st.dictionaries(KEYS, STRANGE | st.just("max_tokens")), st.booleans())
def test_no_metadata_that_comes_from_outside_breaks_the_turn(
    strange: dict[str, Any], streamed: bool
) -> None:
    turn = Turn(QUESTION, {}, policy(max_continuations=2))
    kind = AIMessageChunk if streamed else AIMessage
    for _request in turn.requests():
        turn.receive(kind(content="some text", response_metadata=dict(strange)))
        turn.end_segment()
    assert turn.message().text.startswith("some text")
    summary = turn.message().response_metadata["continuation"]
    assert summary["ended_by"] in {"model", "max_continuations"}


def test_a_deadline_that_passes_before_a_resumed_turns_first_call_ends_it() -> None:
    partial = AIMessage("so far", response_metadata={"stopReason": "max_tokens"})
    turn = Turn(QUESTION, {}, MANY, partial=partial)
    chunks = turn.resumed_chunks()
    next(turn.requests())
    chunks += turn.fail(DeadlinePassedError())
    assert "".join(chunk.text for chunk in chunks) == "so far"
    message = turn.message()
    assert message.text == "so far"
    summary = message.response_metadata["continuation"]
    assert not summary["complete"]
    assert summary["ended_by"] == "max_seconds"
    assert turn.last_chunk().response_metadata["continuation"] == summary
    turn.raise_or_warn()

"""What a turn raises if a call fails, and what the error carries."""

import pickle

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import (
    PrefillRefusedError,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue._core.decisions.limits import DeadlinePassedError
from langchain_bedrock_continue._core.turn import Turn
from tests.support.responses import metadata_of, text_of
from tests.support.turns import QUESTION, policy


def test_turn_6_an_error_before_anything_arrived_is_raised_unchanged() -> None:
    turn = Turn(QUESTION, {}, policy())
    next(turn.requests())
    error = KeyError("own")
    with pytest.raises(KeyError) as raised:
        list(turn.fail(error))
    assert raised.value is error


def test_an_error_carries_everything_that_arrived() -> None:
    block = {"type": "text", "text": "one two.\n", "index": 0}
    turn = Turn(QUESTION, {}, policy())
    next(turn.requests())
    chunks = turn.receive(AIMessageChunk(content=[block]))
    assert text_of(chunks) == "one two"
    cause = ValueError("gone")
    with pytest.raises(SegmentError, match="gone") as raised:
        chunks.extend(turn.fail(cause))
    assert raised.value.__cause__ is cause
    assert raised.value.partial.text == text_of(chunks) == "one two.\n"
    continuation = raised.value.partial.response_metadata["continuation"]
    assert (continuation["ended_by"], continuation["complete"]) == ("error", False)
    assert raised.value.segments[0]["stop_reason"] is None


def test_a_refused_prefill_has_an_error_class_of_its_own() -> None:
    turn = Turn(QUESTION, {}, policy())
    requests = turn.requests()
    next(requests)
    turn.receive(AIMessage("one two", response_metadata=metadata_of("max_tokens")))
    turn.end_segment()
    next(requests)
    refusal = ValueError("This model does not support assistant message prefill.")
    with pytest.raises(PrefillRefusedError, match="accepts no prefill") as raised:
        list(turn.fail(refusal))
    assert raised.value.partial.text == "one two"


def test_an_error_can_be_pickled() -> None:
    error = TurnLimitError("why", partial=AIMessage("so far"), segments=[{"a": 1}])
    loaded = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(loaded) is TurnLimitError
    assert (str(loaded), loaded.partial, loaded.segments) == (
        "why",
        error.partial,
        error.segments,
    )


def test_a_deadline_before_the_first_call_of_a_resumed_turn_is_no_error() -> None:
    partial = AIMessage("so far", response_metadata=metadata_of("max_tokens"))
    turn = Turn(QUESTION, {}, policy(), partial=partial)
    chunks = turn.resumed_chunks()
    next(turn.requests())
    chunks += turn.fail(DeadlinePassedError())
    assert text_of(chunks) == "so far"
    message = turn.message()
    assert message.text == "so far"
    continuation = message.response_metadata["continuation"]
    assert not continuation["complete"]
    assert continuation["ended_by"] == "max_seconds"
    assert turn.last_chunk().response_metadata["continuation"] == continuation
    turn.raise_or_warn()

"""A turn keeps TURN-2 and TURN-5 with any policy and any behaviour of the model.

The model's behaviour is random: what it writes, why a response ends, where a call
fails. Every turn is run to its end.
"""

import json
import random

import pytest
from hypothesis import given

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.turn import Turn
from tests.support.random_turns import ARGUMENTS, RANDOM, RandomModel, run_random_turn
from tests.support.turns import QUESTION


def error_at_end(turn: Turn) -> ContinuationError | None:
    """Return what a turn that is over raises."""
    try:
        turn.raise_or_warn()
    except ContinuationError as error:
        return error
    return None


@given(RANDOM)
def test_turn_5_every_turn_ends_within_its_limits(chance: random.Random) -> None:
    run, model, policy = run_random_turn(chance)
    segments = run.turn._record.segments
    assert len(segments) <= policy.max_continuations + 1
    # Requests that were refused (TURN-7): for a prefill, or for the model's limit.
    assert len(model.requests) <= len(segments) + 4
    for request in model.requests:
        content = request.messages[-1].content
        kinds = {block["type"] for block in content if isinstance(block, dict)}
        assert content
        assert kinds != {"reasoning_content"}


@given(RANDOM)
def test_turn_2_the_chunks_add_up_to_the_message(chance: random.Random) -> None:
    run, model, _ = run_random_turn(chance)
    if not model.streams and run.error is None:
        return
    assert run.text == run.message.text
    if run.error is None:
        added = run.added_chunks()
        assert added.tool_calls == run.message.tool_calls
        assert added.content == (run.message.content or added.content)
        assert added.response_metadata == run.message.response_metadata
        assert added.usage_metadata == run.message.usage_metadata


@given(RANDOM)
def test_no_truncated_tool_call_is_valid(chance: random.Random) -> None:
    run, model, _ = run_random_turn(chance)
    for call in run.message.tool_calls:
        assert call["args"] in ({}, ARGUMENTS)
        assert call["id"] not in model.truncated_calls
    if run.error is None and model.streams:
        assert run.added_chunks().tool_calls == run.message.tool_calls


@given(RANDOM)
def test_the_continuation_metadata_is_consistent(chance: random.Random) -> None:
    run, _, _ = run_random_turn(chance)
    continuation, message = run.continuation, run.message
    json.dumps(continuation)
    assert continuation["ended_by"] is not None
    assert continuation["seams"] == sorted(continuation["seams"])
    assert all(0 <= at <= len(message.text) for at in continuation["seams"])
    if run.error is None and not continuation["complete"]:
        paused = message.response_metadata.get("stopReason") == "pause_turn"
        assert (continuation["ended_by"] == "model") <= paused
    error = error_at_end(run.turn)
    if error is not None and run.error is None:
        assert error.partial == message


@pytest.mark.parametrize("seed", range(100))
def test_turn_5_a_model_that_always_truncates_is_not_called_for_ever(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    model = RandomModel(chance, streams=bool(seed % 2))
    policy = Policy(max_continuations=10_000, max_tokens=1, strategy="prefill")
    calls_left = 3_000
    turn = Turn(QUESTION, {}, policy)
    has_ended = False
    for _ in turn.requests():
        for message in model.response("max_tokens"):
            turn.receive(message)
        turn.end_segment()
        calls_left -= 1
        if not calls_left:
            break
        has_ended = turn._record.ending is not None
    assert has_ended

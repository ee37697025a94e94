"""A turn recovers from failed calls and loses nothing that arrived.

The rules are TURN-1, TURN-2 and TURN-5 to TURN-7.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import SegmentError
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import text_block
from tests.support.fake_models import OUTPUT_TOKENS, FakeTextModel
from tests.support.prompts import QUOTED
from tests.support.random_texts import texts_without_repetition
from tests.support.responses import streamed_chunks, usage_of
from tests.support.turns import (
    QUESTION,
    STRATEGIES,
    Response,
    TurnRun,
    policy,
    run_turn,
    run_turn_strictly,
)

SIZES = st.lists(st.integers(4, 60), min_size=1, max_size=5)
FAULTS = st.dictionaries(st.integers(0, 6), st.integers(0, 25), max_size=4)


def run(model: FakeTextModel, allowed: Policy) -> TurnRun:
    return run_turn_strictly(Turn(QUESTION, {}, allowed), model)


@given(texts_without_repetition(), SIZES, FAULTS, st.integers(1, 9), STRATEGIES)
def test_turn_1_a_broken_stream_is_continued(
    text: str, sizes: list[int], faults: dict[int, int], chunk_size: int, strategy: str
) -> None:
    model = FakeTextModel(text, sizes, chunk_size, faults)
    result = run(model, policy(strategy, stream_recoveries=50))
    assert result.error is None
    assert result.text == result.message.text
    assert result.text == text
    assert result.continuation["complete"]
    entries = result.continuation["segments"]
    assert len(entries) == model.calls
    failed = [at for at, entry in enumerate(entries) if "error" in entry]
    assert all(at in faults for at in failed)
    assert {entries[at]["error"] for at in failed} <= {"ConnectionError"}


@given(
    texts_without_repetition(),
    SIZES,
    st.integers(0, 4),
    st.integers(0, 25),
    STRATEGIES,
)
def test_turn_2_the_partial_message_is_exactly_what_was_released(
    text: str, sizes: list[int], call: int, chunks: int, strategy: str
) -> None:
    error = ValueError("gone")
    model = FakeTextModel(text, sizes, 2, {call: chunks}, error)
    result = run(model, policy(strategy, stream_recoveries=50))
    if result.error is None:
        assert result.text == text
        return
    if result.error is error:  # TURN-6
        assert result.text == ""
        assert model.calls == 1
        return
    assert isinstance(result.error, SegmentError)
    assert isinstance(result.error, ValueError)
    assert result.error.partial.text == result.text
    assert text.startswith(result.text)
    assert not result.continuation["complete"]
    assert result.continuation["ended_by"] == "error"
    assert result.error.segments == result.continuation["segments"]
    assert result.error.segments[-1]["error"] == "ValueError"


@given(texts_without_repetition(), SIZES, FAULTS, st.integers(0, 3), STRATEGIES)
def test_turn_5_recoveries_are_limited(
    text: str, sizes: list[int], faults: dict[int, int], allowed: int, strategy: str
) -> None:
    model = FakeTextModel(text, sizes, 2, faults)
    result = run(model, policy(strategy, stream_recoveries=allowed))
    assert text.startswith(result.text)
    waits = [request.wait for request in result.requests if request.wait]
    assert len(waits) <= allowed
    assert waits == sorted(waits)
    if result.error is None:
        assert result.text == text
    elif isinstance(result.error, SegmentError):
        assert result.error.partial.text == result.text
        assert len(waits) == allowed


@given(texts_without_repetition(), SIZES, FAULTS, st.integers(0, 3))
def test_turn_1_a_failed_call_that_is_not_streamed_is_retried(
    text: str, sizes: list[int], faults: dict[int, int], allowed: int
) -> None:
    model = FakeTextModel(text, sizes, 0, dict.fromkeys(faults, 0))
    result = run(model, policy("prefill", stream_recoveries=allowed))
    if result.error is None:
        assert result.message.text == text
    elif isinstance(result.error, SegmentError):
        assert text.startswith(result.error.partial.text)


@given(texts_without_repetition(), SIZES, FAULTS)
def test_a_segment_of_unknown_usage_has_no_output_tokens(
    text: str, sizes: list[int], faults: dict[int, int]
) -> None:
    model = FakeTextModel(text, sizes, 2, faults)
    result = run(model, policy("prefill", stream_recoveries=50))
    known = 0
    for entry in result.continuation["segments"]:
        tokens = entry["output_tokens"]
        assert tokens == OUTPUT_TOKENS or (tokens is None and "error" in entry)
        known += tokens or 0
    billed = result.continuation["billed"]
    assert (billed["output_tokens"] if billed else 0) == known


@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
@pytest.mark.parametrize("chunks", range(12))
def test_turn_1_a_stream_of_code_may_break_after_any_chunk(
    chunks: int, strategy: str
) -> None:
    text = "def f(x):\n    return {\n        'a': x,\n    }\n\n\nend"
    for call in range(3):
        model = FakeTextModel(text, [20], 2, {call: chunks})
        assert run(model, policy(strategy)).text == text


def test_turn_1_text_that_an_undecided_join_held_back_is_kept() -> None:
    def model(request: SegmentRequest) -> Response:
        found = QUOTED.search(request.messages[-1].text)
        quote = found[2] if found else ""
        if not quote:
            yield from streamed_chunks([text_block("alpha beta ")], "max_tokens", 4)
        elif quote.endswith("beta"):
            yield AIMessageChunk(content=[text_block("I")])  # perhaps a lead-in
            yield ConnectionError()
        else:
            yield from streamed_chunks([text_block(f"{quote} delta")], "end_turn", 4)

    result = run_turn(Turn(QUESTION, {}, policy("user_turn")), model)
    assert result.text == result.message.text == "alpha beta I delta"


def test_turn_6_an_error_of_the_first_call_is_raised_unchanged() -> None:
    error = ValueError("own")
    result = run(FakeTextModel("text", [9], 2, {0: 0}, error), policy("prefill"))
    assert result.error is error


def test_turn_6_the_first_error_is_raised_if_nothing_arrived() -> None:
    """As the wrapped model would raise it, whatever the further calls raise."""
    first = ConnectionError("first")
    errors = iter([first, ConnectionError("second"), ValueError("third")])
    result = run_turn(
        Turn(QUESTION, {}, policy("prefill")), lambda _: iter([next(errors)])
    )
    assert result.error is first
    assert len(result.requests) == 3


def test_next_14_a_stream_with_usage_and_no_stop_reason_is_an_error() -> None:
    def model(_: SegmentRequest) -> Response:
        yield AIMessageChunk(content=[text_block("alpha")])
        yield AIMessageChunk(content=[], usage_metadata=usage_of(7))
        yield ConnectionError("no stop reason")

    result = run_turn(Turn(QUESTION, {}, policy("prefill")), model)
    assert isinstance(result.error, SegmentError)
    assert isinstance(result.error, ConnectionError)
    assert result.error.partial.text == "alpha"
    assert len(result.requests) == 1


def test_stop_4_a_response_without_a_stop_reason_has_valid_tool_calls() -> None:
    block = {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}
    result = run_turn(
        Turn(QUESTION, {}, policy("prefill")),
        lambda _: iter([AIMessage(content=[block])]),
    )
    assert [call["args"] for call in result.message.tool_calls] == [{"a": 1}]
    assert result.continuation["complete"]


def test_turn_7_a_refused_prefill_is_no_segment() -> None:
    refusal = ValueError("This model does not support assistant message prefill.")
    text = "alpha beta gamma delta"
    model = FakeTextModel(text, [6, 9], 2, {1: 0}, refusal)
    model_id = "anthropic.claude-sonnet-4-5-test"
    result = run(model, policy("auto", model_id=model_id))
    assert result.text == text
    strategies = [entry["strategy"] for entry in result.continuation["segments"]]
    assert strategies[:2] == [None, "user_turn"]
    assert model.calls == len(strategies) + 1


@pytest.mark.parametrize("seconds_left", [0.0, 0.2])
def test_no_recovery_is_started_if_the_deadline_leaves_no_time_for_it(
    seconds_left: float,
) -> None:
    now = iter([0.0])
    allowed = policy("prefill", max_seconds=10.0)
    turn = Turn(QUESTION, {}, allowed, clock=lambda: next(now, 10.0 - seconds_left))
    result = run_turn(turn, FakeTextModel("alpha beta gamma", [30], 2, {0: 3}))
    assert isinstance(result.error, SegmentError)
    assert result.error.partial.text == result.text != ""

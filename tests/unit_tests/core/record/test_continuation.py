"""The `continuation` metadata: each field, and that it is plain JSON."""

import json
import pickle
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.content.incoming import Response
from langchain_bedrock_continue._core.decisions.vocabulary import (
    CONTINUES,
    EndedBy,
    Ending,
    Form,
    Problem,
    Strategy,
)
from langchain_bedrock_continue._core.record.continuation import (
    Continuation,
    SegmentEntry,
    continuation_of,
    entries_of,
    entry_of,
    last_entry_of,
)
from langchain_bedrock_continue._core.record.event import ContinuationEvent
from langchain_bedrock_continue._core.record.partial import ResumedState, read_partial
from langchain_bedrock_continue._core.record.record import Record
from langchain_bedrock_continue._core.record.segment import Segment
from langchain_bedrock_continue._core.text.join_rules import JoinResult, JoinRule
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import (
    call_block,
    complete_response,
    reasoning_block,
    text_block,
)
from tests.support.fake_models import FakeTextModel
from tests.support.random_turns import RANDOM, run_random_turn
from tests.support.responses import Block, complete_message, metadata_of, usage_of
from tests.support.turns import QUESTION, policy, run_turn

PREFILL, USER_TURN = Strategy.PREFILL, Strategy.USER_TURN
RESEND, RETRY = Strategy.RESEND, Strategy.RETRY


def segment(
    strategy: Strategy | None = None,
    *,
    blocks: list[Block] | None = None,
    usage: UsageMetadata | None = None,
    **fields: Any,
) -> Segment:
    """Return a segment that has ended at `max_tokens`."""
    result = Segment(strategy=strategy, **fields)
    message = complete_message(blocks or [text_block("one")], "max_tokens")
    message.usage_metadata = usage
    result.response.receive(message)
    return result


def record(*segments: Segment, **fields: Any) -> Record:
    return Record(segments=list(segments), **fields)


def continuation(*segments: Segment, reasoning: int = 0, **fields: Any) -> Any:
    return continuation_of(record(*segments, **fields), [], reasoning)


# The fields -----------------------------------------------------------------------


def test_a_continuation_has_the_documented_fields() -> None:
    fields = set(Continuation.__annotations__) - {"dropped_reasoning"}
    assert continuation(segment()).keys() == fields
    cache = {"cache_read_tokens", "cache_write_tokens"}
    sometimes = {"error", "form", "join", "problem", "dropped_tokens", *cache}
    fields = set(SegmentEntry.__annotations__) - sometimes
    assert entry_of(segment()).keys() == fields
    known: dict[str, Any] = {
        "error": "E",
        "form": Form.COPY,
        "problem": Problem.NO_ECHO,
    }
    everything = segment(join=JoinResult(JoinRule.ECHO, 1), **known)
    cached: Any = {"cache_read": 7, "cache_creation": 5}
    everything.response = Response(keeps_text=True)
    everything.response.receive(
        AIMessage("a", usage_metadata={**usage_of(10), "input_token_details": cached})
    )
    assert entry_of(everything).keys() == fields | sometimes
    assert set(get_args(EndedBy)) == {ending.value for ending in Ending}


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("ending", [None, *Ending])
def test_complete_and_ended_by(ending: Ending | None, complete: bool) -> None:
    written = continuation(segment(), ending=ending, complete=complete)
    assert written["complete"] is complete
    assert written["ended_by"] == (None if ending is None else ending.value)


@pytest.mark.parametrize(
    ("strategies", "expected"),
    [
        ([None], None),
        ([None, RETRY], None),
        ([None, RESEND], None),
        ([None, PREFILL], "prefill"),
        ([None, PREFILL, USER_TURN], "user_turn"),
        ([None, PREFILL, RETRY, RESEND], "prefill"),
    ],
)
def test_strategy_is_how_the_text_was_last_continued(
    strategies: list[Strategy | None], expected: str | None
) -> None:
    assert continuation(*map(segment, strategies))["strategy"] == expected


def test_strategy_may_be_that_of_the_turn_that_is_resumed() -> None:
    resumed = ResumedState(entries=[{"strategy": None}, {"strategy": "user_turn"}])
    assert continuation(segment(RETRY), resumed=resumed)["strategy"] == "user_turn"


def test_seams_are_written_as_they_are_given() -> None:
    assert continuation_of(record(segment()), [3, 5], 0)["seams"] == [3, 5]


def test_an_entry_says_how_a_response_was_requested_and_ended() -> None:
    one = segment(PREFILL, usage=usage_of(7), max_tokens=9)
    one.response.metadata["ResponseMetadata"] = {"RequestId": "r"}
    assert entry_of(one) == {
        "stop_reason": "max_tokens",
        "input_tokens": 3,
        "output_tokens": 7,
        "max_tokens": 9,
        "request_id": "r",
        "strategy": "prefill",
    }


def test_an_entry_of_a_call_that_failed() -> None:
    assert entry_of(Segment(error="ClientError: ThrottlingException")) == {
        "stop_reason": None,
        "input_tokens": None,
        "output_tokens": None,
        "max_tokens": None,
        "request_id": None,
        "strategy": None,
        "error": "ClientError: ThrottlingException",
    }


def test_the_words_of_langchain_core_do_not_contradict_a_corrected_reason() -> None:
    words = {"finish_reason": "max_tokens", "normalized_finish_reason": "length"}
    received = AIMessage("x", response_metadata={"stopReason": "max_tokens", **words})
    one = Segment()
    one.response.receive(received)
    assert one.metadata == received.response_metadata
    one.corrected_stop_reason = "tool_use"
    assert one.metadata == {"stopReason": "tool_use"}


def test_an_entry_has_the_stop_reason_that_was_corrected() -> None:
    one = segment(corrected_stop_reason="tool_use")
    assert entry_of(one)["stop_reason"] == "tool_use"


@pytest.mark.parametrize("http", [None, "odd", [], {}, {"HTTPStatusCode": 200}])
def test_an_entry_without_a_request_id(http: object) -> None:
    one = segment()
    one.response.metadata["ResponseMetadata"] = http
    assert entry_of(one)["request_id"] is None


def test_partial_3_entries_of_the_resumed_turn_come_first() -> None:
    before: list[Any] = [{"a": 1}, {"b": 2}]
    resumed = ResumedState(entries=before)
    assert entries_of(record(resumed=resumed)) == before
    assert last_entry_of(record(resumed=resumed)) == before[-1]
    one = segment(PREFILL)
    both = record(one, resumed=resumed)
    assert entries_of(both) == [*before, entry_of(one)]
    assert last_entry_of(both) == entry_of(one)


# Usage ----------------------------------------------------------------------------


def test_billed_is_the_sum_over_all_calls() -> None:
    segments = [segment(s, usage=usage_of(7)) for s in (None, RETRY, PREFILL)]
    assert continuation(*segments)["billed"] == {
        "input_tokens": 9,
        "output_tokens": 21,
        "total_tokens": 30,
    }


@pytest.mark.parametrize(
    ("outputs", "strategies", "expected"),
    [
        ([7], [None], 7),
        ([7, 5], [None, PREFILL], 12),
        ([7, 5], [None, RETRY], 5),
        ([7, 5, 3], [None, RETRY, RETRY], 3),
        ([7, 5, 3], [None, RETRY, USER_TURN], 8),
        ([7, 5, 3], [None, PREFILL, RETRY], 10),
        ([7, None, 3], [None, PREFILL, PREFILL], 10),
    ],
)
def test_response_leaves_out_segments_that_a_retry_replaced(
    outputs: list[int | None],
    strategies: list[Strategy | None],
    expected: int,
) -> None:
    segments = [
        segment(strategy, usage=None if output is None else usage_of(output))
        for output, strategy in zip(outputs, strategies, strict=True)
    ]
    assert continuation(*segments)["response"] == usage_of(expected)


def test_partial_3_usage_of_the_resumed_turn_is_included() -> None:
    resumed = ResumedState(billed=usage_of(50), response=usage_of(20))
    written = continuation(segment(PREFILL, usage=usage_of(7)), resumed=resumed)
    assert written["billed"]["output_tokens"] == 57
    assert written["billed"]["input_tokens"] == 6
    assert written["response"] == usage_of(27)


def test_usage_is_none_if_the_service_reported_none() -> None:
    written = continuation(segment(), segment(PREFILL))
    assert (written["billed"], written["response"]) == (None, None)


# Dropped reasoning ----------------------------------------------------------------

THOUGHTS = [reasoning_block("hm"), reasoning_block("so"), text_block("one")]


def test_reasoning_that_was_shown_is_not_dropped() -> None:
    one = segment(blocks=THOUGHTS, usage=usage_of(7))
    assert "dropped_reasoning" not in continuation(one, reasoning=2)


def test_reasoning_of_a_later_segment_is_dropped() -> None:
    first = segment(blocks=THOUGHTS, usage=usage_of(7))
    second = segment(PREFILL, blocks=THOUGHTS, usage=usage_of(7), reasoning_before=2)
    written = continuation(first, second, reasoning=2)
    assert written["dropped_reasoning"] == {"blocks": 2, "tokens": None}


def test_dropped_reasoning_has_the_tokens_that_the_service_reported() -> None:
    usage = usage_of(70) | {"output_token_details": {"reasoning": 40}}
    segments = [segment(s, blocks=THOUGHTS, usage=usage) for s in (None, RETRY)]
    written = continuation(*segments)
    assert written["dropped_reasoning"] == {"blocks": 4, "tokens": 80}


def test_a_response_of_nothing_but_reasoning_has_as_many_tokens_as_its_output() -> None:
    one = segment(blocks=THOUGHTS[:1], usage=usage_of(70))
    written = continuation(one, segment(RETRY, usage=usage_of(5)))
    assert written["dropped_reasoning"] == {"blocks": 1, "tokens": 70}


def test_dropped_reasoning_of_which_one_part_is_unknown_has_unknown_tokens() -> None:
    known = segment(blocks=THOUGHTS[:1], usage=usage_of(70))
    unknown = segment(RETRY, blocks=THOUGHTS)
    written = continuation(known, unknown)
    assert written["dropped_reasoning"] == {"blocks": 3, "tokens": None}


# Plain JSON -----------------------------------------------------------------------

PLAIN_TYPES = {str, int, float, bool, type(None)}


def assert_plain_json(value: Any) -> None:
    """Assert that a value has no other types than JSON has, and no subclasses."""
    if type(value) is dict:
        for key, inner in value.items():
            assert type(key) is str
            assert_plain_json(inner)
    elif type(value) is list:
        for inner in value:
            assert_plain_json(inner)
    else:
        assert type(value) in PLAIN_TYPES, repr(value)
    assert json.loads(json.dumps(value)) == value


def assert_written_as_plain_json(message: AIMessage) -> None:
    """Assert it of a message's metadata, also after pickling and after a resume."""
    assert_plain_json(message.response_metadata["continuation"])
    loaded = pickle.loads(pickle.dumps(message))  # noqa: S301 - our own bytes
    assert_plain_json(loaded.response_metadata["continuation"])
    resumed = Record(resumed=read_partial(loaded))
    assert_plain_json(continuation_of(resumed, resumed.resumed.seams, 0))


@pytest.mark.parametrize("ending", [None, *Ending])
@pytest.mark.parametrize("strategy", [None, *Strategy])
def test_every_word_is_written_as_a_plain_string(
    strategy: Strategy | None, ending: Ending | None
) -> None:
    written = continuation(segment(), segment(strategy), ending=ending)
    assert_plain_json(written)
    words = [
        written["ended_by"],
        written["strategy"],
        written["segments"][1]["strategy"],
    ]
    assert {type(word) for word in words} <= {str, type(None)}
    assert_plain_json(pickle.loads(pickle.dumps(written)))  # noqa: S301 - our own bytes


@given(RANDOM)
def test_the_continuation_of_any_turn_is_plain_json(chance: Any) -> None:
    run, _, _ = run_random_turn(chance)
    assert_written_as_plain_json(run.message)
    for request in run.requests:
        assert_plain_json(request.event)
    if isinstance(run.error, ContinuationError):
        assert_plain_json(run.error.segments)


@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
@pytest.mark.parametrize("fault", [{}, {1: 2}])
def test_the_continuation_of_a_resumed_turn_is_plain_json(
    strategy: str, fault: dict[int, int]
) -> None:
    text = "alpha beta gamma delta epsilon"
    stopped = Turn(QUESTION, {}, policy(strategy, max_continuations=2))
    partial = run_turn(stopped, FakeTextModel(text, [8], 3, fault)).message
    assert_written_as_plain_json(partial)
    resumed = Turn(QUESTION, {}, policy(strategy), partial=partial)
    run = run_turn(resumed, FakeTextModel(text, [8]))
    assert run.message.text == text
    assert_written_as_plain_json(run.message)
    assert all(request.event is not None for request in run.requests)
    for request in run.requests:
        assert_plain_json(request.event)


def test_the_continuation_of_a_retried_tool_call_is_plain_json() -> None:
    responses = iter(
        [
            complete_message([call_block("t", {})], "max_tokens"),
            complete_message([call_block("t", {"a": 1})], "tool_use"),
        ]
    )
    turn = Turn(QUESTION, {}, policy(max_tokens=10))
    run = run_turn(turn, lambda _request: iter([next(responses)]))
    strategies = [entry["strategy"] for entry in run.continuation["segments"]]
    assert strategies == [None, "retry"]
    assert_written_as_plain_json(run.message)


def test_metadata_of_a_response_does_not_reach_the_continuation() -> None:
    one = segment()
    one.response.metadata |= metadata_of("end_turn") | {"model_name": object()}
    assert_plain_json(continuation(one))


def test_what_was_read_from_the_cache_and_written_to_it() -> None:
    """The two classes report the written tokens in different places."""
    for details in ({"cache_creation": 5}, {"ephemeral_5m_input_tokens": 5}):
        known: Any = {"cache_read": 7, "cache_creation": 0, **details}
        usage = UsageMetadata(
            input_tokens=20,
            output_tokens=1,
            total_tokens=21,
            input_token_details=known,
        )
        entry = entry_of(Segment(response=Response(usage=usage)))
        assert (entry["cache_read_tokens"], entry["cache_write_tokens"]) == (7, 5)


def test_the_share_of_the_tokens_that_a_join_dropped() -> None:
    response = Response(keeps_text=True)
    response.receive(AIMessage("a" * 30, usage_metadata=usage_of(10)))
    joined = Segment(response=response, join=JoinResult(JoinRule.ECHO, dropped=12))
    assert entry_of(joined).get("dropped_tokens") == 4


@pytest.mark.parametrize("chunk_size", [0, 1, 7])
def test_reasoning_and_tool_calls_are_no_part_of_what_a_join_dropped(
    chunk_size: int,
) -> None:
    call = call_block("1", {"q": "b" * 11})  # 20 characters of JSON
    blocks = [reasoning_block("c" * 10), text_block("a" * 30), call]
    response = Response(keeps_text=True)
    for message in complete_response(blocks, chunk_size):
        response.receive(message)
    response.usage = usage_of(60)
    joined = Segment(response=response, join=JoinResult(JoinRule.ECHO, dropped=30))
    assert entry_of(joined).get("dropped_tokens") == 30


def test_a_segment_in_a_user_turn_says_how_it_was_joined() -> None:
    joined = segment()
    joined.join = JoinResult(JoinRule.ECHO, dropped=12)
    join = entry_of(joined).get("join")
    assert join == {"rule": "echo", "dropped": 12}
    assert type(join["rule"]) is str


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("problem", [None, *Problem])
def test_a_segment_in_a_user_turn_says_its_form_and_its_problem(
    form: Form, problem: Problem | None
) -> None:
    entry = entry_of(segment(USER_TURN, form=form, problem=problem))
    assert entry.get("form") == form.value
    assert entry.get("problem") == (None if problem is None else problem.value)
    assert ("problem" in entry) == (problem is not None)
    assert_plain_json(entry)


@pytest.mark.parametrize("problem", [None, *Problem])
def test_only_the_answers_in_the_message_count_as_one_response(
    problem: Problem | None,
) -> None:
    first, last = segment(usage=usage_of(7)), segment(USER_TURN, usage=usage_of(2))
    asked = segment(USER_TURN, usage=usage_of(5), form=Form.COPY, problem=problem)
    written = continuation(first, asked, last)
    assert written["billed"]["output_tokens"] == 14
    in_message = problem in CONTINUES
    assert written["response"]["output_tokens"] == (14 if in_message else 9)


@pytest.mark.parametrize("public", [Continuation, SegmentEntry, ContinuationEvent])
def test_the_types_of_the_fields_can_be_read_at_run_time(public: type) -> None:
    assert get_type_hints(public).keys() == public.__annotations__.keys()

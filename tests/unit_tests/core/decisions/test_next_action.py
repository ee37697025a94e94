"""The rules NEXT-1 to NEXT-11, each in every situation that can occur."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from langchain_bedrock_continue._core.decisions.next_action import (
    AFTER_ERROR,
    AFTER_RESPONSE,
    AfterError,
    AfterResponse,
    ToolCallRecovery,
    after_error,
    after_response,
)
from langchain_bedrock_continue._core.decisions.stop_reasons import (
    OUT_OF_TIME,
    STOP_REASONS,
    UNKNOWN,
    StopMeaning,
    meaning_of,
)
from langchain_bedrock_continue._core.decisions.vocabulary import (
    RESTARTS,
    Action,
    Ending,
    Problem,
    Strategy,
)

TRUNCATED = meaning_of("max_tokens")
MALFORMED = meaning_of("malformed_tool_use")
PAUSED = meaning_of("pause_turn")
MEANINGS = sorted({*STOP_REASONS.values(), UNKNOWN, OUT_OF_TIME}, key=repr)
LIMITS = (Ending.MAX_CONTINUATIONS, Ending.MAX_TOTAL_TOKENS, Ending.MAX_SECONDS)
FLAGS = (
    "has_tool_call",
    "has_progress",
    "can_be_resent",
    "constrained",
    "repeats",
    "can_grow",
    "fits",
    "can_complete_call",
    "retried_output",
)


def all_responses(
    *meanings: StopMeaning, limit: Ending | None = None
) -> Iterator[AfterResponse]:
    """Every situation in which a segment with these stop reasons can end."""
    values = itertools.product((False, True), repeat=len(FLAGS))
    recoveries = get_args(ToolCallRecovery)
    for flags, recovery, stop in itertools.product(values, recoveries, meanings):
        known: Any = dict(zip(FLAGS, flags, strict=True))
        yield AfterResponse(stop, recovery=recovery, limit=limit, **known)


def all_problems(*, limit: Ending | None = None) -> Iterator[AfterResponse]:
    """Every situation in which the answer to a user turn does not continue the text.

    Such an answer has no tool call, and is not constrained by a schema.
    """
    flags = [flag for flag in FLAGS if flag not in _NEVER_WITH_A_PROBLEM]
    values = itertools.product((False, True), repeat=len(flags) + 4)
    for given, problem, stop in itertools.product(values, Problem, MEANINGS):
        names = (*flags, "is_open", "has_next_form", "may_be_over", "is_larger")
        known: Any = dict(zip(names, given, strict=True))
        yield AfterResponse(stop, problem=problem, limit=limit, **known)


_NEVER_WITH_A_PROBLEM = {"has_tool_call", "constrained", "can_complete_call"}


def test_all_situations_are_enumerated() -> None:
    assert len(list(all_responses(*MEANINGS))) == 2 ** len(FLAGS) * 4 * len(MEANINGS)
    assert len(MEANINGS) >= 7


def test_a_final_stop_reason_ends_the_turn_in_every_situation() -> None:
    final = [meaning for meaning in MEANINGS if meaning.action is Action.END]
    for limit in (None, *LIMITS):
        for now in all_responses(*final, limit=limit):
            assert after_response(now) == (Action.END, now.stop.ending)


def test_next_4_a_limit_ends_the_turn_before_any_call_and_is_named() -> None:
    for limit in LIMITS:
        for now in all_responses(*MEANINGS, limit=limit):
            action, ending = after_response(replace(now, limit=None))
            expected = ending if action is Action.END else limit
            assert after_response(now) == (Action.END, expected)


def test_next_1_a_truncated_text_is_continued_unless_it_repeats() -> None:
    for now in all_responses(TRUNCATED):
        if now.has_progress and not now.has_tool_call and not now.constrained:
            action, ending = after_response(now)
            assert action is (Action.END if now.repeats else Action.CONTINUE)
            assert ending is (Ending.REPETITION if now.repeats else Ending.MODEL)


def test_next_1_only_a_truncated_text_is_continued() -> None:
    for now in all_responses(*MEANINGS):
        if after_response(now)[0] is Action.CONTINUE:
            assert now.stop == TRUNCATED
            assert now.has_progress
            assert not now.repeats


@pytest.mark.parametrize("why", ["no new text", "constrained by a schema"])
def test_next_1_next_3_a_segment_that_cannot_be_continued_is_retried_larger(
    why: str,
) -> None:
    for now in all_responses(TRUNCATED):
        holds = not now.has_progress if why == "no new text" else now.constrained
        if not holds or now.has_tool_call:
            continue
        expected = (Action.RETRY_LARGER, Ending.MODEL)
        if not now.fits:
            expected = (Action.END, Ending.MAX_TOTAL_TOKENS)
        if not now.can_grow:
            expected = (Action.END, Ending.NO_PROGRESS)
        assert after_response(now) == expected


def test_next_2_a_segment_with_a_tool_call_is_never_continued() -> None:
    for now in all_responses(*MEANINGS):
        if now.has_tool_call:
            assert after_response(now)[0] is not Action.CONTINUE


def test_next_2_a_truncated_call_is_returned_or_raised_if_the_caller_says_so() -> None:
    for now in all_responses(TRUNCATED):
        if now.has_tool_call and now.recovery in {"return", "raise"}:
            assert after_response(now) == (Action.END, Ending.TOOL_CALL)


def test_next_2_a_truncated_call_is_retried_up_to_the_ceiling() -> None:
    for now in all_responses(TRUNCATED):
        if now.has_tool_call and now.recovery == "retry":
            action, ending = after_response(now)
            assert (action is Action.RETRY_LARGER) == (now.can_grow and now.fits)
            if action is Action.END:
                total, call = Ending.MAX_TOTAL_TOKENS, Ending.TOOL_CALL
                assert ending is (total if now.can_grow else call)


def test_next_2_arguments_are_completed_as_text_if_no_larger_retry_is_possible() -> (
    None
):
    for now in all_responses(TRUNCATED):
        resumes = now.recovery == "resume" and not now.can_grow
        wanted = now.has_tool_call and resumes
        possible = now.can_complete_call and not now.constrained
        completes = after_response(now)[0] is Action.COMPLETE_TOOL_CALL
        assert completes == (wanted and possible)
        if wanted and not possible:
            assert after_response(now) == (Action.END, Ending.TOOL_CALL)


def test_next_3_constrained_output_is_never_continued() -> None:
    allowed = {Action.RETRY_LARGER, Action.RETRY, Action.END}
    for now in all_responses(TRUNCATED, MALFORMED):
        if now.constrained:
            assert after_response(now)[0] in allowed


def test_malformed_output_is_retried_once() -> None:
    for now in all_responses(MALFORMED):
        action = Action.END if now.retried_output else Action.RETRY
        assert after_response(now) == (action, Ending.ERROR)


def test_what_a_paused_model_wrote_is_resent() -> None:
    for now in all_responses(PAUSED):
        sent = now.can_be_resent and not now.constrained  # NEXT-3
        resent, ended = (Action.RESEND, Ending.MODEL), (Action.END, Ending.NO_PROGRESS)
        assert after_response(now) == (resent if sent else ended)


def test_a_retry_is_larger_only_if_the_limits_allow_it() -> None:
    for now in all_responses(*MEANINGS):
        if after_response(now)[0] is Action.RETRY_LARGER:
            assert now.can_grow
            assert now.fits


def test_a_turn_that_ends_truncated_was_not_ended_by_the_model() -> None:
    for now in all_responses(TRUNCATED):
        action, ending = after_response(now)
        assert action is not Action.END or ending is not Ending.MODEL


def test_complete_arguments_end_the_turn_even_at_a_limit() -> None:
    for limit in (None, *LIMITS):
        now = AfterResponse(TRUNCATED, arguments="complete", limit=limit)
        assert after_response(now) == (Action.END, Ending.MODEL)


def test_arguments_are_continued_until_they_are_complete() -> None:
    now = AfterResponse(TRUNCATED, arguments="continuable")
    assert after_response(now)[0] is Action.COMPLETE_TOOL_CALL
    now = AfterResponse(TRUNCATED, arguments="broken")
    assert after_response(now) == (Action.END, Ending.TOOL_CALL)


@pytest.mark.parametrize("arguments", ["continuable", "broken"])
@pytest.mark.parametrize("limit", LIMITS)
def test_next_4_a_limit_ends_incomplete_arguments(
    arguments: str, limit: Ending
) -> None:
    now = AfterResponse(TRUNCATED, arguments=arguments, limit=limit)  # type: ignore[arg-type]
    assert after_response(now) == (Action.END, limit)


def test_next_8_an_answer_with_a_problem_is_asked_for_in_the_next_form() -> None:
    for now in all_problems():
        action, _ = after_response(now)
        if now.has_next_form:
            assert action is Action.ASK_AGAIN
        else:
            assert action is (Action.RETRY_LARGER if has_room(now) else Action.END)


def has_room(now: AfterResponse) -> bool:
    """Return whether a truncated restart reaches new text with more room."""
    truncated = now.stop.action is Action.CONTINUE
    begins_again = now.problem in RESTARTS and not may_be_complete(now)
    begins_again = begins_again and not now.is_larger
    return truncated and begins_again and now.can_grow and now.fits


def may_be_complete(now: AfterResponse) -> bool:
    """Return whether the model ended its answer, and the text may be complete."""
    ends = now.problem in {Problem.NOTHING_NEW, Problem.ENDED_IN_LINE}
    return (ends or now.may_be_over) and not now.is_open


def test_next_8_without_a_problem_nothing_is_asked_for_again() -> None:
    for now in all_responses(*MEANINGS):
        other = replace(now, is_open=True, has_next_form=True)
        assert after_response(other) == after_response(now)
        assert after_response(other)[0] is not Action.ASK_AGAIN


@pytest.mark.parametrize("limit", [None, *LIMITS])
def test_next_8_only_a_text_that_may_be_complete_is_called_complete(
    limit: Ending | None,
) -> None:
    for now in all_problems(limit=limit):
        action, ending = after_response(now)
        if action is Action.END:
            assert (ending is Ending.MODEL) == may_be_complete(now)


def test_next_8_a_text_that_no_form_continued_ends_without_progress() -> None:
    for now in all_problems():
        if not (now.has_next_form or may_be_complete(now) or has_room(now)):
            cycles = now.problem is Problem.CYCLE
            ending = Ending.REPETITION if cycles else Ending.NO_PROGRESS
            assert after_response(now) == (Action.END, ending)


@pytest.mark.parametrize("limit", LIMITS)
def test_next_4_next_8_a_limit_ends_the_turn_before_the_next_form(
    limit: Ending,
) -> None:
    for now in all_problems(limit=limit):
        if now.has_next_form and not may_be_complete(now):
            assert after_response(now) == (Action.END, limit)


def test_every_rule_after_a_response_decides_some_situation() -> None:
    situations = [*all_responses(*MEANINGS)]
    for limit in (None, *LIMITS):
        situations += all_problems(limit=limit)
    situations.append(AfterResponse(TRUNCATED, can_continue=False))
    situations.append(AfterResponse(TRUNCATED, window_full=True))
    situations.append(AfterResponse(TRUNCATED, no_headroom=True))
    for state in ("complete", "continuable", "broken"):
        for limit in (None, *LIMITS):
            facts = AfterResponse(TRUNCATED, arguments=state, limit=limit)
            situations.append(facts)
    decided = {next(r.why for r in AFTER_RESPONSE if r.when(now)) for now in situations}
    assert decided == {rule.why for rule in AFTER_RESPONSE}
    assert len(decided) == len(AFTER_RESPONSE)


def test_next_9_without_a_strategy_a_text_is_not_continued() -> None:
    asks = {Action.CONTINUE, Action.COMPLETE_TOOL_CALL}
    for now in all_responses(*MEANINGS):
        action, ending = after_response(replace(now, can_continue=False))
        if after_response(now)[0] not in asks:
            assert (action, ending) == after_response(now)
        elif now.has_tool_call:
            assert (action, ending) == (Action.END, Ending.TOOL_CALL)
        else:
            assert (action, ending) == (Action.END, Ending.GUARD_LAST_TURN_ONLY)


def test_next_10_a_full_context_window_ends_a_truncated_answer() -> None:
    for now in all_responses(TRUNCATED):
        full = replace(now, window_full=True)
        action, ending = after_response(full)
        assert action is Action.END
        returned = full.truncated_call and full.recovery in {"return", "raise"}
        assert ending is (Ending.TOOL_CALL if returned else Ending.CONTEXT_WINDOW)


def test_next_10_a_full_context_window_does_not_change_a_final_end() -> None:
    final = [meaning for meaning in MEANINGS if meaning.action is not Action.CONTINUE]
    for now in all_responses(*final):
        assert after_response(replace(now, window_full=True)) == after_response(now)


def test_next_15_a_call_that_would_not_fit_ends_the_turn_in_its_place() -> None:
    for now in all_responses(*MEANINGS):
        action, ending = after_response(replace(now, limit=None))
        expected = (Action.END, Ending.CONTEXT_WINDOW)
        if action is not Action.CONTINUE:
            expected = (action, ending)
        assert after_response(replace(now, limit=None, no_headroom=True)) == expected


# After an error -------------------------------------------------------------------

ERROR_FLAGS = (
    "deadline_passed",
    "refused",
    "may_fall_back",
    "is_last_strategy",
    "has_text",
    "size_refused",
    "has_stop_reason",
    "has_content",
    "in_stream",
    "timed_out",
    "retryable",
    "may_recover",
)


OVERFLOWS: tuple[dict[str, Any], ...] = (
    {},
    {"call_overflowed": True},
    {"call_overflowed": True, "has_room": True},
    {"call_overflowed": True, "has_room": True, "recovery": "return"},
    {"call_overflowed": True, "answered": True},
)
"""The ways in which a tool call can overflow, or not."""


def all_errors() -> Iterator[AfterError]:
    """Every situation in which a call can fail.

    An error that reports an overflowing tool call is none of the others.
    """
    values = list(itertools.product((False, True), repeat=len(ERROR_FLAGS)))
    for flags, strategy in itertools.product(values, (None, *Strategy)):
        known: Any = dict(zip(ERROR_FLAGS, flags, strict=True))
        is_other = known["refused"] or known["size_refused"]
        for overflow in OVERFLOWS[:1] if is_other else OVERFLOWS:
            yield AfterError(strategy=strategy, **known, **overflow)


def test_next_12_a_refused_cache_point_is_left_out() -> None:
    """Whatever else is known, unless text arrived: then the request was accepted."""
    for now in all_errors():
        action, ending = after_error(replace(now, cache_refused=True))
        others = (Action.END, Action.FALL_BACK)
        if now.call_overflowed:
            continue  # another error of the service
        if now.has_text or after_error(now)[0] in others:
            assert (action, ending) == after_error(now)
        else:
            assert action is Action.RETRY_UNCACHED


def test_every_rule_after_an_error_decides_some_situation() -> None:
    larger = AfterError(is_larger=True, timed_out=True)
    errors = [*all_errors(), AfterError(cache_refused=True), larger]
    decided = {next(r.why for r in AFTER_ERROR if r.when(now)) for now in errors}
    assert decided == {rule.why for rule in AFTER_ERROR}
    assert len(decided) == len(AFTER_ERROR)


def test_next_5_a_refused_prefill_becomes_a_user_turn_before_any_text() -> None:
    for now in all_errors():
        falls_back = after_error(now)[0] is Action.FALL_BACK
        refused = now.refused and now.strategy is Strategy.PREFILL
        expected = refused and now.may_fall_back and not now.has_text
        assert falls_back == (expected and not now.deadline_passed)


def test_next_9_a_refused_prefill_ends_the_turn_if_there_is_no_other_strategy() -> None:
    for now in all_errors():
        ends = after_error(now) == (Action.END, Ending.GUARD_LAST_TURN_ONLY)
        refused = now.refused and now.strategy is Strategy.PREFILL
        last = now.is_last_strategy and not now.may_fall_back
        expected = refused and last and not now.has_text
        assert ends == (expected and not now.deadline_passed)


def test_a_refused_resend_ends_the_turn_with_what_the_paused_model_wrote() -> None:
    for now in all_errors():
        if now.refused and now.strategy is Strategy.RESEND and not now.deadline_passed:
            assert after_error(now) == (Action.END, Ending.NO_PROGRESS)


def test_next_6_an_error_after_the_stop_reason_is_never_raised() -> None:
    for now in all_errors():
        if now.has_stop_reason:
            assert after_error(now)[0] not in {Action.RAISE, Action.RECOVER}


def test_next_7_only_a_stream_that_broke_is_recovered_from() -> None:
    for now in all_errors():
        if after_error(now)[0] is Action.RECOVER:
            assert now.retryable
            assert now.may_recover
            assert now.in_stream


def test_next_14_a_stream_that_has_its_usage_is_not_asked_for_again() -> None:
    for now in all_errors():
        if after_error(now)[0] is Action.RECOVER:
            over = replace(now, has_usage=True)
            assert after_error(over) == (Action.RAISE, Ending.ERROR)


def test_next_7_a_stream_that_was_silent_from_its_begin_is_not_asked_for_again() -> (
    None
):
    for now in all_errors():
        if now.timed_out and not now.has_content:
            assert after_error(now)[0] is not Action.RECOVER


def test_next_10_a_refused_size_of_ours_is_never_raised() -> None:
    for now in all_errors():
        if now.size_refused:
            assert after_error(now)[0] is not Action.RAISE or now.prefill_refused


def test_next_11_a_tool_call_that_overflowed_is_retried_with_room_or_ends() -> None:
    for now in all_errors():
        if not now.call_overflowed or now.deadline_passed or now.has_stop_reason:
            continue
        action, ending = after_error(now)
        if now.has_room and now.recovery == "retry":
            assert action is Action.RETRY_LARGER
        elif now.answered:
            assert (action, ending) == (Action.END, Ending.TOOL_CALL)
        else:
            assert action is Action.RAISE


def test_a_call_that_the_deadline_prevented_ends_the_turn() -> None:
    for now in all_errors():
        if now.deadline_passed:
            assert after_error(now) == (Action.END, Ending.MAX_SECONDS)


def test_an_error_to_which_no_rule_applies_is_raised() -> None:
    assert after_error(AfterError()) == (Action.RAISE, Ending.ERROR)

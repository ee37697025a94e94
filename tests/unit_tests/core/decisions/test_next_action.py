"""The numbered invariants of `steps`: each rule on every situation there is."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest

from langchain_bedrock_continue._core.decisions.next_action import (
    Recovery,
    Situation,
    Step,
    next_step,
)
from langchain_bedrock_continue._core.decisions.stop_reasons import (
    OUT_OF_TIME,
    UNKNOWN,
    VERDICTS,
    EndedBy,
    Verdict,
    verdict,
)

CUT = verdict("max_tokens")
BROKEN = verdict("malformed_tool_use")
PAUSED = verdict("pause_turn")
KINDS = sorted({*VERDICTS.values(), UNKNOWN, OUT_OF_TIME}, key=repr)
LIMITS: tuple[EndedBy | None, ...] = (
    None,
    "max_continuations",
    "max_total_tokens",
    "max_seconds",
)
FLAGS = (
    "has_calls",
    "advances",
    "can_be_resent",
    "constrained",
    "repeats",
    "can_raise",
    "fits",
    "can_finish",
    "tried_again",
)


def every(*kinds: Verdict, limit: EndedBy | None = None) -> Iterator[Situation]:
    """Every situation in which a segment of these verdicts can end."""
    values = itertools.product((False, True), repeat=len(FLAGS))
    for flags, recovery, kind in itertools.product(values, get_args(Recovery), kinds):
        known = dict(zip(FLAGS, flags, strict=True))
        yield Situation(kind, recovery=recovery, limit=limit, **known)


def test_the_situations_are_all_there() -> None:
    assert len(list(every(*KINDS))) == 2 ** len(FLAGS) * 4 * len(KINDS)
    assert len(KINDS) >= 7


def test_the_models_own_end_is_the_turns_end_however_things_stand() -> None:
    final = [kind for kind in KINDS if kind.then == "ends"]
    for limit in LIMITS:
        for now in every(*final, limit=limit):
            assert next_step(now) == ("end", now.judged.ended_by)


def test_n4_a_limit_ends_whatever_would_follow_and_is_named() -> None:
    for limit in LIMITS[1:]:
        for now in every(*KINDS, limit=limit):
            step, ended_by = next_step(replace(now, limit=None))
            expected = ended_by if step == "end" else limit
            assert next_step(now) == ("end", expected)


def test_n1_a_cut_text_is_gone_on_from_unless_it_goes_round_in_a_cycle() -> None:
    for now in every(CUT):
        if now.advances and not now.has_calls and not now.constrained:
            step, ended_by = next_step(now)
            assert step == ("end" if now.repeats else "go_on")
            assert ended_by == ("repetition" if now.repeats else "model")


def test_n1_only_a_cut_text_is_gone_on_from() -> None:
    for now in every(*KINDS):
        if next_step(now)[0] == "go_on":
            assert now.judged == CUT
            assert now.advances
            assert not now.repeats


@pytest.mark.parametrize("why", ["no new text", "n3 held to a schema"])
def test_n1_n3_else_the_same_is_asked_for_with_more_room_while_there_is(
    why: str,
) -> None:
    for now in every(CUT):
        holds = now.constrained if why.startswith("n3") else not now.advances
        if not holds or now.has_calls:
            continue
        expected: tuple[Step, EndedBy] = ("larger", "model")
        if not now.fits:
            expected = ("end", "max_total_tokens")
        if not now.can_raise:
            expected = ("end", "no_progress")
        assert next_step(now) == expected


def test_n2_a_segment_with_a_tool_call_is_never_gone_on_from() -> None:
    for now in every(*KINDS):
        if now.has_calls:
            assert next_step(now)[0] != "go_on"


def test_n2_the_caller_may_want_a_cut_call_as_it_is() -> None:
    for now in every(CUT):
        if now.has_calls and now.recovery in {"return", "raise"}:
            assert next_step(now) == ("end", "tool_call")


def test_n2_a_cut_call_is_retried_to_the_ceiling() -> None:
    for now in every(CUT):
        if now.has_calls and now.recovery == "retry":
            step, ended_by = next_step(now)
            assert (step == "larger") == (now.can_raise and now.fits)
            if step == "end":
                reached = "max_total_tokens" if now.can_raise else "tool_call"
                assert ended_by == reached


def test_n2_its_arguments_are_finished_as_text_where_no_retry_holds_them() -> None:
    for now in every(CUT):
        wanted = now.has_calls and now.recovery == "resume" and not now.can_raise
        possible = now.can_finish and not now.constrained
        assert (next_step(now)[0] == "arguments") == (wanted and possible)
        if wanted and not possible:
            assert next_step(now) == ("end", "tool_call")


def test_n3_what_is_held_to_a_schema_is_never_gone_on_from() -> None:
    for now in every(CUT, BROKEN):
        if now.constrained:
            assert next_step(now)[0] in {"larger", "again", "end"}


def test_broken_output_is_asked_for_once_more_and_only_once() -> None:
    for now in every(BROKEN):
        expected = ("end", "error") if now.tried_again else ("again", BROKEN.ended_by)
        assert next_step(now) == expected


def test_a_paused_model_is_sent_what_it_wrote() -> None:
    for now in every(PAUSED):
        sent = now.can_be_resent and not now.constrained  # N3
        assert next_step(now) == (
            ("resend", "model") if sent else ("end", "no_progress")
        )


def test_more_room_is_only_asked_for_where_there_is_more() -> None:
    for now in every(*KINDS):
        if next_step(now)[0] == "larger":
            assert now.can_raise
            assert now.fits


def test_what_was_cut_and_ends_says_why() -> None:
    for now in every(CUT):
        step, ended_by = next_step(now)
        assert step != "end" or ended_by != "model"

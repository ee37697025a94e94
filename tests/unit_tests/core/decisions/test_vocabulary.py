"""The public words are the values of the enums."""

from typing import get_args

from langchain_bedrock_continue._core.decisions.vocabulary import (
    CONTINUING,
    EVENT_TYPES,
    LIMITS,
    Action,
    EndedBy,
    Ending,
    Strategy,
    StrategyName,
)


def test_the_literals_of_the_public_types_are_the_enums_values() -> None:
    assert set(get_args(EndedBy)) == set(map(str, Ending))
    assert set(get_args(StrategyName)) == set(map(str, Strategy))


def test_every_action_that_makes_a_call_has_an_event_type() -> None:
    without_call = {Action.BEGIN, Action.END, Action.END_SEGMENT, Action.RAISE}
    assert set(EVENT_TYPES) == set(Action) - without_call


def test_on_limit_is_about_every_ending_that_the_caller_can_avoid() -> None:
    others = {Ending.MODEL, Ending.TOOL_CALL, Ending.ERROR}
    assert set(Ending) - others == LIMITS


def test_only_a_prefill_and_a_user_turn_continue_a_text() -> None:
    assert set(Strategy) - {Strategy.RESEND, Strategy.RETRY} == set(CONTINUING)

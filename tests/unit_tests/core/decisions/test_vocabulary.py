"""The public words are the values of the enums."""

from typing import get_args

from langchain_bedrock_continue._core.decisions.forms import ORDER
from langchain_bedrock_continue._core.decisions.vocabulary import (
    CONTINUING,
    EVENT_TYPES,
    LIMITS,
    Action,
    EndedBy,
    Ending,
    Form,
    FormName,
    Problem,
    ProblemName,
    Strategy,
    StrategyName,
)
from langchain_bedrock_continue._core.request.prompts import WORDINGS
from langchain_bedrock_continue._core.text.continuation_join import NoEcho
from langchain_bedrock_continue._core.text.cycle_check import Cycling
from langchain_bedrock_continue._core.text.restart import Restart


def test_the_literals_of_the_public_types_are_the_enums_values() -> None:
    assert set(get_args(EndedBy)) == set(map(str, Ending))
    assert set(get_args(StrategyName)) == set(map(str, Strategy))
    assert set(get_args(FormName)) == set(map(str, Form))
    assert set(get_args(ProblemName)) == set(map(str, Problem))


def test_every_reason_to_reject_a_message_is_a_problem() -> None:
    of_the_turn = {Problem.NOTHING_NEW, Problem.ENDED_EARLY, Problem.ENDED_IN_LINE}
    rejected = {Problem(reason.value) for reason in (*Restart, *NoEcho, *Cycling)}
    assert rejected == set(Problem) - of_the_turn
    assert len(rejected) == len(Restart) + len(NoEcho) + len(Cycling)


def test_every_form_but_the_callers_has_words() -> None:
    assert set(WORDINGS) == set(Form) - {Form.CALLERS}
    assert set(ORDER) == set(WORDINGS)


def test_every_action_that_makes_a_call_has_an_event_type() -> None:
    without_call = {
        Action.BEGIN,
        Action.END,
        Action.END_SEGMENT,
        Action.RAISE,
        Action.GIVE_UP_RETRY,
    }
    assert set(EVENT_TYPES) == set(Action) - without_call


def test_on_limit_is_about_every_ending_that_the_caller_can_avoid() -> None:
    others = {Ending.MODEL, Ending.TOOL_CALL, Ending.ERROR}
    assert set(Ending) - others == LIMITS


def test_only_a_prefill_and_a_user_turn_continue_a_text() -> None:
    assert set(Strategy) - {Strategy.RESEND, Strategy.RETRY} == set(CONTINUING)

"""The oracle of promise 9 sees each difference, and prints code that can be run."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core import messages as langchain_messages
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_bedrock_continue import local
from langchain_bedrock_continue.local import Answer, CallTool, Say
from tests.support.entrances import ENTRANCES
from tests.support.models import REFUSING_MODEL
from tests.support.oracle import situation as of_situation
from tests.support.oracle.promise import differences
from tests.support.oracle.runs import Comparison, Outcome
from tests.support.oracle.scripted_model import sent_size
from tests.support.oracle.situation import ServiceLimits, Situation

COMPLETE = Situation(answer=Answer("All of it."), arguments={"max_tokens": 99})
TRUNCATED = Situation(
    answer=Answer("One two three four five six seven eight nine."),
    arguments={"max_tokens": 6},
)
CALL = Situation(
    answer=Answer(["Now. ", CallTool("write", {"n": 7}, "t1")]),
    tools=("write",),
    arguments={"max_tokens": 99},
)
CUT_CALL = Situation(
    answer=CALL.answer,
    tools=("write",),
    arguments={"max_tokens": 5},
    fields={"max_tokens_ceiling": 5},
)
REFUSED = Situation(messages=(AIMessage("First."), HumanMessage("Hi")))

Break = Callable[[Outcome], None]


def _message(outcome: Outcome) -> AIMessage:
    assert outcome.message is not None
    return outcome.message


def say_other(outcome: Outcome) -> None:
    _message(outcome).content = "Other"


def lose_end(outcome: Outcome) -> None:
    message = _message(outcome)
    message.content = message.text[:-1]


def change_usage(outcome: Outcome) -> None:
    usage: Any = _message(outcome).usage_metadata
    usage["output_tokens"] += 1


def fail(outcome: Outcome) -> None:
    outcome.message, outcome.error = None, RuntimeError("No.")


def ask_again(outcome: Outcome) -> None:
    outcome.sent = outcome.sent * 2


def ask_often(outcome: Outcome) -> None:
    outcome.accepted = outcome.accepted * 20


def send_other(outcome: Outcome) -> None:
    outcome.sent = copy.deepcopy(outcome.sent)
    outcome.sent[0].body["inferenceConfig"]["maxTokens"] = 3


def tell_other_sizes(outcome: Outcome) -> None:
    segments = _message(outcome).response_metadata["continuation"]["segments"]
    segments[-1]["max_tokens"] += 1


def lose_calls(outcome: Outcome) -> None:
    _message(outcome).tool_calls, _message(outcome).invalid_tool_calls = [], []


def shorten_call(outcome: Outcome) -> None:
    call: Any = {"name": "write", "args": {}, "id": "t1", "type": "tool_call"}
    _message(outcome).tool_calls = [call]


def change_input(outcome: Outcome) -> None:
    outcome.changed = "one -> other"


BROKEN: list[tuple[str, Situation, Break]] = [
    ("text", TRUNCATED, say_other),
    ("whole text", TRUNCATED, lose_end),
    ("complete: content", COMPLETE, say_other),
    ("complete: usage_metadata", COMPLETE, change_usage),
    ("complete: requests", COMPLETE, ask_again),
    ("complete: tool_calls", CALL, lose_calls),
    ("raised RuntimeError", TRUNCATED, fail),
    ("other error", REFUSED, fail),
    ("requests", TRUNCATED, ask_often),
    ("first request", TRUNCATED, send_other),
    ("sizes", TRUNCATED, tell_other_sizes),
    ("lost call", CUT_CALL, lose_calls),
    ("truncated call", CUT_CALL, shorten_call),
    ("caller's objects", COMPLETE, change_input),
]


@pytest.fixture(scope="module")
def comparison() -> Iterator[Comparison]:
    with Comparison.running() as running:
        yield running


@pytest.mark.parametrize(("kind", "situation", "breaks"), BROKEN)
def test_a_difference_is_seen(
    comparison: Comparison, kind: str, situation: Situation, breaks: Break
) -> None:
    bare, ours = comparison.outcomes(situation)
    assert differences(situation, bare, ours) == []
    breaks(ours)
    assert kind in [found.kind for found in differences(situation, bare, ours)]


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("model", [Situation().model, REFUSING_MODEL])
def test_the_scripted_model_continues_its_answer(
    comparison: Comparison, entrance: str, model: str
) -> None:
    text = "ha ha ha ha ha ha!\n\nThe quick brown fox jumps over the lazy dog.\n" * 2
    situation = Situation(
        answer=Answer([Say(text)]),
        arguments={"max_tokens": 30},
        entrance=entrance,
        model=model,
    )
    _, ours = comparison.outcomes(situation)
    assert _message(ours).text == text
    assert len(ours.accepted) > 1


def test_max_total_tokens_is_set_for_the_bare_model(comparison: Comparison) -> None:
    situation = Situation(
        answer=TRUNCATED.answer, fields={"max_total_tokens": 3}, arguments={}
    )
    outcomes = comparison.outcomes(situation)
    assert [sent_size(one.sent[0]) for one in outcomes] == [3, 3]


def test_a_situation_prints_the_code_that_makes_it() -> None:
    situation = Situation(
        messages=(
            SystemMessage("Be kind."),
            HumanMessage([{"type": "text", "text": "Hi"}]),
            AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
            ToolMessage("No.", tool_call_id="1", status="error"),
        ),
        answer=Answer(["a", CallTool("f", {"n": 1})], fine_grained=True),
        limits=ServiceLimits(max_output_tokens=9, exclusive=True),
        call={"stop": ["END"]},
        later=(Answer("x"), Answer("y")),
    )
    names = {**vars(local), **vars(langchain_messages), **vars(of_situation)}
    assert eval(repr(situation), names) == situation  # noqa: S307 - our own code

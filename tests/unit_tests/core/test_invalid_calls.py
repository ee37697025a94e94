"""What an agent is told about calls that must not run, and when it is told nothing."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_bedrock_continue._core.record.invalid_calls import (
    ADVICE,
    UNKNOWN_REASON,
    answers,
)

ASKED = HumanMessage("Hi")
VALID = tool_call(name="add", args={}, id="v")
INVALID = invalid_tool_call(name="add", args="{", id="i", error="Truncated.")


def said(*invalid: Any, valid: bool = False) -> AIMessage:
    calls = [VALID] if valid else []
    return AIMessage("", tool_calls=calls, invalid_tool_calls=list(invalid))


def told(call_id: str = "i") -> ToolMessage:
    return ToolMessage("Error.", tool_call_id=call_id, status="error")


def test_each_invalid_call_is_answered_in_order() -> None:
    second = invalid_tool_call(name="sub", args="{", id="j", error=None)
    first_answer, second_answer = answers([ASKED, said(INVALID, second)], 1)
    assert first_answer.text == f"Truncated. {ADVICE}"
    assert second_answer.text == f"{UNKNOWN_REASON} {ADVICE}"
    assert [first_answer.tool_call_id, second_answer.tool_call_id] == ["i", "j"]
    assert [first_answer.name, second_answer.name] == ["add", "sub"]
    assert {first_answer.status, second_answer.status} == {"error"}


NOT_ANSWERED: dict[str, list[Any]] = {
    "an empty conversation": [],
    "the user's message": [ASKED],
    "an answer without calls": [ASKED, said()],
    "a valid call (INVALID-1)": [ASKED, said(valid=True)],
    "a valid call beside it (INVALID-1)": [ASKED, said(INVALID, valid=True)],
    "one that is answered": [ASKED, said(INVALID), told()],
    "one without an id (INVALID-2)": [ASKED, said({**INVALID, "id": None})],
    "one without a name (INVALID-2)": [ASKED, said({**INVALID, "name": None})],
}


@pytest.mark.parametrize("messages", NOT_ANSWERED.values(), ids=list(NOT_ANSWERED))
def test_nothing_else_is_answered(messages: list[Any]) -> None:
    assert answers(messages, 9) == []


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_so_many_in_a_row_are_answered(before: int, most: int) -> None:
    row = [message for _ in range(before) for message in (said(INVALID), told())]
    assert bool(answers([ASKED, *row, said(INVALID)], most)) is (before < most)


@pytest.mark.parametrize("between", [[ASKED], [said(valid=True), told("v")], [said()]])
def test_a_row_ends_at_another_message(between: list[Any]) -> None:
    earlier: list[Any] = [said(INVALID), told()] * 5
    assert answers([ASKED, *earlier, *between, said(INVALID)], 1)

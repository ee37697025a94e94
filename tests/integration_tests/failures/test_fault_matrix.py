"""Failures at the events of an answer: a table of what the result is.

A cell is a turn that fails once. Where recovery is on, the caller gets the message of a
turn that did not fail, except for metadata. Where it is off, the error's partial
message is what was shown, to the character, and resumed it becomes that message too.
Anything else is lost.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue import ContinuationError, SegmentError
from langchain_bedrock_continue.local import Fault, LocalBedrock, Script
from tests.support.endpoint import Serve
from tests.support.fault_matrix import (
    AT_BORDERS,
    FAILURES,
    FATAL,
    IMPATIENT,
    NOWHERE,
    ONCE,
    SEGMENTS,
    STREAMS,
    TEXT_KINDS,
    TOOL_KINDS,
    Failing,
    Kind,
    Outcome,
    borders,
    half,
    outcomes,
    places_of,
)
from tests.support.messages import continuation, ending
from tests.support.tables import record_row

SAME, PARTIAL, OWN, LOST = "=p!X"
LEGEND = {
    SAME: "the message of a turn that did not fail",
    PARTIAL: "the error has all that was shown, and resumes",
    OWN: "the service's own error: nothing had arrived",
    LOST: "lost",
}

EVENTS = (
    "at every second event of each segment and at its borders, the next failure at the "
    f"others ({', '.join(AT_BORDERS)}, with tool calls, and where "
    "nothing recovers: at five)"
)

pytestmark = pytest.mark.usefixtures("no_backoff")


class Row(NamedTuple):
    """One line of a table."""

    failure: str
    strategy: str
    entrance: str

    def __str__(self) -> str:
        return f"{self.failure:16} {self.strategy:11} {self.entrance:7}"


def rows(*failures: str, of: Sequence[str] = ("prefill", "user turn")) -> Any:
    """Run a test for each row of a table."""
    every = [Row(f, s, e) for f in failures for s in of for e in STREAMS]
    return pytest.mark.parametrize("row", every, ids="-".join)


def essence(message: AIMessage) -> dict[str, Any]:
    """Return the message without metadata, and without the indexes of its blocks."""
    blocks = [
        {key: value for key, value in block.items() if key != "index"}
        for block in message.content_blocks
    ]
    calls = (message.tool_calls, message.invalid_tool_calls)
    return {"blocks": blocks, "calls": calls}


def recovered(got: Outcome, complete: Outcome) -> bool:
    """Return True if the caller has the message of a turn that did not fail."""
    return (
        got.lasting == complete.lasting
        and ending(got.message) == ("model", True)
        and len(continuation(got.message)["segments"]) == got.requests
    )


def kept(got: Outcome, complete: Outcome, llm: Any) -> bool:
    """Return True if the error has what was shown, and can be resumed."""
    if not isinstance(got.error, SegmentError):
        return False
    partial, shown = got.error.partial, "".join(chunk.text for chunk in got.shown)
    return (
        partial.text == shown
        and partial.content == got.message.content
        and ending(partial) == ("error", False)
        and "error" in got.error.segments[-1]
        and isinstance(got.error, type(got.error.__cause__))
        and got.requests <= got.place.request
        and resumes(partial, complete, llm)
    )


def resumes(partial: AIMessage, complete: Outcome, llm: Any) -> bool:
    """Return True if it becomes the complete message; equal ones are tried once."""
    key = f"{llm.model} {partial.content} {partial.invalid_tool_calls}"
    if key not in RESUMED:
        resumed = llm.resume(NOWHERE.asked, partial)
        RESUMED[key] = essence(resumed) == essence(complete.message)
        if not RESUMED[key]:
            print(f"resumed: {resumed!r}")  # noqa: T201 - shown if the row fails
    return RESUMED[key]


RESUMED: dict[str, bool] = {}


def is_given_up(signs: str) -> bool:
    """Return True if no call was retried: only an ended message is complete then."""
    over = re.compile(f"[{PARTIAL}{OWN}]+({SAME}{SAME})?")
    return all(over.fullmatch(segment) for segment in signs.split())


def is_recovered(signs: str, row: Row) -> bool:
    """Return True if every turn was recovered that may be.

    A stream that is silent before any content of it came is not asked for again: the
    same request would be silent as long (NEXT-7).
    """
    begin = f"[{PARTIAL}{OWN}]{{0,3}}" if row.failure == "silence" else ""
    over = re.compile(f"{begin}{SAME}+")
    return all(over.fullmatch(segment) for segment in signs.split())


def judged(got: Outcome, complete: Outcome, llm: Any) -> str:
    """Return the sign of a cell."""
    if got.error is None:
        return SAME if recovered(got, complete) else LOST
    if isinstance(got.error, ContinuationError):
        return PARTIAL if kept(got, complete, llm) else LOST
    nothing = got.place.request == 1 and not got.message.content
    return OWN if nothing else LOST


@pytest.fixture(scope="module")
def client_for(endpoint: tuple[LocalBedrock, Any]) -> Callable[[Fault], Any]:
    """Make clients for many turns at once; only silence is waited for in vain."""
    patient, impatient = map(endpoint[0].boto3_client, (ONCE, IMPATIENT))
    return lambda fault: impatient if fault.kind == "silence" else patient


@pytest.fixture
def fill_row(
    serve: Serve, client_for: Callable[[Fault], Any], record_property: Any
) -> Any:
    """Run the turns of a row; record and return its signs, segment by segment."""

    def fill(
        title: str, row: Row, kinds: dict[str, Kind], fault: Fault, **settings: Any
    ) -> str:
        kind, client = kinds[row.strategy], client_for(fault)
        failing = Failing(kind.answer, fault)
        bedrock = serve(Script(failing))
        llm = kind.llm(bedrock, client, **settings)
        [complete] = outcomes(failing, llm, row.entrance, [NOWHERE])
        assert complete.error is None
        assert len(bedrock.requests) == SEGMENTS
        places = places_of(bedrock, client, fault)
        if row.entrance in AT_BORDERS or kinds is TOOL_KINDS or settings:
            places = borders(places)
        else:
            places = half(places, list(FAILURES | FATAL).index(row.failure))
        found = [""] * (SEGMENTS + 1)
        for got in outcomes(failing, llm, row.entrance, places):
            sign = judged(got, complete, llm)
            found[got.place.request] += sign
            if sign != SAME:
                print(sign, got.compared(complete))  # noqa: T201 - shown if it fails
        signs = " ".join(found).strip()
        record_row(record_property, LEGEND, f"{title}, {EVENTS}", str(row), signs)
        assert LOST not in signs
        return signs

    return fill


@rows(*FAILURES)
def test_a_stream_that_fails_is_recovered(fill_row: Any, row: Row) -> None:
    signs = fill_row("Recovering", row, TEXT_KINDS, FAILURES[row.failure])
    assert is_recovered(signs, row)


@rows(*FAILURES)
def test_what_was_shown_is_the_partial_message_and_resumes(
    fill_row: Any, row: Row
) -> None:
    fault = FAILURES[row.failure]
    signs = fill_row("Not recovering", row, TEXT_KINDS, fault, stream_recoveries=0)
    # A stream that lacks its metadata is complete: there is no failure.
    assert is_given_up(signs) or signs == "= = ="


@rows(*FAILURES, of=["InvokeModel"])
def test_a_stream_of_invoke_model_that_fails_is_recovered(
    fill_row: Any, row: Row
) -> None:
    fault = FAILURES[row.failure]
    signs = fill_row("InvokeModel, recovering", row, TEXT_KINDS, fault)
    assert is_recovered(signs, row)


@rows(*FATAL)
def test_a_fatal_failure_is_not_retried(fill_row: Any, row: Row) -> None:
    signs = fill_row("Fatal", row, TEXT_KINDS, FATAL[row.failure])
    assert is_given_up(signs)


@rows("exception event", "no messageStop")
def test_a_stream_of_thinking_and_tool_calls_that_fails_is_recovered(
    fill_row: Any, row: Row
) -> None:
    title = "Thinking and tool calls, recovering"
    signs = fill_row(title, row, TOOL_KINDS, FAILURES[row.failure])
    assert set(signs) == {SAME, " "}


@rows("exception event")
def test_what_was_shown_of_thinking_and_tool_calls_resumes(
    fill_row: Any, row: Row
) -> None:
    title = "Thinking and tool calls, not recovering"
    fault = FAILURES[row.failure]
    signs = fill_row(title, row, TOOL_KINDS, fault, stream_recoveries=0)
    assert is_given_up(signs)

"""Each failure at each event of an answer: a table of what came of every one.

A cell is a turn that fails once. Where it may recover, the caller has the message of a
turn that did not fail, but for metadata. Where it may not, the error's partial is what
was shown, to the character, and taken up by `resume` it becomes that message too.
Anything else is lost.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue import ContinuationError, SegmentError, chat_models
from langchain_bedrock_continue.local import Fault, LocalBedrock, Script
from tests.integration_tests.conftest import Serve
from tests.integration_tests.fault_cells import (
    FAILURES,
    FATAL,
    IMPATIENT,
    NOWHERE,
    ONCE,
    STREAMS,
    Failing,
    Outcome,
    outcomes,
    places_of,
)
from tests.integration_tests.fault_kinds import CALLS, SEGMENTS, TALKS, Kind

SAME, PARTIAL, OWN, LOST = "=p!X"
LEGEND = (
    f"{SAME} the fault-free message   {PARTIAL} the error has all that was shown, and "
    f"resumes   {OWN} the caller's own error: nothing came   {LOST} lost"
)


class Row(NamedTuple):
    """One line of the table."""

    failure: str
    strategy: str
    entrance: str

    def __str__(self) -> str:
        return f"{self.failure:16} {self.strategy:9} {self.entrance:7}"


Lines: TypeAlias = dict[str, dict[Row, str]]


def rows(*failures: str, of: Sequence[str] = ("prefill", "user turn")) -> Any:
    every = [Row(f, s, e) for f in failures for s in of for e in STREAMS]
    return pytest.mark.parametrize("row", every, ids="-".join)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_models, "waiting_time", lambda _most: 0.0)


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Lines]:
    """Collect the lines, and print them with their sums when all were tried."""
    lines: Lines = {}
    yield lines
    capture = request.config.pluginmanager.getplugin("capturemanager")
    writer = request.config.get_terminal_writer()
    with capture.global_and_fixture_disabled():
        for title, signs in lines.items():
            writer.line(f"\n\n{title}; the events of each segment in turn:\n{LEGEND}\n")
            writer.write("\n".join(f"{row}  {line}" for row, line in signs.items()))
        writer.line(f"\n\n{total(lines)}")


def total(lines: Lines) -> str:
    signs = Counter("".join(line for row in lines.values() for line in row.values()))
    recovered, lost = signs[SAME], signs[LOST]
    failed = signs[PARTIAL] + signs[OWN]
    cells = recovered + failed + lost
    return f"{cells} cells: {recovered} recovered, {failed} not, lost: {lost}"


def essence(message: AIMessage) -> dict[str, Any]:
    """All of a message but metadata, and but how its blocks are numbered."""
    blocks = [
        {key: value for key, value in block.items() if key != "index"}
        for block in message.content_blocks
    ]
    calls = (message.tool_calls, message.invalid_tool_calls)
    return {"blocks": blocks, "calls": calls}


def recovered(got: Outcome, whole: Outcome) -> bool:
    summary = got.message.response_metadata["continuation"]
    return (
        got.lasting == whole.lasting
        and (summary["complete"], summary["ended_by"]) == (True, "model")
        and len(summary["segments"]) == got.requests
    )


def kept(got: Outcome, whole: Outcome, llm: Any) -> bool:
    """Tell whether the error has what was shown, and can be taken up."""
    if not isinstance(got.error, SegmentError):
        return False
    partial, shown = got.error.partial, "".join(chunk.text for chunk in got.shown)
    summary = partial.response_metadata["continuation"]
    return (
        partial.text == shown
        and partial.content == got.message.content
        and (summary["complete"], summary["ended_by"]) == (False, "error")
        and "error" in got.error.segments[-1]
        and isinstance(got.error, type(got.error.__cause__))
        and got.requests <= got.place.request
        and resumes(partial, whole, llm)
    )


def resumes(partial: AIMessage, whole: Outcome, llm: Any) -> bool:
    """Tell whether it becomes the whole message; of equal ones, one is enough."""
    key = f"{llm.model} {partial.content} {partial.invalid_tool_calls}"
    if key not in RESUMED:
        resumed = llm.resume(NOWHERE.asked, partial)
        RESUMED[key] = essence(resumed) == essence(whole.message)
        if not RESUMED[key]:
            print(f"resumed: {resumed!r}")  # noqa: T201 - shown if the row fails
    return RESUMED[key]


RESUMED: dict[str, bool] = {}


def is_given_up(signs: str) -> bool:
    """Tell whether no call was made again: only a message that is over stays whole."""
    over = re.compile(f"[{PARTIAL}{OWN}]+({SAME}{SAME})?")
    return all(over.fullmatch(segment) for segment in signs.split())


def judged(got: Outcome, whole: Outcome, llm: Any) -> str:
    """Say in one sign what came of a cell."""
    if got.error is None:
        return SAME if recovered(got, whole) else LOST
    if isinstance(got.error, ContinuationError):
        return PARTIAL if kept(got, whole, llm) else LOST
    nothing = got.place.request == 1 and not got.message.content
    return OWN if nothing else LOST


@pytest.fixture(scope="module")
def client_for(endpoint: tuple[LocalBedrock, Any]) -> Callable[[Fault], Any]:
    patient, impatient = map(endpoint[0].boto3_client, (ONCE, IMPATIENT))
    return lambda fault: impatient if fault.kind == "silence" else patient


@pytest.fixture
def signs_of(serve: Serve, client_for: Callable[[Fault], Any]) -> Any:
    """Have an answer fail everywhere; return the signs, segment by segment."""

    def signs(kinds: dict[str, Kind], row: Row, fault: Fault, **settings: Any) -> str:
        kind, client = kinds[row.strategy], client_for(fault)
        failing = Failing(kind.answer, fault)
        bedrock = serve(Script(failing))
        llm = kind.llm(bedrock, client, **settings)
        [whole] = outcomes(failing, llm, row.entrance, [NOWHERE])
        assert whole.error is None
        assert len(bedrock.requests) == SEGMENTS
        places = places_of(bedrock, client, fault)
        found = [""] * (SEGMENTS + 1)
        for got in outcomes(failing, llm, row.entrance, places):
            sign = judged(got, whole, llm)
            found[got.place.request] += sign
            if sign != SAME:
                print(sign, got.beside(whole))  # noqa: T201 - shown if the row fails
        return " ".join(found).strip()

    return signs


@rows(*FAILURES)
def test_every_failure_is_recovered_from(table: Lines, signs_of: Any, row: Row) -> None:
    signs = signs_of(TALKS, row, FAILURES[row.failure])
    table.setdefault("Recovering", {})[row] = signs
    assert set(signs) == {SAME, " "}


@rows(*FAILURES)
def test_what_was_shown_is_the_partial_that_resumes(
    table: Lines, signs_of: Any, row: Row
) -> None:
    signs = signs_of(TALKS, row, FAILURES[row.failure], stream_recoveries=0)
    table.setdefault("Not recovering", {})[row] = signs
    # Without its metadata a message is whole, too: there is no failure.
    assert is_given_up(signs) or signs == "= = ="


@rows(*FAILURES, of=["InvokeModel"])
def test_invoke_model_recovers_from_every_failure(
    table: Lines, signs_of: Any, row: Row
) -> None:
    signs = signs_of(TALKS, row, FAILURES[row.failure])
    table.setdefault("InvokeModel, recovering", {})[row] = signs
    assert set(signs) == {SAME, " "}


@rows(*FATAL)
def test_a_fatal_failure_is_never_tried_again(
    table: Lines, signs_of: Any, row: Row
) -> None:
    signs = signs_of(TALKS, row, FATAL[row.failure])
    table.setdefault("Fatal", {})[row] = signs
    assert is_given_up(signs)


@rows("exception event", "no messageStop")
def test_every_failure_among_thinking_and_tool_calls(
    table: Lines, signs_of: Any, row: Row
) -> None:
    signs = signs_of(CALLS, row, FAILURES[row.failure])
    table.setdefault("Thinking and tool calls, recovering", {})[row] = signs
    assert set(signs) == {SAME, " "}


@rows("exception event")
def test_what_was_shown_of_thinking_and_tool_calls_resumes(
    table: Lines, signs_of: Any, row: Row
) -> None:
    signs = signs_of(CALLS, row, FAILURES[row.failure], stream_recoveries=0)
    table.setdefault("Thinking and tool calls, not recovering", {})[row] = signs
    assert is_given_up(signs)


def test_nothing_is_lost(table: Lines) -> None:
    """Of the cells that were tried before."""
    assert "lost: 0" in total(table)

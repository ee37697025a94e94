"""A deadline ends a call: a stream keeps what has arrived, and no call follows."""

import threading
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_bedrock_continue._transport import CallCancelled, Cancellation
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.support.cancellation import cancellable
from tests.support.endpoint import Serve
from tests.support.models import chat_bedrock, plain_model
from tests.support.waiting import eventually

ASKED = [HumanMessage("Hi")]
LONG = "one two three four five six seven eight nine ten"
SILENT = Answer(LONG, faults=[FaultAt(Fault("silence"), at=4, request=None)])
SOON = 0.1
LATER = 3600.0


@pytest.fixture(params=[plain_model, chat_bedrock], ids=["converse", "invoke_model"])
def make(request: pytest.FixtureRequest) -> Any:
    """Make each of the two models that can be wrapped."""
    return request.param


@pytest.fixture
def _patient(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no deadline pass before the endpoint has the request."""
    bedrock = serve("")

    class Patient(threading.Timer):
        def run(self) -> None:
            eventually(lambda: bedrock.requests or self.finished.is_set())
            super().run()

    monkeypatch.setattr(threading, "Timer", Patient)


def streamed(llm: Any, cancellation: Cancellation) -> list[str]:
    return [chunk.text for chunk in cancellable(llm, cancellation)._stream(ASKED)]


def invoked(llm: Any, cancellation: Cancellation) -> str:
    result = cancellable(llm, cancellation)._generate(ASKED)
    return str(result.generations[0].message.text)


def timers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if isinstance(t, threading.Timer)]


def check_over(cancellation: Cancellation, llm: Any, bedrock: LocalBedrock) -> None:
    """Check that the endpoint saw the end, no thread is left and no call can follow."""
    eventually(lambda: bedrock.abandoned)
    eventually(lambda: not timers())
    with pytest.raises(CallCancelled):
        invoked(llm, cancellation)
    assert bedrock.abandoned == bedrock.requests
    assert len(bedrock.requests) == 1


def test_a_stream_ends_with_what_has_arrived(serve: Serve, make: Any) -> None:
    bedrock, cancellation, came = serve(SILENT), Cancellation(), []
    llm = make(bedrock, max_tokens=100)
    chunks = cancellable(llm, cancellation)._stream(ASKED)
    came.append(next(chunk.text for chunk in chunks if chunk.text))
    with cancellation.deadline(SOON) as deadline:
        for chunk in chunks:
            came.append(chunk.text)  # noqa: PERF401 - kept when the stream ends
    assert deadline.passed
    assert LONG.startswith("".join(came))
    check_over(cancellation, llm, bedrock)


@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize(
    "said", [SILENT, Answer(LONG, first_delay=LATER)], ids=["middle", "start"]
)
def test_a_call_that_does_not_stream_ends(
    serve: Serve, make: Any, said: Answer
) -> None:
    bedrock, cancellation = serve(said), Cancellation()
    llm = make(bedrock, max_tokens=100)
    with cancellation.deadline(SOON) as deadline:
        invoked(llm, cancellation)
        pytest.fail("there is no answer")
    assert deadline.passed
    check_over(cancellation, llm, bedrock)


@pytest.mark.parametrize("seconds", [LATER, None, float("inf")])
@pytest.mark.parametrize("ask", [invoked, streamed])
def test_a_deadline_that_is_not_reached_changes_nothing(
    serve: Serve, make: Any, seconds: float | None, ask: Any
) -> None:
    bedrock, cancellation = serve(LONG), Cancellation()
    llm = make(bedrock, max_tokens=100)
    with cancellation.deadline(seconds) as deadline:
        assert "".join(ask(llm, cancellation)) == LONG
        assert len(timers()) == (seconds is not None)
    assert not deadline.passed
    assert not cancellation.cancelled
    eventually(lambda: not timers())


@pytest.mark.parametrize("seconds", [0.0, -1.0])
@pytest.mark.parametrize("ask", [invoked, streamed])
def test_l1_a_deadline_in_the_past_makes_no_request(
    serve: Serve, make: Any, seconds: float, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "Timer", None)  # a timer would be too late
    bedrock, cancellation = serve(LONG), Cancellation()
    with cancellation.deadline(seconds) as deadline:
        ask(make(bedrock), cancellation)
    assert deadline.passed
    assert bedrock.requests == []


def test_an_earlier_cancel_is_not_taken_for_the_deadline(
    serve: Serve, make: Any
) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CallCancelled), cancellation.deadline(0) as deadline:
        invoked(make(serve(LONG)), cancellation)
    assert not deadline.passed


@pytest.mark.usefixtures("_patient")
def test_l1_a_retry_of_botocore_is_not_made(serve: Serve, make: Any) -> None:
    """botocore retries a call whose connection was closed."""
    bedrock, cancellation = serve(Answer(LONG, first_delay=LATER)), Cancellation()
    with cancellation.deadline(SOON) as deadline:
        invoked(make(bedrock), cancellation)
    assert deadline.passed
    assert len(bedrock.requests) == 1

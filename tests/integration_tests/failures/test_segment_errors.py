"""When a call fails, its error has all that arrived; a transient error is retried."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    EventStreamError,
)
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from urllib3.exceptions import ProtocolError

from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    PrefillRefusedError,
    SegmentError,
    chat_models,
)
from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
    Script,
)
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_astream, by_stream
from tests.support.messages import continuation, ending
from tests.support.models import MODEL, REFUSING_MODEL, model, plain_model
from tests.support.scripts import rest_of
from tests.support.texts import LONG

VALIDATION = Fault("exception", "ValidationException", "no", status=400)


def at(request: int, piece: int, fault: Fault) -> Answer:
    """Return an answer that fails at a piece of its n-th request."""
    return Answer(LONG, faults=[FaultAt(fault, at=piece, request=request)])


@pytest.fixture(scope="module")
def once(endpoint: tuple[LocalBedrock, Any]) -> dict[str, Any]:
    """Make a client that retries no call by itself."""
    config = Config(retries={"total_max_attempts": 1})
    client = endpoint[0].boto3_client(config)
    return {"client": client, "bedrock_client": client}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait for nothing; return the longest time that each wait could have taken."""
    most: list[float] = []

    def waiting_time(seconds: float) -> float:
        most.append(seconds)
        return 0.0

    monkeypatch.setattr(chat_models, "waiting_time", waiting_time)
    return most


def test_a_refused_prefill_is_an_error_with_the_partial_message(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=5, strategy="prefill")
    with pytest.raises(PrefillRefusedError, match="accepts no prefill") as raised:
        every_entrance(llm, "Hi")
    assert LONG.startswith(raised.value.partial.text)
    assert len(raised.value.partial.text) > 10
    assert isinstance(raised.value.__cause__, ClientError)
    assert [entry["stop_reason"] for entry in raised.value.segments] == [
        "max_tokens",
        None,
    ]
    assert ending(raised.value.partial) == ("error", False)


def test_an_error_of_a_later_call_has_all_that_arrived(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(at(3, 0, VALIDATION))
    with pytest.raises(SegmentError) as raised:
        every_entrance(model(bedrock, max_tokens=5), "Hi")
    partial = raised.value.partial
    assert type(partial) is AIMessage
    assert LONG.startswith(partial.text)
    assert len(continuation(partial)["segments"]) == 3


THROTTLED = Fault("exception", "ThrottlingException", "Slow down.", 429)
TOO_LONG = Fault(
    "exception", "ValidationException", "Input is too long for requested model.", 400
)
CAUSES: dict[str, tuple[Fault, int, type[Exception]]] = {
    "throttled": (THROTTLED, 0, ClientError),
    "refused": (VALIDATION, 0, ClientError),
    "event": (Fault("exception", status=200), 3, EventStreamError),
    "no messageStop": (Fault("no_stop"), 3, ConnectionError),
    "socket closed": (Fault("close"), 3, ProtocolError),
    "bad checksum": (Fault("checksum"), 3, ChecksumMismatch),
}
"""What fails in the second request, at which piece, and the type of its error."""


@pytest.mark.parametrize("name", list(CAUSES))
def test_an_error_has_the_type_of_its_cause(serve: Serve, once: Any, name: str) -> None:
    fault, piece, kind = CAUSES[name]
    bedrock = serve(at(2, piece, fault))
    llm = model(bedrock, **once, max_tokens=5, stream_recoveries=0)
    with pytest.raises(kind) as raised:
        list(llm.stream("Hi"))
    assert isinstance(raised.value, SegmentError)
    assert isinstance(raised.value, type(raised.value.__cause__))
    assert str(raised.value).startswith("The answer is incomplete: a call failed in ")
    assert ending(raised.value.partial)[0] == "error"


@pytest.mark.parametrize("name", list(CAUSES))
def test_a_fallback_for_the_type_of_the_cause_is_used(
    serve: Serve, once: Any, name: str
) -> None:
    fault, piece, kind = CAUSES[name]
    bedrock = serve(at(2, piece, fault))
    ours = model(bedrock, **once, max_tokens=5, stream_recoveries=0)
    # Without a stream, botocore raises some of them as connection errors.
    first: Any = RunnableLambda(lambda asked: by_stream(ours, asked))
    second: Any = RunnableLambda(lambda asked: f"instead: {asked}")
    chain = first.with_fallbacks([second], exceptions_to_handle=(kind,))
    assert chain.invoke("Hi") == "instead: Hi"


OWN = {"validation": VALIDATION, "throttling": THROTTLED, "too long": TOO_LONG}


@pytest.mark.parametrize("name", list(OWN))
def test_the_error_of_the_first_call_is_the_callers_own(
    serve: Serve, once: Any, every_entrance: Entrance, name: str
) -> None:
    """Even if a later call would be retried: botocore has retried this one."""
    bedrock = serve(at(1, 0, OWN[name]))
    with pytest.raises(ClientError) as ours:
        every_entrance(model(bedrock, **once), "Hi")
    bedrock = serve(at(1, 0, OWN[name]))
    with pytest.raises(ClientError) as theirs:
        every_entrance(plain_model(bedrock, **once), "Hi")
    assert type(ours.value) is type(theirs.value)
    assert ours.value.response["Error"] == theirs.value.response["Error"]
    assert len(bedrock.requests) == 1


EVENT = Fault("exception", "ThrottlingException", "Slow down.", status=200)


@pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])
@pytest.mark.parametrize("ask", [by_stream, by_astream], ids=["stream", "astream"])
def test_a_later_stream_that_is_throttled_is_retried(
    serve: Serve, once: Any, waits: list[float], ask: Entrance, name: str
) -> None:
    """Twice, by default; the second time after a longer wait."""
    answer = Answer(LONG, faults=[FaultAt(EVENT, request=n) for n in (2, 3)])
    bedrock = serve(Script(Throttled(answer)))
    message = ask(model(bedrock, **once, model=name, max_tokens=14), "Hi")
    assert message.text == LONG
    assert [most for most in waits if most] == [0.5, 1.0]
    entries = continuation(message)["segments"]
    assert len(entries) == len(bedrock.requests)
    assert [("error" in entry) for entry in entries[:4]] == [False, True, True, False]


class Throttled:
    """A model whose second and third requests fail, whatever they ask for."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._asked = 0

    def __call__(self, request: Request) -> Answer:
        self._asked += 1
        answer = rest_of(self._answer, request)
        due = [one for one in answer.faults if one.request == self._asked]
        return replace(answer, faults=[replace(one, request=None) for one in due])


@pytest.mark.parametrize("ask", [by_stream, by_astream], ids=["stream", "astream"])
def test_the_limit_of_recoveries_counts_those_of_the_turn(
    serve: Serve, once: Any, ask: Entrance
) -> None:
    faults = [FaultAt(EVENT, request=n) for n in (2, 4, 6)]
    bedrock = serve(Answer(LONG, faults=faults))
    with pytest.raises(SegmentError) as raised:
        ask(model(bedrock, **once, max_tokens=5), "Hi")
    assert len(bedrock.requests) == len(raised.value.segments) == 6


def test_the_usage_of_a_broken_segment_is_unknown(serve: Serve, once: Any) -> None:
    bedrock = serve(at(2, 3, Fault("no_stop")))
    message = by_stream(model(bedrock, **once, max_tokens=5), "Hi")
    broken, *others = sorted(
        continuation(message)["segments"], key=lambda entry: "error" not in entry
    )
    assert broken["error"] == "ConnectionError"
    assert broken["stop_reason"] is None
    for kind in ("input_tokens", "output_tokens"):
        assert broken[kind] is None
        known = [entry[kind] for entry in others]
        assert None not in known
        assert continuation(message)["billed"][kind] == sum(known)


def test_an_unreachable_endpoint_is_the_callers_own_error(
    every_entrance: Entrance,
) -> None:
    with LocalBedrock(Script("x")) as bedrock:
        gone = bedrock.client_kwargs()
    llm = ChatBedrockContinuing(model=MODEL, max_retries=1, **gone)
    with pytest.raises(EndpointConnectionError, match="Could not connect"):
        every_entrance(llm, "Hi")


def test_an_unknown_model_is_the_services_error(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, model="claude-of-my-own", provider="anthropic")
    with pytest.raises(ClientError, match="model identifier is invalid"):
        every_entrance(llm, "Hi")


def test_an_empty_conversation_is_refused(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    with pytest.raises(ValueError, match=r"^messages: empty"):
        every_entrance(model(bedrock), [])
    assert bedrock.requests == []

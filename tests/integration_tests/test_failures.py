"""When a call fails, what arrived is in the caller's hands."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from langchain_core.messages import AIMessage

from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    ContinuationError,
    PrefillRefusedError,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Script,
)
from tests.integration_tests.conftest import (
    MODEL,
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.integration_tests.entrances import ENTRANCES, Entrance

LONG = "The quick brown fox jumps over the lazy dog and runs away.\n\n- one\n- two\n"
STREAMING = ["stream", "astream"]
VALIDATION = Fault("exception", "ValidationException", "no", status=400)


def at(request: int, piece: int, fault: Fault) -> Answer:
    return Answer(LONG, faults=[FaultAt(fault, at=piece, request=request)])


def test_a_refused_prefill_is_an_error_with_the_partial(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=5, strategy="prefill")
    with pytest.raises(PrefillRefusedError, match="no prefilled answer") as raised:
        entrance(llm, "Hi")
    assert LONG.startswith(raised.value.partial.text)
    assert len(raised.value.partial.text) > 10
    assert isinstance(raised.value.__cause__, ClientError)
    assert [entry["stop_reason"] for entry in raised.value.segments] == [
        "max_tokens",
        None,
    ]
    summary = raised.value.partial.response_metadata["continuation"]
    assert (summary["complete"], summary["ended_by"]) == (False, "error")


def test_the_error_of_the_first_call_is_the_callers_own(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(at(1, 0, VALIDATION))
    with pytest.raises(ClientError) as ours:
        entrance(model(bedrock), "Hi")
    bedrock = serve(at(1, 0, VALIDATION))
    with pytest.raises(ClientError) as theirs:
        entrance(plain_model(bedrock), "Hi")
    assert type(ours.value) is type(theirs.value)
    assert ours.value.response["Error"] == theirs.value.response["Error"]


def test_a_later_call_that_fails_loses_nothing(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(at(3, 0, VALIDATION))
    with pytest.raises(SegmentError) as raised:
        entrance(model(bedrock, max_tokens=5), "Hi")
    partial = raised.value.partial
    assert type(partial) is AIMessage
    assert LONG.startswith(partial.text)
    assert len(partial.response_metadata["continuation"]["segments"]) == 3


FAULTS: list[Fault] = [
    Fault("exception", "ThrottlingException", "slow down", status=200),
    Fault("no_stop"),
    Fault("close"),
    Fault("checksum"),
]


@pytest.mark.parametrize("piece", [0, 1, 2, 3])
@pytest.mark.parametrize("request_number", [1, 2])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("name", STREAMING)
def test_what_a_stream_showed_is_the_partial(
    serve: Serve, name: str, fault: Fault, request_number: int, piece: int
) -> None:
    bedrock = serve(at(request_number, piece, fault))
    shown: list[str] = []
    error: Exception | None = None
    try:
        collect(name, model(bedrock, max_tokens=5), shown)
    except Exception as raised:  # noqa: BLE001 - its type is what is asked below
        error = raised
    if request_number == 1 and piece == 0:
        assert not isinstance(error, ContinuationError)
        assert "".join(shown) == ""
        return
    assert isinstance(error, SegmentError)
    assert error.partial.text == "".join(shown)
    assert LONG.startswith(error.partial.text)


def collect(name: str, llm: Any, shown: list[str]) -> None:
    class Watched:
        """Passes chunks on, and keeps what they showed when the stream fails."""

        def stream(self, asked: str) -> Any:
            for chunk in llm.stream(asked):
                shown.append(chunk.text)
                yield chunk

        async def astream(self, asked: str) -> Any:
            async for chunk in llm.astream(asked):
                shown.append(chunk.text)
                yield chunk

    ENTRANCES[name](Watched(), "Hi")


def test_a_limit_returns_the_message_with_its_stop_reason(
    serve: Serve, entrance: Entrance, caplog: pytest.LogCaptureFixture
) -> None:
    bedrock = serve(LONG)
    message = entrance(model(bedrock, max_tokens=5, max_continuations=1), "Hi")
    assert message.response_metadata["stopReason"] == "max_tokens"
    summary = message.response_metadata["continuation"]
    assert (summary["complete"], summary["ended_by"]) == (False, "max_continuations")
    assert LONG.startswith(message.text)
    warned = [r for r in caplog.records if r.name.startswith("langchain_bedrock")]
    assert [record.levelname for record in warned] == ["WARNING"]
    assert LONG[:9] not in caplog.text


def test_a_limit_raises_where_asked_to(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, max_tokens=5, max_continuations=1, on_limit="raise")
    with pytest.raises(TurnLimitError) as raised:
        entrance(llm, "Hi")
    assert LONG.startswith(raised.value.partial.text)
    assert len(raised.value.segments) == 2


def test_continuation_can_be_turned_off(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(LONG)
    ours = entrance(model(bedrock, max_tokens=5, max_continuations=0), "Hi")
    theirs = entrance(plain_model(bedrock, max_tokens=5), "Hi")
    assert len(bedrock.requests) == 2
    assert ours.content == theirs.content


@pytest.mark.parametrize("total", [1, 4, 5, 11, 17])
def test_output_tokens_stay_within_the_total(
    serve: Serve, entrance: Entrance, total: int
) -> None:
    bedrock = serve(LONG)
    message = entrance(model(bedrock, max_tokens=5, max_total_tokens=total), "Hi")
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == total
    summary = message.response_metadata["continuation"]
    assert summary["ended_by"] in {"max_total_tokens", "no_progress"}


def test_the_context_window_ends_a_turn(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(Answer("Far.", stop_reason="model_context_window_exceeded"))
    summary = entrance(model(bedrock), "Hi").response_metadata["continuation"]
    assert (summary["ended_by"], summary["complete"]) == ("context_window", False)


def test_an_unreachable_endpoint_is_the_callers_own_error(entrance: Entrance) -> None:
    with LocalBedrock(Script("x")) as bedrock:
        gone = bedrock.client_kwargs()
    llm = ChatBedrockContinuing(model=MODEL, max_retries=1, **gone)
    with pytest.raises(EndpointConnectionError, match="Could not connect"):
        entrance(llm, "Hi")


def test_a_model_that_the_endpoint_does_not_know(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, model="claude-of-my-own", provider="anthropic")
    with pytest.raises(ClientError, match="model identifier is invalid"):
        entrance(llm, "Hi")


def test_a_conversation_of_nothing_is_refused_by_name(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    with pytest.raises(ValueError, match=r"^messages: empty"):
        entrance(model(bedrock), [])
    assert bedrock.requests == []

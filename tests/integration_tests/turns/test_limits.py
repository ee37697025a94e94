"""Every turn ends, and says which limit ended it."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue import ChatBedrockContinuing, TurnLimitError
from langchain_bedrock_continue._core.decisions.remedies import remedy_of
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, Think
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.messages import continuation, ending
from tests.support.models import chat_bedrock, model, plain_model
from tests.support.rate_limiters import SlowLimiter
from tests.support.texts import LONG


def ended_by(message: AIMessage) -> str:
    """Return the limit that ended the turn of an incomplete message."""
    limit, complete = ending(message)
    assert not complete
    return limit


def test_a_limit_returns_the_message_with_its_stop_reason(
    serve: Serve, every_entrance: Entrance, caplog: pytest.LogCaptureFixture
) -> None:
    bedrock = serve(LONG)
    message = every_entrance(model(bedrock, max_tokens=5, max_continuations=1), "Hi")
    assert message.response_metadata["stopReason"] == "max_tokens"
    assert ending(message) == ("max_continuations", False)
    assert LONG.startswith(message.text)
    warned = [r for r in caplog.records if r.name.startswith("langchain_bedrock")]
    assert [record.levelname for record in warned] == ["WARNING"]
    assert LONG[:9] not in caplog.text


def test_a_limit_raises_where_the_caller_chose_so(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, max_tokens=5, max_continuations=1, on_limit="raise")
    with pytest.raises(TurnLimitError) as raised:
        every_entrance(llm, "Hi")
    assert LONG.startswith(raised.value.partial.text)
    assert len(raised.value.segments) == 2


def test_continuation_can_be_turned_off(serve: Serve, every_entrance: Entrance) -> None:
    bedrock = serve(LONG)
    ours = every_entrance(model(bedrock, max_tokens=5, max_continuations=0), "Hi")
    theirs = every_entrance(plain_model(bedrock, max_tokens=5), "Hi")
    assert len(bedrock.requests) == 2
    assert ours.content == theirs.content


@pytest.mark.parametrize("total", [1, 4, 5, 11, 17])
def test_output_tokens_stay_within_the_total(
    serve: Serve, every_entrance: Entrance, total: int
) -> None:
    bedrock = serve(LONG)
    message = every_entrance(model(bedrock, max_tokens=5, max_total_tokens=total), "Hi")
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == total
    assert ending(message)[0] in {"max_total_tokens", "no_progress"}


def test_the_context_window_ends_a_turn(serve: Serve, every_entrance: Entrance) -> None:
    bedrock = serve(Answer("Far.", stop_reason="model_context_window_exceeded"))
    message = every_entrance(model(bedrock), "Hi")
    assert ending(message) == ("context_window", False)


REPETITIVE = "Here is the list.\n" + "- the same line, over and over again\n" * 160
LIMITS: dict[str, tuple[Answer, dict[str, Any]]] = {
    "max_continuations": (Answer(LONG), {"max_continuations": 1}),
    "max_total_tokens": (Answer(LONG), {"max_total_tokens": 7}),
    "max_seconds": (Answer(LONG), {"max_seconds": 1e-9}),
    "repetition": (Answer(REPETITIVE), {"max_tokens": 400}),
    "no_progress": (Answer([Think(LONG), "Hm."]), {"max_tokens_ceiling": 5}),
    "context_window": (
        Answer("Far.", stop_reason="model_context_window_exceeded"),
        {},
    ),
}


@pytest.mark.parametrize("name", list(LIMITS))
def test_each_limit_is_named_and_logged_once(
    serve: Serve, every_entrance: Entrance, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    answer, settings = LIMITS[name]
    message = every_entrance(
        model(serve(answer), **{"max_tokens": 5, **settings}), "Hi"
    )
    assert ended_by(message) == name
    warned = [r for r in caplog.records if r.name.startswith("langchain_bedrock")]
    assert [record.levelname for record in warned] == ["WARNING"]
    assert name in warned[0].getMessage()


@pytest.mark.parametrize("name", list(LIMITS))
def test_each_limit_raises_where_the_caller_chose_so(
    serve: Serve, every_entrance: Entrance, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    answer, settings = LIMITS[name]
    settings = {"max_tokens": 5, "on_limit": "raise", **settings}
    with pytest.raises(TurnLimitError, match=name) as raised:
        every_entrance(model(serve(answer), **settings), "Hi")
    assert ended_by(raised.value.partial) == name
    count = len(raised.value.segments)
    segments = "1 segment" if count == 1 else f"{count} segments"
    assert str(raised.value).endswith(f"after {segments}. {remedy_of(name)}")
    assert not [r for r in caplog.records if r.name.startswith("langchain_bedrock")]


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_no_request_follows_a_wait_past_the_deadline(serve: Serve, name: str) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, max_tokens=5, max_seconds=0.3, rate_limiter=SlowLimiter())
    message = ENTRANCES[name](llm, "Hi")
    assert ended_by(message) == "max_seconds"
    assert LONG.startswith(message.text)
    assert len(bedrock.requests) == 1
    assert len(continuation(message)["segments"]) == 1


SILENT = Answer(LONG, faults=[FaultAt(Fault("silence"), at=4, request=None)])


@pytest.mark.parametrize("name", ["stream", "astream"])
@pytest.mark.parametrize(
    ("make", "key"), [(plain_model, "stopReason"), (chat_bedrock, "stop_reason")]
)
def test_a_stream_that_the_deadline_ended_has_a_stop_reason(
    serve: Serve, make: Any, key: str, name: str
) -> None:
    inner = make(serve(SILENT), max_tokens=100)
    message = ENTRANCES[name](ChatBedrockContinuing(llm=inner, max_seconds=0.3), "Hi")
    assert message.response_metadata[key] == "max_seconds"
    assert {"stopReason", "stop_reason"} & {*message.response_metadata} == {key}
    assert ended_by(message) == "max_seconds"
    assert LONG.startswith(message.text)
    assert continuation(message)["segments"][0]["stop_reason"] == "max_seconds"

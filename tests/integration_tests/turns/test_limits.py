"""Every turn ends: by which limit is said, and honoured as asked."""

import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.rate_limiters import BaseRateLimiter

from langchain_bedrock_continue import TurnLimitError
from langchain_bedrock_continue.local import Answer, Think
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.support.entrances import ENTRANCES, Entrance

LONG = "The quick brown fox jumps over the lazy dog and runs away.\n\n- one\n- two\n"


def ended_by(message: AIMessage) -> str:
    summary: dict[str, Any] = message.response_metadata["continuation"]
    assert not summary["complete"]
    return str(summary["ended_by"])


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


GOES_ROUND = "Here is the list.\n" + "- the same line, over and over again\n" * 160
LIMITS: dict[str, tuple[Answer, dict[str, Any]]] = {
    "max_continuations": (Answer(LONG), {"max_continuations": 1}),
    "max_total_tokens": (Answer(LONG), {"max_total_tokens": 7}),
    "max_seconds": (Answer(LONG), {"max_seconds": 1e-9}),
    "repetition": (Answer(GOES_ROUND), {"max_tokens": 400}),
    "no_progress": (Answer([Think(LONG), "Hm."]), {"max_tokens_ceiling": 5}),
    "context_window": (
        Answer("Far.", stop_reason="model_context_window_exceeded"),
        {},
    ),
}


@pytest.mark.parametrize("name", list(LIMITS))
def test_each_limit_is_named_and_logged_once(
    serve: Serve, entrance: Entrance, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    answer, settings = LIMITS[name]
    message = entrance(model(serve(answer), **{"max_tokens": 5, **settings}), "Hi")
    assert ended_by(message) == name
    warned = [r for r in caplog.records if r.name.startswith("langchain_bedrock")]
    assert [record.levelname for record in warned] == ["WARNING"]
    assert name in warned[0].getMessage()


@pytest.mark.parametrize("name", list(LIMITS))
def test_each_limit_raises_where_asked_to(
    serve: Serve, entrance: Entrance, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    answer, settings = LIMITS[name]
    settings = {"max_tokens": 5, "on_limit": "raise", **settings}
    with pytest.raises(TurnLimitError, match=name) as raised:
        entrance(model(serve(answer), **settings), "Hi")
    assert ended_by(raised.value.partial) == name
    assert not [r for r in caplog.records if r.name.startswith("langchain_bedrock")]


class Slow(BaseRateLimiter):
    """Lets a run begin at once, and every other call long after it was asked."""

    def acquire(self, *, blocking: bool = True) -> bool:
        if not blocking:  # LangChain waits for leave, a turn asks for it
            time.sleep(0.4)
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return True


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_a_wait_beyond_the_deadline_is_followed_by_no_call(
    serve: Serve, name: str
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, max_tokens=5, max_seconds=0.3, rate_limiter=Slow())
    message = ENTRANCES[name](llm, "Hi")
    assert ended_by(message) == "max_seconds"
    assert LONG.startswith(message.text)
    assert len(bedrock.requests) == 1
    assert len(message.response_metadata["continuation"]["segments"]) == 1

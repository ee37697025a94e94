"""Output that is no cut one: broken by the model, or paused by the service."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Pause,
    Request,
    Script,
)
from tests.integration_tests.conftest import Serve, model
from tests.integration_tests.wrapped.test_chat_bedrock import wrapped
from tests.support.entrances import Entrance
from tests.support.tool_models import by_number, tools

MALFORMED = ["malformed_model_output", "malformed_tool_use"]
BROKEN = "It is broken he"
WHOLE = "It is whole, from its beginning to its end."


def continuation(message: AIMessage) -> dict[str, Any]:
    said: dict[str, Any] = message.response_metadata["continuation"]
    return said


def broken_once_at(number: int, stop_reason: str) -> Script:
    """A model that goes on from a prefill, and breaks in one request."""
    asked = 0

    def answer(_request: Request) -> Answer:
        nonlocal asked
        asked += 1
        return Answer(WHOLE, stop_reason=stop_reason if asked == number else None)

    return Script(answer)


@pytest.mark.parametrize("stop_reason", MALFORMED)
def test_broken_output_is_asked_for_once_more(
    serve: Serve, entrance: Entrance, stop_reason: str
) -> None:
    bedrock = serve(broken_once_at(1, stop_reason))
    message = entrance(model(bedrock, max_tokens=80), "Hi")
    assert message.text == WHOLE
    assert continuation(message)["complete"]
    first, again = bedrock.requests
    assert first.body == again.body
    reasons = [one["stop_reason"] for one in continuation(message)["segments"]]
    assert reasons == [stop_reason, "end_turn"]


@pytest.mark.parametrize("stop_reason", MALFORMED)
def test_a_later_segment_that_is_broken_is_asked_for_once_more(
    serve: Serve, entrance: Entrance, stop_reason: str
) -> None:
    bedrock = serve(broken_once_at(3, stop_reason))
    message = entrance(model(bedrock, max_tokens=5), "Hi")
    assert message.text == WHOLE
    assert continuation(message)["complete"]


@pytest.mark.parametrize("stop_reason", MALFORMED)
def test_output_that_is_broken_again_comes_back_as_it_is(
    serve: Serve, entrance: Entrance, stop_reason: str
) -> None:
    bedrock = serve(Answer(BROKEN, stop_reason=stop_reason))
    message = entrance(model(bedrock, max_tokens=80), "Hi")
    assert message.text == BROKEN
    assert message.response_metadata["stopReason"] == stop_reason
    summary = continuation(message)
    assert (summary["complete"], summary["ended_by"]) == (False, "error")
    assert len(bedrock.requests) == len(summary["segments"]) == 2


def test_a_broken_tool_call_never_runs(serve: Serve, entrance: Entrance) -> None:
    call = CallTool("write", {"path": "a"}, "t1")
    bedrock = serve(Answer(["I write. ", call], stop_reason="malformed_tool_use"))
    llm = model(bedrock, max_tokens=80).bind_tools(tools("write"))
    message = entrance(llm, "Hi")
    assert message.tool_calls == []
    assert message.invalid_tool_calls
    assert not continuation(message)["complete"]


def test_a_broken_tool_call_that_comes_whole_the_second_time_runs_once(
    serve: Serve, entrance: Entrance
) -> None:
    call = CallTool("write", {"path": "a"}, "t1")
    content: list[Any] = ["I write. ", call]
    said = [Answer(content, stop_reason="malformed_tool_use"), Answer(content)]
    llm = model(serve(by_number(*said)), max_tokens=80).bind_tools(tools("write"))
    message = entrance(llm, "Hi")
    assert [one["args"] for one in message.tool_calls] == [{"path": "a"}]
    assert message.text == "I write. "


PAUSED: list[Any] = [
    "Let me look.",
    Pause(),
    " It is Oslo,",
    Pause(),
    " and that is all.",
]


def paused(serve: Serve, **settings: Any) -> tuple[Any, Callable[[], list[Any]]]:
    """Make a model of InvokeModel whose service pauses twice, and its messages."""
    bedrock = serve(Answer(PAUSED))
    llm = wrapped(bedrock, **{"max_tokens": 90, **settings})
    return llm, lambda: [request.body["messages"] for request in bedrock.requests]


def test_a_paused_turn_is_sent_back_with_no_words_of_ours(
    serve: Serve, entrance: Entrance
) -> None:
    llm, sent = paused(serve)
    message = entrance(llm, "Where?")
    assert message.text == "Let me look. It is Oslo, and that is all."
    assert continuation(message)["complete"]
    assert [[one["role"] for one in messages] for messages in sent()] == [
        ["user"],
        ["user", "assistant"],
        ["user", "assistant"],
    ]


def test_a_pause_may_come_among_cuts(serve: Serve, entrance: Entrance) -> None:
    llm, _sent = paused(serve, max_tokens=5)
    message = entrance(llm, "Where?")
    assert message.text == "Let me look. It is Oslo, and that is all."
    assert continuation(message)["complete"]


def test_a_pause_that_brings_nothing_ends_the_turn(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Script(lambda _request: Answer(" ", stop_reason="pause_turn")))
    summary = continuation(entrance(wrapped(bedrock), "Hi"))
    assert (summary["complete"], summary["ended_by"]) == (False, "no_progress")
    assert len(bedrock.requests) <= 2

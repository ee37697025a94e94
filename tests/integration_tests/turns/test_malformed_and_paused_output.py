"""Output that the model malformed is retried; output that it paused is continued."""

from collections.abc import Callable
from typing import Any

import pytest

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Pause,
    Request,
    Script,
)
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending
from tests.support.models import continuing_chat_bedrock, model
from tests.support.scripts import in_order

MALFORMED = ["malformed_model_output", "malformed_tool_use"]
BROKEN = "It is broken he"
COMPLETE = "It is complete, from its beginning to its end."


def malformed_once(number: int, stop_reason: str) -> Script:
    """Make a model that continues a prefill, with malformed output in one request."""
    asked = 0

    def answer(_request: Request) -> Answer:
        nonlocal asked
        asked += 1
        return Answer(COMPLETE, stop_reason=stop_reason if asked == number else None)

    return Script(answer)


@pytest.mark.parametrize("stop_reason", MALFORMED)
def test_malformed_output_is_retried_once(
    serve: Serve, entrance: Entrance, stop_reason: str
) -> None:
    bedrock = serve(malformed_once(1, stop_reason))
    message = entrance(model(bedrock, max_tokens=80), "Hi")
    assert message.text == COMPLETE
    assert continuation(message)["complete"]
    first, again = bedrock.requests
    assert first.body == again.body
    reasons = [one["stop_reason"] for one in continuation(message)["segments"]]
    assert reasons == [stop_reason, "end_turn"]


@pytest.mark.parametrize("stop_reason", MALFORMED)
def test_malformed_output_of_a_later_segment_is_retried_once(
    serve: Serve, entrance: Entrance, stop_reason: str
) -> None:
    bedrock = serve(malformed_once(3, stop_reason))
    message = entrance(model(bedrock, max_tokens=5), "Hi")
    assert message.text == COMPLETE
    assert continuation(message)["complete"]


@pytest.mark.parametrize("stop_reason", MALFORMED)
def test_output_that_is_malformed_again_is_returned_as_it_is(
    serve: Serve, entrance: Entrance, stop_reason: str
) -> None:
    bedrock = serve(Answer(BROKEN, stop_reason=stop_reason))
    message = entrance(model(bedrock, max_tokens=80), "Hi")
    assert message.text == BROKEN
    assert message.response_metadata["stopReason"] == stop_reason
    assert ending(message) == ("error", False)
    assert len(bedrock.requests) == len(continuation(message)["segments"]) == 2


def test_a_malformed_tool_call_is_invalid(serve: Serve, entrance: Entrance) -> None:
    call = CallTool("write", {"path": "a"}, "t1")
    bedrock = serve(Answer(["I write. ", call], stop_reason="malformed_tool_use"))
    llm = model(bedrock, max_tokens=80).bind_tools(tools("write"))
    message = entrance(llm, "Hi")
    assert message.tool_calls == []
    assert message.invalid_tool_calls
    assert not continuation(message)["complete"]


def test_a_malformed_tool_call_that_its_retry_completes_is_valid(
    serve: Serve, entrance: Entrance
) -> None:
    call = CallTool("write", {"path": "a"}, "t1")
    content: list[Any] = ["I write. ", call]
    said = [Answer(content, stop_reason="malformed_tool_use"), Answer(content)]
    llm = model(serve(in_order(*said)), max_tokens=80).bind_tools(tools("write"))
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
    """Make a ChatBedrock model that pauses twice, and a way to see what it was sent."""
    bedrock = serve(Answer(PAUSED))
    llm = continuing_chat_bedrock(bedrock, **{"max_tokens": 90, **settings})
    return llm, lambda: [request.body["messages"] for request in bedrock.requests]


def test_a_paused_turn_is_sent_back_without_a_prompt(
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


def test_a_pause_and_a_truncation_may_follow_each_other(
    serve: Serve, entrance: Entrance
) -> None:
    llm, _sent = paused(serve, max_tokens=5)
    message = entrance(llm, "Where?")
    assert message.text == "Let me look. It is Oslo, and that is all."
    assert continuation(message)["complete"]


def test_a_pause_without_progress_ends_the_turn(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Script(lambda _request: Answer(" ", stop_reason="pause_turn")))
    message = entrance(continuing_chat_bedrock(bedrock), "Hi")
    assert ending(message) == ("no_progress", False)
    assert len(bedrock.requests) <= 2

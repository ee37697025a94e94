"""A prefill that the service refuses is followed by a user turn, in the same call."""

from typing import Any

import pytest

from langchain_bedrock_continue._core.decisions import prefill_support
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, Request, Script
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation
from tests.support.models import MODEL, REFUSING_MODEL, model
from tests.support.scripts import echo
from tests.support.texts import TEXTS

OF_THE_MODEL = {
    "claude": "This model does not support assistant message prefill. "
    "The conversation must end with a user message.",
    "bedrock": "The model that you are using requires the last turn in the "
    "conversation to be a user message. Add a user message to the conversation and "
    "try again.",
    "others": "Prefilling assistant messages is not supported for this model.",
}
"""How a service says that a model never accepts a prefill."""

OF_THE_REQUEST = {
    "tools": "Your API request included an `assistant` message in the final position, "
    "which would pre-fill the `assistant` response. When using tools, pre-filling the "
    "`assistant` response is not supported.",
    "output format": "Your API request included an `assistant` message in the final "
    "position, which would pre-fill the `assistant` response. When using output "
    "format, pre-filling the `assistant` response is not supported.",
    "thinking": "messages.1.content.0.type: Expected `thinking` or "
    "`redacted_thinking`, but found `text`. When `thinking` is enabled, a final "
    "`assistant` message must start with a thinking block.",
    "thinking last": "messages.1: The final block in an assistant message cannot be "
    "`thinking`.",
}
"""How a service says that one request may not have a prefill."""


def refusing(text: str, refusal: str, status: int) -> Script:
    """Make a model that refuses each prefill, before the stream opens or within it."""
    fault = Fault("exception", "ValidationException", refusal, status=status)
    refused = Answer("?", faults=[FaultAt(fault, at=0, request=None)])

    def answer(request: Request) -> Any:
        if request.messages[-1]["role"] == "assistant":
            return refused
        return echo(text, request)

    return Script(answer)


@pytest.mark.parametrize("status", [400, 200], ids=["before", "in the stream"])
@pytest.mark.parametrize("name", [*OF_THE_MODEL, *OF_THE_REQUEST])
def test_a_refused_prefill_is_followed_by_a_user_turn(
    serve: Serve, every_entrance: Entrance, name: str, status: int
) -> None:
    refusal = {**OF_THE_MODEL, **OF_THE_REQUEST}[name]
    bedrock = serve(refusing(TEXTS["code"], refusal, status))
    message = every_entrance(model(bedrock, max_tokens=12), "Go on.")
    assert message.text == TEXTS["code"]
    summary = continuation(message)
    assert summary["strategy"] == "user_turn"
    assert len(summary["segments"]) == len(bedrock.requests) - 1


@pytest.mark.parametrize("name", OF_THE_MODEL)
def test_a_models_refusal_is_remembered_in_the_process(serve: Serve, name: str) -> None:
    bedrock = serve(refusing(TEXTS["code"], OF_THE_MODEL[name], 400))
    for refusals in (1, 0, 0):
        bedrock.clear()
        message = model(bedrock, max_tokens=12).invoke("Go on.")
        segments = len(continuation(message)["segments"])
        assert len(bedrock.requests) == segments + refusals
        assert message.text == TEXTS["code"]


@pytest.mark.parametrize("name", OF_THE_REQUEST)
def test_a_refusal_of_one_request_is_not_remembered(serve: Serve, name: str) -> None:
    bedrock = serve(refusing(TEXTS["code"], OF_THE_REQUEST[name], 400))
    model(bedrock, max_tokens=12).invoke("Go on.")
    assert prefill_support.supports_prefill(MODEL)


def test_another_error_is_not_taken_for_a_refusal(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(refusing(TEXTS["code"], "Something else is wrong.", 400))
    with pytest.raises(Exception, match="Something else is wrong"):
        every_entrance(model(bedrock, max_tokens=12), "Go on.")
    assert len(bedrock.requests) == 2


def test_a_refusal_of_the_callers_own_prefill_is_the_services_error(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve("x")
    with pytest.raises(Exception, match="must end with a user message"):
        every_entrance(
            model(bedrock, model=REFUSING_MODEL), [("user", "a"), ("ai", "b")]
        )


def test_text_that_was_removed_for_the_prefill_is_not_lost(
    serve: Serve, entrance: Entrance
) -> None:
    # Truncated after each token in turn: a prefill must end before whitespace, so text
    # is removed from its end; a user turn needs no such removal.
    text = "def f(x) {\n    return [\n        x,\n    ];\n}\n\nAnd so on.\n"
    for max_tokens in range(6, 30):
        prefill_support.forget_refusals()
        bedrock = serve(refusing(text, OF_THE_MODEL["claude"], 400))
        assert entrance(model(bedrock, max_tokens=max_tokens), "?").text == text

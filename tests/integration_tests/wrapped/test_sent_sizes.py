"""The metadata's `max_tokens` is what was sent, for each wrapped class."""

from typing import Any

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock
from tests.support.answers import WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, sent_sizes
from tests.support.models import chat_bedrock, plain_model
from tests.support.texts import LONG

LONG_CALL = Answer(
    ["Let me look. ", CallTool("weather", {"city": "word " * 200, "days": [1]})]
)

CONVERSE = "ChatBedrockConverse"

CLASSES: dict[str, Any] = {CONVERSE: plain_model, "ChatBedrock": chat_bedrock}

GIVEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "by the model": ({"max_tokens": 20}, {}),
    "by the call": ({"max_tokens": None}, {"max_tokens": 20}),
    "by both": ({"max_tokens": 20}, {"max_tokens": 30}),
    "by none": ({"max_tokens": None}, {}),
}


def wrapped(
    name: str, bedrock: LocalBedrock, **kwargs: Any
) -> ChatBedrock | ChatBedrockConverse:
    """Return a model of the class with that name."""
    model: ChatBedrock | ChatBedrockConverse = CLASSES[name](bedrock, **kwargs)
    return model


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", CLASSES)
def test_the_sizes_in_the_metadata_were_sent(
    serve: Serve, entrance: Entrance, name: str, given: str
) -> None:
    of_model, of_call = GIVEN[given]
    bedrock = serve(LONG_CALL)
    inner = wrapped(name, bedrock, **of_model)
    bare = entrance(inner.bind_tools(WEATHER_TOOLS), "Hi", **of_call)
    first = bedrock.requests[0].body
    bedrock.clear()
    llm = ChatBedrockContinuing(llm=inner).bind_tools(WEATHER_TOOLS)
    message = entrance(llm, "Hi", **of_call)
    entries = continuation(message)["segments"]
    assert [entry["max_tokens"] for entry in entries] == sent_sizes(bedrock)
    assert bedrock.requests[0].body == first
    assert message.tool_calls
    assert message.text.startswith(bare.text)
    assert inner.max_tokens == of_model["max_tokens"]


@pytest.mark.parametrize("name", CLASSES)
def test_the_total_is_not_exceeded(serve: Serve, entrance: Entrance, name: str) -> None:
    bedrock = serve(LONG)
    llm = ChatBedrockContinuing(
        llm=wrapped(name, bedrock, max_tokens=10), max_total_tokens=15
    )
    message = entrance(llm, "Hi")
    assert sent_sizes(bedrock) == [10, 5]
    assert continuation(message)["ended_by"] == "max_total_tokens"
    assert continuation(message)["billed"]["output_tokens"] == 15

"""A wrapped ChatBedrock (InvokeModel) behaves as a wrapped ChatBedrockConverse."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from pydantic import ValidationError

from langchain_bedrock_continue import ChatBedrockContinuing, PrefillRefusedError
from langchain_bedrock_continue.local import Answer, Think
from tests.support.answers import WEATHER, WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, shape
from tests.support.models import (
    MODEL,
    REFUSING_MODEL,
    chat_bedrock,
    continuing_chat_bedrock,
)
from tests.support.scripts import continuing
from tests.support.texts import LONG

ROOM = {"max_tokens": 1000}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(LONG),
        Answer(["Let me look. ", WEATHER]),
        Answer([Think("Hm."), LONG]),
        Answer([]),
    ],
    ids=["text", "tool", "thinking", "nothing"],
)
def test_an_answer_that_is_not_truncated_is_the_same_message(
    serve: Serve, every_entrance: Entrance, answer: Answer
) -> None:
    bedrock = serve(answer)
    ours = shape(
        every_entrance(
            continuing_chat_bedrock(bedrock, **ROOM).bind_tools(WEATHER_TOOLS), "Hi"
        )
    )
    theirs = shape(
        every_entrance(chat_bedrock(bedrock, **ROOM).bind_tools(WEATHER_TOOLS), "Hi")
    )
    assert ours == theirs
    assert bedrock.requests[0].body == bedrock.requests[1].body


def test_a_truncated_text_is_complete(serve: Serve, every_entrance: Entrance) -> None:
    bedrock = serve(LONG)
    message = every_entrance(continuing_chat_bedrock(bedrock, max_tokens=5), "Hi")
    assert message.text == LONG
    summary = continuation(message)
    assert len(summary["segments"]) == len(bedrock.requests) > 2
    assert summary["segments"][0]["stop_reason"] == "max_tokens"
    assert {request.operation[:11] for request in bedrock.requests} == {"InvokeModel"}


def test_a_truncated_tool_call_is_retried_or_invalid(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(Answer([WEATHER]))
    for max_tokens in range(2, 10):
        llm = continuing_chat_bedrock(bedrock, max_tokens=max_tokens).bind_tools(
            WEATHER_TOOLS
        )
        message = every_entrance(llm, "Hi")
        for call in message.tool_calls:
            assert call["args"] == {"city": "Oslo", "days": [1, 2]}
        assert message.tool_calls or message.invalid_tool_calls


@pytest.mark.parametrize("signature", ["s1", ""])
@pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])
def test_thinking_that_nobody_asked_for_is_continued(
    serve: Serve, entrance: Entrance, name: str, signature: str
) -> None:
    bedrock = serve(continuing(Answer([Think("Hm.", signature=signature), LONG])))
    message = entrance(continuing_chat_bedrock(bedrock, model=name), "Hi")
    assert message.text == LONG
    assert len(bedrock.requests) > 1


def test_a_refused_prefill_is_an_error_with_the_partial_message(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    inner = chat_bedrock(bedrock, model=REFUSING_MODEL, max_tokens=5)
    llm = ChatBedrockContinuing(llm=inner, strategy="prefill")
    with pytest.raises(PrefillRefusedError) as raised:
        every_entrance(llm, "Hi")
    assert LONG.startswith(raised.value.partial.text)


def test_a_model_of_one_prompt_is_refused(serve: Serve) -> None:
    with pytest.raises(ValidationError, match="Use ChatBedrockConverse"):
        continuing_chat_bedrock(serve("x"), model="meta.llama3-8b-instruct-v1:0")


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_partial_with_thinking_is_resumed(serve: Serve, version: str) -> None:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    settings = {"output_version": version, "model_kwargs": thinking}
    text = " ".join(f"This is sentence {number}." for number in range(300))
    bedrock = serve(continuing(Answer([Think("Hm."), text])))
    llm = continuing_chat_bedrock(bedrock, max_tokens=1100, **settings)
    partial = ChatBedrockContinuing(llm=llm.llm, max_continuations=0).invoke("Hi")
    assert not continuation(partial)["complete"]
    message = llm.resume([HumanMessage("Hi")], partial)
    assert message.text == text
    types = {"v0": ["thinking", "text"], "v1": ["reasoning", "text"]}
    blocks: list[Any] = list(message.content)
    assert [block["type"] for block in blocks] == types[version]

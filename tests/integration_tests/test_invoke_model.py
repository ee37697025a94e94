"""ChatBedrock (InvokeModel) under the wrapper: the same promises."""

from typing import Any

import pytest
from langchain_aws import ChatBedrock
from langchain_core.messages import HumanMessage
from pydantic import ValidationError

from langchain_bedrock_continue import ChatBedrockContinuing, PrefillRefusedError
from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock, Think
from tests.integration_tests.conftest import REFUSING_MODEL, Serve, arguments
from tests.integration_tests.test_shape import LONG, TOOLS, shape
from tests.support.entrances import Entrance
from tests.support.tool_models import going_on

READ = CallTool("weather", {"city": "Oslo", "days": [1, 2]}, tool_use_id="t1")
WHOLE = {"max_tokens": 1000}


def chat_bedrock(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrock:
    given = arguments(bedrock, **kwargs)
    return ChatBedrock(**{**given, "region": "us-east-1"})


def wrapped(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
    return ChatBedrockContinuing(llm=chat_bedrock(bedrock, **kwargs))


@pytest.mark.parametrize(
    "answer",
    [Answer(LONG), Answer(["Let me look. ", READ]), Answer([Think("Hm."), LONG])],
    ids=["text", "tool", "thinking"],
)
def test_an_uncut_answer_is_the_same_message(
    serve: Serve, entrance: Entrance, answer: Answer
) -> None:
    bedrock = serve(answer)
    ours = shape(entrance(wrapped(bedrock, **WHOLE).bind_tools(TOOLS), "Hi"))
    theirs = shape(entrance(chat_bedrock(bedrock, **WHOLE).bind_tools(TOOLS), "Hi"))
    assert ours == theirs
    assert bedrock.requests[0].body == bedrock.requests[1].body


def test_text_that_was_cut_comes_back_whole(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(LONG)
    message = entrance(wrapped(bedrock, max_tokens=5), "Hi")
    assert message.text == LONG
    summary = message.response_metadata["continuation"]
    assert len(summary["segments"]) == len(bedrock.requests) > 2
    assert summary["segments"][0]["stop_reason"] == "max_tokens"
    assert {request.operation[:11] for request in bedrock.requests} == {"InvokeModel"}


def test_a_cut_tool_call_is_invalid(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(Answer([READ]))
    for max_tokens in range(2, 10):
        llm = wrapped(bedrock, max_tokens=max_tokens).bind_tools(TOOLS)
        message = entrance(llm, "Hi")
        for call in message.tool_calls:
            assert call["args"] == {"city": "Oslo", "days": [1, 2]}
        assert message.tool_calls or message.invalid_tool_calls


def test_a_refused_prefill_is_an_error_with_the_partial(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    inner = chat_bedrock(bedrock, model=REFUSING_MODEL, max_tokens=5)
    llm = ChatBedrockContinuing(llm=inner, strategy="prefill")
    with pytest.raises(PrefillRefusedError) as raised:
        entrance(llm, "Hi")
    assert LONG.startswith(raised.value.partial.text)


def test_a_model_that_takes_one_prompt_is_refused(serve: Serve) -> None:
    with pytest.raises(ValidationError, match="Use ChatBedrockConverse"):
        wrapped(serve("x"), model="meta.llama3-8b-instruct-v1:0")


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_partial_with_thinking_is_resumed(serve: Serve, version: str) -> None:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    settings = {"output_version": version, "model_kwargs": thinking}
    text = " ".join(f"This is sentence {number}." for number in range(300))
    bedrock = serve(going_on(Answer([Think("Hm."), text])))
    llm = wrapped(bedrock, max_tokens=1100, **settings)
    partial = ChatBedrockContinuing(llm=llm.llm, max_continuations=0).invoke("Hi")
    assert not partial.response_metadata["continuation"]["complete"]
    message = llm.resume([HumanMessage("Hi")], partial)
    assert message.text == text
    types = {"v0": ["thinking", "text"], "v1": ["reasoning", "text"]}
    blocks: list[Any] = list(message.content)
    assert [block["type"] for block in blocks] == types[version]

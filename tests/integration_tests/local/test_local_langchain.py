"""ChatBedrockConverse against the local endpoint."""

from collections.abc import Iterator

import pytest
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.tools import tool

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    Script,
    Think,
)
from tests.support.models import MODEL

ANSWER = Answer(
    [Think("Mm.", signature="sig"), "Hello.", CallTool("get", {"city": "Oslo"}, "t1")]
)


@tool
def get(city: str) -> str:
    """Get a city's weather."""
    return city


@pytest.fixture
def llm() -> Iterator[ChatBedrockConverse]:
    with LocalBedrock(Script([ANSWER, "Cold."])) as bedrock:
        yield ChatBedrockConverse(model=MODEL, **bedrock.client_kwargs())


def streamed(chunks: Iterator[BaseMessage]) -> AIMessageChunk:
    message = AIMessageChunk(content="")
    for chunk in chunks:
        assert isinstance(chunk, AIMessageChunk)
        message += chunk
    return message


def test_invoke_and_stream(llm: ChatBedrockConverse) -> None:
    bound = llm.bind_tools([get])
    for message in (bound.invoke("Hi"), streamed(bound.stream("Hi"))):
        kinds = [b["type"] for b in message.content_blocks]
        assert kinds == ["reasoning", "text", "tool_call"]
        assert message.text == "Hello."
        assert isinstance(message, AIMessage)
        assert message.tool_calls == [
            tool_call(name="get", args={"city": "Oslo"}, id="t1")
        ]
        assert message.response_metadata["stopReason"] == "tool_use"
        assert message.usage_metadata is not None
        assert message.usage_metadata["output_tokens"] > 0


def test_a_tool_call_and_its_result(llm: ChatBedrockConverse) -> None:
    bound = llm.bind_tools([get])
    question = HumanMessage("Weather?")
    call = bound.invoke([question])
    assert isinstance(call, AIMessage)
    result = get.invoke(call.tool_calls[0])
    assert bound.invoke([question, call, result]).text == "Cold."


async def test_async(llm: ChatBedrockConverse) -> None:
    assert (await llm.ainvoke("Hi")).text == "Hello."


def test_segments_over_prefills_join_to_the_full_text() -> None:
    text = "def f(x):\n    return {\n        'a': x,\n    }\n\nThat is all.\n"
    with LocalBedrock(Script(text)) as bedrock:
        llm = ChatBedrockConverse(model=MODEL, max_tokens=5, **bedrock.client_kwargs())
        so_far, stop_reason = "", "max_tokens"
        while stop_reason == "max_tokens":
            sent = so_far.rstrip()
            prefill = [AIMessage(sent)] if sent else []
            message = llm.invoke([HumanMessage("Go"), *prefill])
            so_far, stop_reason = (
                sent + message.text,
                message.response_metadata["stopReason"],
            )
        assert so_far == text
        assert len(bedrock.requests) == 5


def test_an_application_inference_profile_resolves_to_its_model() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    with LocalBedrock(
        Script("Hi."), profiles={arn: "us.anthropic.claude-sonnet-5"}
    ) as bedrock:
        llm = ChatBedrockConverse(
            model=arn, provider="anthropic", **bedrock.client_kwargs()
        )
        assert llm.base_model_id == "anthropic.claude-sonnet-5"
        assert llm.invoke("Hi").text == "Hi."

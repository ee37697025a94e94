"""Thinking sent back, over real HTTP and ChatBedrockConverse."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_bedrock_continue.local import (
    Answer,
    LocalBedrock,
    Request,
    Script,
    Think,
)
from langchain_bedrock_continue.local.rules.models import rules_for

CLAUDE_5 = "us.anthropic.claude-sonnet-5"
OPUS_5_5 = "us.anthropic.claude-opus-5-5"
ADAPTIVE = {"thinking": {"type": "adaptive"}}
DROP = {"prefix_mismatch_behavior": "drop_block"}
BOUND = "bound to a different conversation"


def sampling_model() -> Callable[[Request], Answer]:
    """Return a model with another answer for each request."""
    numbers = itertools.count(1)

    def answer(_: Request) -> Answer:
        n = next(numbers)
        return Answer([Think(f"Thought {n}.", signature=f"s{n}"), f"Words {n}."])

    return answer


def chat_model(bedrock: LocalBedrock, model: str, **fields: Any) -> ChatBedrockConverse:
    extra = {"thinking": {"type": "adaptive", **fields}}
    return ChatBedrockConverse(
        model=model,
        max_tokens=100,
        additional_model_request_fields=extra,
        **bedrock.client_kwargs(),
    )


def two_segments(
    llm: ChatBedrockConverse,
) -> tuple[list[BaseMessage], AIMessage, AIMessage]:
    """Return a question and two segments of its turn, the second by a user turn."""
    question: list[BaseMessage] = [HumanMessage("Go.")]
    first = llm.invoke(question)
    second = llm.invoke([*question, first, HumanMessage("Continue.")])
    assert first.content != second.content
    return question, first, second


@pytest.mark.parametrize("model", [CLAUDE_5, OPUS_5_5])
def test_a_stitched_message_with_the_first_segments_thinking_is_accepted(
    model: str,
) -> None:
    with LocalBedrock(Script(sampling_model())) as bedrock:
        llm = chat_model(bedrock, model)
        question, first, second = two_segments(llm)
        content = [*first.content, second.content[-1]]
        llm.invoke([*question, AIMessage(content), HumanMessage("Thanks.")])
        sent = bedrock.requests[-1].body["messages"][1]["content"]
        assert [next(iter(block)) for block in sent] == [
            "reasoningContent",
            "text",
            "text",
        ]


def test_a_later_segments_thinking_is_refused_if_thinking_is_bound() -> None:
    with LocalBedrock(Script(sampling_model())) as bedrock:
        llm = chat_model(bedrock, OPUS_5_5)
        question, first, second = two_segments(llm)
        stitched = AIMessage([*first.content, *second.content])
        later = [*question, stitched, HumanMessage("Thanks.")]
        with pytest.raises(ClientError, match=BOUND):
            llm.invoke(later)
        chat_model(bedrock, OPUS_5_5, block_binding=DROP).invoke(later)
        chat_model(bedrock, CLAUDE_5).invoke(later)


def test_a_streamed_message_is_accepted_too() -> None:
    with LocalBedrock(Script(sampling_model())) as bedrock:
        llm = chat_model(bedrock, OPUS_5_5)
        chunks = llm.stream("Go.")
        message = next(chunks)
        for chunk in chunks:
            message += chunk
        history = [HumanMessage("Go."), message, HumanMessage("Thanks.")]
        llm.invoke(history)
        with pytest.raises(ClientError, match=BOUND):
            llm.invoke([HumanMessage("Went."), *history[1:]])


LIMITED = [
    "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    CLAUDE_5,
    "us.amazon.nova-lite-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "us.meta.llama4-scout-17b-instruct-v1:0",
    "mistral.mistral-large-2402-v1:0",
    "qwen.qwen3-32b-v1:0",
]


@pytest.mark.parametrize("model", LIMITED)
def test_max_tokens_above_the_models_limit_is_refused(model: str) -> None:
    known = rules_for(model)
    assert known is not None
    limit = known.max_output_tokens or 0
    hi = [{"role": "user", "content": [{"text": "Hi"}]}]
    with LocalBedrock(Script("Hello.")) as bedrock:
        client = bedrock.boto3_client()

        def converse(max_tokens: int) -> Any:
            inference = {"maxTokens": max_tokens}
            return client.converse(
                modelId=model, messages=hi, inferenceConfig=inference
            )

        assert converse(limit)["stopReason"] == "end_turn"
        with pytest.raises(ClientError) as caught:
            converse(limit + 1)
    assert caught.value.response["Error"]["Message"] == (
        f"The maximum tokens you requested exceeds the model limit of {limit}. Try "
        f"again with a maximum tokens value that is lower than {limit}."
    )


@pytest.mark.parametrize("model", [m for m in LIMITED if "claude" in m])
@pytest.mark.parametrize("stream", [False, True])
def test_invoke_model_refuses_max_tokens_above_the_limit(
    model: str, stream: bool
) -> None:
    known = rules_for(model)
    assert known is not None
    limit = known.max_output_tokens or 0
    with LocalBedrock(Script("Hello.")) as bedrock:
        client = bedrock.boto3_client()
        invoke = client.invoke_model
        if stream:
            invoke = client.invoke_model_with_response_stream

        def invoke_with(max_tokens: int) -> Any:
            body = {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": max_tokens,
                "messages": [{"role": "user", "content": "Hi"}],
            }
            response = invoke(modelId=model, body=json.dumps(body))
            return list(response["body"])

        assert invoke_with(limit)
        with pytest.raises(ClientError, match=f"exceeds the model limit of {limit}. "):
            invoke_with(limit + 1)

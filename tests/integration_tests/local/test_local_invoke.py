"""InvokeModel with Anthropic's body, over real boto3 and ChatBedrock."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from langchain_aws import ChatBedrock
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Script,
    Think,
)
from tests.support.models import MODEL

ANSWER = Answer(
    [Think("Mm hm.", signature="sig"), "Hello there.", CallTool("get", {"a": 1}, "t1")]
)


def body(*more: dict[str, Any], max_tokens: int = 100) -> str:
    messages = [{"role": "user", "content": "Hi"}, *more]
    return json.dumps(
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": max_tokens,
            "messages": messages,
        }
    )


@pytest.fixture
def bedrock() -> Iterator[LocalBedrock]:
    with LocalBedrock(Script(ANSWER)) as running:
        yield running


def test_invoke_model(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    response = client.invoke_model(modelId=MODEL, body=body())
    message = json.load(response["body"])
    assert response["contentType"] == "application/json"
    assert [block["type"] for block in message["content"]] == [
        "thinking",
        "text",
        "tool_use",
    ]
    assert message["stop_reason"] == "tool_use"
    counted = client.count_tokens(
        modelId=MODEL, input={"invokeModel": {"body": body()}}
    )
    assert counted["inputTokens"] == message["usage"]["input_tokens"]
    operations = [r.operation for r in bedrock.requests]
    assert operations == ["InvokeModel", "CountTokens"]
    assert bedrock.requests[0].body == json.loads(body())


def test_invoke_model_with_response_stream(bedrock: LocalBedrock) -> None:
    response = bedrock.boto3_client().invoke_model_with_response_stream(
        modelId=MODEL, body=body()
    )
    assert response["contentType"] == "application/json"
    events = [json.loads(event["chunk"]["bytes"]) for event in response["body"]]
    assert events[0]["type"] == "message_start"
    assert [e["type"] for e in events[-2:]] == ["message_delta", "message_stop"]
    deltas = [e["delta"] for e in events if e["type"] == "content_block_delta"]
    assert "".join(d.get("text", "") for d in deltas) == "Hello there."


def test_a_truncation_after_a_prefill(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    prefill = {"role": "assistant", "content": "Hello"}
    request_body = body(prefill, max_tokens=1)
    message = json.load(client.invoke_model(modelId=MODEL, body=request_body)["body"])
    assert message["content"] == [{"type": "text", "text": " there"}]
    assert message["stop_reason"] == "max_tokens"


def test_a_refusal_has_the_vendors_text(bedrock: LocalBedrock) -> None:
    prefill = {"role": "assistant", "content": "Hello "}
    with pytest.raises(ClientError) as caught:
        bedrock.boto3_client().invoke_model(modelId=MODEL, body=body(prefill))
    assert caught.value.response["Error"]["Message"] == (
        "messages: final assistant content cannot end with trailing whitespace"
    )


def test_a_fault_in_the_stream() -> None:
    fault = FaultAt(Fault("exception", "ModelStreamErrorException", "Oh no"), at=2)
    with LocalBedrock(Script(Answer("One two three", faults=[fault]))) as bedrock:
        response = bedrock.boto3_client().invoke_model_with_response_stream(
            modelId=MODEL, body=body()
        )
        stream = response["body"]
        with closing(stream), pytest.raises(EventStreamError, match="Oh no"):
            list(stream)


def test_chat_bedrock(bedrock: LocalBedrock) -> None:
    llm = ChatBedrock(
        model=MODEL,
        beta_use_converse_api=False,
        max_tokens=50,
        **bedrock.client_kwargs(),
    )
    invoked = llm.invoke("Hi")
    streamed = AIMessageChunk(content="")
    for chunk in llm.stream("Hi"):
        assert isinstance(chunk, AIMessageChunk)
        streamed += chunk
    for message in (invoked, streamed):
        assert message.text == "Hello there."
        assert message.response_metadata["stop_reason"] == "tool_use"
        assert message.tool_calls[0]["args"] == {"a": 1}
        assert message.usage_metadata is not None
        assert message.usage_metadata["output_tokens"] > 0
    assert invoked.usage_metadata == streamed.usage_metadata

"""InvokeModel with Amazon Nova's body, over real boto3."""

import json
from typing import Any

import pytest

from langchain_bedrock_continue.local import Answer, CallTool
from tests.support.endpoint import Serve
from tests.support.models import NOVA, client_of

TOOLS = {"tools": [{"toolSpec": {"name": "get", "inputSchema": {"json": {}}}}]}


def body(**more: Any) -> str:
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    return json.dumps({"schemaVersion": "messages-v1", "messages": messages, **more})


@pytest.mark.parametrize("name", ["maxTokens", "max_new_tokens"])
def test_a_response_has_the_shape_of_converse(serve: Serve, name: str) -> None:
    client = client_of(serve("One, two, three, four, five."))
    asked = body(inferenceConfig={name: 3, "topK": 20}, system=[{"text": "Count."}])
    answer = json.load(client.invoke_model(modelId=NOVA, body=asked)["body"])
    same = client.converse(
        modelId=NOVA,
        messages=[{"role": "user", "content": [{"text": "Hi"}]}],
        system=[{"text": "Count."}],
        inferenceConfig={"maxTokens": 3},
    )
    for key in ("output", "stopReason", "usage"):
        assert answer[key] == same[key]
    assert answer["stopReason"] == "max_tokens"


def test_a_stream_has_the_events_of_converse(serve: Serve) -> None:
    bedrock = serve(Answer(["Let me see.", CallTool("get", {"a": 1}, "t")]))
    asked = {"toolConfig": TOOLS, "inferenceConfig": {"maxTokens": 50}}
    client = client_of(bedrock)
    response = client.invoke_model_with_response_stream(
        modelId=NOVA, body=body(**asked)
    )
    chunks = [json.loads(event["chunk"]["bytes"]) for event in response["body"]]
    same = client.converse_stream(
        modelId=NOVA, messages=[{"role": "user", "content": [{"text": "Hi"}]}], **asked
    )
    events = list(same["stream"])
    for each in (chunks, events):
        each[-1]["metadata"].pop("metrics")
    assert chunks == events


def test_the_rules_apply(serve: Serve) -> None:
    client = client_of(serve("Hi"))
    bad: dict[str, Any]
    for bad in ({"inferenceConfig": {"maxTokens": 10**6}}, {"messages": []}):
        with pytest.raises(client.exceptions.ValidationException):
            client.invoke_model(modelId=NOVA, body=body(**bad))
    with pytest.raises(client.exceptions.ValidationException, match="messages"):
        client.invoke_model(modelId=NOVA, body="{}")
    tokens = client.count_tokens(modelId=NOVA, input={"invokeModel": {"body": body()}})
    assert tokens["inputTokens"] > 0

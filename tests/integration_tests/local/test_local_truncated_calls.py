"""Nova reports a truncated tool call as an error; other models return it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from langchain_bedrock_continue.local import Answer, CallTool
from tests.support.boto3_requests import HI
from tests.support.endpoint import Serve
from tests.support.models import MODEL, NOVA, client_of

ANSWER = Answer(["I write. ", CallTool("write", {"a": "x y z " * 20, "b": 1})])
TOOL: Any = {"toolSpec": {"name": "write", "inputSchema": {"json": {"type": "object"}}}}


def arguments(model_id: str, max_tokens: int) -> dict[str, Any]:
    return {
        "modelId": model_id,
        "messages": HI,
        "toolConfig": {"tools": [TOOL]},
        "inferenceConfig": {"maxTokens": max_tokens},
    }


@pytest.mark.parametrize("max_tokens", [5, 30])
def test_a_truncated_call_of_nova_is_a_model_error(
    serve: Serve, max_tokens: int
) -> None:
    client = client_of(serve(ANSWER))
    with pytest.raises(ClientError, match="invalid sequence as part of ToolUse") as one:
        client.converse(**arguments(NOVA, max_tokens))
    assert one.value.response["Error"]["Code"] == "ModelErrorException"
    stream = client.converse_stream(**arguments(NOVA, max_tokens))["stream"]
    events: list[Any] = []
    with pytest.raises(EventStreamError, match="invalid sequence") as streamed:
        events.extend(iter(stream))
    assert streamed.value.response["Error"]["Code"] == "modelStreamErrorException"


@pytest.mark.parametrize(
    ("model_id", "max_tokens", "stop_reason"),
    [(NOVA, 2, "max_tokens"), (NOVA, 500, "tool_use"), (MODEL, 30, "max_tokens")],
)
def test_every_other_response_is_returned(
    serve: Serve, model_id: str, max_tokens: int, stop_reason: str
) -> None:
    client = client_of(serve(ANSWER))
    response = client.converse(**arguments(model_id, max_tokens))
    assert response["stopReason"] == stop_reason
    stream = client.converse_stream(**arguments(model_id, max_tokens))["stream"]
    (stop,) = [event["messageStop"] for event in stream if "messageStop" in event]
    assert stop["stopReason"] == stop_reason

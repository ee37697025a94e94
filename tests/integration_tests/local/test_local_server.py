"""The operations of the local endpoint, over real HTTP and with real boto3."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    ModelRules,
    Request,
    Say,
    Script,
    Think,
)
from langchain_bedrock_continue.local.backend import Piece
from langchain_bedrock_continue.local.wire.http_request import MAX_BODY_BYTES
from tests.support.boto3_requests import HI
from tests.support.models import MODEL

CITED = {"title": "t", "location": {"documentChar": {"documentIndex": 0}}}
ANSWER = Answer(
    [
        Think("Mm hm", signature="sig"),
        Think(redacted=b"\x00\x01"),
        "Hello there.",
        Say("Cited", [CITED]),
        CallTool("get", {"city": "Oslo", "days": [1, 2]}),
    ],
    additional_fields={"stop_sequence": None},
)
ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.fixture
def bedrock() -> Iterator[LocalBedrock]:
    with LocalBedrock(Script(ANSWER)) as running:
        yield running


def post(bedrock: LocalBedrock, path: str, body: bytes) -> tuple[int, str, str]:
    """Send a request without boto3; return status, `x-amzn-ErrorType` and message."""
    request = urllib.request.Request(bedrock.endpoint_url + path, body)  # noqa: S310 - our own http
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
            return answer.status, "", ""
    except urllib.error.HTTPError as error:
        with error:
            message = json.load(error)["message"]
            return error.code, error.headers["x-amzn-ErrorType"], message


# Operations.


def test_converse(bedrock: LocalBedrock) -> None:
    response = bedrock.boto3_client().converse(modelId=MODEL, messages=HI)
    thought = {"text": "Mm hm", "signature": "sig"}
    cited = {"content": [{"text": "Cited"}], "citations": [CITED]}
    call = {"city": "Oslo", "days": [1, 2]}
    assert response["output"]["message"]["content"] == [
        {"reasoningContent": {"reasoningText": thought}},
        {"reasoningContent": {"redactedContent": b"\x00\x01"}},
        {"text": "Hello there."},
        {"citationsContent": cited},
        {"toolUse": {"toolUseId": "tooluse_0_4", "name": "get", "input": call}},
    ]
    assert response["stopReason"] == "tool_use"
    assert response["additionalModelResponseFields"] == {"stop_sequence": None}
    usage = response["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert isinstance(response["metrics"]["latencyMs"], int)


def test_converse_stream(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    events = list(client.converse_stream(modelId=MODEL, messages=HI)["stream"])
    names = [next(iter(event)) for event in events]
    assert names[0] == "messageStart"
    assert names[-2:] == ["messageStop", "metadata"]
    assert names.count("contentBlockStart") == 1
    assert names.count("contentBlockStop") == 5
    text = "".join(
        event["contentBlockDelta"]["delta"].get("text", "")
        for event in events
        if "contentBlockDelta" in event
    )
    assert text == "Hello there.Cited"
    response = client.converse(modelId=MODEL, messages=HI)
    assert events[-1]["metadata"]["usage"] == response["usage"]
    assert events[-2]["messageStop"] == {
        "stopReason": "tool_use",
        "additionalModelResponseFields": {"stop_sequence": None},
    }


def test_count_tokens(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    request = {"messages": HI, "system": [{"text": "Be brief."}]}
    counted = client.count_tokens(modelId=MODEL, input={"converse": request})
    used = client.converse(modelId=MODEL, **request)["usage"]["inputTokens"]
    assert counted["inputTokens"] == used


def test_fields_without_effect_are_accepted(bedrock: LocalBedrock) -> None:
    response = bedrock.boto3_client().converse(
        modelId=MODEL,
        messages=HI,
        guardrailConfig={"guardrailIdentifier": "abc", "guardrailVersion": "1"},
        performanceConfig={"latency": "optimized"},
        requestMetadata={"team": "a"},
        serviceTier={"type": "priority"},
        additionalModelResponseFieldPaths=["/stop_sequence"],
    )
    assert response["stopReason"] == "tool_use"


def test_a_broken_rule_is_a_validation_exception(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    prefilled = [*HI, {"role": "assistant", "content": [{"text": "a "}]}]
    for operation in (client.converse, client.converse_stream):
        with pytest.raises(client.exceptions.ValidationException) as caught:
            operation(modelId=MODEL, messages=prefilled)
        assert caught.value.response["Error"]["Message"] == (
            "The model returned the following errors: messages: final assistant "
            "content cannot end with trailing whitespace"
        )
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_unknown_model(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.converse(modelId="nonsense", messages=HI)
    message = caught.value.response["Error"]["Message"]
    assert message == "The provided model identifier is invalid."


@pytest.mark.parametrize(
    "model_id",
    [
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        ACCOUNT + ":inference-profile/us.anthropic.claude-sonnet-5",
    ],
)
def test_an_arn_as_model(bedrock: LocalBedrock, model_id: str) -> None:
    bedrock.boto3_client().converse(modelId=model_id, messages=HI)
    assert bedrock.requests[-1].model_id == model_id


def test_the_callers_rules_and_profiles() -> None:
    arn = ACCOUNT + ":application-inference-profile/abc"
    with LocalBedrock(
        Script("x"),
        profiles={arn: "us.amazon.nova-lite-v1:0"},
        models={"my.model": ModelRules(max_output_tokens=5)},
    ) as bedrock:
        client = bedrock.boto3_client()
        client.converse(modelId=arn, messages=HI)
        client.converse(modelId="my.model", messages=HI)
        with pytest.raises(ClientError, match="the model limit of 5"):
            client.converse(
                modelId="my.model", messages=HI, inferenceConfig={"maxTokens": 6}
            )


def test_cached_prefixes(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    long = [{"text": "word " * 1500}, {"cachePoint": {"type": "default"}}]
    usages = [
        client.converse(modelId=MODEL, messages=HI, system=long)["usage"]
        for _ in range(2)
    ]
    assert usages[0]["cacheWriteInputTokens"] >= 1500
    assert usages[0]["cacheDetails"][0]["ttl"] == "5m"
    assert usages[1]["cacheReadInputTokens"] == usages[0]["cacheWriteInputTokens"]
    assert usages[1]["cacheWriteInputTokens"] == 0
    assert usages[0]["totalTokens"] == usages[1]["totalTokens"]


# Requests.


def test_requests_are_recorded(bedrock: LocalBedrock) -> None:
    client = bedrock.boto3_client()
    first = client.converse(modelId=MODEL, messages=HI)
    with pytest.raises(ClientError):
        client.converse_stream(modelId=MODEL, messages=[])
    recorded = bedrock.requests
    assert [r.operation for r in recorded] == ["Converse", "ConverseStream"]
    assert [r.body["messages"] for r in recorded] == [HI, []]
    assert recorded[0].model_id == MODEL
    assert recorded[0].request_id == first["ResponseMetadata"]["RequestId"]
    bedrock.clear()
    assert bedrock.requests == []
    assert len(recorded) == 2


def test_an_unknown_operation(bedrock: LocalBedrock) -> None:
    status, code, message = post(bedrock, "/model/x/teleport", b"{}")
    assert (status, code) == (404, "UnknownOperationException")
    assert "/model/x/teleport" in message
    assert "/converse-stream" in message


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        (b"{", 400, "SerializationException", "not valid JSON"),
        (b"[" * 100_000, 400, "SerializationException", "not valid JSON"),
        (b"[]", 400, "SerializationException", "JSON object"),
        (b'{"messages": 5}', 400, "ValidationException", "parameter messages"),
        (b'{"message": []}', 400, "ValidationException", '"message"'),
        (
            b" " * (MAX_BODY_BYTES + 1),
            400,
            "ValidationException",
            "length less than or equal to 25000000",
        ),
    ],
)
def test_a_malformed_body(
    bedrock: LocalBedrock, body: bytes, status: int, code: str, message: str
) -> None:
    got = post(bedrock, f"/model/{MODEL}/converse", body)
    assert got[0] == status
    assert code in got[1]
    assert message in got[2]


def test_concurrent_requests() -> None:
    """Each answer waits until all requests have reached the backend."""

    class Barrier(Script):
        arrived = 0
        complete = asyncio.Event()

        async def generate(self, request: Request) -> AsyncIterator[Piece]:
            self.arrived += 1
            if self.arrived == 32:
                self.complete.set()
            await self.complete.wait()
            async for piece in super().generate(request):
                yield piece

    def answer_is_right(i: int) -> bool:
        request = [{"role": "user", "content": [{"text": f"number {i}"}]}]
        if i % 2:
            response = client.converse(modelId=MODEL, messages=request)
            text = response["output"]["message"]["content"][0]["text"]
        else:
            events = client.converse_stream(modelId=MODEL, messages=request)["stream"]
            deltas = [
                e["contentBlockDelta"] for e in events if "contentBlockDelta" in e
            ]
            text = "".join(d["delta"]["text"] for d in deltas)
        return bool(text == f"You said number {i}.")

    script = Barrier(
        lambda request: f"You said {request.messages[0]['content'][0]['text']}."
    )
    with LocalBedrock(script) as bedrock, ThreadPoolExecutor(32) as pool:
        client = bedrock.boto3_client(Config(max_pool_connections=32))
        assert all(pool.map(answer_is_right, range(32)))
        ids = {r.request_id for r in bedrock.requests}
        assert len(ids) == 32

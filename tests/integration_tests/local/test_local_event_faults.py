"""Every fault at every event of a stream, in both stream operations (RESPONDER-1)."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import botocore.eventstream
import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.config import Config

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
    Script,
    Think,
)
from tests.support.models import MODEL

CONTENT: list[str | Think | CallTool] = [
    Think("Mm."),
    "Hi.",
    CallTool("f", {"a": 1}),
    CallTool("g", {}),
]
ONCE = Config(retries={"total_max_attempts": 1}, max_pool_connections=30)
# All silent streams are read at the same time.
SHORT_TIMEOUT = ONCE.merge(Config(read_timeout=3))
OPERATIONS = ["ConverseStream", "InvokeModelWithResponseStream"]

CODES = {
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ModelStreamErrorException": 424,
    "ServiceUnavailableException": 503,
    "ValidationException": 400,
}
RAISES: list[tuple[Fault, type[Exception]]] = [
    *(
        (Fault("exception", code, "Oh no.", n), botocore.exceptions.ClientError)
        for code, n in CODES.items()
    ),
    (
        Fault("exception", message="Oh no.", status=200),
        botocore.exceptions.EventStreamError,
    ),
    (Fault("unknown_exception"), botocore.exceptions.EventStreamError),
    (Fault("close"), urllib3.exceptions.ProtocolError),
    (Fault("silence"), urllib3.exceptions.ReadTimeoutError),
    (Fault("checksum"), botocore.eventstream.ChecksumMismatch),
]


def hi(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"text": text}]}]


def events(client: Any, operation: str, text: str = "0") -> Iterator[Any]:
    """Yield the events of one stream, without values that differ between streams."""
    if operation == "ConverseStream":
        stream = client.converse_stream(modelId=MODEL, messages=hi(text))["stream"]
        with closing(stream):
            for event in stream:
                event.get("metadata", {}).pop("metrics", None)
                yield event
        return
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
    }
    request = {"modelId": MODEL, "body": json.dumps(body)}
    stream = client.invoke_model_with_response_stream(**request)["body"]
    with closing(stream):
        for event in stream:
            chunk = json.loads(event["chunk"]["bytes"])
            chunk.get("message", {}).pop("id", None)
            chunk.pop("amazon-bedrock-invocationMetrics", None)
            yield chunk


def fault_free(operation: str) -> list[Any]:
    with LocalBedrock(Script(Answer(CONTENT))) as bedrock:
        return list(events(bedrock.boto3_client(), operation))


def fail_at_each_event(
    fault: Fault, operation: str, places: int
) -> list[tuple[list[Any], Exception | None]]:
    """Return the events before the fault, and the error, for a fault at each event."""

    def answer_with_fault(request: Request) -> Answer:
        place = int(request.messages[0]["content"][0]["text"])
        return Answer(CONTENT, faults=[FaultAt(fault, event=place)])

    def fail_at(place: int) -> tuple[list[Any], Exception | None]:
        arrived: list[Any] = []
        try:
            for event in events(client, operation, str(place)):
                arrived.append(event)  # noqa: PERF402 - the events before an error count
        except Exception as error:  # noqa: BLE001 - the tests check it
            return arrived, error
        return arrived, None

    with (
        LocalBedrock(Script(answer_with_fault)) as bedrock,
        ThreadPoolExecutor(30) as pool,
    ):
        client = bedrock.boto3_client(
            SHORT_TIMEOUT if fault.kind == "silence" else ONCE
        )
        return list(pool.map(fail_at, range(places)))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("fault", "raises"),
    RAISES,
    ids=[f"{f.kind} {f.code if f.kind == 'exception' else ''}" for f, _ in RAISES],
)
def test_every_failure_at_every_event(
    operation: str, fault: Fault, raises: type[Exception]
) -> None:
    all_events = fault_free(operation)
    for n, (arrived, error) in enumerate(
        fail_at_each_event(fault, operation, len(all_events) + 1)
    ):
        assert arrived == all_events[:n]
        assert isinstance(error, raises)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_clean_end_at_every_event(operation: str) -> None:
    all_events = fault_free(operation)
    found = fail_at_each_event(Fault("no_stop"), operation, len(all_events) + 1)
    assert found == [(all_events[:n], None) for n in range(len(all_events) + 1)]


def test_the_stream_has_the_events_that_matter() -> None:
    """Also before a first delta, and between messageStop and metadata."""
    names = [next(iter(event)) for event in fault_free("ConverseStream")]
    assert names[0] == "messageStart"
    assert names[-2:] == ["messageStop", "metadata"]
    start = names.index("contentBlockStart")
    assert names[start + 1] == "contentBlockDelta"
    assert (names.count("contentBlockStart"), names.count("contentBlockStop")) == (2, 4)
    types = [event["type"] for event in fault_free("InvokeModelWithResponseStream")]
    assert types[:3] == ["message_start", "content_block_start", "content_block_delta"]
    assert types[-2:] == ["message_delta", "message_stop"]


def test_a_fault_before_the_first_event_is_an_http_error() -> None:
    fault = Fault("exception", "ThrottlingException", "Slow down.", 429)
    place = FaultAt(fault, event=0)
    with LocalBedrock(Script(Answer(CONTENT, faults=[place]))) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(client.exceptions.ThrottlingException, match="Slow down"):
            client.converse_stream(modelId=MODEL, messages=hi("0"))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "place", [FaultAt(Fault("close"), at=99), FaultAt(Fault("close"), event=99)]
)
def test_a_fault_after_the_last_event_is_an_error(
    operation: str, place: FaultAt
) -> None:
    """HTTP-4: botocore does not retry the error, and the error names the field."""
    count = len(fault_free(operation))
    with LocalBedrock(Script(Answer(CONTENT, faults=[place]))) as bedrock:
        text = r"FaultAt\.at=99: the response has only 1\d pieces"
        if place.event is not None:
            text = rf"FaultAt\.event=99: the stream has only {count} events"
        with pytest.raises(botocore.exceptions.ClientError, match=text):
            list(events(bedrock.boto3_client(), operation))
        assert len(bedrock.requests) == 1


def test_a_fault_at_an_event_of_a_response_without_a_stream() -> None:
    place = FaultAt(Fault("exception", "ModelErrorException", "Oh no.", 424), event=5)
    with LocalBedrock(Script(Answer(CONTENT, faults=[place]))) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(client.exceptions.ModelErrorException, match="Oh no"):
            client.converse(modelId=MODEL, messages=hi("0"))

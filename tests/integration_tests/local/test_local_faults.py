"""Each fault of a stream, as botocore reports it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

import botocore.eventstream
import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.config import Config
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Script,
)
from tests.support.boto3_requests import HI, ONCE
from tests.support.models import MODEL

TEXT = "One two three."
# Long enough for a busy machine to send a response.
SHORT_TIMEOUT = ONCE.merge(Config(read_timeout=1))


def endpoint_with_fault(fault: Fault, at: int = 2) -> LocalBedrock:
    return LocalBedrock(Script(Answer(TEXT, faults=[FaultAt(fault, at)])))


def read(bedrock: LocalBedrock, config: Config = ONCE) -> Iterator[dict[str, Any]]:
    client = bedrock.boto3_client(config)
    stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
    # botocore leaves the socket open after an error.
    with closing(stream):
        yield from stream


def text_before(
    fault: Fault, raises: AbstractContextManager[Any], at: int = 2
) -> tuple[str, list[str]]:
    """Return the text before the error, and the names of all events."""
    text = ""
    names: list[str] = []
    config = SHORT_TIMEOUT if fault.kind == "silence" else ONCE
    with endpoint_with_fault(fault, at) as bedrock, raises:
        for event in read(bedrock, config):
            names += event
            delta = event.get("contentBlockDelta", {"delta": {}})["delta"]
            text += delta.get("text", "")
    return text, names


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 429),
        ("InternalServerException", 500),
        ("ModelStreamErrorException", 424),
        ("ServiceUnavailableException", 503),
        ("ValidationException", 400),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 2, -1])
def test_an_exception_is_an_http_error_or_an_event(
    code: str, status: int, at: int
) -> None:
    """Before the first piece: an HTTP error. Later: an exception event."""
    fault = Fault("exception", code, "Oh no.", status)
    raises = pytest.raises(botocore.exceptions.ClientError, match="Oh no")
    text, _ = text_before(fault, raises, at)
    assert raises.excinfo is not None
    error = raises.excinfo.value
    in_stream = isinstance(error, botocore.exceptions.EventStreamError)
    assert in_stream == (at != 0)
    lower = code[0].lower() + code[1:]
    assert error.response["Error"]["Code"] == (lower if in_stream else code)
    assert text == {0: "", 1: "One", 2: "One two", -1: TEXT}[at]
    if not in_stream:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_refusal_after_http_200() -> None:
    fault = Fault("exception", "ValidationException", "No prefill.", status=200)
    raises = pytest.raises(botocore.exceptions.EventStreamError, match="No prefill")
    assert text_before(fault, raises, at=0) == ("", ["messageStart"])
    assert raises.excinfo is not None
    error = raises.excinfo.value.response["Error"]
    assert error["Code"] == "validationException"


def test_an_exception_that_the_service_model_does_not_have() -> None:
    raises = pytest.raises(botocore.exceptions.EventStreamError)
    text, _ = text_before(Fault("unknown_exception"), raises)
    assert raises.excinfo is not None
    error = raises.excinfo.value.response["Error"]
    assert (text, error.get("Code"), error.get("Message")) == ("One two", "", "")


@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_clean_end_without_message_stop(at: int) -> None:
    with endpoint_with_fault(Fault("no_stop"), at) as bedrock:
        names = [next(iter(event)) for event in read(bedrock)]
    assert names[0] == "messageStart"
    assert "messageStop" not in names


def test_langchain_detects_a_missing_message_stop() -> None:
    with endpoint_with_fault(Fault("no_stop")) as bedrock:
        llm = ChatBedrockConverse(model=MODEL, **bedrock.client_kwargs())
        with pytest.raises(ConnectionError, match="missing messageStop"):
            list(llm.stream("Hi"))


@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_closed_socket(at: int) -> None:
    raises = pytest.raises(urllib3.exceptions.ProtocolError)
    _, names = text_before(Fault("close"), raises, at)
    assert names[0] == "messageStart"
    assert "messageStop" not in names


@pytest.mark.parametrize("at", [0, 2, -1])
def test_silence(at: int) -> None:
    raises = pytest.raises(urllib3.exceptions.ReadTimeoutError)
    _, names = text_before(Fault("silence"), raises, at)
    assert names[0] == "messageStart"
    assert "messageStop" not in names


def test_a_wrong_checksum() -> None:
    raises = pytest.raises(botocore.eventstream.ChecksumMismatch)
    text, _ = text_before(Fault("checksum"), raises)
    assert text == "One two"


def test_no_metadata() -> None:
    with endpoint_with_fault(Fault("no_metadata")) as bedrock:
        names = [next(iter(event)) for event in read(bedrock)]
        assert names[-1] == "messageStop"
        bedrock.clear()
    with endpoint_with_fault(Fault("no_metadata")) as bedrock:
        llm = ChatBedrockConverse(model=MODEL, **bedrock.client_kwargs())
        message = AIMessageChunk(content="")
        for chunk in llm.stream("Hi"):
            message += chunk
    assert message.text == TEXT
    assert message.usage_metadata is None


# Without a stream.


@pytest.mark.parametrize("kind", ["exception", "unknown_exception"])
def test_an_exception_of_converse_has_its_status(kind: Any) -> None:
    fault = Fault(kind, "ModelErrorException", "Oh no.", 424)
    with endpoint_with_fault(fault) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(client.exceptions.ModelErrorException, match="Oh no"):
            client.converse(modelId=MODEL, messages=HI)


@pytest.mark.parametrize("kind", ["close", "no_stop", "checksum"])
def test_a_fault_closes_the_connection_of_converse(kind: Any) -> None:
    """RESPONDER-2."""
    with endpoint_with_fault(Fault(kind)) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(botocore.exceptions.ConnectionClosedError):
            client.converse(modelId=MODEL, messages=HI)


def test_a_silent_converse() -> None:
    with endpoint_with_fault(Fault("silence")) as bedrock:
        client = bedrock.boto3_client(SHORT_TIMEOUT)
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            client.converse(modelId=MODEL, messages=HI)


def test_converse_ignores_no_metadata() -> None:
    with endpoint_with_fault(Fault("no_metadata")) as bedrock:
        response = bedrock.boto3_client().converse(modelId=MODEL, messages=HI)
    assert response["output"]["message"]["content"] == [{"text": TEXT}]


def test_botocore_retries_a_failure_before_the_stream() -> None:
    with endpoint_with_fault(Fault("exception", status=429), at=0) as bedrock:
        standard = Config(retries={"mode": "standard", "total_max_attempts": 2})
        client = bedrock.boto3_client(standard)
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        assert "metadata" in list(stream)[-1]
        assert len(bedrock.requests) == 2

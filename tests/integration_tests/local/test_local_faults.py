"""Each way in which a stream fails, as botocore reports it."""

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

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
HI: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "Hi"}]}]
TEXT = "One two three."
ONCE = Config(retries={"total_max_attempts": 1})
# Long enough for a busy machine to answer at all.
IMPATIENT = ONCE.merge(Config(read_timeout=1))


def failing(fault: Fault, at: int = 2) -> LocalBedrock:
    return LocalBedrock(Script(Answer(TEXT, faults=[FaultAt(fault, at)])))


def read(bedrock: LocalBedrock, config: Config = ONCE) -> Iterator[dict[str, Any]]:
    client = bedrock.boto3_client(config)
    stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
    # After an error botocore leaves the socket open.
    with closing(stream):
        yield from stream


def text_before(
    fault: Fault, raises: AbstractContextManager[Any], at: int = 2
) -> tuple[str, list[str]]:
    """The text that arrived before the error, and the names of the events."""
    text = ""
    names: list[str] = []
    config = IMPATIENT if fault.kind == "silence" else ONCE
    with failing(fault, at) as bedrock, raises:
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
def test_an_exception(code: str, status: int, at: int) -> None:
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


def test_a_rejection_after_http_200() -> None:
    fault = Fault("exception", "ValidationException", "No prefill.", status=200)
    raises = pytest.raises(botocore.exceptions.EventStreamError, match="No prefill")
    assert text_before(fault, raises, at=0) == ("", ["messageStart"])
    assert raises.excinfo is not None
    error = raises.excinfo.value.response["Error"]
    assert error["Code"] == "validationException"


def test_an_exception_that_the_service_model_does_not_know() -> None:
    raises = pytest.raises(botocore.exceptions.EventStreamError)
    text, _ = text_before(Fault("unknown_exception"), raises)
    assert raises.excinfo is not None
    error = raises.excinfo.value.response["Error"]
    assert (text, error.get("Code"), error.get("Message")) == ("One two", "", "")


@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_clean_end_without_message_stop(at: int) -> None:
    with failing(Fault("no_stop"), at) as bedrock:
        names = [next(iter(event)) for event in read(bedrock)]
    assert names[0] == "messageStart"
    assert "messageStop" not in names


def test_langchain_notices_a_missing_message_stop() -> None:
    with failing(Fault("no_stop")) as bedrock:
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
    with failing(Fault("no_metadata")) as bedrock:
        names = [next(iter(event)) for event in read(bedrock)]
        assert names[-1] == "messageStop"
        bedrock.clear()
    with failing(Fault("no_metadata")) as bedrock:
        llm = ChatBedrockConverse(model=MODEL, **bedrock.client_kwargs())
        message = AIMessageChunk(content="")
        for chunk in llm.stream("Hi"):
            message += chunk
    assert message.text == TEXT
    assert message.usage_metadata is None


# Without a stream.


@pytest.mark.parametrize("kind", ["exception", "unknown_exception"])
def test_converse_answers_an_exception_with_its_status(kind: Any) -> None:
    fault = Fault(kind, "ModelErrorException", "Oh no.", 424)
    with failing(fault) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(client.exceptions.ModelErrorException, match="Oh no"):
            client.converse(modelId=MODEL, messages=HI)


@pytest.mark.parametrize("kind", ["close", "no_stop", "checksum"])
def test_converse_hangs_up(kind: Any) -> None:
    """N3."""
    with failing(Fault(kind)) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(botocore.exceptions.ConnectionClosedError):
            client.converse(modelId=MODEL, messages=HI)


def test_converse_stays_silent() -> None:
    with failing(Fault("silence")) as bedrock:
        client = bedrock.boto3_client(IMPATIENT)
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            client.converse(modelId=MODEL, messages=HI)


def test_converse_has_no_metadata_to_lose() -> None:
    with failing(Fault("no_metadata")) as bedrock:
        response = bedrock.boto3_client().converse(modelId=MODEL, messages=HI)
    assert response["output"]["message"]["content"] == [{"text": TEXT}]


def test_botocore_retries_what_comes_before_the_stream() -> None:
    with failing(Fault("exception", status=429), at=0) as bedrock:
        standard = Config(retries={"mode": "standard", "total_max_attempts": 2})
        client = bedrock.boto3_client(standard)
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        assert "metadata" in list(stream)[-1]
        assert len(bedrock.requests) == 2

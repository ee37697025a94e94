"""The rules ERROR-1 to ERROR-3, on errors made as botocore makes them."""

import binascii
import struct
from http.client import IncompleteRead as ShortRead
from typing import Any

import pytest
from botocore import exceptions as botocore_errors
from botocore.eventstream import EventStream, EventStreamBuffer, ParserError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser, RestJSONParser
from hypothesis import given
from hypothesis import strategies as st
from langchain_aws.chat_models.bedrock_converse import BedrockContextOverflowError
from urllib3 import exceptions as urllib3_errors

from langchain_bedrock_continue._core.decisions import service_errors

MODEL = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
STREAM = MODEL.operation_model("ConverseStream").output_shape.members["stream"]


def client_error(code: Any, message: str = "m") -> Any:
    response = {"Error": {"Code": code, "Message": message}}
    return botocore_errors.ClientError(response, "ConverseStream")


def error_of_response(status: int, headers: dict[str, str], body: bytes) -> Exception:
    """Return the error that botocore makes of a response before a stream opens."""
    response = {"status_code": status, "headers": headers, "body": body}
    parsed = RestJSONParser().parse(response, STREAM)
    error: Exception = botocore_errors.ClientError(parsed, "ConverseStream")
    return error


def event_frame(headers: dict[str, str], payload: bytes = b"{}") -> bytes:
    """Return an event of a stream, as the service writes it."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value))
        + value.encode()
        for name, value in headers.items()
    )  # fmt: skip
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", binascii.crc32(message))


class RawStream:
    """The body of a response."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def stream(self) -> Any:
        yield from self._parts


def error_of_frame(frame: bytes) -> Exception:
    """Return the error that botocore makes of a frame while a stream is read."""
    events = EventStream(
        RawStream(frame), STREAM, EventStreamJSONParser(), "ConverseStream"
    )
    with pytest.raises((botocore_errors.EventStreamError, ParserError)) as raised:
        list(events)
    error: Exception = raised.value
    return error


def exception_event(name: str) -> Exception:
    headers = {":message-type": "exception", ":exception-type": name}
    return error_of_frame(event_frame(headers, b'{"message": "m"}'))


EVENTS = ["internalServer", "modelStreamError", "serviceUnavailable", "throttling"]
RESPONSES = ["InternalServer", "ModelNotReady", "ModelTimeout", "ServiceUnavailable"]


@pytest.mark.parametrize("name", EVENTS)
def test_error_1_error_2_an_exception_event_is_retryable(name: str) -> None:
    error = exception_event(f"{name}Exception")
    assert isinstance(error, botocore_errors.EventStreamError)
    assert service_errors.error_code(error) == f"{name}Exception"
    assert service_errors.is_retryable(error)
    assert service_errors.is_stream_error(error)


def test_error_1_a_validation_event_is_not_retryable() -> None:
    error = exception_event("validationException")
    assert not service_errors.is_retryable(error)
    assert service_errors.is_stream_error(error)


def test_error_3_an_event_that_the_service_model_does_not_know_is_retryable() -> None:
    error = exception_event("somethingNewException")
    assert service_errors.is_retryable(error)
    assert service_errors.is_stream_error(error)


@pytest.mark.parametrize("name", [*RESPONSES, "Throttling"])
def test_error_1_a_transient_error_before_a_stream_opens_is_retryable(
    name: str,
) -> None:
    headers = {"x-amzn-errortype": f"{name}Exception:http://internal/"}
    error = error_of_response(429, headers, b'{"message": "m"}')
    assert service_errors.error_code(error) == f"{name}Exception"
    assert service_errors.is_retryable(error)
    assert not service_errors.is_stream_error(error)


@pytest.mark.parametrize(
    "name",
    [
        "AccessDenied",
        "Conflict",
        "ExpiredToken",
        "InvalidSignature",
        "ModelError",
        "ResourceNotFound",
        "ServiceQuotaExceeded",
        "UnrecognizedClient",
        "Validation",
    ],
)
def test_error_1_an_error_that_would_be_raised_again_is_not_retryable(
    name: str,
) -> None:
    for spelling in (name, f"{name}Exception", f"{name[0].lower()}{name[1:]}Exception"):
        assert not service_errors.is_retryable(client_error(spelling))


@given(
    st.sampled_from([*RESPONSES, "Throttling", "ModelStreamError", "TooManyRequests"]),
    st.sampled_from(["", "Exception", "exception"]),
    st.sampled_from([str, str.lower, str.upper, str.swapcase]),
)
def test_error_2_every_spelling_is_the_same_code(
    name: str, suffix: str, spelled: Any
) -> None:
    assert service_errors.is_retryable(client_error(spelled(name + suffix)))


def test_error_1_a_damaged_frame_is_retryable() -> None:
    frame = bytearray(
        event_frame({":message-type": "event", ":event-type": "messageStop"})
    )
    frame[-6] ^= 1
    error = error_of_frame(bytes(frame))
    assert service_errors.error_code(error) is None
    assert service_errors.is_retryable(error)
    assert service_errors.is_stream_error(error)


def test_botocore_raises_no_error_for_half_a_frame() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(event_frame({":message-type": "event"})[:-3])
    assert list(buffer) == []


OVERFLOW = BedrockContextOverflowError(
    {"Error": {"Code": "ValidationException", "Message": "Input is too long."}},
    "ConverseStream",
)

BROKEN_CONNECTIONS: list[Exception] = [
    ConnectionError("Incomplete Bedrock response stream: missing messageStop event."),
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError("timed out"),
    urllib3_errors.ProtocolError("broken", ShortRead(b"")),
    urllib3_errors.IncompleteRead(3, 5),
    urllib3_errors.ReadTimeoutError(None, None, "Read timed out."),  # type: ignore[arg-type]
    urllib3_errors.SSLError("bad record"),
    botocore_errors.ReadTimeoutError(endpoint_url="u"),
    botocore_errors.ConnectTimeoutError(endpoint_url="u"),
    botocore_errors.EndpointConnectionError(endpoint_url="u"),
    botocore_errors.ConnectionClosedError(endpoint_url="u"),
    botocore_errors.ResponseStreamingError(error="e"),
    botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    botocore_errors.ProxyConnectionError(proxy_url="u"),
]


@pytest.mark.parametrize(
    "error", BROKEN_CONNECTIONS, ids=lambda error: type(error).__name__
)
def test_error_1_a_broken_connection_is_retryable(error: Exception) -> None:
    assert service_errors.is_retryable(error)
    assert service_errors.error_code(error) is None


@pytest.mark.parametrize(
    "error", BROKEN_CONNECTIONS, ids=lambda error: type(error).__name__
)
def test_error_4_error_5_botocores_own_errors_are_of_calls_without_a_stream(
    error: Exception,
) -> None:
    is_botocores = isinstance(error, botocore_errors.BotoCoreError)
    assert service_errors.is_stream_error(error) is not is_botocores


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (urllib3_errors.ReadTimeoutError(None, None, "m"), True),  # type: ignore[arg-type]
        (TimeoutError("timed out"), True),
        (client_error("modelTimeoutException"), True),
        (client_error("throttlingException"), False),
        (urllib3_errors.ProtocolError("broken"), False),
        (ConnectionError("no messageStop"), False),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_silent_stream_is_a_timeout(error: Exception, expected: bool) -> None:
    assert service_errors.is_timeout(error) is expected


@pytest.mark.parametrize(
    "error",
    [
        ValueError("v"),
        KeyError("k"),
        botocore_errors.NoCredentialsError(),
        botocore_errors.ParamValidationError(report="r"),
        OVERFLOW,
    ],
    ids=lambda error: type(error).__name__,
)
def test_error_1_an_error_of_this_side_is_not_retryable(error: Exception) -> None:
    assert not service_errors.is_retryable(error)
    assert not service_errors.is_stream_error(error)


def test_a_context_overflow_has_an_ending_of_its_own() -> None:
    assert service_errors.ending_of(OVERFLOW) == "context_window"
    assert service_errors.ending_of(ValueError("m")) == "error"


STRANGE = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers())


@given(
    STRANGE
    | st.dictionaries(st.just("Error"), STRANGE)
    | st.dictionaries(st.just("Error"), st.dictionaries(st.just("Code"), STRANGE))
)
def test_no_error_response_breaks_the_reading(response: Any) -> None:
    error = client_error("x")
    error.response = response
    assert isinstance(service_errors.error_code(error), str)
    assert isinstance(service_errors.is_retryable(error), bool)
    assert service_errors.describe(error).startswith("ClientError")


def test_a_description_does_not_contain_the_errors_message() -> None:
    error = client_error("ThrottlingException", "secret prompt")
    assert service_errors.describe(error) == "ClientError: ThrottlingException"
    assert service_errors.describe(ValueError("secret")) == "ValueError"

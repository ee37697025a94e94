"""What an error of the service, of botocore or of the connection means for the turn.

ERROR-1. An error is retryable if it is transient: the service was busy or failed, or
    the connection did. An error that the same request would raise again is not.
ERROR-2. Codes are compared without regard to case, and without "exception" at the end:
    the same code is `ThrottlingException` before a stream opens, and
    `throttlingException` in the stream.
ERROR-3. An error event that the service model does not know has no code. It is taken
    for a failure of the service.

Sources: botocore's service model of the Bedrock runtime, and the exceptions that
botocore and urllib3 raise for streams that break. botocore never retries those itself.
"""

from __future__ import annotations

from typing import Any

from botocore import exceptions as botocore_errors
from botocore.eventstream import ParserError
from langchain_core.exceptions import ContextOverflowError
from urllib3 import exceptions as urllib3_errors

from langchain_bedrock_continue._core.decisions.vocabulary import Ending

RETRYABLE_CODES = frozenset(
    {
        "",  # ERROR-3
        *("429", "500", "502", "503", "504", "529"),  # botocore's, for a body not JSON
        "internalfailure",
        "internalserver",
        "modelnotready",
        "modelstreamerror",
        "modeltimeout",
        "requesttimeout",
        "requestthrottled",
        "serviceunavailable",
        "slowdown",
        "throttling",
        "throttled",
        "toomanyrequests",
    }
)
"""The codes of transient errors (ERROR-1, ERROR-2)."""

BROKEN_STREAMS = (
    ConnectionError,  # also langchain-aws's own, for a stream without messageStop
    TimeoutError,
    ParserError,  # a damaged frame: a wrong checksum, among others
    urllib3_errors.HTTPError,
    botocore_errors.IncompleteReadError,
)
"""The exceptions of a connection that broke while a stream was read."""

FAILED_CALLS = (botocore_errors.HTTPClientError, botocore_errors.ConnectionError)
"""What botocore raises for a broken connection, mostly before it had a response."""


def is_retryable(error: BaseException) -> bool:
    """Return True if the error is transient (ERROR-1)."""
    code = error_code(error)
    if code is None:
        return isinstance(error, (*BROKEN_STREAMS, *FAILED_CALLS))
    return _is_retryable_code(code)


def is_stream_error(error: BaseException) -> bool:
    """Return True if the error came while a stream was read, not before it opened.

    botocore's own connection errors come before the stream: it reads a stream through
    urllib3, and passes urllib3's errors on.
    """
    if isinstance(error, FAILED_CALLS):
        return isinstance(error, botocore_errors.ResponseStreamingError)
    in_event = isinstance(error, botocore_errors.EventStreamError)
    return in_event or isinstance(error, BROKEN_STREAMS)


def error_code(error: BaseException) -> str | None:
    """Return the service's error code, or None if the error is not the service's."""
    if not isinstance(error, botocore_errors.ClientError):
        return None
    response: Any = error.response
    inner = response.get("Error") if isinstance(response, dict) else None
    code = inner.get("Code") if isinstance(inner, dict) else None
    return code if isinstance(code, str) else ""


def ending_of(error: BaseException) -> Ending:
    """Return what the turn's metadata calls the error that ended it."""
    overflow = isinstance(error, ContextOverflowError)
    return Ending.CONTEXT_WINDOW if overflow else Ending.ERROR


def describe(error: BaseException) -> str:
    """Return the error's class and code, and nothing of its message."""
    code = error_code(error)
    return f"{type(error).__name__}: {code}" if code else type(error).__name__


def _is_retryable_code(code: str) -> bool:
    name = code.lower().removesuffix("exception")
    return name in RETRYABLE_CODES or name.removesuffix("error") in RETRYABLE_CODES

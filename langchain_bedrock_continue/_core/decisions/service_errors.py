"""What an error of the service, of botocore or of the connection means for the turn.

ERROR-1. An error is retryable if it is transient: the service was busy or failed, or
    the connection did. An error that the same request would raise again is not.
ERROR-2. Codes are compared without regard to case, and without "exception" at the end:
    the same code is `ThrottlingException` before a stream opens, and
    `throttlingException` in the stream.
ERROR-3. An error event that the service model does not know has no code. It is taken
    for a failure of the service.

ERROR-4. A call that brings no stream belongs to botocore, with its tries and waits, by
    error and by mode:

        error                                   legacy      standard, adaptive
        --------------------------------------  ----------  ------------------
        read timeout, no or a closed            5 tries     3 tries
        connection, status 429, 500, 503
        status 408, 424                         1 try       1 try

    `max_attempts`, `total_max_attempts` and `AWS_MAX_ATTEMPTS` change the numbers. A
    try of ours on top of them would multiply the generations, each of them billed.
ERROR-5. A stream that breaks belongs to us: botocore has returned it, and never
    retries it.

Sources: botocore's service model of the Bedrock runtime, its retry handlers, and the
exceptions that botocore and urllib3 raise for streams that break.
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
)
"""The exceptions of a connection that broke while a stream was read."""

FAILED_CALLS = (
    botocore_errors.HTTPClientError,
    botocore_errors.ConnectionError,
    # The body of a blocking call to InvokeModel.
    botocore_errors.IncompleteReadError,
)
"""What botocore raises for a broken connection without a stream."""

TIMEOUTS = (
    TimeoutError,
    urllib3_errors.TimeoutError,
    botocore_errors.ReadTimeoutError,  # of a blocking call
)
"""The exceptions of a response that was silent for longer than the read timeout."""


def is_retryable(error: BaseException) -> bool:
    """Return True if the error is transient (ERROR-1)."""
    code = error_code(error)
    if code is None:
        return isinstance(error, (*BROKEN_STREAMS, *FAILED_CALLS))
    return _is_retryable_code(code)


def is_stream_error(error: BaseException) -> bool:
    """Return True if the error came while a stream was read (ERROR-5).

    botocore's own connection errors come without a stream: it reads a stream through
    urllib3, and passes urllib3's errors on.
    """
    if isinstance(error, FAILED_CALLS):
        return False
    in_event = isinstance(error, botocore_errors.EventStreamError)
    return in_event or isinstance(error, BROKEN_STREAMS)


def is_timeout(error: BaseException) -> bool:
    """Return True if a response was silent for too long, for the client or the service.

    The same request would take as long again.
    """
    code = (error_code(error) or "").lower()
    return isinstance(error, TIMEOUTS) or code.startswith("modeltimeout")


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

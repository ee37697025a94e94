"""What a call's error means for the turn.

F1. An error that another try may mend is worth one: the service was busy or broke, or
    the line did. An error that the same request brings again is not.
F2. Codes are compared without regard to case, and without "exception" at their end: the
    same code is `ThrottlingException` before a stream opens, and `throttlingException`
    in it.
F3. An error event that the service model does not know has no code: it is taken for the
    service's own trouble.

Sources: botocore's service model of the Bedrock runtime, and what botocore raises for
streams that break, which it never tries again itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore import exceptions as botocore_errors
from botocore.eventstream import ParserError
from langchain_core.exceptions import ContextOverflowError
from urllib3 import exceptions as urllib3_errors

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.decisions.stop_reasons import EndedBy

WORTH_ANOTHER_TRY = frozenset(
    {
        "",  # F3
        *("429", "500", "502", "503", "504", "529"),  # botocore's, where no JSON came
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
"""Codes of errors that another try may mend (F1, F2)."""

BROKEN_STREAMS = (
    ConnectionError,  # also langchain-aws's own, for a stream without messageStop
    TimeoutError,
    ParserError,  # a frame that is damaged: its checksum, among others
    urllib3_errors.HTTPError,
    botocore_errors.IncompleteReadError,
)
"""What is raised where the line broke while a stream was read."""

CALLS_THAT_FAILED = (botocore_errors.HTTPClientError, botocore_errors.ConnectionError)
"""What botocore raises where the line broke, most often before it had a response."""

_LIMIT = re.compile(
    r"tokens you requested exceeds the model limit of ([0-9][0-9,]{0,15})"  # Bedrock
    r"|max_tokens: [0-9]+ > ([0-9]{1,15}), which is the maximum",  # Anthropic
    re.IGNORECASE,
)


def is_passing(error: BaseException) -> bool:
    """Tell whether another try may mend an error (F1)."""
    code = code_of(error)
    if code is None:
        return isinstance(error, (*BROKEN_STREAMS, *CALLS_THAT_FAILED))
    return _is_passing(code)


def is_in_stream(error: BaseException) -> bool:
    """Tell whether an error came while a stream was read, and not before it opened.

    botocore's own connection errors came before: it reads a stream by urllib3, whose
    errors it then passes on.
    """
    if isinstance(error, CALLS_THAT_FAILED):
        return isinstance(error, botocore_errors.ResponseStreamingError)
    in_event = isinstance(error, botocore_errors.EventStreamError)
    return in_event or isinstance(error, BROKEN_STREAMS)


def code_of(error: BaseException) -> str | None:
    """Return the service's code for an error, or None where it is not the service's."""
    if not isinstance(error, botocore_errors.ClientError):
        return None
    response: Any = error.response
    inner = response.get("Error") if isinstance(response, dict) else None
    code = inner.get("Code") if isinstance(inner, dict) else None
    return code if isinstance(code, str) else ""


def limit_in(error: BaseException) -> int | None:
    """Return the limit that a service names where `max_tokens` is over it, or None."""
    found = _LIMIT.search(str(error))
    return None if found is None else int((found[1] or found[2]).replace(",", ""))


def ended_by(error: BaseException) -> EndedBy:
    """Return what an error that ends the turn is called in its metadata."""
    return "context_window" if isinstance(error, ContextOverflowError) else "error"


def name_of(error: BaseException) -> str:
    """Return an error's name and code, and nothing of what it says."""
    code = code_of(error)
    return f"{type(error).__name__}: {code}" if code else type(error).__name__


def _is_passing(code: str) -> bool:
    plain = code.lower().removesuffix("exception").removesuffix("error")
    whole = code.lower().removesuffix("exception")
    return plain in WORTH_ANOTHER_TRY or whole in WORTH_ANOTHER_TRY

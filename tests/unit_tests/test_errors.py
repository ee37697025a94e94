"""A SegmentError is an instance of its cause's class too, and can be pickled."""

import copy
import json
import pickle
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from http.client import IncompleteRead as ShortRead
from typing import Any, NoReturn

import pydantic
import pytest
from botocore import exceptions as botocore_errors
from botocore.eventstream import ChecksumMismatch
from hypothesis import given
from hypothesis import strategies as st
from langchain_aws.chat_models.bedrock_converse import BedrockContextOverflowError
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage
from urllib3 import exceptions as urllib3_errors

from langchain_bedrock_continue import (
    ContinuationError,
    PrefillRefusedError,
    SegmentError,
    TruncatedToolCallError,
    TurnLimitError,
)
from langchain_bedrock_continue.errors import from_cause

PARTIAL = AIMessage("so far", response_metadata={"continuation": {"complete": False}})
SEGMENTS: list[dict[str, Any]] = [{"stop_reason": "max_tokens"}, {"stop_reason": None}]


def error_from(cause: BaseException, kind: Any = SegmentError) -> ContinuationError:
    error: ContinuationError = from_cause(kind, "why", PARTIAL, SEGMENTS, cause)
    return error


def service_error(kind: type[Exception], code: str = "c") -> Exception:
    made: Any = kind
    error: Exception = made({"Error": {"Code": code, "Message": "m"}}, "Converse")
    return error


class Count(pydantic.BaseModel):
    count: int


def validation_error() -> Exception:
    with pytest.raises(pydantic.ValidationError) as raised:
        Count.model_validate({"count": "many"})
    return raised.value


short = urllib3_errors.IncompleteRead(3, 5)

COMMON: list[Exception] = [
    service_error(botocore_errors.ClientError),
    service_error(botocore_errors.EventStreamError),
    service_error(BedrockContextOverflowError),
    botocore_errors.ReadTimeoutError(endpoint_url="u"),
    botocore_errors.EndpointConnectionError(endpoint_url="u"),
    botocore_errors.ResponseStreamingError(
        error=urllib3_errors.ProtocolError("broken", short)
    ),
    ChecksumMismatch(1, 2),
    short,
    urllib3_errors.ProtocolError("broken", ShortRead(b"")),
    urllib3_errors.ReadTimeoutError(None, "u", "Read timed out."),  # type: ignore[arg-type]
    ConnectionError("missing messageStop"),
    ConnectionResetError(104, "reset"),
    TimeoutError("late"),
    FileNotFoundError(2, "none", "name"),
    KeyError("k"),
    json.JSONDecodeError("m", "doc", 1),
    UnicodeDecodeError("utf8", b"a", 0, 1, "r"),
    ImportError("x", name="n"),
    StopIteration(5),
]
"""Errors that a failing call or a broken stream raises."""


class OtherArguments(Exception):  # noqa: N818 - another library's
    def __init__(self, one: int, two: int) -> None:
        super().__init__("x")
        self.both = one + two


class NewArguments(Exception):  # noqa: N818 - another library's
    def __new__(cls, _one: int, _two: int) -> Any:
        return super().__new__(cls)

    def __init__(self, _one: int, _two: int) -> None:
        pass


class OwnPartial(Exception):  # noqa: N818 - another library's
    @property
    def partial(self) -> int:
        return 1


class Unpicklable(Exception):  # noqa: N818 - another library's
    def __reduce__(self) -> NoReturn:
        raise RuntimeError


class Final(Exception):  # noqa: N818 - another library's
    def __init_subclass__(cls) -> None:
        raise ValueError("final")


class Mute(Exception):  # noqa: N818 - another library's
    def __str__(self) -> NoReturn:
        raise RuntimeError


class Slots(Exception):  # noqa: N818 - another library's
    __slots__ = ("place",)

    def __init__(self) -> None:
        self.place = 3


@dataclass(frozen=True)
class Frozen(Exception):  # noqa: N818 - another library's
    place: int = 1


UNUSUAL: list[Exception] = [
    validation_error(),
    OtherArguments(1, 2),
    NewArguments(1, 2),
    OwnPartial(),
    Unpicklable(),
    Final(),
    Mute(),
    Slots(),
    Frozen(),
    error_from(KeyError("k")),
]


def name_of(value: object) -> str:
    return type(value).__name__


def is_intact(error: BaseException) -> None:
    assert isinstance(error, SegmentError)
    assert str(error) == "why"
    assert error.partial == PARTIAL
    assert error.segments == SEGMENTS
    assert "why" in repr(error)


@pytest.mark.parametrize("cause", COMMON, ids=name_of)
def test_it_is_caught_as_its_causes_class(cause: Exception) -> None:
    error = error_from(cause)
    is_intact(error)
    assert isinstance(error, type(cause))
    assert error.__cause__ is cause
    with pytest.raises(type(cause)):
        raise error


def test_a_context_overflow_keeps_all_of_its_classes() -> None:
    error = error_from(service_error(BedrockContextOverflowError))
    assert isinstance(error, ContextOverflowError)
    assert isinstance(error, botocore_errors.ClientError)


@pytest.mark.parametrize(
    ("cause", "name", "value"),
    [
        (service_error(botocore_errors.ClientError), "operation_name", "Converse"),
        (ConnectionResetError(104, "reset"), "errno", 104),
        (ConnectionResetError(104, "reset"), "strerror", "reset"),
        (FileNotFoundError(2, "none", "f"), "filename", "f"),
        (UnicodeDecodeError("utf8", b"a", 0, 1, "r"), "reason", "r"),
        (ImportError("x", name="n"), "name", "n"),
        (OtherArguments(1, 2), "both", 3),
        (Slots(), "place", 3),
    ],
    ids=name_of,
)
def test_it_has_its_causes_attributes(cause: Exception, name: str, value: Any) -> None:
    assert getattr(error_from(cause), name) == value


def test_the_response_of_a_client_error_is_there() -> None:
    error: Any = error_from(service_error(botocore_errors.ClientError, "Throttling"))
    assert error.response["Error"]["Code"] == "Throttling"


@pytest.mark.parametrize("cause", UNUSUAL, ids=name_of)
def test_any_cause_keeps_the_partial_message(cause: Exception) -> None:
    error = error_from(cause)
    is_intact(error)
    assert error.__cause__ is cause
    assert "why" in "".join(traceback.format_exception_only(error))


COPIES: list[Callable[[Any], Any]] = [
    lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
    copy.copy,
    copy.deepcopy,
]


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "copy", "deepcopy"])
@pytest.mark.parametrize("cause", [*COMMON, *UNUSUAL], ids=name_of)
def test_it_can_be_pickled_and_copied(
    cause: Exception, copied: Callable[..., Any]
) -> None:
    error = error_from(cause)
    again = copied(error)
    is_intact(again)
    kinds = (botocore_errors.ClientError, OSError, KeyError, urllib3_errors.HTTPError)
    for kind in (*kinds, botocore_errors.EventStreamError, ChecksumMismatch):
        assert isinstance(again, kind) == isinstance(error, kind)
    is_intact(copied(again))


@pytest.mark.parametrize(
    "kind", [SegmentError, PrefillRefusedError, TurnLimitError, TruncatedToolCallError]
)
def test_each_class_is_unpickled_as_itself(kind: Any) -> None:
    plain = kind("why", partial=PARTIAL, segments=SEGMENTS)
    again = pickle.loads(pickle.dumps(plain))  # noqa: S301 - our own bytes
    assert type(again) is kind
    both = error_from(KeyError("k"), kind)
    again = pickle.loads(pickle.dumps(both))  # noqa: S301 - our own bytes
    assert isinstance(again, kind)
    assert isinstance(again, KeyError)


def test_a_callers_subclass_can_be_pickled() -> None:
    error = OwnError("why", partial=PARTIAL, segments=SEGMENTS)
    is_intact(pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own bytes


class OwnError(SegmentError):
    pass


def test_the_cause_is_pickled_too() -> None:
    error = error_from(KeyError("k"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert repr(again.__cause__) == "KeyError('k')"


@pytest.mark.parametrize("cause", [*COMMON, *UNUSUAL], ids=name_of)
def test_the_cause_is_not_changed(cause: Exception) -> None:
    before = dict(vars(cause)), cause.args
    error_from(cause)
    assert (dict(vars(cause)), cause.args) == before


def test_reading_a_cause_does_not_warn() -> None:
    cause = urllib3_errors.NewConnectionError(None, "m")  # type: ignore[arg-type]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        error_from(cause)
    assert warned == []


@given(st.text(), st.lists(st.dictionaries(st.text(max_size=3), st.integers())))
def test_any_text_and_any_segments(text: str, segments: list[dict[str, Any]]) -> None:
    error = from_cause(SegmentError, text, PARTIAL, segments, KeyError("k"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (str(again), again.segments) == (text, segments)

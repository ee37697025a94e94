"""The errors of this package, one tree.

    ContinuationError               carries what arrived: .partial and .segments
    ├── TurnLimitError              a limit ended the turn, and on_limit="raise"
    ├── TruncatedToolCallError      truncated tool call, and tool_call_recovery="raise"
    └── SegmentError                a call failed after something arrived
        └── PrefillRefusedError     the model does not accept a prefill

A SegmentError is also an instance of its cause's class and has its attributes. Code
that catches a ClientError of ChatBedrockConverse catches this one too.

If the first call fails before any content has arrived, its error is raised unchanged,
as by ChatBedrockConverse. Only a stream that breaks is recovered from first.
"""

from __future__ import annotations

import functools
import pickle
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage


class ContinuationError(Exception):
    """A turn ended before its answer was complete.

    Attributes:
        partial: All that arrived, as a valid message. Its
            `response_metadata["continuation"]["complete"]` is False. `resume` can
            continue it, in another process too.
        segments: One entry per Bedrock response, as in
            `response_metadata["continuation"]["segments"]`.
    """

    def __init__(
        self, message: str, *, partial: AIMessage, segments: list[dict[str, Any]]
    ) -> None:
        """Create an error with its text and what arrived."""
        # Not super(): the next class may be the cause's, with arguments of its own.
        Exception.__init__(self, message)
        self.partial = partial
        self.segments = segments

    def __str__(self) -> str:
        """Return the text, even if the cause's class overrides `__str__`."""
        return str(self.args[0])

    def __repr__(self) -> str:
        """Return the class and the text only: what arrived may be long."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickle and copy, with all attributes and the cause's class."""
        kind = next(c for c in type(self).__mro__ if c in _PUBLIC_CLASSES)
        pickled = (
            _pickle_or_none(self.__cause__),
            _pickle_or_none(_cause_class(type(self))),
        )
        return (_rebuilt, (kind, str(self), self.partial, self.segments, pickled))


class TurnLimitError(ContinuationError):
    """A limit ended the turn. `continuation["ended_by"]` says which one.

    The text says which field to raise.
    """


class TruncatedToolCallError(ContinuationError):
    """A tool call was truncated. What arrived is in `partial.invalid_tool_calls`."""


class SegmentError(ContinuationError):
    """A call failed, or a stream broke, after content had arrived; see `__cause__`."""


class PrefillRefusedError(SegmentError):
    """The model does not accept a partial answer as the final assistant message.

    Claude rejects it from version 4.6 on, and so do Llama models on Converse.
    """


_PUBLIC_CLASSES = (
    PrefillRefusedError,
    SegmentError,
    TruncatedToolCallError,
    TurnLimitError,
    ContinuationError,
)

Kind = TypeVar("Kind", bound=ContinuationError)


def from_cause(
    kind: type[Kind],
    message: str,
    partial: AIMessage,
    segments: list[dict[str, Any]],
    cause: BaseException,
) -> Kind:
    """Return an error that is also an instance of its cause's class.

    Args:
        kind: A class of this package.
        message: The text.
        partial: What arrived.
        segments: One entry per response.
        cause: The error to combine with. Its attributes are copied; it is not changed.
    """
    error = _instance(kind, type(cause), message, partial, segments)
    for name in _attribute_names(cause):
        with suppress(Exception):  # another library's class may do anything
            setattr(error, name, getattr(cause, name))
    error.__cause__ = cause
    return error


def _attribute_names(cause: BaseException) -> set[str]:
    """Return the attributes that an error has in its dictionary, slots or C fields."""
    descriptors = (types.GetSetDescriptorType, types.MemberDescriptorType)
    in_c = {
        name
        for kind in type(cause).__mro__
        for name, value in vars(kind).items()
        if isinstance(value, descriptors) and not name.startswith("__")
    }
    return {*vars(cause), *in_c} - {"args", "partial", "segments"}


def _instance(
    kind: type[Kind],
    cause: type[BaseException],
    message: str,
    partial: AIMessage,
    segments: list[dict[str, Any]],
) -> Kind:
    """Return an instance of both classes, or of `kind` if they can't be combined."""
    pair: tuple[Any, Any] = (kind, cause)
    with suppress(Exception):
        combined = cast("type[Kind]", _combined_class(*pair))
        return combined(message, partial=partial, segments=segments)
    return kind(message, partial=partial, segments=segments)


@functools.cache
def _combined_class(kind: type[Any], cause: type[Any]) -> type[Any]:
    """Return a class that inherits from both."""
    if issubclass(kind, cause):
        return kind
    return type(kind.__name__, (kind, cause), {"__module__": kind.__module__})


def _cause_class(error: type[ContinuationError]) -> type[BaseException] | None:
    """Return the class that an error's class was combined with, or None."""
    foreign = (c for c in error.__mro__ if not issubclass(c, ContinuationError))
    first = next(foreign)
    return None if first is Exception else cast("type[BaseException]", first)


def _pickle_or_none(value: object) -> bytes | None:
    """Pickle a cause or its class; return None if that fails."""
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - another library's class may do anything
        return None


def _unpickle_or_none(pickled: bytes | None) -> Any:
    """Unpickle a value; return None if this process does not know its class."""
    with suppress(Exception):
        # S301: these bytes are part of a pickle that is being loaded already.
        return None if pickled is None else pickle.loads(pickled)  # noqa: S301
    return None


def _rebuilt(
    kind: type[ContinuationError],
    message: str,
    partial: AIMessage,
    segments: list[dict[str, Any]],
    pickled: tuple[bytes | None, bytes | None],
) -> ContinuationError:
    """Return an error from its pickle. Stored pickles refer to this name: keep it."""
    cause, class_of_cause = map(_unpickle_or_none, pickled)
    known = isinstance(class_of_cause, type)
    combined_with = class_of_cause if known else ContinuationError
    error = _instance(kind, combined_with, message, partial, segments)
    if isinstance(cause, BaseException):
        complete = from_cause(kind, message, partial, segments, cause)
        error.__dict__.update(complete.__dict__)
        error.__cause__ = cause
    return error

"""The errors of this package, one tree.

    ContinuationError               carries what arrived: .partial and .segments
    ├── TurnLimitError              a limit ended the turn, and on_limit="raise"
    ├── TruncatedToolCallError      a tool call was cut, and tool_call_recovery="raise"
    └── SegmentError                a call failed after something arrived
        └── PrefillRefusedError     the model takes no prefilled answer

A SegmentError is also an instance of its cause's class, with its attributes: what
catches a ClientError from ChatBedrockConverse catches this one too.

An error before anything arrived is not among them: nothing can be lost, so the caller
sees the same error as from ChatBedrockConverse.
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
    """A turn ended before its answer was whole.

    Attributes:
        partial: All that arrived, as a valid message whose
            `response_metadata["continuation"]["complete"]` is False. It can be given
            to `resume`, in another process too.
        segments: One entry a Bedrock response, as in
            `response_metadata["continuation"]["segments"]`.
    """

    def __init__(
        self, message: str, *, partial: AIMessage, segments: list[dict[str, Any]]
    ) -> None:
        """Keep what arrived beside the text of the error."""
        # Not super(): the next class may be the cause's, with arguments of its own.
        Exception.__init__(self, message)
        self.partial = partial
        self.segments = segments

    def __str__(self) -> str:
        """Return the text, whatever the cause's class would make of it."""
        return str(self.args[0])

    def __repr__(self) -> str:
        """Return the name and the text alone: what arrived may be long."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross process borders whole: the work is in the attributes."""
        kind = next(c for c in type(self).__mro__ if c in _KINDS)
        packed = _packed(self.__cause__), _packed(_cause_class(type(self)))
        return (_rebuilt, (kind, str(self), self.partial, self.segments, packed))


class TurnLimitError(ContinuationError):
    """A limit ended the turn: which one is in `continuation["ended_by"]`."""


class TruncatedToolCallError(ContinuationError):
    """A tool call was cut: it is in `partial.invalid_tool_calls`, as far as it came."""


class SegmentError(ContinuationError):
    """A call failed, or a stream broke, after something arrived; see `__cause__`."""


class PrefillRefusedError(SegmentError):
    """The model takes no partial answer as the final assistant message.

    Every Claude from 4.6 on refuses it, and so do Llama models on Converse.
    """


_KINDS = (
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
    """Make an error that is caught as its cause is, too.

    Args:
        kind: The class in this package's tree.
        message: The text.
        partial: What arrived.
        segments: One entry a response.
        cause: What failed; its attributes are the error's too.
    """
    error = _made(kind, type(cause), message, partial, segments)
    for name in _attributes(cause):
        with suppress(Exception):  # a foreign class may do anything
            setattr(error, name, getattr(cause, name))
    error.__cause__ = cause
    return error


def _attributes(cause: BaseException) -> set[str]:
    """Name what an error keeps: in its dictionary, in slots, or in C."""
    kept = (types.GetSetDescriptorType, types.MemberDescriptorType)
    in_c = {
        name
        for kind in type(cause).__mro__
        for name, value in vars(kind).items()
        if isinstance(value, kept) and not name.startswith("__")
    }
    return {*vars(cause), *in_c} - {"args", "partial", "segments"}


def _made(
    kind: type[Kind],
    cause: type[BaseException],
    message: str,
    partial: AIMessage,
    segments: list[dict[str, Any]],
) -> Kind:
    """Make an error of both classes; of the plain one where the other won't."""
    pair: tuple[Any, Any] = (kind, cause)
    with suppress(Exception):
        both = cast("type[Kind]", _both(*pair))
        return both(message, partial=partial, segments=segments)
    return kind(message, partial=partial, segments=segments)


@functools.cache
def _both(kind: type[Any], cause: type[Any]) -> type[Any]:
    """Return a class that is both."""
    if issubclass(kind, cause):
        return kind
    return type(kind.__name__, (kind, cause), {"__module__": kind.__module__})


def _cause_class(error: type[ContinuationError]) -> type[BaseException] | None:
    """Return the class that was put beside ours, or None."""
    foreign = (c for c in error.__mro__ if not issubclass(c, ContinuationError))
    beside = next(foreign)
    return None if beside is Exception else cast("type[BaseException]", beside)


def _packed(value: object) -> bytes | None:
    """Return a cause, or its class, as bytes; None where it can't be pickled."""
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - a foreign class may do anything
        return None


def _unpacked(packed: bytes | None) -> Any:
    """Return what was packed; None where this process does not know its class."""
    with suppress(Exception):
        return None if packed is None else pickle.loads(packed)  # noqa: S301 - beside it
    return None


def _rebuilt(
    kind: type[ContinuationError],
    message: str,
    partial: AIMessage,
    segments: list[dict[str, Any]],
    packed: tuple[bytes | None, bytes | None],
) -> ContinuationError:
    cause, both = map(_unpacked, packed)
    beside = both if isinstance(both, type) else ContinuationError
    error = _made(kind, beside, message, partial, segments)
    if isinstance(cause, BaseException):
        known = from_cause(kind, message, partial, segments, cause)
        error.__dict__.update(known.__dict__)
        error.__cause__ = cause
    return error

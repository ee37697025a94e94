"""How a turn that is not complete says so: the log's line, and the errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.decisions.remedies import remedy_of
from langchain_bedrock_continue._core.decisions.vocabulary import LIMITS, Ending
from langchain_bedrock_continue._core.record.continuation import entries_of
from langchain_bedrock_continue.errors import (
    PrefillRefusedError,
    SegmentError,
    TruncatedToolCallError,
    TurnLimitError,
    from_cause,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.messages import AIMessage

    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.record.record import Record
    from langchain_bedrock_continue.errors import ContinuationError

logger = logging.getLogger("langchain_bedrock_continue")


def raise_or_warn(
    record: Record, policy: Policy, partial: Callable[[], AIMessage]
) -> None:
    """Raise what ended a turn that is not complete, or log a warning.

    Args:
        record: The turn's record.
        policy: What the caller asked for.
        partial: Returns the message, for the error.

    Raises:
        TurnLimitError: A limit ended the turn, and `on_limit` is `"raise"`.
        TruncatedToolCallError: A truncated tool call ended it, and `tool_call_recovery`
            is `"raise"`.
    """
    count = len(record.resumed.entries) + len(record.segments)
    text = (
        f"The answer is incomplete: {record.ending} ended it after {count} "
        f"segment{'' if count == 1 else 's'}. {remedy_of(record.ending)}"
    ).rstrip()
    kind = _error_class(record, policy)
    if kind is not None:
        segments: Any = entries_of(record)
        raise kind(text, partial=partial(), segments=segments)
    logger.warning(text)


def _error_class(record: Record, policy: Policy) -> type[ContinuationError] | None:
    if record.ending in LIMITS and policy.on_limit == "raise":
        return TurnLimitError
    if record.ending is Ending.TOOL_CALL and policy.tool_call_recovery == "raise":
        return TruncatedToolCallError
    return None


def segment_error(
    error: Exception, record: Record, partial: AIMessage, *, refused: bool
) -> SegmentError:
    """Return the error for a call that failed after something arrived.

    Args:
        error: What the call raised.
        record: The turn's record.
        partial: The message with all that arrived.
        refused: The service refused a prefill.
    """
    kind = PrefillRefusedError if refused else SegmentError
    what = "the model accepts no prefill" if refused else "a call failed"
    text = (
        f"The answer is incomplete: {what} in segment {len(record.segments)} "
        f"({type(error).__name__}: {error}). What arrived is in .partial."
    )
    segments: Any = entries_of(record)
    return from_cause(kind, text, partial, segments, error)

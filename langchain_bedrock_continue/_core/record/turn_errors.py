"""How a turn that is not whole says so: the log's line, and the errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

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

    from langchain_bedrock_continue._core.decisions.stop_reasons import EndedBy
    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.record.record import Record
    from langchain_bedrock_continue.errors import ContinuationError

logger = logging.getLogger("langchain_bedrock_continue")

LIMITS: frozenset[EndedBy] = frozenset(
    {
        "max_continuations",
        "max_total_tokens",
        "max_seconds",
        "no_progress",
        "repetition",
        "context_window",
    }
)
"""The ends that `on_limit` is about."""


def settle(record: Record, policy: Policy, partial: Callable[[], AIMessage]) -> None:
    """Log what ended a turn that is not whole, or raise it.

    Raises:
        TurnLimitError: A limit ended it, and `on_limit` is `"raise"`.
        TruncatedToolCallError: A cut tool call did, and `tool_call_recovery` is
            `"raise"`.
    """
    text = (
        f"The answer is not whole: {record.ended_by} ended it "
        f"after {len(record.segments)} segments."
    )
    kind = _kind(record, policy)
    if kind is not None:
        raise kind(text, partial=partial(), segments=record.entries())
    logger.warning(text)


def _kind(record: Record, policy: Policy) -> type[ContinuationError] | None:
    if record.ended_by in LIMITS and policy.on_limit == "raise":
        return TurnLimitError
    if record.ended_by == "tool_call" and policy.tool_call_recovery == "raise":
        return TruncatedToolCallError
    return None


def failed(
    error: Exception, record: Record, partial: AIMessage, *, refused: bool
) -> SegmentError:
    """Return the error for a call that failed after something arrived."""
    kind = PrefillRefusedError if refused else SegmentError
    what = "the model takes no prefilled answer" if refused else "a call failed"
    text = (
        f"The answer is not whole: {what} in segment {len(record.segments)} "
        f"({type(error).__name__}: {error}). What arrived is in .partial."
    )
    return from_cause(kind, text, partial, record.entries(), error)

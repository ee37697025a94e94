"""The payloads of the custom events, and the only place that writes them.

`bedrock_continuation` is dispatched before each call of a turn but the first, which
LangChain's own run announces. To add a key: add it to `ContinuationEvent`, and write it
in `event_of`. `bedrock_tool_call` is dispatched while a stream withholds a tool call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from langchain_bedrock_continue._core.decisions.vocabulary import EVENT_TYPES, Action
from langchain_bedrock_continue._core.record.continuation import (
    SegmentEntry,
    last_entry_of,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.record.record import Record


class ContinuationEvent(TypedDict):
    """What listeners are told before a call. It is plain JSON."""

    type: str
    """Why the call is made; the values of `EVENT_TYPES`."""
    offset: int
    """The length of the text so far, in characters."""
    segment: SegmentEntry
    """The last response."""


class ToolCallEvent(TypedDict):
    """The data of the event about a tool call that is not complete yet."""

    name: str | None
    """The tool's name."""
    id: str | None
    """The call's id."""
    characters: int
    """How much of its arguments has come, in characters of JSON."""


def event_of(record: Record, action: Action, offset: int) -> ContinuationEvent | None:
    """Write the payload of the event before a call; None before the first.

    Args:
        record: The turn's record.
        action: The action that makes the call.
        offset: The length of the text so far, in characters.
    """
    if action is Action.BEGIN:
        return None
    return {
        "type": EVENT_TYPES[action],
        "offset": offset,
        "segment": last_entry_of(record),
    }

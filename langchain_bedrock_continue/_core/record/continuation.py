"""`response_metadata["continuation"]`: what the message says of its turn.

This module defines the dict and is the only place that writes it. To add a field: add
it to `Continuation` and write it in `continuation_of`; for a field of one response, to
`SegmentEntry` and `entry_of`. A `Segment` has what is known of a response: its
`Response` (metadata, usage), and how its text was joined (`JoinResult`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast

from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue._core.content.incoming import cached_tokens
from langchain_bedrock_continue._core.decisions.vocabulary import (
    CONTINUING,
    EndedBy,
    FormName,
    ProblemName,
    Strategy,
    StrategyName,
)
from langchain_bedrock_continue._core.record.usage import billed, response

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.record.record import Record
    from langchain_bedrock_continue._core.record.segment import Segment


class JoinEntry(TypedDict):
    """How a segment's text was joined to the text before, after a user turn."""

    rule: str
    """The rule: `"echo"` if the model repeated the end of the text as requested; the
    others are in `JoinRule`."""
    dropped: int
    """How many characters of the response were dropped: the echo, and lead-ins."""


class SegmentEntry(TypedDict):
    """One Bedrock response of a turn."""

    stop_reason: str | None
    """Why it ended; None if it broke."""
    input_tokens: int | None
    """None if the service did not report it."""
    output_tokens: int | None
    """None if the service did not report it."""
    max_tokens: int | None
    """What the call asked for; None for the service's default."""
    request_id: str | None
    """AWS's id of the request."""
    strategy: StrategyName | None
    """How the segment was asked for; None for the first one."""
    cache_read_tokens: NotRequired[int]
    """Those of the input tokens that were read from the prompt cache; omitted if 0."""
    cache_write_tokens: NotRequired[int]
    """Those that were written to the prompt cache; omitted if 0."""
    join: NotRequired[JoinEntry]
    """How its text was joined; only after a user turn."""
    dropped_tokens: NotRequired[int]
    """About how many of the output tokens are in `join["dropped"]`: their share of the
    characters of text, reasoning and tool calls. Omitted if 0. Only after a user
    turn."""
    form: NotRequired[FormName]
    """The form of the user turn that it answers; only after a user turn."""
    problem: NotRequired[ProblemName]
    """Why it does not continue the text. It was requested again in another form, if one
    was left. Its text is not in the message, except after `"ended_early"` and
    `"ended_in_line"`."""
    error: NotRequired[str]
    """The class and code of the error that broke it."""


class DroppedReasoning(TypedDict):
    """Reasoning that was paid for and is not in the message."""

    blocks: int
    tokens: int | None
    """None if the service did not report them."""


class Continuation(TypedDict):
    """How a message came about: `response_metadata["continuation"]`. It is plain JSON.

    The usage sums are None if the service reported no usage.
    """

    complete: bool
    """Whether the answer is complete."""
    ended_by: EndedBy | None
    """What ended the turn; None while it is under way."""
    strategy: Literal["prefill", "user_turn"] | None
    """How the text was last continued; None if it was not."""
    segments: list[SegmentEntry]
    """The Bedrock responses, in order."""
    seams: list[int]
    """Where segments join: offsets in the message's text, in characters."""
    billed: UsageMetadata | None
    """The sum over all calls: what the bill says."""
    response: UsageMetadata | None
    """The size of one response that was not truncated."""
    dropped_reasoning: NotRequired[DroppedReasoning]


def continuation_of(record: Record, seams: list[int], reasoning: int) -> Continuation:
    """Write what a message says of its turn.

    Args:
        record: The turn's record.
        seams: Where segments join: offsets in the text.
        reasoning: How much reasoning the caller has been shown.
    """
    entries, usages = entries_of(record), usages_of(record)
    strategies = (entry.get("strategy") for entry in reversed(entries))
    strategy: Any = next((one for one in strategies if one in CONTINUING), None)
    ending: Any = None if record.ending is None else record.ending.value
    continuation: Continuation = {
        "complete": record.complete,
        "ended_by": ending,
        "strategy": strategy,
        "segments": entries,
        "seams": seams,
        "billed": usages["billed"],
        "response": usages["response"],
    }
    if dropped := _dropped_reasoning(record, reasoning):
        continuation["dropped_reasoning"] = dropped
    return continuation


def entries_of(record: Record) -> list[SegmentEntry]:
    """Return one entry a segment, those before the turn first."""
    resumed: Any = record.resumed.entries
    return [*resumed, *map(entry_of, record.segments)]


def last_entry_of(record: Record) -> SegmentEntry:
    """Return the entry of the last segment, of this turn or of the one it resumes."""
    if record.segments:
        return entry_of(record.last)
    last: Any = record.resumed.entries[-1]
    return cast("SegmentEntry", last)


def entry_of(segment: Segment) -> SegmentEntry:
    """Return a segment's entry."""
    http = segment.response.metadata.get("ResponseMetadata")
    usage = segment.response.usage
    strategy: Any = None if segment.strategy is None else segment.strategy.value
    entry: SegmentEntry = {
        "stop_reason": segment.stop_reason,
        "input_tokens": None if usage is None else usage["input_tokens"],
        "output_tokens": segment.output_tokens,
        "max_tokens": segment.max_tokens,
        "request_id": http.get("RequestId") if isinstance(http, dict) else None,
        "strategy": strategy,
    }
    read, written = (0, 0) if usage is None else cached_tokens(usage)
    if read:
        entry["cache_read_tokens"] = read
    if written:
        entry["cache_write_tokens"] = written
    if segment.join is not None:
        join = segment.join
        entry["join"] = {"rule": join.rule.value, "dropped": join.dropped}
        if dropped := _dropped_tokens(segment, join.dropped):
            entry["dropped_tokens"] = dropped
    if segment.form is not None:
        form: Any = segment.form.value
        entry["form"] = form
    if segment.problem is not None:
        problem: Any = segment.problem.value
        entry["problem"] = problem
    if segment.error is not None:
        entry["error"] = segment.error
    return entry


def _dropped_tokens(segment: Segment, characters: int) -> int:
    """Return about how many output tokens were dropped, of the echo mostly."""
    response = segment.response
    written = len(response.text) + response.other_characters
    return round((segment.output_tokens or 0) * characters / written) if written else 0


def usages_of(
    record: Record,
) -> dict[Literal["billed", "response"], UsageMetadata | None]:
    """Return both sums of the turn's usage."""
    paid = [record.resumed.billed, *(one.response.usage for one in record.segments)]
    kept = [record.resumed.response, *(one.response.usage for one in _kept(record))]
    return {
        "billed": billed([usage for usage in paid if usage]),
        "response": response([usage for usage in kept if usage]),
    }


def _kept(record: Record) -> list[Segment]:
    """Return the segments that no other one replaced."""
    followers = [*record.segments[1:], None]
    pairs = zip(record.segments, followers, strict=False)
    return [
        one
        for one, next_ in pairs
        if not (one.is_replaced or (next_ and next_.strategy is Strategy.RETRY))
    ]


def _dropped_reasoning(record: Record, shown: int) -> DroppedReasoning | None:
    """Return what reasoning was paid for and is not in the message."""
    ends = [*(segment.reasoning_before for segment in record.segments), shown]
    dropped = [
        segment
        for segment, (before, after) in zip(
            record.segments, pairwise(ends), strict=True
        )
        if segment.response.reasoning_blocks and before == after
    ]
    if not dropped:
        return None
    tokens = [segment.reasoning_tokens for segment in dropped]
    return {
        "blocks": sum(len(one.response.reasoning_blocks) for one in dropped),
        "tokens": None if None in tokens else sum(filter(None, tokens)),
    }

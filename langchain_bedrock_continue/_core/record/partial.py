"""A partial message, as it is taken up: what stands in it, and what it cost.

P1. A message that says that it is whole, or whose stop reason is final, needs nothing.
    Of those that say neither, the sum of a stream's chunks was broken off.
P2. Its content is taken as it is, in the form that the wrapped model gives, and whole
    blocks alone: of a tool call that was cut nothing is kept. A message of another
    form is converted before it comes here (`_wrapped`).
P3. Its segments, seams and usage go before those of the turn that takes it up.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from pydantic import TypeAdapter, ValidationError

from langchain_bedrock_continue._core.content.incoming import (
    REASONING_TYPES,
    TOOL_TYPES,
    blocks_of,
    is_text,
)
from langchain_bedrock_continue._core.decisions.stop_reasons import verdict
from langchain_bedrock_continue._core.record.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Block

_CALL_TYPES = (*TOOL_TYPES, "tool_call", "invalid_tool_call", "tool_call_chunk")

_USAGE = TypeAdapter(UsageMetadata)


@dataclass(frozen=True)
class Past:
    """What there was before a turn.

    Attributes:
        blocks: What stands of the answer.
        calls: A tool call was cut behind it.
        entries: Its segments.
        seams: Where they meet.
        billed: What they cost, or None where that is unknown.
        response: The same as one uncut response.
        provider: Its `model_provider`.
        id: Its own, which the whole message has too: LangGraph then puts that in its
            place.
    """

    blocks: list[Block] = field(default_factory=list)
    calls: bool = False
    entries: list[dict[str, Any]] = field(default_factory=list)
    seams: list[int] = field(default_factory=list)
    billed: UsageMetadata | None = None
    response: UsageMetadata | None = None
    provider: object = None
    id: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether its text is gone on from, and not the whole of it asked for again."""
        text = bool(self.blocks) and is_text(self.blocks[-1])
        return text and bool(self.seams or not self.calls)


def check_partial(messages: Sequence[BaseMessage], partial: object) -> AIMessage:
    """Return the partial message.

    Raises:
        ValueError: It is no AIMessage, or stands among the messages too.
    """
    if not isinstance(partial, AIMessage):
        raise ValueError(
            "partial: must be an AIMessage, such as an error's .partial, got "
            f"{type(partial).__name__}."
        )
    last = messages[-1] if messages else None
    if isinstance(last, AIMessage) and last.content == partial.content:
        raise ValueError(
            "messages: must end before the partial message, which is given beside "
            "them: leave the last one out."
        )
    return partial


def needs_resuming(partial: AIMessage) -> bool:
    """Tell whether there is anything to go on with (P1)."""
    said = partial.response_metadata.get("continuation")
    if isinstance(said, dict) and "complete" in said:
        return not said["complete"]
    reason = _response(partial).stop_reason
    if reason is None:
        return isinstance(partial, AIMessageChunk)
    return verdict(reason).then != "ends"


def past_of(partial: AIMessage) -> Past:
    """Read a partial message (P2, P3).

    Args:
        partial: A message in the form that the wrapped model gives.
    """
    said = partial.response_metadata.get("continuation")
    said = said if isinstance(said, dict) else {}
    blocks, calls = _kept(partial)
    own = partial.usage_metadata
    return Past(
        blocks=blocks,
        calls=calls,
        entries=_entries(said.get("segments")) or [_response(partial).entry()],
        seams=_seams(said.get("seams"), len(partial.text)),
        billed=_usage(said.get("billed", own)),
        response=_usage(said.get("response", own)),
        provider=partial.response_metadata.get("model_provider"),
        id=partial.id,
    )


# A partial comes from outside, and may be older or younger than this version.


def _entries(said: object) -> list[dict[str, Any]]:
    given = said if isinstance(said, list) else []
    return [entry for entry in given if isinstance(entry, dict)]


def _seams(said: object, length: int) -> list[int]:
    given = said if isinstance(said, list) else []
    return sorted(at for at in given if type(at) is int and 0 <= at <= length)


def _usage(said: object) -> UsageMetadata | None:
    with suppress(ValidationError):
        return _USAGE.validate_python(said)
    return None


def _kept(partial: AIMessage) -> tuple[list[Block], bool]:
    """Return the blocks before the first tool call, and whether there is one."""
    blocks = [_unnumbered(block) for _, block in blocks_of(partial)]
    types = [block.get("type") for block in blocks]
    first = next((i for i, kind in enumerate(types) if kind in _CALL_TYPES), None)
    calls = bool(partial.tool_calls or partial.invalid_tool_calls)
    kept = blocks if first is None else blocks[:first]
    while kept and kept[-1].get("type") in REASONING_TYPES:
        kept = kept[:-1]  # it is nothing to go on from
    return kept, calls or first is not None


def _unnumbered(block: Block) -> Block:
    return {key: value for key, value in block.items() if key != "index"}


def _response(partial: AIMessage) -> Segment:
    """Read a message as one response: so it is, where ChatBedrockConverse gave it."""
    segment = Segment(max_tokens=None, strategy=None)
    segment.receive(partial)
    return segment

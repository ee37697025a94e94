"""A partial message, read so that a turn can resume it.

PARTIAL-1. A message that says that it is complete, or whose stop reason is final, needs
    no resuming. If it says neither, the sum of a stream's chunks was broken off.
PARTIAL-2. Its content is used as it is, in the wrapped model's own form, up to the
    first tool call: a truncated call can't be sent back. A message of another form is
    converted before it is read (`_wrapped`). Reasoning at its end was truncated and is
    left out, unless the service returns reasoning after its text (CONTENT-13).
PARTIAL-3. Its segments, seams and usage come before those of the turn that resumes it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import TypeAdapter, ValidationError

from langchain_bedrock_continue._core.content.incoming import (
    REASONING,
    TOOL,
    is_text,
    is_truncated,
    kind_of,
    read,
)
from langchain_bedrock_continue._core.decisions.stop_reasons import meaning_of
from langchain_bedrock_continue._core.decisions.vocabulary import Action
from langchain_bedrock_continue._core.record.continuation import entry_of
from langchain_bedrock_continue._core.record.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Block

_STANDARD_CALLS = ("tool_call", "invalid_tool_call", "tool_call_chunk")
"""The types of LangChain's standard blocks for tool calls."""

_USAGE = TypeAdapter(UsageMetadata)


@dataclass(frozen=True)
class ResumedState:
    """What there was of an answer before the turn that resumes it.

    Attributes:
        blocks: Its content blocks before the first tool call.
        has_tool_call: A tool call followed them.
        entries: Its segments' entries.
        seams: Where they join, in characters.
        billed: The usage over its calls, or None if unknown.
        response: The usage as of one response, or None if unknown.
        provider: Its `model_provider`.
        id: Its id. The complete message gets it, too, so that LangGraph replaces the
            partial one.
    """

    blocks: list[Block] = field(default_factory=list)
    has_tool_call: bool = False
    entries: list[dict[str, Any]] = field(default_factory=list)
    seams: list[int] = field(default_factory=list)
    billed: UsageMetadata | None = None
    response: UsageMetadata | None = None
    provider: object = None
    id: str | None = None

    @cached_property
    def characters(self) -> int:
        """The number of characters of its text."""
        return sum(len(block["text"]) for block in self.blocks if is_text(block))

    @property
    def continues_text(self) -> bool:
        """Whether its text is continued; otherwise its last segment is retried."""
        said = [block for block in self.blocks if kind_of(block) is not REASONING]
        text = bool(said) and is_text(said[-1])
        return text and bool(self.seams or not self.has_tool_call)


def check_partial(messages: Sequence[BaseMessage], partial: object) -> AIMessage:
    """Return the partial message.

    Args:
        messages: The conversation that it answers.
        partial: What the caller wants to resume.

    Raises:
        ValueError: It is not an AIMessage, or it is also the last of the messages.
    """
    if not isinstance(partial, AIMessage):
        raise ValueError(
            "partial: must be an AIMessage, such as an error's .partial, got "
            f"{type(partial).__name__}."
        )
    sent = (one for one in reversed(messages) if not isinstance(one, SystemMessage))
    last = next(sent, None)
    if isinstance(last, AIMessage) and last.content == partial.content:
        raise ValueError(
            "messages: must end before the partial message, which is a separate "
            "argument: leave out the last message."
        )
    return partial


def needs_resuming(partial: AIMessage) -> bool:
    """Return True if the message is incomplete (PARTIAL-1)."""
    continuation = partial.response_metadata.get("continuation")
    if isinstance(continuation, dict) and "complete" in continuation:
        return not continuation["complete"]
    reason = _as_segment(partial).stop_reason
    if reason is None:
        return isinstance(partial, AIMessageChunk)
    return meaning_of(reason).action is not Action.END


def says_how_it_ended(partial: AIMessage) -> bool:
    """Return True if the message's metadata says how it ended (PARTIAL-1)."""
    continuation = partial.response_metadata.get("continuation")
    return bool(continuation) or _as_segment(partial).stop_reason is not None


def with_calls_in_content(partial: AIMessage) -> AIMessage:
    """Return a copy whose calls are blocks of its content only.

    LangChain's agent answers what is in `invalid_tool_calls`, before the next call of
    the model. A partial message with an answer after it is not resumed.
    """
    content: Any = partial.content
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    if not any(isinstance(block, dict) and _is_call(block) for block in content):
        content = [*content, *partial.invalid_tool_calls]
    update = {"content": content, "tool_calls": [], "invalid_tool_calls": []}
    return partial.model_copy(update=update)


def read_partial(
    partial: AIMessage, *, reasoning_in_order: bool = True
) -> ResumedState:
    """Read a partial message (PARTIAL-2, PARTIAL-3).

    Args:
        partial: A message in the wrapped model's own form. It comes from outside, and
            may be older or younger than this version: what is malformed is ignored.
        reasoning_in_order: Whether the service returns reasoning where the model wrote
            it.
    """
    continuation = partial.response_metadata.get("continuation")
    said = continuation if isinstance(continuation, dict) else {}
    blocks, has_tool_call = _blocks_before_calls(partial, in_order=reasoning_in_order)
    own = partial.usage_metadata
    segment: Any = entry_of(_as_segment(partial))
    return ResumedState(
        blocks=blocks,
        has_tool_call=has_tool_call,
        entries=_entries(said.get("segments")) or [segment],
        seams=_seams(said.get("seams"), len(partial.text)),
        billed=_usage(said.get("billed", own)),
        response=_usage(said.get("response", own)),
        provider=partial.response_metadata.get("model_provider"),
        id=partial.id,
    )


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


def _blocks_before_calls(
    partial: AIMessage, *, in_order: bool
) -> tuple[list[Block], bool]:
    """Return the blocks before the first tool call, and whether there is one."""
    blocks = [block for _, _, block in read(partial).blocks]
    calls = (i for i, block in enumerate(blocks) if _is_call(block))
    first = next(calls, None)
    kept = blocks[:first]
    may_follow = not in_order and any(map(is_text, kept))
    while kept and kind_of(kept[-1]) is REASONING:
        if may_follow and not is_truncated(kept[-1]):
            break
        kept = kept[:-1]  # it can't be continued
    has_calls = bool(partial.tool_calls or partial.invalid_tool_calls)
    return [_unnumbered(block) for block in kept], has_calls or first is not None


def _is_call(block: Block) -> bool:
    return kind_of(block) is TOOL or block.get("type") in _STANDARD_CALLS


def _unnumbered(block: Block) -> Block:
    return {key: value for key, value in block.items() if key != "index"}


def _as_segment(partial: AIMessage) -> Segment:
    """Read a message as one response: ChatBedrockConverse returned it as one."""
    segment = Segment()
    segment.response.receive(partial)
    return segment

"""Tool calls that were refused, in the conversation of a later request.

A truncated or malformed call stands in `invalid_tool_calls`. An agent without a place
to answer it, such as a LangGraph with `tools_condition`, keeps the message in its
thread, and Bedrock rejects every later request: a tool call needs a result. So the
conversation that is sent differs from the caller's.

REFUSED-1. A refused call that would be sent is sent with no arguments, as langchain-aws
    sends it, and is answered by a ToolMessage with the reason, unless the caller has
    answered it.
REFUSED-2. Without tools in the request, a call that is not answered is left out:
    Bedrock accepts tool calls beside tools only.
REFUSED-3. A call without a name or an id is left out: it can't be answered.
REFUSED-4. A call that is answered is sent even if the message has no block of it, as a
    ChatBedrock's has: Bedrock rejects a result without its call. So is one of the last
    message, which would otherwise end the conversation, as a prefill.
REFUSED-5. The caller's messages are never changed. Without a refused call, the
    conversation is the caller's.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from langchain_core.messages import AIMessage, ToolMessage, message_chunk_to_message
from langchain_core.messages.tool import tool_call

from langchain_bedrock_continue._core.content.tool_calls import (
    is_invalid_call,
    unwrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langchain_core.messages import BaseMessage

_NO_REASON = "The tool was not called: the arguments of this call are not complete."

_Refused: TypeAlias = "dict[str, dict[str, Any]]"
"""Refused calls by their id."""


def with_answered_calls(
    messages: Sequence[BaseMessage], *, has_tools: bool
) -> list[BaseMessage]:
    """Return the conversation with every refused call answered, or left out.

    Args:
        messages: The caller's conversation; never changed.
        has_tools: Whether the request has tools.
    """
    sent: list[BaseMessage] = []
    pending: list[ToolMessage] = []
    for at, message in enumerate(messages):
        if not isinstance(message, ToolMessage):
            sent += pending
            pending = []
        if isinstance(message, AIMessage) and _has_refused_call(message):
            answered = _answered_ids(messages[at + 1 :])
            at_end = at + 1 == len(messages)
            copy, pending = _answer(
                message, answered, has_tools=has_tools, at_end=at_end
            )
            sent.append(copy)
        else:
            sent.append(message)
    return sent + pending


def _has_refused_call(message: AIMessage) -> bool:
    return bool(message.invalid_tool_calls) or any(_blocks_in(message))


def _blocks_in(message: AIMessage) -> Iterable[dict[str, Any]]:
    """Return the blocks of refused calls."""
    content = message.content if isinstance(message.content, list) else []
    return (unwrapped(block) for block in content if is_invalid_call(unwrapped(block)))


def _answered_ids(later: Sequence[BaseMessage]) -> set[str]:
    """Return the ids of the calls that are answered right after their message."""
    results = takewhile(lambda message: isinstance(message, ToolMessage), later)
    return {cast("ToolMessage", result).tool_call_id for result in results}


def _answer(
    message: AIMessage, answered: set[str], *, has_tools: bool, at_end: bool
) -> tuple[AIMessage, list[ToolMessage]]:
    """Return a message as it is sent, and the answers to its refused calls."""
    in_blocks = {block["id"] for block in _blocks_in(message) if block.get("id")}
    refused = _refused_calls(message)
    sent = {
        call_id: call
        for call_id, call in refused.items()
        if call_id in answered or (has_tools and (at_end or call_id in in_blocks))
    }
    answers = [
        ToolMessage(
            str(call.get("error") or _NO_REASON),
            name=call["name"],
            tool_call_id=call_id,
            status="error",
        )
        for call_id, call in sent.items()
        if call_id not in answered
    ]
    return _sendable(message, sent), answers


def _refused_calls(message: AIMessage) -> _Refused:
    """Return the refused calls that have a name and an id (REFUSED-3).

    A block has the reason, which the sum of a stream's chunks may lack.
    """
    calls: list[Any] = [*message.invalid_tool_calls, *_blocks_in(message)]
    return {call["id"]: call for call in calls if call.get("id") and call.get("name")}


def _sendable(message: AIMessage, calls: _Refused) -> AIMessage:
    """Return a copy with these calls among its tool calls, which langchain-aws sends.

    A call whose `tool_use` block is in the content is sent from there.
    """
    plain = cast("AIMessage", message_chunk_to_message(message))
    content: Any = message.content
    present: set[Any] = set()
    if isinstance(content, list):
        content = [block for block in content if not is_invalid_call(unwrapped(block))]
        present = {
            block.get("id")
            for block in content
            if isinstance(block, dict) and block.get("type") == "tool_use"
        }
    added = [
        tool_call(name=call["name"], args={}, id=call_id)
        for call_id, call in calls.items()
        if call_id not in present
    ]
    update = {"content": content, "invalid_tool_calls": []}
    return plain.model_copy(
        update={**update, "tool_calls": [*plain.tool_calls, *added]}
    )

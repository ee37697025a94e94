"""What an agent is told about tool calls that must not run, and how often.

LangChain's agent ends when the model's message has no valid tool call. A message whose
calls are all invalid is no answer, though: the model wanted a tool. So the calls are
answered with the reason, and the model is asked again.

INVALID-1. Only a message without a valid call is answered here. If it has one, the
    agent goes on by itself, and LangChain or the next request answers the others.
INVALID-2. A call without a name or an id is not answered: Bedrock has no place for it.
INVALID-3. The number of such messages in a row is limited: a model that writes the same
    long call again and again would never end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from langchain_core.messages import AIMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import AnyMessage

UNKNOWN_REASON = "The arguments of this tool call are not valid."
ADVICE = (
    "The tool was not called. Call it again with complete arguments. If they are long, "
    "make them shorter or use several calls."
)


def answers(messages: Sequence[AnyMessage], most: int) -> list[ToolMessage]:
    """Return the answers to the invalid calls of the last message.

    Args:
        messages: An agent's conversation.
        most: How many messages in a row may be answered (INVALID-3).

    Returns:
        One error for each call, in order; none if the agent has nothing to go on with.
    """
    last = messages[-1] if messages else None
    if not _has_only_invalid_calls(last) or in_a_row(messages) > most:
        return []
    return [
        ToolMessage(
            f"{call.get('error') or UNKNOWN_REASON} {ADVICE}",
            name=call["name"],
            tool_call_id=call["id"],
            status="error",
        )
        for call in last.invalid_tool_calls
        if call["id"] and call["name"]  # INVALID-2
    ]


def in_a_row(messages: Sequence[AnyMessage]) -> int:
    """Return how many of the model's last messages have only invalid calls.

    Args:
        messages: An agent's conversation.
    """
    count = 0
    for message in reversed(messages):
        if _has_only_invalid_calls(message):
            count += 1
        elif not isinstance(message, ToolMessage):
            break
    return count


def _has_only_invalid_calls(message: AnyMessage | None) -> TypeGuard[AIMessage]:
    return (
        isinstance(message, AIMessage)
        and bool(message.invalid_tool_calls)
        and not message.tool_calls
    )

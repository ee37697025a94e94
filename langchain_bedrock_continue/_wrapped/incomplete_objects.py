"""Whether the object that a chain of structured output asked for is in a message.

LangChain's JSON parsers accept partial JSON, and its parsers of tool calls return None
where there is no call. So an object that did not fit would be a smaller object, or a
silent None. The functions here return what is wrong with a message instead.

OBJECT-1. A valid tool call is complete (CALL-1). If there is none, the object is
    incomplete if the turn is, if a call is among the invalid ones, or if the answer
    ended where neither the model nor a refusal ended it, as at a stop sequence.
OBJECT-2. A JSON document that ends is complete, whatever came after it. One that does
    not is incomplete, unless the model itself ended its answer: then it is invalid JSON
    at most, and the parser decides.
OBJECT-3. A message without `response_metadata["continuation"]` is not ours. It is
    parsed as usual.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage
from langchain_core.utils.json import parse_json_markdown

from langchain_bedrock_continue._core.decisions.remedies import remedy_of
from langchain_bedrock_continue._core.decisions.stop_reasons import meaning_of

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

DECLINED = frozenset({"content_filtered", "guardrail_intervened", "refusal"})
"""Stop reasons of an answer that was not given. Without a call in it, the chain returns
what it returns for ChatBedrockConverse."""

_DECODER = json.JSONDecoder(strict=False)


def problem_with_call(message: BaseMessage) -> str | None:
    """Return why a message has no tool call; None if it has one, or declined to call.

    Args:
        message: A whole message, or the sum of a stream's chunks.
    """
    turn = _turn_of(message)
    if turn is None or not isinstance(message, AIMessage) or message.tool_calls:
        return None
    if not turn["complete"]:
        return _limit(turn)
    if message.invalid_tool_calls:
        return message.invalid_tool_calls[-1]["error"] or "The tool call is invalid."
    reason = _stop_reason(message)
    ended_itself = meaning_of(reason).last_block_complete or reason in DECLINED
    return None if ended_itself else f"It ended at {reason}, before a tool call."


def problem_with_document(message: BaseMessage) -> str | None:
    """Return why the JSON document of a message is incomplete; None if it is not.

    Args:
        message: A whole message, or the sum of a stream's chunks.
    """
    turn = _turn_of(message)
    if turn is None:
        return None
    reason = _stop_reason(message)
    if turn["complete"] and meaning_of(reason).last_block_complete:
        return None
    if _has_complete_document(message.text):
        return None
    return f"It ended at {reason}." if turn["complete"] else _limit(turn)


def _turn_of(message: BaseMessage) -> dict[str, Any] | None:
    turn = message.response_metadata.get("continuation")
    return turn if isinstance(turn, dict) else None


def _stop_reason(message: BaseMessage) -> object:
    """Return Converse's stop reason, or InvokeModel's."""
    metadata = message.response_metadata
    return metadata.get("stopReason") or metadata.get("stop_reason")


def _limit(turn: dict[str, Any]) -> str:
    """Return what ended a turn, the size of its last response, and what to change."""
    ended_by, segments = turn["ended_by"], turn["segments"]
    size = segments[-1]["max_tokens"] if segments else None
    last = f"; the last response had max_tokens={size}" if size else ""
    return f"{ended_by} ended it{last}. {remedy_of(ended_by)}".rstrip()


def _has_complete_document(text: str) -> bool:
    """Return True if LangChain's parser finds an object or an array that ends."""
    try:
        found = parse_json_markdown(text.strip(), parser=_first_value)
    except ValueError:
        return False
    return isinstance(found, dict | list)


def _first_value(text: str) -> Any:
    """Return the first JSON value; what comes after it does not count."""
    return _DECODER.raw_decode(text)[0]

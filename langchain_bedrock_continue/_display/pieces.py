"""A finished message in pieces: its text by segment, and what else it has. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._display.bar import is_replaced
from langchain_bedrock_continue._display.words import count, one_line, why_ended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import AIMessage

    from langchain_bedrock_continue._core.record.continuation import (
        Continuation,
        SegmentEntry,
    )
    from langchain_bedrock_continue._display.bar import Part


@dataclass(frozen=True)
class Piece:
    """The text of one segment.

    Attributes:
        text: The text.
        number: The segment's number, from 1.
    """

    text: str
    number: int


@dataclass(frozen=True)
class Call:
    """A tool call of the message.

    Attributes:
        name: The tool's name.
        arguments: Its arguments, as JSON or as they arrived.
        error: Why it is invalid, or None.
    """

    name: str
    arguments: str
    error: str | None


def pieces_of(text: str, turn: Continuation) -> list[Piece]:
    """Cut a message's text at its seams.

    Args:
        text: The text.
        turn: The message's `continuation` metadata.
    """
    ends = [min(max(0, at), len(text)) for at in sorted(turn["seams"])]
    cuts = list(pairwise([0, *ends, len(text)]))
    numbers = _numbers(turn, len(cuts))
    return [
        Piece(text[start:end], number)
        for (start, end), number in zip(cuts, numbers, strict=True)
        if end > start or len(cuts) == 1
    ]


def _numbers(turn: Continuation, count: int) -> Sequence[int]:
    """Return which segment each piece is of.

    A replaced segment has no piece. If the numbers do not fit, as of a message that was
    changed, the pieces are counted.
    """
    segments = turn["segments"]
    kept = [at + 1 for at in range(len(segments)) if not is_replaced(segments, at)]
    return kept if len(kept) == count else range(1, count + 1)


def calls_of(message: AIMessage) -> list[Call]:
    """Return the tool calls of a message, the invalid ones too.

    Args:
        message: The message.
    """
    valid = [
        Call(call["name"], _json(call["args"]), None) for call in message.tool_calls
    ]
    invalid = [
        Call(
            call.get("name") or "tool",
            call.get("args") or "",
            call.get("error") or "invalid",
        )
        for call in message.invalid_tool_calls
    ]
    return valid + invalid


def reasoning_of(message: AIMessage) -> str:
    """Return the text of a message's reasoning.

    Args:
        message: The message.
    """
    content: Any = message.content
    blocks = [] if isinstance(content, str) else content
    return "\n\n".join(filter(None, map(_reasoning, blocks)))


def _reasoning(block: Any) -> str:
    if not isinstance(block, dict):
        return ""
    inner = block.get("reasoning_content")
    texts = [block.get("reasoning"), block.get("thinking")]
    texts.append(inner.get("text") if isinstance(inner, dict) else None)
    return next((text for text in texts if isinstance(text, str)), "")


def _json(arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False, default=str)


def legend(
    bar: Sequence[Part], segments: Sequence[SegmentEntry]
) -> list[tuple[str, str, str, str]]:
    """Return the words for each part of a bar: number, strategy, tokens, what ended it.

    Args:
        bar: The bar of a finished turn.
        segments: The turn's segments.
    """
    return [_words_of(part, segments[part.number - 1]) for part in bar]


def _words_of(part: Part, one: SegmentEntry) -> tuple[str, str, str, str]:
    if part.first is not None:
        return part.label, "", count(part.tokens, "token"), ""
    output = one["output_tokens"]
    return (
        part.label,
        one["strategy"] or "first",
        "? tokens" if output is None else count(output, "token"),
        why_ended(one) + (", replaced" if part.kind == "replaced" else ""),
    )


def call_text(call: Call) -> str:
    """Return a tool call in one line.

    Args:
        call: The call.
    """
    return f"{call.name}({one_line(call.arguments, 400)})"

"""The texts of the demo: an answer with marks, a table, an error in one line. No I/O.

DEMO-1. The answer without its marks is the model's text, byte for byte. If a width is
    given, a space may become a line break, and a mark may start a line.
DEMO-2. The table's `billed` line is the sum of the lines above it.
DEMO-3. An error is one line: what went wrong and, if known, what to do.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

_WORD = re.compile(r"([^\S\n]*)(\n|\S+|$)")
_MARK_COLOUR = "\x1b[1;36m{}\x1b[0m"

_ROW = "{:>8}  {:<14}{:>7}{:>8}{:>12}  {}"
_HEAD = ("segment", "stop_reason", "input", "output", "max_tokens", "request id")

_SIGN_IN = (
    "Set AWS_REGION and AWS_PROFILE, or AWS_REGION, AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY. The local endpoint needs none of them."
)

_ADVICE = {
    "Could not load credentials": _SIGN_IN,
    "Unable to locate credentials": _SIGN_IN,
    "Could not connect to the endpoint": (
        "Check the address and the network. To start a local endpoint, run "
        "`python -m langchain_bedrock_continue.local serve`."
    ),
    "model identifier is invalid": (
        "Give a Bedrock model id or inference profile, such as "
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0."
    ),
    "AccessDeniedException": (
        "Ask for access to the model, and for the permissions bedrock:InvokeModel and "
        "bedrock:InvokeModelWithResponseStream."
    ),
    "ThrottlingException": (
        "The quota of the account is used up for now. Try again later."
    ),
    "PrefillRefusedError": "Leave --strategy out, or give user_turn.",
}
"""What to do, by a part of the error's text."""


class Page:
    """Lays out an answer as it arrives, and breaks lines between words.

    Args:
        width: Columns of the terminal. None leaves the lines unchanged.
        colour: Whether marks are coloured.
    """

    def __init__(self, *, width: int | None = None, colour: bool = False) -> None:
        """Start in the first column; see the class."""
        self._width = width
        self._colour = colour
        self._column = 0
        self._marks = 0

    def text(self, text: str) -> str:
        """Lay out more of the answer.

        Args:
            text: More of the answer's text.
        """
        return "".join(self._place(*word.groups()) for word in _WORD.finditer(text))

    def mark(self, event: dict[str, Any]) -> str:
        """Return the mark of a `bedrock_continuation` event at this place.

        Args:
            event: Data of the event.
        """
        self._marks += 1
        label = f"⟦{event['type']} {self._marks}⟧"
        before = "" if self._fits(label) else "\n"
        self._column = len(label) + (0 if before else self._column)
        return before + (_MARK_COLOUR.format(label) if self._colour else label)

    def _fits(self, more: str) -> bool:
        return self._width is None or self._column + len(more) <= self._width

    def _place(self, space: str, word: str) -> str:
        if word == "\n":
            self._column = 0
        elif space and word and not self._fits(space + word):
            self._column = len(word)
            return "\n" + word
        else:
            self._column += len(space + word)
        return space + word


def table(continuation: dict[str, Any]) -> str:
    """Return a table of a turn's segments, their tokens and what ended the turn.

    Args:
        continuation: `response_metadata["continuation"]` of an answer.
    """
    segments = continuation["segments"]
    calls = f"{len(segments)} calls" if len(segments) > 1 else "one call"
    lines = [
        _ROW.format(*_HEAD),
        *(_segment_line(n, segment) for n, segment in enumerate(segments, 1)),
        _usage_line("billed", continuation["billed"], f"{calls}, as billed"),
        _usage_line("response", continuation["response"], "as a single response"),
        "",
        _ending(continuation),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _segment_line(number: int, segment: dict[str, Any]) -> str:
    names = ("stop_reason", "input_tokens", "output_tokens", "max_tokens")
    cells = [_cell(segment[name]) for name in names]
    return _ROW.format(number, *cells, _cell(segment["request_id"])[:8])


def _usage_line(name: str, usage: dict[str, Any] | None, meaning: str) -> str:
    known = usage or {"input_tokens": None, "output_tokens": None}
    cells = (_cell(known["input_tokens"]), _cell(known["output_tokens"]))
    return _ROW.format(name, "", *cells, "", meaning)


def _cell(value: object) -> str:
    """Return the text of a value that the service may not have sent."""
    return "-" if value is None else str(value)


def _ending(continuation: dict[str, Any]) -> str:
    ended_by = continuation["ended_by"]
    who = {"model": "the model", "error": "an error"}.get(ended_by, ended_by)
    state = "complete" if continuation["complete"] else "incomplete"
    count = len(continuation["segments"])
    return f"The answer is {state}: {who} ended it in segment {count}."


def one_line(error: Exception) -> str:
    """Return what went wrong and, if known, what to do (DEMO-3).

    Args:
        error: The error.
    """
    text = _error_text(error)
    found = [advice for part, advice in _ADVICE.items() if part in text]
    return " ".join([text.rstrip(".") + ".", *found])


def _error_text(error: Exception) -> str:
    if isinstance(error, ValidationError):
        messages = (detail["msg"] for detail in error.errors())
        text = "; ".join(m.removeprefix("Value error, ") for m in messages)
    else:
        text = f"{type(error).__name__}: {error}".removeprefix("ValueError: ")
    return " ".join(text.split())

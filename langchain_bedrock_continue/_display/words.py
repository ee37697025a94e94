"""The words and numbers in which a turn is told to people. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.record.continuation import SegmentEntry

_ARN = re.compile(r"^arn:.*/")
_PREFIX = re.compile(r"^(?:[a-z-]{2,7}\.)?(?:amazon|anthropic|[a-z0-9]+)\.(?=\D)")
_SUFFIX = re.compile(r"(?:-\d{8})?(?:-v\d+)?(?::\d+\w*)?$")

NOTES = {
    "seam": "",
    "retry": "retrying",
    "asked_again": "asking again",
    "arguments": "finishing the tool call",
    "prefill_refused": "prefill refused, user turn",
    "resume": "resuming",
    "recovery": "recovering",
}
"""What a call is made for, by the type of its event; empty for the usual."""


def short_model(model: str | None) -> str:
    """Return a model id without region, vendor, date and version.

    Args:
        model: A model id, an inference profile or an ARN; None if it is not known.
    """
    name = _ARN.sub("", model or "model")
    return _SUFFIX.sub("", _PREFIX.sub("", name)) or name


def count(number: int, thing: str, *, about: bool = False) -> str:
    """Return a number and its unit, as in `1 token` and `~1,204 tokens`.

    Args:
        number: How many.
        thing: What, in the singular.
        about: Whether the number is an estimate.
    """
    mark = "~" if about else ""
    return f"{mark}{number:,} {thing}{'' if number == 1 else 's'}"


def seconds(duration: float) -> str:
    """Return a duration, as in `3.2 s` and `2 min 5 s`.

    Args:
        duration: In seconds.
    """
    if duration < 59.95:  # noqa: PLR2004 - a minute, rounded to a tenth of a second
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s"


def why_ended(entry: SegmentEntry) -> str:
    """Return why a segment ended: its stop reason, its problem, or its error.

    Args:
        entry: The segment.
    """
    return entry.get("problem") or entry.get("error") or entry["stop_reason"] or "?"


def one_line(text: str, most: int = 120) -> str:
    """Return a text in one line, shortened.

    Args:
        text: Any text.
        most: Its maximum length in characters.
    """
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"

"""Where the answer may begin again in new text: at once, or after an introduction.

Examples of an introduction: "Here is the table:", and the opening line of a code fence.
"""

from __future__ import annotations

import re

from langchain_bedrock_continue._core.text.preambles import OPENERS

INTRODUCTION = 160
"""The longest line that introduces a restart."""

_FENCE_LINE = re.compile(r"\s*(?:```|~~~)\w*[ \t]*\n")
_MAYBE_FENCE_LINE = re.compile(r"`{0,3}|~{0,3}|(?:```|~~~)\w*[ \t]*")


def possible_starts(text: str, *, final: bool) -> tuple[list[int], bool]:
    """Return where the answer may begin in new text, and whether more may be found.

    Args:
        text: The new text, or the start of it.
        final: Whether no more of it follows.
    """
    starts, at = [0], 0
    start = text.lstrip()
    if not start:
        return starts, not final
    lowered = start[:INTRODUCTION].lower().replace("\u2019", "'")
    if lowered.startswith(OPENERS):
        line, line_break, _ = start.partition("\n")
        if not line_break:
            return starts, not final and len(line) <= INTRODUCTION
        if len(line) <= INTRODUCTION and line.rstrip().endswith((":", "\uff1a")):
            at = len(text) - len(start) + len(line) + 1
            starts.append(at)
    elif not final and any(opener.startswith(lowered) for opener in OPENERS):
        return starts, True
    if match := _FENCE_LINE.match(text, at):
        starts.append(match.end())
    may_be_fence = _MAYBE_FENCE_LINE.fullmatch(text[at:].lstrip())
    return starts, not final and may_be_fence is not None

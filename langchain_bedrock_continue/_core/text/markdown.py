"""Where a text stands in its markdown: in an open code fence, in a table."""

from __future__ import annotations

import re

_FENCES = re.compile(
    r"^[ \t]*(?:> ?)*(?:[-*+] |\d+[.)] )?[ \t]*(`{3,}|~{3,})(.*)$", re.MULTILINE
)


def in_fence(text: str) -> bool:
    """Tell whether a text ends inside an open code fence."""
    fence = ""
    for mark, info in _FENCES.findall(text):
        if not fence:
            fence = mark
        elif mark.startswith(fence) and not info.strip():
            fence = ""
    return bool(fence)


def table_at_end(text: str) -> tuple[str, bool] | None:
    """Return the header of the table that a text ends in, and if its row is whole."""
    lines = [line.strip() for line in text.split("\n")]
    first = len(lines)
    while first and lines[first - 1].startswith("|"):
        first -= 1
    table = lines[first:]
    if not table[2:] or not _RULE.fullmatch(table[1]):
        return None
    whole = table[-1].endswith("|") and table[-1].count("|") == table[0].count("|")
    return "\n".join(table[:2]), whole


_RULE = re.compile(r"\|[\s:|-]*-[\s:|-]*")

"""Where a text ends in its Markdown: inside a code fence, inside a table."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCES = re.compile(
    r"^[ \t]*(?:> ?)*(?:[-*+] |\d+[.)] )?[ \t]*(`{3,}|~{3,})(.*)$", re.MULTILINE
)
_DELIMITER_ROW = re.compile(r"\|[\s:|-]*-[\s:|-]*")


def in_fence(text: str) -> bool:
    """Return True if a text ends inside an open code fence."""
    fence = ""
    for mark, info in _FENCES.findall(text):
        if not fence:
            fence = mark
        elif mark.startswith(fence) and not info.strip():
            fence = ""
    return bool(fence)


def table_at_end(text: str) -> tuple[str, bool] | None:
    """Describe the table in which a text ends.

    Returns:
        The two lines of the table's header, and whether its last row is complete; None
        if the text does not end in a table with a row.
    """
    table = list(takewhile(_is_row, _lines_from_end(text)))[::-1]
    if not table[2:] or not _DELIMITER_ROW.fullmatch(table[1]):
        return None
    last, header = table[-1], table[0]
    is_complete = last.endswith("|") and last.count("|") == header.count("|")
    return "\n".join(table[:2]), is_complete


def _is_row(line: str) -> bool:
    return line.startswith("|")


def _lines_from_end(text: str) -> Iterator[str]:
    """Iterate over the stripped lines of a text, the last one first."""
    end = len(text)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        yield text[start:end].strip()
        end = start - 1

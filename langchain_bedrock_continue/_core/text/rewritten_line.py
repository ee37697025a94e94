"""The last line of a text, which a message may write again from its beginning.

A model that is asked to repeat several lines often repeats the last one only. The start
of a line is short, and short repetitions prove little (OVERLAP-2). But what begins such
a line can't follow it: no list item begins inside another one.

Example: the text ends in "| Vitamin B", and the message is "| Vitamin B1 | Grains |".
The new text is "1 | Grains |".

LINE-1. A table row that is not complete is written again by a message that begins with
    a bar, and not with the header of the table.
LINE-2. A list item is written again by a message that begins with the same mark and a
    blank. So is a heading that has words.
LINE-3. A line of code is written again by a message that begins with the same
    indentation, if the text ends after some letters of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.text_end import without_whitespace

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.text.text_end import TextEnd

_MARK = re.compile(r"[ \t]*((?:[-*+]|\d{1,3}[.)])(?=[ \t]|\Z)|\#{1,6}(?=[ \t]+\S))")
_INDENTED = re.compile(r"[ \t]{2,}(?=\S)|\t(?=\S)")

_MIN_LETTERS = 3
"""So many letters of a line show which line it is."""


def rewrites_last_line(text_end: TextEnd, begun: str, *, final: bool) -> bool | None:
    """Return whether a message begins like the text's last line, None if undecided.

    Args:
        text_end: The text.
        begun: The message so far.
        final: No more of it will come.
    """
    start = _start_of_line(text_end)
    if not start:
        return False
    if not start.isspace():
        begun = begun.lstrip()
    if not final and len(begun) < len(start):
        return None if start.startswith(begun) else False
    return begun.startswith(start) and _is_no_header(text_end, begun, final=final)


def _start_of_line(text_end: TextEnd) -> str:
    """Return what a message begins with that writes the last line again, or ""."""
    if not text_end.in_line:
        return ""
    line = text_end.body.rpartition("\n")[2]
    if line.lstrip().startswith("|"):
        return "|" if text_end.before.open_row else ""
    if mark := _MARK.match(line):
        return f"{mark[1]} "
    indented = _INDENTED.match(line)
    return indented[0] if indented and _letters(line) >= _MIN_LETTERS else ""


def _is_no_header(text_end: TextEnd, begun: str, *, final: bool) -> bool | None:
    """Return whether a message does not begin with the table's header (LINE-1)."""
    if text_end.table is None:
        return True
    header = without_whitespace(text_end.table[0].partition("\n")[0])
    row = without_whitespace(begun)
    if not final and header.startswith(row) and row != header:
        return None
    return not row.startswith(header)


def is_cut_line(text_end: TextEnd) -> bool:
    """Return True if the text ends inside its last line, after letters."""
    line = text_end.plain.compact[text_end.plain.line_at :]
    return not text_end.trailing and _letters(line) >= _MIN_LETTERS


def _letters(line: str) -> int:
    return sum(map(str.isalpha, line))

"""Where a text ends in its Markdown: inside a fence, a table, a line of code."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FENCES = re.compile(
    r"^[ \t]*(?:> ?)*(?:[-*+] |\d+[.)] )?[ \t]*(`{3,}|~{3,})(.*)$", re.MULTILINE
)
_DELIMITER_ROW = re.compile(r"\|[\s:|-]*-[\s:|-]*")


class Fence(NamedTuple):
    """A fenced code block.

    Attributes:
        mark: The characters that open it.
        language: The first word after them; may be empty.
        start: Offset of its first line.
        end: Offset after its last line; None if it is open.
    """

    mark: str
    language: str
    start: int
    end: int | None = None


def last_fence(text: str, last: Fence | None = None, *, at: int = 0) -> Fence | None:
    """Return the last code block of a text, or None if it has none.

    Args:
        text: The text, or the last lines of it.
        last: The last code block before these lines.
        at: Where they begin.
    """
    for line in _FENCES.finditer(text):
        mark, info = line[1], line[2].strip()
        if last is None or last.end is not None:
            start = at + min(line.end() + 1, len(text))
            last = Fence(mark, info.partition(" ")[0], start)
        elif mark.startswith(last.mark) and not info:
            last = last._replace(end=at + line.start())
    return last


def in_fence(text: str) -> bool:
    """Return True if a text ends inside an open code fence."""
    last = last_fence(text)
    return last is not None and last.end is None


def table_at_end(text: str) -> tuple[str, bool] | None:
    """Describe the table in which a text ends.

    Returns:
        The two lines of the table's header, and whether its last row is complete; None
        if the text does not end in a table with a row.
    """
    table = list(takewhile(_is_row, _lines_from_end(text)))[::-1]
    return table_of(table, table[-1]) if table else None


def table_of(rows: Sequence[str], last: str) -> tuple[str, bool] | None:
    """Describe a table; see `table_at_end`.

    Args:
        rows: Its first lines, and at least one more if it has a row.
        last: Its last line.
    """
    if not rows[2:] or not _DELIMITER_ROW.fullmatch(rows[1]):
        return None
    header = rows[0]
    is_complete = last.endswith("|") and last.count("|") == header.count("|")
    return "\n".join(rows[:2]), is_complete


def rows_at_end(rows: Sequence[str], lines: Iterable[str]) -> tuple[str, ...]:
    """Return the first lines, at most three, of the rows in which a text ends.

    Args:
        rows: Those in which it ended before its last lines.
        lines: Its last lines.
    """
    at_end = list(rows)
    for line in lines:
        row = line.strip()
        if not _is_row(row):
            at_end.clear()
        elif len(at_end) < _ENOUGH_ROWS:
            at_end.append(row)
    return tuple(at_end)


_ENOUGH_ROWS = 3
"""The header of a table, the line below it, and a row."""


def _is_row(line: str) -> bool:
    return line.startswith("|")


def _lines_from_end(text: str) -> Iterator[str]:
    """Iterate over the stripped lines of a text, the last one first."""
    end = len(text)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        yield text[start:end].strip()
        end = start - 1


def has_open_end(text: str) -> bool:
    """Return True if a text ends in a string or a bracket, or after an operator."""
    line = text[text.rfind("\n") + 1 :]
    return _has_open_bracket(line) or line.rstrip().endswith(_OPERATORS)


def begins_as_json(text: str) -> bool:
    """Return True if a text begins as a JSON document."""
    return _first_line(text)[:1] in {"{", "["}


def begins_as_code(text: str) -> bool:
    """Return True if a text begins as code without a fence."""
    return _CODE.match(_first_line(text)) is not None


def _first_line(text: str) -> str:
    return text.lstrip()[:_MAX_FIRST_LINE].partition("\n")[0]


_MAX_FIRST_LINE = 200
_OPERATORS = ("=", "+", "&&", "||", "\\", "->", "=>", "(", "[", "{")
_CODE = re.compile(
    r"#!|#include|//|/\*|<\?|<!DOCTYPE|<html|@\w+$|(?:async )?def \w+\(|class \w+[(:{ ]"
    r"|import [\w.{*]+(?: as| from|,|;|$)|from [\w.]+ import|package \w|using \w+[.;]"
    r"|(?:export |public |private |static )*(?:function|interface|enum) \w"
    r"|(?:const|let|var) \w+ ?[=:]|(?:create|select|insert|alter|with) \w+.*(?:\(|,|$)",
    re.IGNORECASE,
)
"""How an answer begins that is code without a fence."""

_BRACKETS = {")": "(", "]": "[", "}": "{"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def _has_open_bracket(line: str) -> bool:
    """Return True if a line ends inside a string or a bracket."""
    code = _STRING.sub("", line)
    if '"' in code:
        return True
    opened: list[str] = []
    for char in code:
        if char in _BRACKETS.values():
            opened.append(char)
        elif opened and opened[-1] == _BRACKETS.get(char):
            opened.pop()
    return bool(opened)


def is_open_json(text: str) -> bool:
    """Return True if a text that begins as JSON is not complete."""
    return _has_open_bracket(text)

"""Whether an answer is well formed and over, by the kind of text that was asked for.

Models write around what was asked for: a preamble, a code fence, an explanation. So a
fenced block counts if there is one, and else the text.

WELL-FORMED-1. An open code fence, bracket, tag, string or sentence means: not over.
WELL-FORMED-2. Where nothing can be proven, an answer is well formed: a table without
    rows outside a table is prose, and prose is only asked to end in a sentence.
"""

from __future__ import annotations

import ast
import html.parser
import json
import re
import sqlite3
import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Kind: TypeAlias = Literal[
    "prose", "python", "json", "table", "list", "sql", "html", "japanese"
]
"""What a prompt asks for."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Form:
    """Whether a text is well formed.

    Attributes:
        reason: What is wrong; empty if nothing is.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        """Return True if nothing is wrong."""
        return not self.reason


def well_formed(kind: Kind, text: str) -> Form:
    """Return whether a text is well formed, and why not.

    Args:
        kind: What was asked for.
        text: The answer.
    """
    if not text.strip():
        return Form("empty")
    checks = (_fences_close, _CHECKS[kind])
    return Form(next(filter(None, (check(text) for check in checks)), ""))


# Code fences ----------------------------------------------------------------------

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def _fences_close(text: str) -> str:
    return "a code fence is open" if _blocks(text)[1] else ""


def _blocks(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Return the fenced blocks (language, content), and whether the last is open."""
    blocks: list[tuple[str, str]] = []
    fence, language, lines = "", "", list[str]()
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not fence and found:
            fence, language, lines = found[1], found[2].strip().lower(), []
        elif fence and found and found[1].startswith(fence) and not found[2].strip():
            blocks.append((language, "\n".join(lines)))
            fence = ""
        elif fence:
            lines.append(line)
    return blocks, bool(fence)


def _contents(text: str, *languages: str) -> list[str]:
    """Return the fenced blocks of these languages, else all, else the text."""
    blocks, _ = _blocks(text)
    named = [content for language, content in blocks if language in languages]
    return named or [content for _, content in blocks] or [text]


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")


# The kinds ------------------------------------------------------------------------

_ENDS = (".", "!", "?", "…", ":", "。", "！", "？")
_CLOSERS = "\"'”’»)]}*_`」』）】>|-"
_FOLLOWS_SENTENCE = re.compile(r"\s*[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]+$")


def _prose(text: str) -> str:
    end = _FOLLOWS_SENTENCE.sub("", text.rstrip()).rstrip(_CLOSERS).rstrip()
    return "" if end.endswith(_ENDS[:4] + _ENDS[5:]) else "it ends inside a sentence"


def _python(text: str) -> str:
    return _first(_compiles(code) for code in _contents(text, "python", "py"))


def _compiles(code: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the model's code, not of ours
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"Python does not compile: {error}"
    return ""


def _json(text: str) -> str:
    blocks, _ = _blocks(text)
    texts = [content for _, content in blocks] or [_between_brackets(text)]
    return _first(_parses(one) for one in texts)


def _between_brackets(text: str) -> str:
    """Return the text from the first bracket to the last one."""
    first = re.search(r"[\[{]", text)
    last = max(text.rfind("]"), text.rfind("}"))
    return text[first.start() : last + 1] if first else text


def _parses(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"JSON does not parse: {error}"
    return ""


_PIPE = re.compile(r"(?<!\\)\|")


def _table(text: str) -> str:
    return _first(map(_columns_constant, _tables(text))) or (
        "" if _tables(text) else "there is no table"
    )


def _tables(text: str) -> list[list[str]]:
    """Return the rows of each table: lines that begin with a pipe."""
    tables: list[list[str]] = []
    for before, line in pairwise(["", *text.splitlines()]):
        if line.lstrip().startswith("|"):
            if not before.lstrip().startswith("|"):
                tables.append([])
            tables[-1].append(line.strip())
    return tables


def _columns_constant(rows: list[str]) -> str:
    if any(not row.endswith("|") for row in rows[1:] if rows[0].endswith("|")):
        return "a table row is open"
    counts = {len(_PIPE.findall(row)) for row in rows}
    return "" if len(counts) == 1 else "the columns of a table are not constant"


_ITEM = re.compile(r"^(?:\*\*|#{1,6} )?(\d{1,3})[.)]")


def _list(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    numbers = [int(found[1]) for line in lines if (found := _ITEM.match(line))]
    if not numbers:
        return "there is no numbered list"
    wrong = next((b for a, b in pairwise(numbers) if b != a + 1), None)
    if wrong is not None:
        return f"the list numbers don't run on at {wrong}"
    last = _ITEM.sub("", lines[-1]).strip("*_ :")
    if not last:
        return "the last list item is empty"
    return _brackets_close(lines[-1])


def _brackets_close(line: str) -> str:
    closed = line.count("(") <= line.count(")") and line.count("**") % 2 == 0
    return "" if closed else "a bracket or an emphasis is open"


def _sql(text: str) -> str:
    return _first(_statements_end(code) for code in _contents(text, "sql"))


def _statements_end(code: str) -> str:
    code = re.sub(r"--[^\n]*", "", code)
    # sqlite3 takes no half of a surrogate pair.
    encodable = code.replace("\0", "").encode(errors="replace").decode()
    if not sqlite3.complete_statement(encodable):
        return "an SQL statement is open"
    unquoted = re.sub(r"'(?:[^']|'')*'", "", code)
    closed = unquoted.count("(") == unquoted.count(")")
    return "" if closed else "an SQL bracket is open"


def _html(text: str) -> str:
    return _first(_tags_close(code) for code in _contents(text, "html"))


class _Tags(html.parser.HTMLParser):
    """Collects the tags that are open.

    Attributes:
        open: The tags that are open, the outermost first.
        unmatched: The first end tag without its start tag.
    """

    _VOID = frozenset(
        [
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "source",
            "track",
            "wbr",
        ]
    )
    _OPTIONAL = frozenset(
        ["li", "p", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody", "tfoot"]
    )

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unmatched = ""

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._VOID:
            return
        while self.open and self.open[-1] != tag and self.open[-1] in self._OPTIONAL:
            self.open.pop()
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif not self.unmatched:
            self.unmatched = tag


def _tags_close(code: str) -> str:
    tags = _Tags()
    tags.feed(code)
    if code.rfind("<") > code.rfind(">"):
        return "an HTML tag is cut"
    if tags.open:
        return f"the HTML tag <{tags.open[-1]}> is open"
    return f"</{tags.unmatched}> closes nothing" if tags.unmatched else ""


_CHECKS: dict[Kind, Callable[[str], str]] = {
    "prose": _prose,
    "python": _python,
    "json": _json,
    "table": _table,
    "list": _list,
    "sql": _sql,
    "html": _html,
    "japanese": _prose,
}
"""Return what is wrong with a text of the kind; empty if nothing is."""

"""Whether code plainly isn't complete, by its language: one table.

CODE-1. Only what no complete code has counts, such as a bracket that is never closed.
    Where a rule can't tell, the code is complete.
CODE-2. A language without a rule is never open.
CODE-3. No rule fails on a text, whatever a model wrote.
"""

from __future__ import annotations

import codeop
import html.parser
import json
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


def is_open_code(language: str, code: str) -> bool:
    """Return True if code plainly isn't complete.

    Args:
        language: The name after a code fence, such as `"python"`, in any case; empty
            to tell it by how the code begins.
        code: The code.
    """
    body = code.strip()
    rule = _RULES.get(language.lower()) or (None if language else _rule_by_start(body))
    return bool(body) and rule is not None and rule(body)


def language_by_start(code: str) -> str:
    """Return the language that code without a fence is in, or an empty string."""
    start = code.lstrip()[:_LONGEST_START]
    return next((one.language for one in _STARTS if one.start.match(start)), "")


def _rule_by_start(body: str) -> Callable[[str], bool] | None:
    return _RULES.get(language_by_start(body))


# JSON -----------------------------------------------------------------------------

_PART = re.compile(
    r"|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-|\.|\.?\d*[eE][+-]?|\\?(?:u[\da-fA-F]{0,3})?"
)
"""What `json` finds at its error where a document ends inside a value, or after one."""


def _is_open_json(body: str) -> bool:
    try:
        json.loads(body, strict=False)
    except json.JSONDecodeError as error:
        rest = body[error.pos :].rstrip()
        return "Unterminated string" in error.msg or bool(_PART.fullmatch(rest))
    except (RecursionError, ValueError):  # of a number with thousands of digits
        return False
    return False


# Python ---------------------------------------------------------------------------


def _is_open_python(body: str) -> bool:
    """Ask the compiler: the `codeop` of the standard library serves its prompt."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the model's code
            return codeop.compile_command(f"{body}\n", symbol="exec") is None
    except SyntaxError as error:
        last = body.count("\n") + 1
        return error.lineno == last and "unterminated string" in str(error.msg)
    except (ValueError, OverflowError, RecursionError, MemoryError):
        return False


# SQL ------------------------------------------------------------------------------

_SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_SQL_STRING = re.compile(r"'(?:[^']|'')*'")
_SQL_CUT = re.compile(
    r"(?i)(?:[,(=<>+]|\b(?:values|into|set|from|where|and|or|not|join|on|select|by"
    r"|table|update|delete|insert|create|as|in|like|between|having|references))\Z"
)
"""What no statement ends in."""

_SQL_INSERT = re.compile(r"(?is)insert\s+into\s+\S+\s*\([^()]*\)\Z")
_ENOUGH_STATEMENTS = 2


def _is_open_sql(body: str) -> bool:
    text = _SQL_STRING.sub("''", _SQL_COMMENT.sub("", body))
    *before, last = (one.strip() for one in text.split(";"))
    if "'" in text.replace("''", "") or text.count("(") > text.count(")"):
        return True
    ended = sum(map(bool, before))
    cut = _SQL_CUT.search(last) or _SQL_INSERT.match(last)
    return bool(cut) or (bool(last) and ended >= _ENOUGH_STATEMENTS)


# HTML -----------------------------------------------------------------------------


class _Elements(html.parser.HTMLParser):
    """Follows which elements are open.

    Attributes:
        open: Their tags, the outermost first.
    """

    _WITH_END_TAGS = frozenset(
        re.findall(
            r"\w+",
            "html head title body header main section article footer nav div table form"
            " select textarea button ul ol dl h1 h2 h3 h4 style script svg",
        )
    )

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        if tag in self._WITH_END_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


_CUT_TAG = re.compile(r"</?[a-zA-Z][^<>]*\Z")


def _is_open_html(body: str) -> bool:
    elements = _Elements()
    try:
        elements.feed(body)
    except AssertionError:  # of a malformed declaration
        return False
    return bool(elements.open) or _CUT_TAG.search(body) is not None


# Languages with brackets ----------------------------------------------------------

_NO_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'"
    r"|`(?:\\.|[^`\\])*`",
    re.DOTALL,
)
"""Comments and strings; a quotation mark alone, as in Rust's `'a`, is none."""

_OPENING = {")": "(", "]": "[", "}": "{"}


def _has_open_bracket(body: str) -> bool:
    opened: list[str] = []
    for char in _NO_CODE.sub("", body):
        if char in "([{":
            opened.append(char)
        elif char in _OPENING and (not opened or opened.pop() != _OPENING[char]):
            return False  # not understood
    return bool(opened)


# The tables -----------------------------------------------------------------------


class _Language(NamedTuple):
    names: str
    is_open: Callable[[str], bool]
    why: str


_LANGUAGES = (
    _Language("json", _is_open_json, "json says where a document ends too early"),
    _Language("python py python3", _is_open_python, "codeop says what is incomplete"),
    _Language(
        "sql mysql postgresql sqlite tsql plsql",
        _is_open_sql,
        "brackets, strings, and the semicolon that the statements before have",
    ),
    _Language("html xhtml vue", _is_open_html, "elements have end tags"),
    _Language(
        "javascript js jsx typescript ts tsx java kotlin c cpp c++ csharp cs go rust "
        "swift php scala dart css scss",
        _has_open_bracket,
        "blocks are in brackets",
    ),
)

_RULES = {name: one.is_open for one in _LANGUAGES for name in one.names.split()}

_LONGEST_START = 200


class _Start(NamedTuple):
    start: re.Pattern[str]
    language: str


_STARTS = (
    _Start(re.compile(r"[{\[]"), "json"),
    _Start(re.compile(r"(?i)<!doctype html|<html[\s>]"), "html"),
    _Start(
        re.compile(
            r"(?:--.*\n\s*)*(?:CREATE (?:TABLE|VIEW|INDEX)\b|INSERT INTO\b|SELECT\s"
            r"|create (?:table|view|index)\b|insert into\b|select\s)"
        ),
        "sql",
    ),
)
"""How code begins that stands in no fence. Python is not among them: text that begins
with `import` or `from` may be prose."""

"""Folding: the form in which two spellings of the same characters are equal.

A model that repeats text changes how some of it is written: "—" becomes "--", "…"
becomes "...", "é" becomes "e" and an accent, "&" becomes "&amp;". Unicode says which
forms are the same character: canonical equivalence (UAX #15, NFD) and the full-width
and half-width forms (UAX #11). The rest is a table of punctuation.

FOLD-1. Folding does not depend on how a text is split into chunks: it looks at one
    character, and at whether it continues a run of dashes or dots.
FOLD-2. Each folded character knows where its character ends in the message.
FOLD-3. Whitespace folds to nothing, but it ends a run. So lines can be folded one by
    one.
FOLD-4. Time is linear.
FOLD-5. Several marks on one character stay in their order: sorting them, as NFD does,
    would need the character after them.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from html.entities import html5

_TABLE = (
    # Compared as; what is compared so; why.
    ("'", '"\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f'),  # typewriter quotes
    ("'", "\u00ab\u00bb\u2039\u203a"),  # French and Swiss quotation marks
    ("'", "\u300c\u300d\u300e\u300f"),  # Japanese ones, which Chinese writes as "“”"
    ("-", "\u2010\u2011\u2012\u2013\u2014\u2015"),  # all dashes of a keyboard's hyphen
    ("-", "\u2212"),  # the minus sign
    ("...", "\u2026\u22ef"),  # one ellipsis is three dots
    ("~", "\u301c"),  # the wave dash; its full-width twin U+FF5E folds to "~"
)
_PUNCTUATION = {char: to for to, chars in _TABLE for char in chars}

_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d")
_DOTS = frozenset(".\u2026\u22ef")
_RUNS = re.compile(r"-{2,}|\.{4,}")

_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,7});"
)
_BEGUN_ENTITY = re.compile(r"&[#A-Za-z0-9]{0,8}\Z")
_TOKEN = re.compile(_ENTITY.pattern + "|.", re.DOTALL)


class _FoldTable(dict[int, str]):
    """How each character is folded; computed when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = "".join(
            map(_fold, unicodedata.normalize("NFD", chr(code)))
        )
        return folded


def _fold(char: str) -> str:
    """Fold a character that has no canonical decomposition."""
    if char.isspace():
        return " "
    kind, _, codes = unicodedata.decomposition(char).partition(" ")
    if kind in {"<wide>", "<narrow>"}:
        return "".join(_fold(chr(int(code, 16))) for code in codes.split())
    return _PUNCTUATION.get(char, char)


_FOLDED = _FoldTable()


def _character(entity: re.Match[str]) -> str:
    """Return what an HTML entity stands for, or the same text if it is none."""
    name = entity[0][1:]
    return unescape(entity[0]) if name[0] == "#" else html5.get(name, entity[0])


def folded(text: str) -> str:
    """Fold a complete text."""
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return _RUNS.sub(_shortest, text.translate(_FOLDED)).replace(" ", "")


def _shortest(run: re.Match[str]) -> str:
    return "-" if run[0][0] == "-" else "..."


class Folder:
    """Folds a message as it arrives."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._received = 0
        self._pending = ""  # the start of an entity
        self._run = ""

    def feed(self, text: str, *, final: bool = False) -> tuple[str, list[int]]:
        """Fold more of the message.

        Returns:
            The folded characters, and for each the offset in the message at which the
            character ends that it comes from (FOLD-2).
        """
        text = self._pending + text
        begun = None if final else _BEGUN_ENTITY.search(text)
        text, self._pending = (
            (text, "")
            if begun is None
            else (
                text[: begun.start()],
                begun[0],
            )
        )
        chars: list[str] = []
        offsets: list[int] = []
        for token in _TOKEN.finditer(text):
            char = token[0] if len(token[0]) == 1 else _character(token)
            new = self._continue_run(char.translate(_FOLDED))
            chars.append(new)
            offsets += [self._received + token.end()] * len(new)
        self._received += len(text)
        return "".join(chars), offsets

    def _continue_run(self, new: str) -> str:
        """Leave out what continues a run of dashes or dots (FOLD-1)."""
        if new not in {"-", ".", "..."}:
            self._run = ""
            return "" if new == " " else new.replace(" ", "")
        before = self._run if self._run[:1] == new[0] else ""
        self._run = (before + new)[: 1 if new == "-" else 3]
        return self._run[len(before) :]


def run_length(text: str) -> int:
    """Count the dashes, or the dots, in which a text ends."""
    for run in (_DASHES, _DOTS):
        end = len(text)
        while end and text[end - 1] in run:
            end -= 1
        if end < len(text):
            return len(text) - end
    return 0


def surplus(text: str, message: str) -> int:
    """Count the characters of a message that belong to the run in which a text ends.

    A run of dashes or dots is compared as if it were shorter, so that the message's
    run may go on where the comparison ends.

    Args:
        text: The text.
        message: The message after the end of the comparison.
    """
    size = run_length(text)
    if not size or not (run := next(r for r in (_DASHES, _DOTS) if text[-1] in r)):
        return 0
    is_wide = not text[-1].isascii()
    room = max(size, 2 if is_wide else 0) - 1 if run is _DASHES else _dots(text, size)
    count = 0
    while count < min(room, len(message)) and message[count] in run:
        count += 1
    return count


def _dots(text: str, size: int) -> int:
    """Return how many more dots may follow a run that was compared as "..."."""
    return max(0, 3 * size - 3 if not text[-1].isascii() else size - 3)

"""Whether text is the beginning of a JSON document, character by character.

PREFIX-1. A character is wrong if no JSON document goes on with it: a bracket that
    closes another one than the last open one, or a value where a comma is missing.
    After the document a closing bracket, a comma and a colon are wrong.
PREFIX-2. A comma before a closing bracket is accepted: models write it.
PREFIX-3. What JSON does not know at all, such as a comment or an ellipsis, is not
    judged, and nothing after it.
PREFIX-4. The result depends on the text, and not on how it is split into chunks.
"""

from __future__ import annotations

import copy
import re
from enum import Enum, auto


class _Need(Enum):
    VALUE = auto()
    KEY = auto()
    COLON = auto()
    COMMA = auto()
    NOTHING = auto()


_OPENING = {"]": "[", "}": "{"}
_IN_STRING = re.compile(r'["\\]')
_VISIBLE = re.compile(r"\S")
_SCALAR = frozenset("+-.")


class JsonPrefix:
    """Reads JSON.

    Attributes:
        is_judged: Whether what follows is judged: nothing unknown has come, nor text
            after the document.
    """

    def __init__(self) -> None:
        """Begin before the document."""
        self.is_judged = True
        self._open: list[str] = []
        self._need = _Need.VALUE
        self._may_close = False
        self._in_string = self._is_escaped = self._in_scalar = False

    def copy(self) -> JsonPrefix:
        """Return a copy, which reads on by itself."""
        return copy.deepcopy(self)

    @property
    def is_open(self) -> bool:
        """Whether the text ends in a string, or inside brackets."""
        return self._in_string or bool(self._open)

    @property
    def is_over(self) -> bool:
        """Whether the document is over."""
        return self._need is _Need.NOTHING

    def feed(self, text: str) -> int | None:
        """Read more; return the offset of the first wrong character, or None."""
        at, end = 0, len(text)
        while at < end and self.is_judged:
            if self._in_string and not self._is_escaped:
                found = _IN_STRING.search(text, at)
                at = found.start() if found else end
            elif not self._in_string and not self._in_scalar:
                found = _VISIBLE.search(text, at)
                at = found.start() if found else end
            if at < end and not self._accepts(text[at]):
                return at
            at += 1
        return None

    def _accepts(self, char: str) -> bool:
        if self._in_string:
            self._read_in_string(char)
            return True
        if self._in_scalar and (char.isalnum() or char in _SCALAR):
            return True
        if self._in_scalar:
            self._in_scalar = False
            self._end_value()
        if char.isspace() or not self.is_judged:
            return True
        return self._accepts_token(char)

    def _read_in_string(self, char: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif char == "\\":
            self._is_escaped = True
        elif char == '"':
            self._in_string = False
            if self._need is _Need.KEY:
                self._need, self._may_close = _Need.COLON, False
            else:
                self._end_value()

    def _accepts_token(self, char: str) -> bool:
        if self._need is _Need.NOTHING:
            self.is_judged = char in _OPENING or char in ",:"
            return not self.is_judged
        needs_value = self._need is _Need.VALUE
        if char == '"':
            self._in_string = needs_value or self._need is _Need.KEY
            return self._in_string
        if char in "[{":
            self._open.append(char)
            self._need = _Need.KEY if char == "{" else _Need.VALUE
            self._may_close = True
            return needs_value
        if char.isalnum() or char == "-":
            self._in_scalar = True
            return needs_value
        if char in _OPENING:
            return self._close(char)
        return self._accepts_separator(char)

    def _accepts_separator(self, char: str) -> bool:
        if char == ",":
            return self._accepts_comma()
        if char == ":":
            was_needed, self._need = self._need is _Need.COLON, _Need.VALUE
            return was_needed
        self.is_judged = False  # PREFIX-3
        return True

    def _close(self, char: str) -> bool:
        fits = bool(self._open) and self._open[-1] == _OPENING[char] and self._may_close
        if fits:
            self._open.pop()
            self._end_value()
        return fits

    def _accepts_comma(self) -> bool:
        was_needed = self._need is _Need.COMMA
        if was_needed:
            self._need = _Need.KEY if self._open[-1] == "{" else _Need.VALUE
        return was_needed

    def _end_value(self) -> None:
        self._need = _Need.COMMA if self._open else _Need.NOTHING
        self._may_close = True

"""The end of a text, prepared for comparison with messages; see `overlap`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from unicodedata import combining

from langchain_bedrock_continue._core.text.fold import folded, surplus
from langchain_bedrock_continue._core.text.healed_cut import is_unsafe_end
from langchain_bedrock_continue._core.text.markdown import (
    begins_as_code,
    begins_as_json,
    has_open_end,
    is_open_json,
)
from langchain_bedrock_continue._core.text.text_before import TextBefore

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_WEIGHT = 10
"""The least weight of an overlap that counts; see `weight`."""

MAX_DISTANCE = 240
"""An overlap may begin anywhere in so many visible characters at the text's end."""

MAX_LINES = 64
"""Before that, it may begin at the start of one of so many lines, or of the text."""

MAX_PERIOD = 1024
"""The longest period that makes an overlap periodic, in visible characters."""

_MAX_ENTITY = 10

_CJK = 0x2E80
_PLAIN_QUOTES = {"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"}


def without_whitespace(text: str) -> str:
    """Return a text in the plain form: without whitespace, with plain quotes."""
    compared = "".join(text.split())
    for quote, plain in _PLAIN_QUOTES.items():  # much faster than `translate`
        compared = compared.replace(quote, plain)
    return compared


def weight(text: str) -> int:
    """Measure how much a text proves if it occurs twice.

    A character counts once; a CJK character or an emoji counts three times; a mark on
    another character does not count.
    """
    return sum(3 if ord(char) >= _CJK else 1 for char in text if not combining(char))


def body_length(text: str) -> int:
    """Return the length of a text without its trailing whitespace."""
    end = len(text)
    while end and is_unsafe_end(text[end - 1]):
        end -= 1
    return end


class TextForm:
    """A text in one of the forms in which it is compared with messages.

    Places in the text are offsets in `compact`.

    Attributes:
        quote: What the model was asked to repeat.
    """

    def __init__(self, body: str, quote: str, convert: Callable[[str], str]) -> None:
        """Prepare a text.

        Args:
            body: The text without its trailing whitespace.
            quote: What the model was asked to repeat: an end of it.
            convert: Converts a text to the form; line by line or all at once.
        """
        self._body = body
        self._convert = convert
        self.quote = convert(quote)
        self._evidence: dict[int, bool] = {}

    @cached_property
    def compact(self) -> str:
        """The complete text."""
        return self._convert(self._body)

    @cached_property
    def quote_at(self) -> int | None:
        """Where the quote begins; None if it is empty."""
        return len(self.compact) - len(self.quote) if self.quote else None

    @cached_property
    def quote_weight(self) -> int:
        """How much a repetition of the quote proves."""
        return weight(self.quote)

    @property
    def line_at(self) -> int:
        """Where the last line begins."""
        return self._line_starts[0]

    @cached_property
    def starts(self) -> list[int]:
        """Where an overlap may begin, in order."""
        size = len(self.compact)
        near = range(max(0, size - MAX_DISTANCE), size)
        return sorted({0, *self._line_starts, *near}) if size else []

    @cached_property
    def _line_starts(self) -> list[int]:
        """Where the last lines begin that are not blank, the last one first."""
        starts: list[int] = []
        at, end = len(self.compact), len(self._body)
        while end >= 0 and len(starts) < MAX_LINES:
            start = self._body.rfind("\n", 0, end) + 1
            line = self._convert(self._body[start:end])
            at -= len(line)
            if line:
                starts.append(at)
            end = start - 1
        return starts or [0]

    def is_evidence(self, at: int) -> bool:
        """Return True if an overlap that begins at this place counts (OVERLAP-2)."""
        if at not in self._evidence:
            self._evidence[at] = self._judge(self.compact[at:])
        return self._evidence[at]

    def _judge(self, overlap: str) -> bool:
        size = len(overlap)
        repeated = max(3, size // 4)
        if size < 2 * MIN_WEIGHT and weight(overlap) < MIN_WEIGHT:
            return False
        if size - self._period(overlap) >= repeated:
            return False
        before = self.compact[: len(self.compact) - size]
        if len(before) >= repeated and before.endswith(overlap[-repeated:]):
            return False
        return overlap + overlap[:4] not in before[-4 * MAX_PERIOD :] + overlap

    def _period(self, overlap: str) -> int:
        """Return the smallest period of an end of the text, or its size."""
        size = min(len(overlap), MAX_PERIOD)
        period = size - self._borders[size]
        if size == len(overlap):
            return period
        repeats = overlap[period:] == overlap[:-period]
        return period if repeats else len(overlap)

    @cached_property
    def _borders(self) -> list[int]:
        """For each size of an end of the text, its longest own border."""
        end = self.compact[-MAX_PERIOD:][::-1]
        borders = [0, 0]
        border = 0
        for char in end[1:]:
            while border and end[border] != char:
                border = borders[border]
            border += end[border] == char
            borders.append(border)
        return borders


class TextEnd:
    """A text whose end is compared with messages.

    It never changes, so that several joins can share it.

    Attributes:
        before: The text.
        body: What is compared: the text without its trailing whitespace, or the start
            and the end of a long one.
        trailing: That whitespace, with half a character if there is one.
        plain: The text in the plain form.
    """

    def __init__(self, text: str | TextBefore, quote: str) -> None:
        """Prepare a text.

        Args:
            text: The text so far, with its trailing whitespace.
            quote: What the model was asked to repeat: an end of the text's body.

        Raises:
            ValueError: The text does not end in the quote.
        """
        self.before = TextBefore.of(text)
        compared = self.before.text
        end = body_length(compared)
        self.body, self.trailing = compared[:end], compared[end:]
        self._quote = quote
        self.plain = TextForm(self.body, quote, without_whitespace)
        # The second test looks at the complete text, and is rarely needed.
        if not (
            self.body.endswith(quote) or self.plain.compact.endswith(self.plain.quote)
        ):
            raise ValueError(f"quote must be the end of the text, got {quote!r}")

    @cached_property
    def folded(self) -> TextForm:
        """The text in the folded form."""
        return TextForm(self.body, self._quote, folded)

    @cached_property
    def in_fence(self) -> bool:
        """Whether the text ends inside an open code fence."""
        return self.before.scan.in_fence

    @property
    def in_line(self) -> bool:
        """Whether the text ends inside a line, and not at the start of one."""
        return bool(self.body) and "\n" not in self.trailing

    @cached_property
    def in_open_line(self) -> bool:
        """Whether the text ends inside a line that can't be complete.

        No fence follows such a line: one inside a string or a bracket, inside a JSON
        document, after an operator, and a line of code without a fence.
        """
        if not self.in_line or has_open_end(self.body):
            return self.in_line
        if self.in_fence:
            return False
        if not begins_as_json(self.body):
            return begins_as_code(self.body)
        json = self.before.scan.json
        return is_open_json(self.before.whole()) if json is None else json.is_open

    @cached_property
    def table(self) -> tuple[str, bool] | None:
        """The table in which the text ends; see `table_at_end`."""
        is_closed = self.trailing.count("\n") > 1
        return None if is_closed else self.before.table

    def top(self, size: int) -> str:
        """Return the first characters of the folded text, without preparing it."""
        begun = self.body[: 8 * size]
        end = begun.rfind("&", -_MAX_ENTITY) if len(begun) < len(self.body) else -1
        return folded(begun if end < 0 else begun[:end])[:size]

    def surplus(self, rest: str) -> int:
        """Count the dashes or dots in front of a rest that belong to the text's end."""
        return surplus(self.body, rest)

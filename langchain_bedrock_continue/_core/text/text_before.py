"""The text before a seam, read once: a seam costs the same after a page and a book.

A join asks what the text ends in: an open code block, a table, JSON. The answer may
depend on all of it, but a text only grows. So what was read of it at the seams before
is kept (`TextScan`), and only the new part is read.

BEFORE-1. What is known of a text is what reading all of it at once would tell.
BEFORE-2. Messages are compared with the first HEAD and the last TAIL characters of a
    long text, or with more of its end: with all that a message can repeat.
BEFORE-3. Of a line, LINE characters are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.json_prefix import JsonPrefix
from langchain_bedrock_continue._core.text.markdown import (
    Fence,
    last_fence,
    rows_at_end,
    table_of,
)
from langchain_bedrock_continue._core.text.open_code import language_by_start

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

HEAD, TAIL = 4_096, 32_768
"""How many characters of the text are compared, at its start and at its end."""

LINE = 4_096
"""How many characters of a line are looked at."""

_TAG = 16
"""The most characters of a tag around thinking."""


@dataclass(frozen=True)
class TextScan:
    """What is known of a text that was read from its start.

    Attributes:
        tags: The tags around the model's thinking, or None.
        length: How many characters were read.
        head: The first HEAD of them.
        in_thinking: The text ends inside thinking.
    """

    tags: tuple[str, str] | None = None
    length: int = 0
    head: str = ""
    in_thinking: bool = False
    _end: str = ""
    _line: str = ""  # the start of the last line
    _fence: Fence | None = None  # of the lines before that
    _rows: tuple[str, ...] = ()  # the first rows of the table directly before that
    # As `json`, if the last line closes no code block.
    unclosed_json: JsonPrefix | None = None

    def extended(self, text: str) -> Self:
        """Return what is known after more of the text was read."""
        if not text:
            return self
        first, line_break, rest = text.partition("\n")
        line = (self._line + first[:LINE])[:LINE]
        fence, rows = self._fence, self._rows
        if line_break:
            # A long line counts as one that begins later, and ends where it ends.
            at = self.length + len(first)
            fence = last_fence(f"{line}\n", fence, at=at - len(line))
            rows = rows_at_end(rows, [line])
            lines, has_lines, line = rest.rpartition("\n")
            if has_lines:
                fence = last_fence(f"{lines}\n", fence, at=at + 1)
                rows = rows_at_end(rows, lines.split("\n"))
        read: Self = replace(
            self,
            length=self.length + len(text),
            head=self.head + text[: HEAD - len(self.head)],
            in_thinking=self._ends_in_thinking(text),
            _end=(self._end + text[-_TAG:])[-_TAG:],
            _line=line[:LINE],
            _fence=fence,
            _rows=rows,
        )
        return replace(read, unclosed_json=read.json_with(text, self))

    def _ends_in_thinking(self, text: str) -> bool:
        if self.tags is None:
            return False
        end = self._end + text
        opened, closed = (end.rfind(tag) for tag in self.tags)
        return self.in_thinking if opened == closed else opened > closed

    @property
    def fence(self) -> Fence | None:
        """The text's last code block, or None if it has none."""
        return last_fence(self._line, self._fence, at=self.length - len(self._line))

    @property
    def in_fence(self) -> bool:
        """Whether the text ends inside an open code fence."""
        fence = self.fence
        return fence is not None and fence.end is None

    @property
    def language(self) -> str:
        """The language of the last code block, or of code without one; or empty."""
        fence = self.fence
        return language_by_start(self.head) if fence is None else fence.language.lower()

    @property
    def json(self) -> JsonPrefix | None:
        """The JSON in which the text ends, alone or in an open code block.

        It is None if the text ends in something else, or the JSON is wrong.
        """
        return self.unclosed_json if self.fence is None or self.in_fence else None

    def json_with(self, text: str, before: Self) -> JsonPrefix | None:
        """Return the JSON in which the text ends.

        Args:
            text: The text's last part.
            before: What was known before that.
        """
        is_open = self._fence is not None and self._fence.end is None
        fence = self._fence if is_open else self.fence
        if self.language != "json" or (fence is not None and fence.end is not None):
            return None
        start = 0 if fence is None else fence.start - before.length
        is_new = start >= 0 if fence else not before.head.strip()
        json = JsonPrefix() if is_new else before.unclosed_json
        if json is None:
            return None
        json = json if is_new else json.copy()
        is_json = json.feed(text[max(start, 0) :]) is None and json.is_judged
        return json if is_json else None

    @property
    def code_line(self) -> str:
        """The start of the last line of that code."""
        fence = self.fence
        is_fence = fence is not None and fence.start == self.length
        return "" if is_fence else self._line

    def table(self, last: str) -> tuple[str, bool] | None:
        """Describe the table in which the text ends; see `markdown.table_at_end`.

        Args:
            last: The last line.
        """
        return table_of(rows_at_end(self._rows, [last]), last)


def compared(read: TextScan, rest: str, last: Callable[[int], str], most: int) -> str:
    """Return what of a text is compared with messages (BEFORE-2).

    Args:
        read: What was read of it.
        rest: What follows that.
        last: Returns its last so many characters.
        most: How many characters a message can repeat.
    """
    length, size = read.length + len(rest), max(TAIL, most)
    if length <= HEAD + size or len(read.head) < HEAD:
        return last(length)
    return read.head + last(size)


@dataclass(frozen=True)
class TextBefore:
    """The text before a seam.

    Attributes:
        text: All of it, or the start and the end of a long one (BEFORE-2).
        read: What is known of it up to its last part.
        rest: That part.
        whole: Returns all of it; only for what is rarely asked.
    """

    text: str
    read: TextScan
    rest: str
    whole: Callable[[], str]

    @staticmethod
    def of(text: str | TextBefore) -> TextBefore:
        """Return a text as the text before a seam."""
        if isinstance(text, TextBefore):
            return text
        return TextBefore(text, TextScan(), text, lambda: text)

    @cached_property
    def scan(self) -> TextScan:
        """What is known of the text."""
        return self.read.extended(self.rest)

    @property
    def omitted(self) -> int:
        """How many characters of it are not compared."""
        return self.read.length + len(self.rest) - len(self.text)

    def ends_inside(self, tags: tuple[str, str]) -> bool:
        """Return True if the text ends between an opening and a closing tag.

        Args:
            tags: The tags; those of the scan if the text is long.
        """
        if self.omitted:
            return self.scan.in_thinking
        return self.text.rfind(tags[0]) > self.text.rfind(tags[1])

    def without(self, count: int) -> TextBefore:
        """Return the text without its last characters; they are in its last part."""
        if not count:
            return self
        whole = self.whole
        return TextBefore(
            self.text[:-count],
            self.read,
            self.rest[:-count],
            lambda: whole()[:-count],
        )

    @cached_property
    def table(self) -> tuple[str, bool] | None:
        """The table in which the text ends, blanks aside; see `table_at_end`."""
        body = self.text.rstrip()
        blank = len(self.text) - len(body)
        last = body[body.rfind("\n") + 1 :].strip()
        return self.without(min(blank, len(self.rest))).scan.table(last)

    @cached_property
    def open_row(self) -> str:
        """The table row in which the text ends and that lacks a cell, or "".

        Of a header, nobody knows how many cells it will have.
        """
        body = self.text.rstrip()
        *_, above, row = ["", *body.rsplit("\n", 2)][-2:]
        is_row = row.lstrip().startswith("|") and "\n" not in self.text[len(body) :]
        if not is_row or self.scan.in_fence:
            return ""
        if self.table is None:
            return "" if above.lstrip().startswith("|") else row
        return "" if self.table[1] else row

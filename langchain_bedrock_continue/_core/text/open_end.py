"""Whether a text plainly isn't complete: something that it opened is still open.

A model may end an answer in the middle of a code block, and the stop reason then says
that it is done. Only plain cases count: an answer that may be complete is the model's
to end. So prose counts as open only where the text itself shows how its paragraphs
end.

OPEN-1. Inside an open code fence, and in a JSON document, an HTML page or SQL that is
    not complete, a text is open.
OPEN-2. A table row that lacks its last cell is open.
OPEN-3. A text whose last character announces more, such as a comma, is open.
OPEN-4. A paragraph that ends in a letter is open if it is long, and all long paragraphs
    before it end in punctuation.
OPEN-5. A text that ends with a code block is open if the code in it is (`open_code`).
OPEN-6. A numbered list is open if it ends with an item below the number that the line
    before it announces, as in "Here are ten inventions:". What the user asked for is
    not looked at: a number in a request may be an upper limit, an example or a size.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.markdown import (
    in_fence,
    last_fence,
    table_at_end,
)
from langchain_bedrock_continue._core.text.open_code import is_open_code

if TYPE_CHECKING:
    from collections.abc import Callable

_LONG = 60
"""From so many characters on, a line is a paragraph of prose."""

_ANNOUNCES_MORE = (",", "\u3001", "\uff0c", "(", "[", "{", "\u300c", "\u300e", "=", "&")

_SENTENCE_END = re.compile(
    r"[.!?:;\u2026。\uff01\uff1f\uff1a]['\"\u201d\u2019\u300d\u300f)\]*_`>|]*\Z"
)
_WORD_BRACKET = re.compile(r"(?:^|[\s\w])\((?=\w)")


def is_plainly_open(text: str) -> bool:
    """Return True if a text plainly isn't complete.

    Args:
        text: The text, with or without trailing whitespace.
    """
    body = text.rstrip()
    return any(rule(body) for rule in _RULES)


def _is_open_document(text: str) -> bool:
    """A JSON document, an HTML page or SQL that lacks its end (OPEN-1)."""
    return is_open_code("", text)


def _has_open_block(text: str) -> bool:
    """A code block at the end whose code isn't complete (OPEN-5)."""
    last = last_fence(text)
    if last is None or last.end is None or "\n" in text[last.end :].strip():
        return False
    return is_open_code(last.language, text[last.start : last.end])


def _has_open_tag(text: str) -> bool:
    """A tag that is not closed, at the end of a text that has others (OPEN-1)."""
    at = text.rfind("<")
    is_tag = at >= 0 and re.match(r"</?[a-zA-Z][^<>]*\Z", text[at:]) is not None
    return is_tag and ">" in text[:at]


def _has_open_row(text: str) -> bool:
    """A table row without its last cell (OPEN-2)."""
    table = table_at_end(text)
    return table is not None and not table[1]


def _announces_more(text: str) -> bool:
    """A last character after which more has to follow (OPEN-3)."""
    return text.endswith(_ANNOUNCES_MORE)


def _has_open_bracket(text: str) -> bool:
    """A round bracket that the last paragraph opens before a word (OPEN-3)."""
    paragraph = text[text.rfind("\n") + 1 :]
    opened = len(_WORD_BRACKET.findall(paragraph))
    return opened > 0 and paragraph.count("(") > paragraph.count(")")


def _has_open_sentence(text: str) -> bool:
    """A paragraph that ends in a letter, where the others do not (OPEN-4)."""
    *before, last = [line.strip() for line in text.split("\n") if line.strip()] or [""]
    if len(last) < _LONG or _SENTENCE_END.search(last) or not last[-1].isalnum():
        return False
    long_lines = [line for line in before if len(line) >= _LONG]
    sentences = re.search(r"[.!?。]\s", last) or long_lines
    return bool(sentences) and all(map(_SENTENCE_END.search, long_lines))


_WORDS = re.findall(
    r"\w+",
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty",
)
_COUNTS = {word: number for number, word in enumerate(_WORDS, start=2)}
_NUMBER = re.compile(rf"(?i)\b(?:\d+|{'|'.join(_COUNTS)})\b")
_ANNOUNCED = re.compile(
    rf"(?i)\b(?:here are|these are|below are|the following|a list of|top)"
    rf"(?: \w+){{0,4}}? (\d{{1,2}}|{'|'.join(_COUNTS)}) (?!percent|%)[^\d\W]\w*[^.?!]*"
    r":\**\Z"
)
_NUMBERED_ITEM = re.compile(r"^(?:\*\*)?(\d{1,2})[.)](?=\s|\Z)", re.MULTILINE)
_LONGEST_LIST = 16_384
"""A longer text is not searched at each seam."""

_AFTER_LIST = re.compile(r"\n\n(?=\S)(?!\d{1,2}[.)])")


def _has_announced_items(text: str) -> bool:
    """A numbered list without the items that were announced (OPEN-6)."""
    if len(text) > _LONGEST_LIST:
        return False
    items = list(_NUMBERED_ITEM.finditer(text))
    numbers = [int(item[1]) for item in items]
    if not items or numbers != list(range(1, len(items) + 1)):
        return False
    line = text[: items[0].start()].rstrip().rpartition("\n")[2]
    announced = _ANNOUNCED.search(line)
    if announced is None or len(_NUMBER.findall(line)) > 1:
        return False
    count = _COUNTS.get(announced[1].lower()) or int(announced[1])
    return len(items) < count and not _AFTER_LIST.search(text, items[-1].start())


_RULES: tuple[Callable[[str], bool], ...] = (
    in_fence,
    _is_open_document,
    _has_open_block,
    _has_open_tag,
    _has_open_row,
    _announces_more,
    _has_open_bracket,
    _has_open_sentence,
    _has_announced_items,
)

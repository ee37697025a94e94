"""The quote: the end of the text that a user turn asks the model to repeat.

The repetition, the echo, shows where the new text begins. A long quote is easier to
recognize, but it costs input once and output again, so its length is limited.

QUOTE-1. A quote is an end of the text without its trailing whitespace. It does not
    begin with whitespace. It may be empty.
QUOTE-2. A quote has at most as many characters as its kind allows, and costs at most a
    share of the next segment's tokens (_SHARES), so that each segment adds new text.
    The echo of a segment of a few tokens is paid on top, as far as there is room.
QUOTE-3. A quote begins at a word boundary if there is one, and never inside a combining
    sequence such as an emoji with a skin tone.
QUOTE-4. A quote by line begins at a line or a sentence if one begins within its limits.
QUOTE-5. A segment of fewer than FEW_TOKENS that answers a user turn asks for the tokens
    of its echo on top. With a quote that is too short, or none, it can't say whether a
    blank comes before its first word. These tokens exceed neither the ceiling nor what
    is left of `max_total_tokens`. A retry with more room (LIMIT-2) has them in its
    size.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue._core.text.text_end import body_length

if TYPE_CHECKING:
    from collections.abc import Callable


class QuoteKind(NamedTuple):
    """What a quote is.

    Attributes:
        most: The most characters of it.
        by_line: It begins where a line or a sentence begins, if it can.
    """

    most: int
    by_line: bool


WORDS = QuoteKind(most=60, by_line=False)
"""The last words. Small models copy 40 to 60 characters better than 100 (measured)."""

LINE = QuoteKind(most=160, by_line=True)
"""The last line from its beginning, or the last sentence of a long one."""

_SHARES = (5, 2)
"""A quote costs at most a fifth of a segment, or half of it if nothing fits into a
fifth: without any echo, a repetition that belongs to the text looks like a restart."""

FEW_TOKENS = 50
"""A fifth of as many tokens is a quote of about 40 letters: long enough."""

_END, _END_BODY = 2_048, 1_024
"""How many characters of a long text's end are looked at, and how many of them come
before the whitespace that it ends in: many more than a quote has."""

_SMALL_SEGMENT = 8
"""A segment of fewer tokens can't spend half of them on a quote."""


def choose_quote(
    text: str, max_tokens: int, kind: QuoteKind = WORDS, room: int = 0
) -> str:
    """Choose the end of the text that the model is asked to repeat.

    Args:
        text: The text so far.
        max_tokens: The `max_tokens` of the next segment.
        kind: What the quote is.
        room: How many tokens the echo may have on top of them.

    Returns:
        An end of the text without its trailing whitespace; empty if nothing fits.
    """
    shares = _SHARES if max_tokens >= _SMALL_SEGMENT else _SHARES[:1]
    if kind.by_line:
        shares = shares[-1:]
    budgets = [4 * max_tokens // share for share in shares]
    if room and max_tokens < FEW_TOKENS:
        budgets.insert(0, max(budgets[0], min(4 * room, kind.most)))
    quotes = (_affordable(text, budget, kind) for budget in budgets)
    return next(filter(None, quotes), "")


def choose_quote_of(
    last: Callable[[int], str],
    max_tokens: int,
    kind: QuoteKind = WORDS,
    room: int = 0,
) -> str:
    """Choose a quote of a long text, of which only the end is looked at.

    Args:
        last: Returns the last so many characters of the text, or all of them.
        max_tokens: See `choose_quote`.
        kind: See `choose_quote`.
        room: See `choose_quote`.
    """
    count = _END
    text = last(count)
    while len(text) == count and body_length(text) < _END_BODY:
        count *= 4
        text = last(count)
    return choose_quote(text, max_tokens, kind, room)


def extra_tokens(quote: str, max_tokens: int) -> int:
    """Return the tokens that the echo of a quote needs on top of a segment's own.

    Args:
        quote: The quote.
        max_tokens: The segment's own tokens.
    """
    return -(-sum(map(_cost, quote)) // 4) if max_tokens < FEW_TOKENS else 0


def _affordable(text: str, budget: int, kind: QuoteKind) -> str:
    """Return the longest quote within a budget in quarters of a token."""
    end = body_length(text)
    first = _first_affordable(text, end, budget, kind.most)
    start = _line_start(text, first, end) if kind.by_line else None
    if start is None:
        start = _word_start(text, first, end)
    while start < end and (text[start].isspace() or _is_joined(text, start)):
        start += 1
    return text[start:end]


def _first_affordable(text: str, end: int, budget: int, most: int) -> int:
    """Step back from the end as far as the budget in quarters of a token allows."""
    at = end
    while at and end - at < most:
        budget -= _cost(text[at - 1])
        if budget < 0:
            break
        at -= 1
    return at


def _line_start(text: str, first: int, end: int) -> int | None:
    """Return where the last line begins, or the last sentence of a long line.

    A line of a few characters is no quote: the line before it belongs to it.
    """
    for start in (_LINE, _SENTENCE):
        starts = [match.end() for match in start.finditer(text, first, end)]
        if first == 0:
            starts.insert(0, 0)
        fits = [at for at in starts if len(text[at:end].strip()) >= _MIN_LINE]
        if fits:
            return fits[-1]
    return None


_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]*[ \t]+|[。\uff01\uff1f]")
_MIN_LINE = 12


def _cost(char: str) -> int:
    """Estimate a character's cost in quarters of a token; rather too high."""
    if char.isascii():
        return 1 if char.isalpha() or char.isspace() else 2
    if char < "\u0600":
        return 2
    return 8 if char < "\U00010000" else 12


def _word_start(text: str, first: int, end: int) -> int:
    """Return the first word boundary in the first half of a quote, else its start.

    A boundary after whitespace is preferred. A boundary after a quotation mark or the
    like is avoided: models put such marks around what they repeat, and then the mark
    of the model can't be distinguished from the mark of the text.
    """
    if first in {0, end}:
        return first
    places = range(first, (first + end) // 2 + 1)
    boundaries = [
        at for at in places if not (_in_word(text[at - 1]) and _in_word(text[at]))
    ]
    unmarked = [at for at in boundaries if _follows_unmarked(text, at)]
    after_whitespace = (at for at in unmarked if text[at - 1].isspace())
    return next(after_whitespace, next(iter(unmarked or boundaries), first))


_MARKS = "\"'`*_<([{\u201c\u2018«「『"


def _follows_unmarked(text: str, at: int) -> bool:
    """Return True if the last visible character before a place is no mark."""
    while at and text[at - 1].isspace():
        at -= 1
    return at > 0 and text[at - 1] not in _MARKS


def _in_word(char: str) -> bool:
    """Return True for a character of a script that separates its words."""
    return (char.isalnum() or char == "_") and char < "\u2e80"


def _is_joined(text: str, at: int) -> bool:
    """Return True if a character can't be separated from the one before it."""
    char, before = text[at], text[at - 1] if at else ""
    return (
        unicodedata.category(char).startswith("M")
        or _JOINER in (char, before)
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # a skin tone
        or (_is_flag_half(char) and _flag_halves_before(text, at) % 2 == 1)
    )


_JOINER = "\u200d"


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_halves_before(text: str, at: int) -> int:
    """Count the regional indicators that directly precede a place."""
    start = at
    while start and _is_flag_half(text[start - 1]):
        start -= 1
    return at - start

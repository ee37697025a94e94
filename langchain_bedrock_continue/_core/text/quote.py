"""The quote: the end of the text that a user turn asks the model to repeat.

The repetition, the echo, shows where the new text begins. A long quote is easier to
recognize, but it costs input once and output again, so its length is limited.

QUOTE-1. A quote is an end of the text without its trailing whitespace. It does not
    begin with whitespace. It may be empty.
QUOTE-2. A quote has at most MAX_QUOTE characters and costs at most a share of the next
    segment's tokens (_SHARES), so that even a segment of a few tokens adds new text.
QUOTE-3. A quote begins at a word boundary if there is one, and never inside a combining
    sequence such as an emoji with a skin tone.
QUOTE-4. The tag in front of a quote does not occur in the quote.
"""

from __future__ import annotations

import unicodedata

from langchain_bedrock_continue._core.text.text_end import body_length

MAX_QUOTE = 100
"""The most characters of a quote."""

_SHARES = (5, 2)
"""A quote costs at most a fifth of a segment, or half of it if nothing fits into a
fifth: without any echo, a repetition that belongs to the text looks like a restart."""

_SMALL_SEGMENT = 8
"""A segment of fewer tokens can't spend half of them on a quote."""


def choose_quote(text: str, max_tokens: int) -> str:
    """Choose the end of the text that the model is asked to repeat.

    Args:
        text: The text so far.
        max_tokens: The `max_tokens` of the next segment.

    Returns:
        An end of the text without its trailing whitespace; empty if nothing fits.
    """
    shares = _SHARES if max_tokens >= _SMALL_SEGMENT else _SHARES[:1]
    quotes = (_affordable(text, 4 * max_tokens // share) for share in shares)
    return next(filter(None, quotes), "")


def _affordable(text: str, budget: int) -> str:
    """Return the longest quote within a budget in quarters of a token."""
    end = body_length(text)
    first = _first_affordable(text, end, budget)
    start = _word_start(text, first, end)
    while start < end and (text[start].isspace() or _is_joined(text, start)):
        start += 1
    return text[start:end]


def _first_affordable(text: str, end: int, budget: int) -> int:
    """Step back from the end as far as the budget in quarters of a token allows."""
    at = end
    while at and end - at < MAX_QUOTE:
        budget -= _cost(text[at - 1])
        if budget < 0:
            break
        at -= 1
    return at


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


def opening_tag(quote: str) -> str:
    """Return a tag of which neither form occurs in the quote (QUOTE-4)."""
    name, number = "tail", 1
    while f"<{name}" in quote or f"</{name}" in quote:
        number += 1
        name = f"tail-{number}"
    return f"<{name}>"

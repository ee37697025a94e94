"""What a user turn asks the model to repeat, and the words that ask for it.

Q1. A quote is an end of the text without its trailing whitespace; it is not blank and
    does not begin with whitespace. It may be empty.
Q2. It has at most LENGTH characters, and costs at most a share of what the segment may
    write (_SHARES), so that a segment of a few tokens still gets on.
Q3. It begins at the border of a word where there is one, and never inside a
    combining sequence.
Q4. It stands between delimiters that do not occur in it.
"""

from __future__ import annotations

import unicodedata

from langchain_bedrock_continue._core.text.overlap import solid_end

LENGTH = 100
"""Characters of a quote at most."""

_SHARES = (5, 2)
"""A quote costs at most the fifth part of a segment, or half of it where nothing fits
into a fifth: without any echo a true repetition can't be told from a restart."""

_FEW = 8
"""Tokens of a segment that has no half to spare."""

_TAIL = "{tail}"

DEFAULT_PROMPT = """\
Your answer was cut off before it was complete. Its last characters were:

{tail}

Begin your next message by repeating exactly the text between these two tags, \
character for character and without the tags, and then go on from there as if there \
had been no interruption: in the same format and language, with no preamble, no recap, \
no apology and no new code fence. If the answer was already complete, only repeat that \
text."""
"""Built on the wording that vendors document: quote the end, ask to go on from it."""

_NOTHING_TO_REPEAT = """\
Your answer was cut off before it was complete. Go on exactly where it ended, as if \
there had been no interruption: in the same format and language, with no preamble, no \
recap, no apology and no new code fence."""


def quote_of(text: str, max_tokens: int) -> str:
    """Choose what the model shall repeat (Q1, Q2, Q3).

    Args:
        text: The turn's text so far.
        max_tokens: What the next segment may write, in tokens.

    Returns:
        An end of the text without its trailing whitespace; empty where nothing fits.
    """
    shares = _SHARES if max_tokens >= _FEW else _SHARES[:1]
    quotes = (_affordable(text, 4 * max_tokens // share) for share in shares)
    return next(filter(None, quotes), "")


def _affordable(text: str, budget: int) -> str:
    """Choose the longest quote for so many quarters of a token."""
    end = solid_end(text)
    first = _first_affordable(text, end, budget)
    start = _word_start(text, first, end)
    while start < end and (text[start].isspace() or _is_joined(text, start)):
        start += 1
    return text[start:end]


def _first_affordable(text: str, end: int, budget: int) -> int:
    """Go back from the end as far as the budget goes, in quarters of a token."""
    at = end
    while at and end - at < LENGTH:
        budget -= _cost(text[at - 1])
        if budget < 0:
            break
        at -= 1
    return at


def _cost(char: str) -> int:
    """Estimate a character's cost in quarters of a token, rather too much."""
    if char.isascii():
        return 1 if char.isalpha() or char.isspace() else 2
    if char < "\u0600":
        return 2
    return 8 if char < "\U00010000" else 12


def _word_start(text: str, first: int, end: int) -> int:
    """Return the first place, if half of the quote is left, where a word begins.

    Best is behind a blank; not behind a mark, for a model may put marks around what
    it repeats, and then nobody could tell them from the text's own.
    """
    if first in {0, end}:
        return first
    places = range(first, (first + end) // 2 + 1)
    borders = [
        at for at in places if not (_in_word(text[at - 1]) and _in_word(text[at]))
    ]
    clear = [at for at in borders if text[:at].rstrip()[-1:] not in _MARKS]
    blanks = (at for at in clear if text[at - 1].isspace())
    return next(blanks, next(iter(clear or borders), first))


_MARKS = "\"'`*_<([{\u201c\u2018«「『"


def _in_word(char: str) -> bool:
    """Tell whether a character belongs to a word that blanks or marks set off."""
    return (char.isalnum() or char == "_") and char < "\u2e80"


def _is_joined(text: str, at: int) -> bool:
    """Tell whether a character can't be parted from the one before it."""
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
    """Count the regional indicators right before a place."""
    start = at
    while start and _is_flag_half(text[start - 1]):
        start -= 1
    return at - start


def opening_of(quote: str) -> str:
    """Return a delimiter that neither it nor its closing form occurs in the quote."""
    name, number = "tail", 1
    while f"<{name}" in quote or f"</{name}" in quote:
        number += 1
        name = f"tail-{number}"
    return f"<{name}>"


def continuation_prompt(template: str, quote: str) -> str:
    """Write the user message that asks to go on.

    Args:
        template: Text with `{tail}`; other braces stand for themselves.
        quote: As `quote_of` chose it. With nothing to repeat, the default template
            gives way to one that does not ask for it.
    """
    if not quote and template == DEFAULT_PROMPT:
        return _NOTHING_TO_REPEAT
    opening = opening_of(quote)
    closing = opening.replace("<", "</", 1)
    return template.replace(_TAIL, f"{opening}{quote}{closing}")


def check_template(template: str) -> str:
    """Return the template.

    Raises:
        ValueError: It has no `{tail}`.
    """
    if _TAIL not in template:
        raise ValueError(
            f"continuation_prompt must contain {_TAIL}: the end of the answer so far "
            "is put there, for the model to repeat"
        )
    return template

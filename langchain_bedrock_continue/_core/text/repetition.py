"""Whether a text has run into a cycle that a model does not leave by itself.

It is asked at a seam, about the text of the turn that is still open. Only exact cycles
count: what changes with every repeat, as a number does, may be a list or a table.

What weighs is the bytes of a text's UTF-8: they follow what a text costs in tokens
better than its characters do, and a Japanese sentence proves more than it has letters.

C1. The answer depends on the last TAIL bytes of the text alone, so on no seam or chunk.
C2. A cycle reaches to the end of the text: what comes after it ends it.
C3. Every byte of a cycle, but for its first period, is the byte one period before it.
    The period is the shortest there is, whole characters, and at most PERIOD bytes.
C4. A cycle counts only with at least COUNT whole periods, and with enough bytes that
    repeat: WORDS of them, or DATA of them where the period has too few letters, as
    zeros, rules, blanks, hexadecimal, `null` and `false` are more often meant.
C5. Every cycle that C2 to C4 describe is found.
C6. Time is linear in the tail, whatever the text.
"""

from __future__ import annotations

from dataclasses import dataclass

PERIOD = 2_048
"""The longest period that is looked for, in bytes."""

COUNT = 4
"""A period must stand so often: refrains and restarts come two or three times."""

WORDS = 3_072
"""So many bytes must repeat where the period has words, about 750 tokens: a hundred
lines of 30 letters, as users do ask for, have less."""

DATA = 16_384
"""So many bytes must repeat where it has none: a table of 70 by 70 zeros has less."""

LETTERS = 5
"""So many bytes of different letters make words of a period, `a` to `f` left out."""

TAIL = DATA + PERIOD
"""What is looked at of a text, in bytes."""

_HEXADECIMAL = frozenset("abcdef")


@dataclass(frozen=True)
class Cycle:
    """A text that repeats itself up to its end.

    Attributes:
        length: The characters of one period.
        count: How many whole periods stand in the tail that was looked at.
    """

    length: int
    count: int


def cycle_of(text: str, *, words: int = WORDS, data: int = DATA) -> Cycle | None:
    """Return the cycle that a text is caught in, or None.

    Args:
        text: The text as it stands, or at least the last TAIL characters of it.
        words: What must repeat of a period with words, in bytes; from PERIOD on, C5
            holds.
        data: What must repeat of one without, in bytes, from `words` to DATA.
    """
    tail = text[-TAIL:].encode(errors="surrogatepass")[-TAIL:]
    back = tail[::-1]
    size = _shortest_period(back, words)
    if size is None:
        return None
    period = tail[-size:].decode(errors="surrogatepass")
    repeated = _repeated(back, size)
    count = 1 + repeated // size
    needed = words if _has_words(period) else data
    return Cycle(len(period), count) if count >= COUNT and repeated >= needed else None


def _shortest_period(back: bytes, window: int) -> int | None:
    """Return after how many bytes a window at the end comes again, read backwards.

    Of the periods up to the window's length none is lost by taking the shortest: two
    of them over one text have a common divisor that is its period too (the theorem of
    Fine and Wilf), so the shortest divides the others.
    """
    size = back.find(back[:window], 1, window + PERIOD)
    return None if size < 0 else size


def _repeated(back: bytes, size: int) -> int:
    """Return how many bytes repeat what stands one period before them."""
    pairs = enumerate(zip(back, back[size:], strict=False))
    return next((at for at, (a, b) in pairs if a != b), len(back) - size)


def _has_words(period: str) -> bool:
    """Tell a period of words from one that may as well be data, or a drawing."""
    letters = {char for char in period.lower() if char.isalpha()} - _HEXADECIMAL
    return sum(len(letter.encode()) for letter in letters) >= LETTERS

"""Whether a text ends in a cycle: a passage that a model repeats without end.

The question is asked at a seam, about the text so far, before the next segment is
requested. Example: a text that ends in "He walked on. " repeated 300 times. Only exact
cycles count: a passage that changes with every repetition, such as a numbered line, can
be a list or a table.

Lengths are measured in bytes of UTF-8. They follow the cost in tokens better than
characters do, and a Japanese sentence is more evidence than its few characters suggest.

CYCLE-1. The result depends on the last TAIL bytes of the text only, and so not on where
    its seams and chunks are.
CYCLE-2. A cycle extends to the end of the text. Text after it ends it.
CYCLE-3. Every byte of a cycle, except in its first period, equals the byte one period
    earlier. The period is the shortest possible, consists of complete characters, and
    has at most MAX_PERIOD bytes.
CYCLE-4. A cycle counts only if it has at least MIN_COUNT complete periods and enough
    bytes that repeat: WORDS bytes, or DATA bytes if the period has few letters. Zeros,
    rules, blanks, hexadecimal digits, `null` and `false` are more often intended.
CYCLE-5. Every cycle that CYCLE-2 to CYCLE-4 describe is found.
CYCLE-6. Time is linear in the length of the tail, for any text.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PERIOD = 2_048
"""The longest period that is searched, in bytes."""

MIN_COUNT = 4
"""The least number of periods: refrains and restarts occur two or three times."""

WORDS = 3_072
"""How many bytes must repeat if the period has words, about 750 tokens. A hundred lines
of 30 letters, which users do ask for, have fewer."""

DATA = 16_384
"""How many bytes must repeat if it has none. A table of 70 by 70 zeros has fewer."""

MIN_LETTERS = 5
"""How many bytes of different letters make words, without `a` to `f`."""

TAIL = DATA + MAX_PERIOD
"""How much of the end of a text is searched, in bytes."""

_HEXADECIMAL = frozenset("abcdef")


@dataclass(frozen=True)
class Cycle:
    """A cycle in which a text ends.

    Attributes:
        length: The number of characters in one period.
        count: The number of complete periods in the part that was searched.
    """

    length: int
    count: int


def find_cycle(text: str, *, words: int = WORDS, data: int = DATA) -> Cycle | None:
    """Return the cycle in which a text ends, or None.

    Args:
        text: The text so far, or at least its last TAIL characters.
        words: How many bytes must repeat of a period with words. From MAX_PERIOD on,
            CYCLE-5 holds.
        data: How many bytes must repeat of a period without words, from `words` to
            DATA.
    """
    tail = text[-TAIL:].encode(errors="surrogatepass")[-TAIL:]
    reversed_tail = tail[::-1]
    size = _shortest_period(reversed_tail, words)
    if size is None:
        return None
    period = tail[-size:].decode(errors="surrogatepass")
    repeated = _count_repeated(reversed_tail, size)
    count = 1 + repeated // size
    needed = words if has_words(period) else data
    if count < MIN_COUNT or repeated < needed:
        return None
    return Cycle(len(period), count)


def _shortest_period(reversed_tail: bytes, window: int) -> int | None:
    """Return the distance at which the window at the end occurs before itself.

    The shortest distance is enough. If a text has two periods that are not longer than
    the window, their greatest common divisor is a period too (the theorem of Fine and
    Wilf), so the shortest period divides the others.
    """
    size = reversed_tail.find(reversed_tail[:window], 1, window + MAX_PERIOD)
    return None if size < 0 else size


def _count_repeated(reversed_tail: bytes, size: int) -> int:
    """Count the bytes at the end that equal the byte one period earlier."""
    pairs = enumerate(zip(reversed_tail, reversed_tail[size:], strict=False))
    return next((at for at, (a, b) in pairs if a != b), len(reversed_tail) - size)


def has_words(period: str) -> bool:
    """Distinguish a period of words from one that may be data, or a drawing."""
    letters = {char for char in period.lower() if char.isalpha()} - _HEXADECIMAL
    return sum(len(letter.encode()) for letter in letters) >= MIN_LETTERS

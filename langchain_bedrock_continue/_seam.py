"""How text goes on over a seam: where a cut text is kept up to, and what may be shown.

A model that goes on from a prefill writes what it would have written, if the prefill
ends where its tokens end. Claude refuses a prefill that ends in whitespace, and many
tokenizers fuse punctuation with the line break after it, so a text cut behind a line
break can't just be stripped: the model would see a lone `{` and take another path.
Hence the healed cut, measured on real models: give words back until what is removed
is one plain blank, which tokenizers glue to the word that follows.

S1. What is kept of a cut text never ends in whitespace, nor in half a character.
S2. A cut in mid-word gives nothing back.
S3. Words are given back only where that leaves the segment some progress, and at most
    HEAL_LIMIT characters; otherwise the whitespace alone is removed.
S4. What was released is never taken back: at any moment, what is released is a prefix
    of what any later cut keeps.
S5. What is released and kept depends on the text alone, not on its chunks.
S6. What a cut gave back is written anew by the next segment. Where that segment
    writes no text, or is itself ended before it got so far, what was given back stands.
"""

from __future__ import annotations

HEAL_LIMIT = 60
"""Characters that a healed cut gives back at most."""

HALF = "\ufffd"
"""What half a character decodes to."""


def is_unsafe_end(char: str) -> bool:
    """Tell whether a kept text must not end in this character (S1)."""
    return char.isspace() or char == HALF


def _solid(text: str) -> int:
    """Return the length of the text without its unsafe end."""
    end = len(text)
    while end and is_unsafe_end(text[end - 1]):
        end -= 1
    return end


def _last_joint(text: str, end: int, first: int) -> int | None:
    """Find the last plain blank between two solid characters before `end`."""
    for at in range(end - 2, max(first, end - HEAL_LIMIT) - 1, -1):
        if text[at] == " " and not (
            is_unsafe_end(text[at + 1]) or (at and is_unsafe_end(text[at - 1]))
        ):
            return at
    return None


class TextRun:
    """The text of one block, as it grows over the segments of a turn.

    The tail is what is not yet released; `released` counts the characters before it.
    """

    def __init__(self) -> None:
        """Begin an empty block."""
        self._released: list[str] = []
        self._tail = ""
        self._given_back = ""
        self._length = 0
        self._floor = 0

    @property
    def text(self) -> str:
        """All text that stands, released or not."""
        return "".join(self._released) + self._tail

    @property
    def released(self) -> int:
        """Count the characters that were released."""
        return self._length

    def __len__(self) -> int:
        """Count the characters that stand."""
        return self._length + len(self._tail)

    def feed(self, text: str) -> str:
        """Take what arrived; return what may be released now (S4)."""
        again = self._given_back.startswith(text)
        self._given_back = self._given_back[len(text) :] if again else ""
        self._tail += text
        return self._release(self._safe())

    def advances(self) -> bool:
        """Tell whether a cut here would keep more than the segment began with."""
        return self._length + self._kept() > self._floor

    def cut(self) -> str:
        """End a segment that was cut: keep what S1 to S3 say, release it."""
        kept = self._kept()
        given_back = self._tail[kept:]
        released = self._release(kept)
        self._given_back, self._tail = given_back, ""
        self._floor = self._length
        return released

    def finish(self, *, cut: bool = False) -> str:
        """End the block: release all that stands, less half a character if cut (S6)."""
        if cut or len(self) == self._floor:
            self._tail += self._given_back
        self._given_back = ""
        if cut:
            self._tail = self._tail.rstrip(HALF)
        return self._release(len(self._tail))

    def _release(self, count: int) -> str:
        released, self._tail = self._tail[:count], self._tail[count:]
        self._released.append(released)
        self._length += len(released)
        return released

    def _first(self) -> int:
        """Return the first place in the tail where a cut leaves some progress (S3)."""
        return 0 if self._length > self._floor else 1

    def _safe(self) -> int:
        """Return how much of the tail every later cut will keep (S4)."""
        solid = _solid(self._tail)
        joint = _last_joint(self._tail, solid, self._first())
        return solid if joint is None else joint

    def _kept(self) -> int:
        """Return how much of the tail a cut here keeps (S1, S2, S3)."""
        whole = self._tail.rstrip(HALF)
        solid = _solid(whole)
        if whole[solid:] in {"", " "}:
            return solid
        joint = _last_joint(whole, solid, self._first())
        return solid if joint is None else joint

"""How text goes on over a seam: where a cut text is kept up to, and what may be shown.

A model that goes on from a prefill writes what it would have written, if the prefill
ends where one of its tokens ends. Claude refuses a prefill that ends in whitespace, and
many tokenizers fuse punctuation with the line break after it (`{` and newline are one
token): a text cut behind a line break can't just be stripped, or the model sees a lone
`{` and takes another path. Hence the healed cut: what is
removed goes back to the end of a word, or to a place where one plain blank follows,
which tokenizers glue to what comes after it. A cut in mid-word needs nothing.

S1. What is kept of a cut text never ends in whitespace, nor in half a character.
S2. A cut behind anything but whitespace gives nothing back, and one behind a single
    plain blank gives back that blank.
S3. Any other cut gives back the whitespace and the punctuation before it, on and on, to
    the end of a word or to a single plain blank; at most HEAL_LIMIT characters, and not
    all of the segment. Otherwise it gives back the whitespace alone.
S4. What was released is never taken back: at any moment, what is released is a prefix
    of what any later cut keeps.
S5. What is released and kept depends on the text alone, not on its chunks.
S6. What a cut gave back is written anew by the next segment. Where that segment writes
    no text, or is itself ended before it got so far, what was given back stands.
S7. A pause, for a continuation that repeats the text's end, gives nothing back: its
    whitespace waits, unreleased, to stand or to be written anew.
S8. The caller's stop sequences end the text where a seam splits one, too: what could
    be the beginning of one is not released, until it is known not to be. What a cut
    gave back does not stand where a stop sequence came in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAL_LIMIT = 60
"""Characters that a healed cut gives back at most, besides the final whitespace."""

HALF = "\ufffd"
"""What half a character decodes to."""


def is_unsafe_end(char: str) -> bool:
    """Tell whether a kept text must not end in this character (S1)."""
    return char.isspace() or char == HALF


def _solid(text: str, end: int) -> int:
    """Step back from `end` over what a text must not end in."""
    while end and is_unsafe_end(text[end - 1]):
        end -= 1
    return end


def _word(text: str, end: int) -> int:
    """Step back from `end` over punctuation, to a word or to whitespace."""
    while end and not (text[end - 1].isalnum() or is_unsafe_end(text[end - 1])):
        end -= 1
    return end


def _joint(text: str) -> int | None:
    """Find where a cut behind `text` and a line break should fall (S3)."""
    solid = at = _solid(text, len(text))
    while at and solid - at <= HEAL_LIMIT:
        word = _word(text, at)
        if word and text[word - 1].isalnum():
            return word if solid - word <= HEAL_LIMIT else None
        at = _solid(text, word)
        if at and text[at:word] == " ":
            return at if solid - at <= HEAL_LIMIT else None
    return None


class TextRun:
    """The text of one block, as it grows over the segments of a turn.

    The tail is what is not yet released; `released` counts the characters before it.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        """Begin an empty block, which `stops` end where a seam splits them."""
        self.stopped = False
        self._stops = tuple(stop for stop in stops if stop)
        self._seam = 0
        self._released: list[str] = []
        self._tail = ""
        self._before = ""
        self._given_back = ""
        self._length = 0
        self._floor = 0

    @property
    def text(self) -> str:
        """All text that stands, released or not."""
        return "".join(self._released) + self._tail

    @property
    def held(self) -> str:
        """The text that stands and is not yet released."""
        return self._tail

    @property
    def released(self) -> int:
        """Count the characters that were released."""
        return self._length

    def __len__(self) -> int:
        """Count the characters that stand."""
        return self._length + len(self._tail)

    def feed(self, text: str) -> str:
        """Take what arrived; return what may be released now (S4)."""
        if self.stopped:
            return ""
        again = self._given_back.startswith(text)
        self._given_back = self._given_back[len(text) :] if again else ""
        self._tail += text
        if (at := self._split_stop()) is not None:
            self.stopped, self._tail = True, self._tail[:at]
            return self._release(at)
        return self._release(self._safe())

    def advances(self) -> bool:
        """Tell whether a cut here would keep more than the segment began with."""
        return self._length + self._kept() > self._floor

    def cut(self) -> str:
        """End a segment that was cut: keep what S1 to S3 say, release it."""
        kept = self._kept()
        self._given_back, self._tail = self._tail[kept:], self._tail[:kept]
        self._floor = self._seam = self._length + kept
        return self._release(kept - self._begun_stop())

    def pause(self) -> str:
        """End a segment that a user turn goes on from: give nothing back (S7)."""
        self._tail = self._tail.rstrip(HALF)
        self._floor = self._length + _solid(self._tail, len(self._tail))
        self._seam = len(self)
        return self._release(self._safe())

    def restore(self) -> None:
        """Take a cut back: what it gave back stands again."""
        self._tail, self._given_back = self._tail + self._given_back, ""

    def let_go(self) -> None:
        """Leave what a cut gave back to another block, which writes it anew."""
        self._given_back = ""

    def rewind(self, count: int) -> None:
        """Take whitespace at the end back, which the next segment writes anew."""
        end = len(self._tail) - count
        if not 0 <= end <= len(self._tail) or _solid(self._tail, len(self._tail)) > end:
            raise ValueError(f"count: {count} is more than the whitespace at the end")
        self._tail = self._tail[:end]
        self._seam -= count

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
        self._before = released[-1:] or self._before
        return released

    def end_at_stop(self, *, in_echo: bool) -> None:
        """End the text where the service found a stop sequence (S8).

        Args:
            in_echo: It did so while the model repeated the text, which then begins it.
        """
        self._given_back = ""
        if in_echo and len(self) == self._seam:
            self._tail = self._tail[: len(self._tail) - self._begun_stop()]

    def _begun_stop(self) -> int:
        """Count the characters at the end that could begin a stop sequence (S8)."""
        begun = (
            size
            for stop in self._stops
            for size in range(min(len(stop) - 1, len(self._tail)), 0, -1)
            if self._tail.endswith(stop[:size])
        )
        return max(begun, default=0)

    def _split_stop(self) -> int | None:
        """Find a stop sequence that begins before the last seam and ends behind it."""
        seam = self._seam - self._length
        found = (
            at
            for stop in self._stops
            for at in range(max(0, seam - len(stop) + 1), seam)
            if self._tail.startswith(stop, at)
        )
        return min(found, default=None)

    def _safe(self) -> int:
        """Return how much of the tail every later cut will keep (S4)."""
        return min(self._healed(self._tail), len(self._tail) - self._begun_stop())

    def _kept(self) -> int:
        """Return how much of the tail a cut here keeps (S1, S2, S3)."""
        whole = self._tail.rstrip(HALF)
        solid = _solid(whole, len(whole))
        return solid if whole[solid:] in {"", " "} else self._healed(whole)

    def _healed(self, tail: str) -> int:
        """Return the joint, or the end of the text where a joint is no progress."""
        joint = _joint(self._before + tail)
        at = -1 if joint is None else joint - len(self._before)
        progress = at >= 0 and self._length + at > self._floor
        return at if progress else _solid(tail, len(tail))

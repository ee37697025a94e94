r"""Where a truncated text is cut before the next segment continues it.

A model continues a prefill as if it had not been interrupted, but only if the prefill
ends at a token boundary. Claude refuses a prefill that ends in whitespace, and many
tokenizers fuse punctuation with the line break after it: `{` and a newline are one
token. If only the newline were removed, the model would read a lone `{` and continue
differently. So the cut is *healed*:

1. The whitespace at the end is removed.
2. The punctuation before it is removed, too.
3. Both are repeated up to the end of a word, or up to a single plain blank: tokenizers
   attach that to the word after it.

The model then writes the removed text again. A cut inside a word needs no healing.

    "x = {\n"   ->  "x"        the model writes " = {\n" again
    "the qui"   ->  "the qui"  nothing is removed

`TextBuffer` holds the text of one block. `feed` decides which part of the received text
is released (`_releasable`); `end_for_prefill` decides which part is kept.

TEXT-1. The kept text never ends in whitespace, or in U+FFFD, which half a character
    decodes to.
TEXT-2. If the text does not end in whitespace, nothing is removed. If it ends in one
    plain blank, only that blank is removed.
TEXT-3. Otherwise the cut is healed: at most HEAL_LIMIT characters are removed besides
    the whitespace, and never the whole text of the segment. Where that is impossible,
    only the whitespace is removed.
TEXT-4. Released text is final: every later cut keeps it.
TEXT-5. What is released and kept depends on the text alone, not on its chunks.
TEXT-6. The removed text is restored if the next segment writes no text, or stops before
    it has written all of it again.
TEXT-7. Before a user turn nothing is removed. Whitespace at the end is held back until
    the next segment shows whether to keep it.
TEXT-8. The caller's stop sequences also end a text in which a seam splits one. Text
    that may be the start of a stop sequence is held back until that is decided.
    Removed text is not restored if the next segment ended at a stop sequence instead.
TEXT-9. A text that a tool call follows is not cut. So all of it is released when the
    call begins, except for the whitespace at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HEAL_LIMIT = 60
"""How many characters a healed cut removes at most, besides the final whitespace."""

HALF_CHARACTER = "\ufffd"
"""What half a character decodes to."""


def is_unsafe_end(char: str) -> bool:
    """Return True if a kept text must not end in this character (TEXT-1)."""
    return char.isspace() or char == HALF_CHARACTER


def _safe_end(text: str, end: int) -> int:
    """Return where the text before `end` ends without unsafe characters."""
    while end and ((char := text[end - 1]).isspace() or char == HALF_CHARACTER):
        end -= 1
    return end


def _word_end(text: str, end: int) -> int:
    """Step back from `end` over punctuation, to a word or to whitespace."""
    while end and not ((char := text[end - 1]).isalnum() or is_unsafe_end(char)):
        end -= 1
    return end


def _heal_point(text: str) -> int | None:
    """Return where a cut after `text` and a line break falls (TEXT-3), or None."""
    solid = at = _safe_end(text, len(text))
    while at and solid - at <= HEAL_LIMIT:
        word = _word_end(text, at)
        if word and text[word - 1].isalnum():
            return word if solid - word <= HEAL_LIMIT else None
        at = _safe_end(text, word)
        if at and text[at:word] == " ":
            return at if solid - at <= HEAL_LIMIT else None
    return None


def last_of(count: int, end: str, before: Iterable[str]) -> str:
    """Return the last `count` characters of a text that comes in parts.

    Args:
        count: How many; all of them if there are fewer.
        end: The last part.
        before: The parts before it, the last one first.
    """
    parts = [end[max(0, len(end) - count) :]]
    missing = count - len(parts[0])
    for part in before:
        if not missing:
            break
        parts.append(part[max(0, len(part) - missing) :])
        missing -= len(parts[-1])
    return "".join(reversed(parts))


class BufferMark(NamedTuple):
    """The state of a buffer at a moment; its size does not depend on the text's."""

    parts: int
    tail: str
    last: str
    removed: str
    released: int
    segment_start: int
    seam: int


class TextBuffer:
    """The text of one block, as it grows over the segments of a turn.

    The tail is the text that is not yet released.

    Attributes:
        stopped: A stop sequence that a seam split has ended the text.
    """

    def __init__(self, stop_sequences: Sequence[str] = ()) -> None:
        """Begin an empty text.

        Args:
            stop_sequences: The caller's; empty strings are ignored.
        """
        self.stopped = False
        self._stops = tuple(stop for stop in stop_sequences if stop)
        self._parts: list[str] = []
        self._marked = 0  # the parts before the last mark
        self._tail = ""
        self._last = ""  # the last released character
        self._removed = ""  # what the last cut removed, and the model writes again
        self._released = 0
        self._segment_start = 0  # a segment has progress where its text ends after it
        self._seam = 0

    def mark(self) -> BufferMark:
        """Return the state, for `at`; marks before this one are no longer valid.

        The parts since the last mark become one, so that the text has one part for each
        segment. Apart from that it takes constant time.
        """
        if since := self._parts[self._marked :]:
            self._parts[self._marked :] = ["".join(since)]
        self._marked = len(self._parts)
        return BufferMark(
            len(self._parts),
            self._tail,
            self._last,
            self._removed,
            self._released,
            self._segment_start,
            self._seam,
        )

    def at(self, mark: BufferMark) -> TextBuffer:
        """Return a new buffer as this one was at a mark."""
        buffer = TextBuffer(self._stops)
        buffer.restore(self._parts[: mark.parts], mark)
        return buffer

    def restore(self, parts: list[str], mark: BufferMark) -> None:
        """Set the state to that of a mark.

        Args:
            parts: The released text up to the mark.
            mark: The state.
        """
        self._parts, self._marked = parts, len(parts)
        self._tail, self._last, self._removed = mark.tail, mark.last, mark.removed
        self._released, self._seam = mark.released, mark.seam
        self._segment_start = mark.segment_start

    @property
    def text(self) -> str:
        """All text, released or not."""
        return "".join(self._parts) + self._tail

    @property
    def is_blank(self) -> bool:
        """Whether it has nothing but whitespace."""
        solid = self._tail.strip() or (self._last and not self._last.isspace())
        return not (solid or self.text.strip())

    def reader(self) -> Callable[[], str]:
        """Return a function that returns the text as it is now.

        Making it takes time in proportion to a segment, not to the text.
        """
        parts, marked = self._parts, self._marked
        rest = "".join(parts[marked:]) + self._tail
        return lambda: "".join(parts[:marked]) + rest

    @property
    def unreleased(self) -> str:
        """The text that is not yet released."""
        return self._tail

    @property
    def released(self) -> int:
        """The number of released characters."""
        return self._released

    def __len__(self) -> int:
        """Return the number of characters, released or not."""
        return self._released + len(self._tail)

    def last(self, count: int) -> str:
        """Return the last `count` characters, or all of them if there are fewer.

        It takes time in proportion to `count`, and to the chunks of a segment.
        """
        return last_of(count, self._tail, reversed(self._parts))

    def feed(self, text: str) -> str:
        """Take what arrived; return what may be released now (TEXT-4)."""
        if self.stopped:
            return ""
        if self._removed:
            rewritten = self._removed.startswith(text)
            self._removed = self._removed[len(text) :] if rewritten else ""
        self._tail += text
        if self._stops and (at := self._split_stop_sequence()) is not None:
            self.stopped, self._tail = True, self._tail[:at]
            return self._release(at)
        return self._release(self._releasable())

    def feed_released(self, text: str) -> str:
        """Take what arrived as `feed` does, but only if a part may be released now.

        Returns:
            What may be released now. If it is empty, nothing was taken.
        """
        if self._removed or self._stops or self.stopped:
            return ""
        tail = self._tail + text
        count = self._healed_length(tail)
        if not count:
            return ""
        self._tail = tail
        return self._release(count)

    def has_progress(self) -> bool:
        """Return True if a cut here keeps more than the segment began with."""
        return self._released + self._kept_length() > self._segment_start

    def end_for_prefill(self) -> str:
        """End a truncated segment that a prefill continues; release what is kept."""
        kept = self._kept_length()
        self._removed, self._tail = self._tail[kept:], self._tail[:kept]
        self._segment_start = self._seam = self._released + kept
        return self._release(kept - self._begun_stop_sequence())

    def end_for_user_turn(self) -> str:
        """End a segment that a user turn continues: remove nothing (TEXT-7)."""
        self._tail = self._tail.rstrip(HALF_CHARACTER)
        solid = _safe_end(self._tail, len(self._tail))
        self._segment_start = self._released + solid
        self._seam = len(self)
        return self._release(self._releasable())

    def undo_cut(self) -> None:
        """Restore what the last cut removed: the prefill was refused."""
        self._tail, self._removed = self._tail + self._removed, ""

    def forget_removed(self) -> None:
        """Leave what a cut removed to another block, in which the model writes it."""
        self._removed = ""

    def remove_whitespace(self, count: int) -> None:
        """Remove whitespace at the end, which the next segment writes again.

        Raises:
            ValueError: There are not so many unsafe characters at the end.
        """
        end = len(self._tail) - count
        if (
            not 0 <= end <= len(self._tail)
            or _safe_end(self._tail, len(self._tail)) > end
        ):
            raise ValueError(f"count: {count} is more than the whitespace at the end")
        self._tail = self._tail[:end]
        self._seam -= count

    def finish(self, *, truncated: bool = False) -> str:
        """End the text: release all of it.

        Args:
            truncated: Whether it was truncated; then half a character at its end is
                dropped, and what a cut removed is restored (TEXT-6).
        """
        if truncated or len(self) == self._segment_start:
            self._tail += self._removed
        self._removed = ""
        if truncated:
            self._tail = self._tail.rstrip(HALF_CHARACTER)
        return self._release(len(self._tail))

    def end_before_call(self) -> str:
        """End the text before a tool call; release what is visible (TEXT-9)."""
        if self._removed or self._stops or self.stopped:
            return ""
        return self._release(_safe_end(self._tail, len(self._tail)))

    def end_at_stop_sequence(self, *, in_echo: bool) -> None:
        """End the text where the service found a stop sequence (TEXT-8).

        Args:
            in_echo: The model wrote it while it repeated the text. The stop sequence
                then begins in the text.
        """
        self._removed = ""
        if in_echo and len(self) == self._seam:
            end = len(self._tail) - self._begun_stop_sequence()
            self._tail = self._tail[:end]

    def _release(self, count: int) -> str:
        released, self._tail = self._tail[:count], self._tail[count:]
        if released:
            self._parts.append(released)
            self._released += len(released)
            self._last = released[-1]
        return released

    def _begun_stop_sequence(self) -> int:
        """Return how many characters at the end could begin a stop sequence."""
        begun = (
            size
            for stop in self._stops
            for size in range(min(len(stop) - 1, len(self._tail)), 0, -1)
            if self._tail.endswith(stop[:size])
        )
        return max(begun, default=0)

    def _split_stop_sequence(self) -> int | None:
        """Find a stop sequence that begins before the last seam and ends after it."""
        seam = self._seam - self._released
        found = (
            at
            for stop in self._stops
            for at in range(max(0, seam - len(stop) + 1), seam)
            if self._tail.startswith(stop, at)
        )
        return min(found, default=None)

    def _releasable(self) -> int:
        """Return how much of the tail every later cut keeps (TEXT-4, TEXT-8)."""
        healed = self._healed_length(self._tail)
        if not self._stops:
            return healed
        return min(healed, len(self._tail) - self._begun_stop_sequence())

    def _kept_length(self) -> int:
        """Return how much of the tail a cut here keeps (TEXT-1 to TEXT-3)."""
        whole = self._tail.rstrip(HALF_CHARACTER)
        solid = _safe_end(whole, len(whole))
        return solid if whole[solid:] in {"", " "} else self._healed_length(whole)

    def _healed_length(self, tail: str) -> int:
        """Return how much of a tail is before the heal point, if that is progress."""
        if tail[-1:].isalnum():
            return len(tail)  # it ends in a word: there is nothing to heal
        point = _heal_point(self._last + tail)
        at = -1 if point is None else point - len(self._last)
        if at >= 0 and self._released + at > self._segment_start:
            return at
        return _safe_end(tail, len(tail))

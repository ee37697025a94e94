"""Overlaps: where the start of a message repeats the end of a text, and if that counts.

Example: the text ends in "every evening he asked for an", and the message begins with
"he asked for another bed". The overlap is "he asked for an"; "other bed" is new.

Texts are compared in two forms, because models change whitespace, typographic marks and
the encoding of characters when they repeat a text:

- plain: without whitespace, with plain quotation marks; character by character;
- folded: as in `fold`, where "—" equals "--", "…" equals "...", and "&" equals "&amp;".

OVERLAP-1. An overlap is a start of the message that equals an end of the text, in one
    of the forms. The folded form counts only where the plain form finds nothing.
OVERLAP-2. An overlap counts only if it is evidence of a repetition: "ha ha" followed by
    "ha ha!" is four times "ha". An overlap is no evidence if it is short, if it is
    periodic, or if the text before it ends in the same way.
OVERLAP-3. The result depends on the message, and not on how it is split into chunks. A
    longer message can add overlaps; it never removes one of the same form.
OVERLAP-4. Time is linear in text and message. If the message begins with the quote,
    only the quote is compared.
OVERLAP-5. If the text ends inside what the message writes as one character, the rest of
    that character is new text: ".." and "…" are an overlap with the remainder ".".
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue._core.text.fold import Folder
from langchain_bedrock_continue._core.text.text_end import (
    MIN_WEIGHT,
    weight,
    without_whitespace,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue._core.text.text_end import TextEnd, TextForm

MIN_FOLDED_WEIGHT = 4
"""The least weight of a quote that counts in the folded form: "-" is in many texts."""

MIN_EARLIER_WEIGHT = 60
"""The least weight of a truncated message that only repeats an earlier place."""


class End(NamedTuple):
    """Where a repetition ends in the message.

    Attributes:
        at: The offset in the message.
        remainder: The new part of the last character before it (OVERLAP-5).
        is_folded: The repetition was found in the folded form.
    """

    at: int
    remainder: str = ""
    is_folded: bool = False


class Overlap(NamedTuple):
    """An overlap that counts.

    Attributes:
        end: Where it ends in the message.
        is_longer: It is longer than the quote.
    """

    end: End
    is_longer: bool


class _Comparison:
    """A message compared with the ends of a text that begin at certain places.

    Attributes:
        active: The places from which the message still repeats the text.
        ends: Where the message has repeated all of the text from a place on, and where
            that repetition ends in the message.
        compared: How many characters of the message were compared, in its form.
    """

    def __init__(self, compact: str, starts: Sequence[int]) -> None:
        self._compact = compact
        self.active = starts
        self.ends: dict[int, End] = {}
        self.compared = 0

    def feed(self, new: str, offsets: list[int]) -> None:
        """Compare more of the message.

        Args:
            new: Its characters, in the form of the text.
            offsets: For each, where its character ends in the message.
        """
        if self.active and new:
            self.active = [
                at for at in self.active if self._stays_active(at, new, offsets)
            ]
            self.compared += len(new)

    def _stays_active(self, at: int, new: str, offsets: list[int]) -> bool:
        """Compare new characters from one place on; record where a repetition ends."""
        position = at + self.compared
        size = len(self._compact) - position
        if size > len(new):
            return self._compact.startswith(new, position)
        if new.startswith(self._compact[position:]):
            end = offsets[size - 1]
            shared = takewhile(lambda one: one == end, offsets[size:])
            remainder = new[size : size + sum(1 for _ in shared)]
            self.ends[at] = End(end, remainder)
        return False


class _PlainReader:
    """Reads a message in the plain form."""

    def __init__(self) -> None:
        self._received = 0

    def feed(self, text: str, *, final: bool = False) -> tuple[str, list[int]]:
        """Read more of the message; return its characters, and where each ends."""
        del final
        first = self._received + 1
        self._received += len(text)
        offsets = [at for at, char in enumerate(text, first) if not char.isspace()]
        return without_whitespace(text), offsets


class _FormMatcher:
    """Finds the overlaps of a text with a message in one form.

    The quote is compared first and by itself. The other places are compared only when
    they matter, because that takes the complete text (OVERLAP-4).
    """

    def __init__(self, form: TextForm, reader: _PlainReader | Folder) -> None:
        self.form = form
        self._reader = reader
        self._quote = _Comparison(form.quote, [0] if form.quote else [])
        self._overlaps: _Comparison | None = None
        self._unread: list[tuple[str, list[int]]] = []

    def feed(self, text: str, *, final: bool = False) -> None:
        """Receive more of the message."""
        if self._overlaps is not None and not (self._overlaps.active or self.in_quote):
            return
        new, offsets = self._reader.feed(text, final=final)
        self._quote.feed(new, offsets)
        self._unread.append((new, offsets))

    @property
    def in_quote(self) -> bool:
        """Whether all of the message so far repeats a part of the quote."""
        return bool(self._quote.active)

    @property
    def quote_end(self) -> End | None:
        """Where the quote ends in the message, once it is repeated completely."""
        return self._quote.ends.get(0)

    def is_pending(self, *, line_counts: bool) -> bool:
        """Return True if more of the message could make another overlap count."""
        exempt = {self._exempt(line_counts=line_counts), self.form.quote_at}
        return any(
            at in exempt or self.form.is_evidence(at) for at in self._compare().active
        )

    def _exempt(self, *, line_counts: bool) -> int | None:
        """Return the place from which an overlap counts without evidence."""
        return self.form.line_at if line_counts else None

    def repeats(self, *, truncated: bool) -> bool:
        """Return True if all of the message so far repeats the text.

        Args:
            truncated: Whether the message was truncated: then it may also repeat the
                text from its beginning, or from an earlier place.
        """
        comparison = self._compare()
        return any(
            self._counts(at, comparison.compared, truncated=truncated)
            for at in comparison.active
        )

    def _counts(self, at: int, size: int, *, truncated: bool) -> bool:
        repeated = weight(self.form.compact[at : at + size])
        if at == self.form.quote_at or (truncated and at == 0):
            return repeated >= MIN_WEIGHT
        is_long = truncated and repeated >= MIN_EARLIER_WEIGHT
        return is_long and self.form.is_evidence(at)

    def longest(self, *, line_counts: bool) -> Overlap | None:
        """Return the longest overlap that counts."""
        exempt, ends = self._exempt(line_counts=line_counts), self._compare().ends
        at = min(
            (at for at in ends if at == exempt or self.form.is_evidence(at)),
            default=None,
        )
        if at is None:
            return None
        quote_at = self.form.quote_at
        return Overlap(ends[at], is_longer=quote_at is not None and at < quote_at)

    def _compare(self) -> _Comparison:
        """Compare what was received with all places where an overlap may begin."""
        if self._overlaps is None:
            self._overlaps = _Comparison(self.form.compact, self.form.starts)
        for new, offsets in self._unread:
            self._overlaps.feed(new, offsets)
        self._unread.clear()
        return self._overlaps


class OverlapMatcher:
    """Finds the overlaps of a text with a message, or with a message after a lead-in.

    The folded form is compared only once the plain form has found nothing.
    """

    def __init__(self, text_end: TextEnd) -> None:
        """Prepare to match a message that begins here."""
        self._text_end = text_end
        self._plain = _FormMatcher(text_end.plain, _PlainReader())
        self._folded: _FormMatcher | None = None
        self._not_folded: list[str] = []

    def feed(self, text: str) -> None:
        """Receive more of the message."""
        self._plain.feed(text)
        self._not_folded.append(text)

    def close(self) -> None:
        """Learn that the message is over."""
        self._fold().feed("", final=True)

    @property
    def in_quote(self) -> bool:
        """Whether all of the message so far repeats a part of the quote."""
        return self._plain.in_quote or (
            self._plain.quote_end is None and self._fold().in_quote
        )

    @property
    def quote_end(self) -> End | None:
        """Where the quote ends in the message, once it is repeated completely."""
        end = self._plain.quote_end
        if end is not None or self._plain.in_quote:
            return end
        end = self._fold().quote_end
        if end is None or self._text_end.folded.quote_weight < MIN_FOLDED_WEIGHT:
            return None
        return end._replace(is_folded=True)

    def is_pending(self, *, line_counts: bool = False) -> bool:
        """Return True if more of the message could make another overlap count.

        Args:
            line_counts: An overlap that begins where the text's last line begins
                counts without evidence.
        """
        if self._plain.is_pending(line_counts=line_counts):
            return True
        if self._plain.longest(line_counts=line_counts):
            return False
        return self._fold().is_pending(line_counts=line_counts)

    def repeats(self, *, truncated: bool) -> bool:
        """Return True if all of the message so far repeats the text.

        Args:
            truncated: See `_FormMatcher.repeats`.
        """
        return self._plain.repeats(truncated=truncated) or self._fold().repeats(
            truncated=truncated
        )

    def longest(self, *, line_counts: bool = False) -> Overlap | None:
        """Return the longest overlap that counts.

        Args:
            line_counts: See `is_pending`.
        """
        overlap = self._plain.longest(line_counts=line_counts)
        if overlap is not None:
            return overlap
        overlap = self._fold().longest(line_counts=line_counts)
        if overlap is None:
            return None
        return overlap._replace(end=overlap.end._replace(is_folded=True))

    def _fold(self) -> _FormMatcher:
        """Compare what was received in the folded form."""
        if self._folded is None:
            self._folded = _FormMatcher(self._text_end.folded, Folder())
        for text in self._not_folded:
            self._folded.feed(text)
        self._not_folded.clear()
        return self._folded


_TOP = 40
"""How many characters are compared before the complete text is prepared."""


class RestartMatcher:
    """Finds out whether a message repeats the text from its beginning to its end.

    The complete text is prepared only once the message has repeated its first
    characters.
    """

    def __init__(self, text_end: TextEnd) -> None:
        """Prepare to match a message that begins here."""
        self._text_end = text_end
        self._top: str | None = text_end.top(_TOP)
        self._reader = Folder()
        self._seen = ""
        self._unread: list[str] = []
        self._forms: list[tuple[_Comparison, _PlainReader | Folder, TextForm]] = []

    def feed(self, text: str, *, final: bool = False) -> None:
        """Receive more of the message."""
        self._unread.append(text)
        if self._top is not None:
            self._seen += self._reader.feed(text, final=final)[0]
            if not self._seen.startswith(self._top):
                if not self._top.startswith(self._seen):
                    self._unread.clear()
                return
            self._top = None
            self._forms = [
                (_Comparison(form.compact, [0]), reader, form)
                for form, reader in (
                    (self._text_end.plain, _PlainReader()),
                    (self._text_end.folded, Folder()),
                )
            ]
        for comparison, reader, _ in self._forms:
            comparison.feed(*reader.feed("".join(self._unread), final=final))
        self._unread.clear()

    @property
    def is_active(self) -> bool:
        """Whether all of the message so far repeats the text from its beginning."""
        if self._top is not None:
            return self._top.startswith(self._seen)
        return any(comparison.active for comparison, *_ in self._forms)

    @property
    def end(self) -> End | None:
        """Where the repetition ends in the message, once it is complete."""
        ends = (comparison.ends.get(0) for comparison, *_ in self._forms)
        return next(filter(None, ends), None)

    @property
    def weight(self) -> int:
        """How much the repetition proves; nothing if the text is periodic."""
        if self._top is not None:
            return weight(self._seen)
        if not self._text_end.plain.is_evidence(0):
            return 0
        return max(
            (
                weight(form.compact[: comparison.compared])
                for comparison, _, form in self._forms
            ),
            default=0,
        )

"""Joins the message that answers a user turn, unless it begins the answer again.

`EchoJoin` finds where the new text of a message begins, and `restart` decides whether
that text continues the answer. What they withhold is released, or nothing is.

JOIN-1. A message is rejected if its new text is a restart. Nothing of it is appended.
JOIN-2. It is rejected as soon as it repeats an earlier place from which it could reach
    the end of the text only with more than half of its tokens: a restart of an answer
    that filled `max_tokens` is truncated where the answer was. So a stream can be
    closed before those tokens are written, and paid for.
JOIN-3. It is rejected if it repeats nothing of what it was asked to repeat, except
    where it plainly goes on: outside code, in the middle of a word, or with whitespace.
    Other text is most often something else, or lacks a blank or a line break before it
    (`make seams-real`: none of 38 such seams is natural). That is weak evidence, so it
    counts only where `needs_echo` is true; but an empty list item never goes on with
    another item.
JOIN-4. It is rejected if it goes on with a cycle (`cycle_check`).
JOIN-5. An end that it gives code which isn't complete is left out, with what follows
    (`early_end`), except on the last try.
JOIN-6. The result depends on the message, and not on how it is split into chunks.
JOIN-7. A rejected message that is used all the same is joined without these rules, if
    it begins with the quote, or with the text before it, or repeats nothing. What it
    repeats after the quote, up to the end of the text, is dropped.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from langchain_bedrock_continue._core.text.cycle_check import CycleCheck, Cycling
from langchain_bedrock_continue._core.text.earlier_text import EarlierText, Place, Start
from langchain_bedrock_continue._core.text.early_end import EarlyEnd
from langchain_bedrock_continue._core.text.introductions import possible_starts
from langchain_bedrock_continue._core.text.join_rules import JoinResult, JoinRule
from langchain_bedrock_continue._core.text.repetition import has_words
from langchain_bedrock_continue._core.text.restart import (
    Repetition,
    Restart,
    RestartCheck,
)
from langchain_bedrock_continue._core.text.text_end import weight, without_whitespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from langchain_bedrock_continue._core.text.echo_join import EchoJoin
    from langchain_bedrock_continue._core.text.text_before import TextBefore

_FAR_RESTART = 60
"""The least weight of a repetition that is evidence of a restart before its end."""

_FAR_AFTER_ECHO = 120
"""The same after an echo: new text may begin with a refrain."""


_ITEM = re.compile(r"\s*(?:\d{1,3}[.)]|[-*+])\s")
_EMPTY_ITEM = re.compile(r"(?:^|\n)[ \t]*(?:\d{1,3}[.)]|[-*+])[ \t]*\Z")
"""A list item, and one that has no text yet."""


class NoEcho(StrEnum):
    """Why a message is rejected that is no restart."""

    NO_ECHO = "no_echo"
    """It repeats nothing, and does not plainly go on (JOIN-3)."""


Rejection: TypeAlias = Restart | NoEcho | Cycling
"""Why nothing of a message is appended."""


@dataclass(frozen=True)
class ExpectedEcho:
    """What a user turn asks for, and how the answer to it is joined.

    Attributes:
        quote: What the model is asked to repeat; may be empty.
        opening: What precedes the quote in the prompt, such as a tag; may be empty.
        doubts_line_break: See `EchoJoin`.
        capacity: How many characters the answer can have; None if unknown.
        needs_echo: An answer without an echo may be rejected (JOIN-3).
        is_last_try: Weak evidence of a restart does not count (RESTART-6).
        is_asked_for: Returns True if the caller's messages contain a line.
        may_reject: A restart is rejected; False if the text is known to be another
            version of the answer.
    """

    quote: str = ""
    opening: str = ""
    doubts_line_break: bool = False
    capacity: int | None = None
    needs_echo: bool = False
    is_last_try: bool = False
    is_asked_for: Callable[[str], bool] = bool
    may_reject: bool = True


class Accepted(NamedTuple):
    """How a message is joined that was rejected.

    Attributes:
        result: By which rule, and how much is dropped.
        replaced: How many characters at the end of the text are replaced.
        new: What to append to the text.
    """

    result: JoinResult
    replaced: int
    new: str


class ContinuationJoin:
    """Joins one message to the text, as the message arrives.

    Attributes:
        rejected: Why the message is rejected; None while undecided, and if it is not.
    """

    def __init__(
        self, join: EchoJoin, text: str | TextBefore, expected: ExpectedEcho
    ) -> None:
        """Prepare a join.

        Args:
            join: Finds where the new text of the message begins.
            text: The text so far, with its trailing whitespace.
            expected: What the model was asked for.
        """
        self._first = join
        self._earlier = EarlierText(text)
        self._expected = expected
        self.begin()

    def begin(self) -> None:
        """Prepare to receive a message."""
        self._join = self._first.fresh()
        self.rejected: Rejection | None = None
        self._received = 0
        self._begun = ""  # the message, while the answer may begin later in it
        self._may_begin_later = True
        self._entries: dict[int, Repetition] = {}
        self._echo_end: int | None = None
        self._check: RestartCheck | None = None
        self._cycle: CycleCheck | None = None
        self._end: EarlyEnd | None = None

    def fresh(self) -> Self:
        """Return a join to the same text that has received nothing."""
        join: Self = copy.copy(self)
        join.begin()
        return join

    def accepted(self, message: str) -> Accepted | None:
        """Join a rejected message, if that is known to lose less (JOIN-7).

        Args:
            message: The complete message.

        Returns:
            How it is joined; None if it is not.
        """
        join = self._accepting()
        new = (join.feed(message) or "") + join.finish()
        result = join.result
        if result is None or isinstance(self.rejected, Cycling):
            return None
        if not (result.is_proven or self.rejected is NoEcho.NO_ECHO):
            return None
        again = self._accepting()
        rest = (again.feed(new) or "") + again.finish()
        if again.result is not None and again.result.rule is JoinRule.RESTART:
            new = rest
        result = JoinResult(result.rule, len(message) - len(new))
        return Accepted(result, join.replaced, new)

    def _accepting(self) -> Self:
        """Return a join to the same text that rejects nothing."""
        join = self.fresh()
        join._expected = replace(self._expected, may_reject=False)  # noqa: SLF001
        return join

    @property
    def result(self) -> JoinResult | None:
        """How the message was joined; None while that is undecided."""
        if self.rejected is not None:
            rule = self._join.result.rule if self._join.result else JoinRule.UNFINISHED
            return JoinResult(rule, self._received)
        return self._join.result

    @property
    def replaced(self) -> int:
        """How many characters at the end of the text are replaced."""
        return 0 if self.rejected else self._join.replaced

    @property
    def is_over(self) -> bool:
        """Whether `feed` returns all that follows unchanged, and `finish` nothing."""
        has_begun = self._join.result is not None and self.rejected is None
        checked = self._check is None or self._check.decided
        cycle_over = self._cycle is None or self._cycle.decided
        end_over = self._end is None or self._end.is_over
        over = has_begun and checked and cycle_over and end_over
        return over and self._join.is_over

    @property
    def gave_up(self) -> bool:
        """Whether the message ended code where it isn't complete."""
        return self._end is not None and self._end.gave_up

    @property
    def left_out(self) -> bool:
        """Whether a part of the message was left out, after its first new text."""
        return self._end is not None and self._end.left_out

    def feed(self, chunk: str) -> str | None:
        """Receive more of the message.

        Returns:
            What to append to the text, or None while that is undecided, and after the
            message was rejected.
        """
        self._received += len(chunk)
        if self.rejected is not None:
            return None
        if not self._expected.may_reject:
            return self._join.feed(chunk)
        if self._check is not None:
            return self._checked(self._join.feed(chunk) or "")
        at = self._far_restart_at(chunk)
        joined = self._join.feed(chunk[:at])
        if joined is None:
            if at is not None:
                self._reject(self._far_restart())
            return None
        rest = "" if at is None else self._join.feed(chunk[at:]) or ""
        return self._new(joined + rest)

    def finish(self, *, truncated: bool = False) -> str:
        """Decide with what was received, because the message is over.

        Args:
            truncated: Whether the message was truncated, and not ended by the model.

        Returns:
            What to append to the text, in addition to what `feed` returned.
        """
        if self.rejected is not None:
            return ""
        added = self._join.finish(truncated=truncated)
        if not self._expected.may_reject:
            return added
        if truncated and self._is_blank(added) and self._repeats_earlier_place():
            self._reject(self._far_restart())
            return ""
        if self._check is None and not added:
            return ""
        take = self._new if self._check is None else self._checked
        begun = take(added) or ""
        if self._check is not None:
            begun += self._passed(self._check.finish(truncated=truncated)) or ""
            self._note_rejection()
        if self._is_rejected():
            return ""
        if self._cycle is not None:
            begun += self._before_end(self._cycle.finish(truncated=truncated))
            self._note_cycle()
        return begun if self._end is None else begun + self._end.finish()

    def _is_rejected(self) -> bool:
        return self.rejected is not None

    def _is_blank(self, added: str) -> bool:
        """Return True if nothing but whitespace is new: the end of the text has it."""
        pending = "" if self._check is None else self._check.pending
        is_released = self._check is not None and self._check.decided
        return not (is_released or pending.strip() or added.strip())

    # The new text ------------------------------------------------------------------

    def _new(self, new: str) -> str | None:
        """Take the first new text."""
        result = self._join.result
        proven = result is not None and result.rule is not JoinRule.AS_IS
        if not self._join.repeats and not self._may_go_on(new):
            self.rejected = NoEcho.NO_ECHO
            return None
        is_last_try = self._expected.is_last_try
        self._check = RestartCheck(
            self._earlier, proven=proven, is_last_try=is_last_try
        )
        return self._checked(new)

    def _checked(self, new: str) -> str | None:
        if self._check is None:
            return new
        released = self._check.feed(new)
        self._note_rejection()
        if self.rejected or released is None:
            return None
        return self._passed(released)

    def _passed(self, new: str) -> str | None:
        """Take new text that is no restart; return what is released of it."""
        cycle = self._cycle_check()
        released = cycle.feed(new)
        self._note_cycle()
        return None if released is None else self._before_end(released)

    def _note_cycle(self) -> None:
        if self._cycle is not None and self._cycle.found:
            self.rejected = Cycling.CYCLE

    def _cycle_check(self) -> CycleCheck:
        if self._cycle is None:
            self._cycle = CycleCheck(
                self._earlier,
                is_last_try=self._expected.is_last_try,
                is_asked_for=self._expected.is_asked_for,
            )
        return self._cycle

    def _before_end(self, new: str) -> str:
        """Release new text up to an end that comes too early (JOIN-5)."""
        if self._end is None and new:
            self._end = EarlyEnd(
                self._earlier.before.without(self._join.replaced),
                is_last_try=self._expected.is_last_try,
                repeats=self._join.repeats,
            )
        return new if self._end is None else self._end.feed(new)

    def _note_rejection(self) -> None:
        if self._check is not None and self._check.restart is not None:
            self._reject(self._check.restart)

    def _reject(self, restart: Restart) -> None:
        """Reject the message; after a cycle, a restart is more of the cycle."""
        is_earlier = restart in {Restart.EARLIER_PLACE, Restart.FIRST_LINE}
        cycles = is_earlier and self._cycle_check().after_cycle
        self.rejected = Cycling.CYCLE if cycles else restart

    def _may_go_on(self, new: str) -> bool:
        """Return True if new text without an echo may continue the text (JOIN-3)."""
        if _EMPTY_ITEM.search(self._earlier.text) and _ITEM.match(new):
            return False
        return not self._expected.needs_echo or self._goes_on_in_sentence(new)

    def _goes_on_in_sentence(self, new: str) -> bool:
        """Return True if new text begins in the middle of a sentence (JOIN-3)."""
        before, first = self._earlier.text[-1:], new[:1]
        if self._earlier.is_code:
            return False
        in_number = before.isdigit() and first.isdigit()
        in_word = before.isalpha() and first.isalpha() and not first.isupper()
        return in_number or in_word or first.isspace() or before == " "

    # A restart that does not reach the end of the text -------------------------------

    def _far_restart_at(self, chunk: str) -> int | None:
        """Return after how much of a chunk the message is a far restart (JOIN-2)."""
        seen = {at: len(entry.seen) for at, entry in self._entries.items()}
        self._compare(chunk)
        if self._expected.capacity is None:
            return None
        offsets = []
        for at in self._entries:
            known = seen.get(at, 0)
            lengths = [one for one in self._far_lengths(at) if one > known]
            if lengths:
                start = max(0, at - (self._received - len(chunk)))
                offsets.append(_visible_offset(chunk, start, min(lengths) - known))
        return min(offsets, default=None)

    def _compare(self, chunk: str) -> None:
        """Compare the message with the text, from where the answer may begin."""
        for entry in self._entries.values():
            entry.feed(chunk)
        if self._may_begin_later:
            self._begun += chunk
            for at in self._starts():
                if at not in self._entries:
                    self._entries[at] = Repetition(self._earlier)
                    self._entries[at].feed(self._begun[at:])

    def _starts(self) -> list[int]:
        """Return where the answer may begin in the message: also after the echo."""
        starts, is_open = possible_starts(self._begun, final=False)
        quote, seen = without_whitespace(self._expected.quote), self._entries.get(0)
        begun = without_whitespace(self._begun) if seen is None else seen.seen
        if quote and begun.startswith(quote):
            self._echo_end = _visible_offset(self._begun, 0, len(quote))
            rest = self._begun[self._echo_end :]
            later, is_open = possible_starts(rest, final=False)
            starts += [self._echo_end + at for at in later]
        elif quote.startswith(begun):
            is_open = True
        self._may_begin_later = is_open
        return starts

    def _far_lengths(self, at: int) -> Iterator[int]:
        """Yield how much was repeated from each place that is too far from the end."""
        least = _FAR_RESTART if self._is_before_echo(at) else _FAR_AFTER_ECHO
        for place, repeated in self._repeated(at):
            if self._is_far(place.at):
                length = _length_of_weight(repeated, least)
                if length is not None and has_words(repeated[:length]):
                    yield length

    def _repeated(self, at: int) -> Iterator[tuple[Place, str]]:
        """Yield what was repeated; after the echo, only from the first line on."""
        for place, repeated in self._entries[at].repeated():
            if place.start is Start.TEXT or self._is_before_echo(at):
                yield place, repeated

    def _is_before_echo(self, at: int) -> bool:
        return self._echo_end is None or at < self._echo_end

    def _is_far(self, at: int) -> bool:
        """Return True if a message can't repeat the text from a place on (JOIN-2)."""
        if self._expected.capacity is None:
            return False
        reach = max(self._expected.capacity // 2, len(self._expected.quote))
        return self._earlier.distance(at) > reach

    def _repeats_earlier_place(self) -> bool:
        """Return True if a message that adds nothing is more than an echo.

        A message that was truncated in the echo needs more room, and no other words.
        """
        return self._received > 2 * len(self._expected.quote) + _FAR_RESTART

    def _far_restart(self) -> Restart:
        is_first = any(
            place.start is Start.TEXT and weight(repeated) >= _FAR_RESTART
            for entry in self._entries.values()
            for place, repeated in entry.repeated()
        )
        return Restart.FIRST_LINE if is_first else Restart.EARLIER_PLACE


def _visible_offset(chunk: str, start: int, count: int) -> int:
    """Return the offset after so many visible characters of a chunk."""
    visible = [at for at in range(start, len(chunk)) if not chunk[at].isspace()]
    return visible[min(count, len(visible)) - 1] + 1


def _length_of_weight(text: str, least: int) -> int | None:
    """Return how many characters of a text weigh so much, or None if all weigh less."""
    if weight(text) < least:
        return None
    total = 0
    for length, char in enumerate(text, 1):
        total += weight(char)
        if total >= least:
            return length
    return None

"""The limits of a turn: tokens of a call, calls, tokens and seconds of the turn.

LIMIT-1. A call asks for the `max_tokens` that the caller asks for, or for what that has
    grown to (`growth`), unless less is left of `max_total_tokens` or of the context
    window (`context_window`).
LIMIT-2. A segment that can't be continued is retried with GROWTH times its
    `max_tokens`. Below the ceiling, all attempts before one may together write a
    third of what that one may write. The turn does not return to less.
LIMIT-3. The ceiling is the caller's, or the model's limit, or ASSUMED_CEILING where
    that is unknown.
LIMIT-4. A limit that the service reports takes precedence over all of them. A call then
    asks for one token less: the limit itself may be refused too.
LIMIT-5. A segment of unknown usage counts as all the tokens that it asked for.
LIMIT-6. Where a size that we chose is refused and no limit is named, a retry asks for
    half, as long as that is more than the segment before had. Any other call asks for
    the caller's own size.
LIMIT-7. A call that has no more than the thinking budget is refused: what is left of
    `max_total_tokens` must be more.
LIMIT-8. Where `max_tokens` is unset, a truncated segment shows the service's default:
    it had what it wrote. A retry asks for UNSET_MAX_TOKENS at least.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.decisions.context_window import (
    LEAST_ROOM,
    ContextWindow,
)
from langchain_bedrock_continue._core.decisions.growth import Growth
from langchain_bedrock_continue._core.decisions.size_refusals import WINDOW, Reason
from langchain_bedrock_continue._core.decisions.vocabulary import Action, Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.messages.ai import UsageMetadata

    from langchain_bedrock_continue._core.decisions.size_refusals import SizeRefusal

GROWTH = 4

UNSET_MAX_TOKENS = 4_096
"""What Converse gives Claude where `maxTokens` is unset, in tokens (third-party
reports; the documentation says the model's maximum)."""

ASSUMED_CEILING = 16_384
"""The ceiling where nothing is known of the model's limit, in tokens: four times what
Converse gives Claude where `max_tokens` is unset. Most models of the last years can
write as much, and one that can't says so (LIMIT-4)."""

CHARACTERS_A_TOKEN = 4
"""The size of a token, while the turn's own text has not shown it."""

MAX_REFUSALS = 6
"""How many refusals of a size a turn answers with another size. A service that reports
one limit after the other must not be asked for ever."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""The longest wait before the first recovery, and before any, in seconds. The service
worked a moment ago, and botocore has already waited before it gave up a call."""


class DeadlinePassedError(Exception):
    """The deadline passed before the next call was made. It never leaves the turn."""


def stopped_clock() -> float:
    """Return the time where none passes."""
    return 0.0


@dataclass
class MaxTokens:
    """The `max_tokens` of the next call.

    Attributes:
        requested: What the caller's call asks for, or None for the service's default.
        total: The caller's `max_total_tokens`, or None.
        ceiling: The caller's `max_tokens_ceiling`, or None.
        model_limit: The model's own limit, or None if unknown.
        thinking_budget: What a call must exceed to be accepted; 0 without thinking.
        growth: What continuations have grown to.
        window: The context window, as far as it is known.
        fit: What the window leaves for the next call, or None if unknown.
        raised: What a retry raised it to, or None.
        reported: The most that the service accepts, as far as it has said, or None.
        room: What the context window left beside the last input, or None if unknown.
        echo: The tokens of the echo with which the next response begins (QUOTE-5).
    """

    requested: int | None = None
    total: int | None = None
    ceiling: int | None = None
    model_limit: int | None = None
    thinking_budget: int = 0
    growth: Growth = field(default_factory=Growth)
    window: ContextWindow = field(default_factory=ContextWindow)
    fit: int | None = field(default=None, init=False)
    raised: int | None = field(default=None, init=False)
    reported: int | None = field(default=None, init=False)
    room: int | None = field(default=None, init=False)
    echo: int = field(default=0, init=False)
    _before: int | None = field(default=None, init=False)
    _refusals: int = field(default=0, init=False)
    _is_final: bool = field(default=False, init=False)

    def left(self, used: int) -> int | None:
        """Return what is left of `max_total_tokens`, or None if there is no limit.

        What no call could use counts as nothing (LIMIT-7).

        Args:
            used: The output tokens of the turn so far.
        """
        if self.total is None:
            return None
        left = max(0, self.total - used)
        return left if left > self.thinking_budget or used == 0 else 0

    def expected(self, used: int) -> int:
        """Return how many tokens the next call can write, as far as is known."""
        asked, left = self._asked or UNSET_MAX_TOKENS, self.left(used)
        return asked if left is None else min(asked, left)

    def of_next_call(self, used: int) -> tuple[int | None, int | None]:
        """Return the `max_tokens` of the next call.

        Returns:
            What the call asks for, None for the service's default; and what has to be
            set in its arguments, None where they can stay as the caller gave them.
        """
        asked, left = self._asked, self.left(used)
        if asked is not None:
            asked += min(self.echo, self.echo_room(used))
        most = asked or self.model_limit or UNSET_MAX_TOKENS
        if left is not None and left < most:
            return left, left or most
        return asked, asked if asked != self.requested else None

    def echo_room(self, used: int) -> int:
        """Return how many tokens of an echo the next call can have on top (QUOTE-5)."""
        asked, left = self._asked, self.left(used)
        if asked is None:
            return 0
        most = self._ceiling if left is None else min(self._ceiling, left)
        return max(0, most - asked)

    @property
    def _asked(self) -> int | None:
        """What the next call asks for if nothing else is left of the total."""
        sizes = (self._wanted, self.reported)
        asked = min((size for size in sizes if size is not None), default=None)
        most = asked or self.model_limit or UNSET_MAX_TOKENS
        if self.fit is None or not self.thinking_budget < self.fit < most:
            return asked
        return self.fit

    @property
    def _wanted(self) -> int | None:
        """What the next call asks for if nothing limits it (GROWTH-1, LIMIT-2)."""
        own = self.raised or self.requested
        return own if self.growth.size is None else max(own or 0, self.growth.size)

    @property
    def _ceiling(self) -> int:
        ceiling = self.ceiling or self.model_limit or ASSUMED_CEILING
        return ceiling if self.reported is None else min(ceiling, self.reported)

    def note_usage(self, usage: UsageMetadata | None) -> None:
        """Take in the usage of a response, or that it is unknown."""
        if usage is None:
            self.window.forget_usage()
        else:
            self.window.note(usage["input_tokens"], usage["output_tokens"])
        self.fit = self.window.beside_same

    def begin_continuation(self, last: int, action: Action) -> None:
        """Prepare to continue the last segment.

        Args:
            last: What it had.
            action: Why. The size grows if the segment was truncated (GROWTH-1).
        """
        self.fit = self.window.beside_next
        if action is Action.CONTINUE:
            self.growth.grow(self.requested or last, self._ceiling)

    def lacks_headroom(self) -> bool:
        """Return True if the window leaves too little for a continuation."""
        room, asked = self.window.beside_next, self._wanted or UNSET_MAX_TOKENS
        if room is None:
            return False
        return room < min(asked, LEAST_ROOM) or room <= self.thinking_budget

    def can_grow(self, last: int) -> bool:
        """Return True if the ceiling allows more than the last segment had."""
        return not self._is_final and self._grown(last) > last

    def fits(self, last: int, used: int) -> bool:
        """Return True if `max_total_tokens` leaves more than the last segment had."""
        left = self.left(used)
        return left is None or left > last

    def has_room(self, last: int, used: int) -> bool:
        """Return True if a retry may ask for more than the last segment had."""
        return self.can_grow(last) and self.fits(last, used)

    def grow(self, last: int, least: int = 0) -> None:
        """Ask for more from now on (LIMIT-2); only if `can_grow` allows it.

        Args:
            last: The size of the last segment, in tokens.
            least: Ask for so many tokens at least, as far as the ceiling allows.
        """
        grown = self._grown(last, least)
        self._before, self.raised, self.echo = self.raised, grown, 0

    def _grown(self, last: int, least: int = 0) -> int:
        if self.requested is None:
            least = max(least, UNSET_MAX_TOKENS)  # LIMIT-8
        grown = min(max(last * GROWTH, least), self._ceiling)
        room = self.window.beside_same
        return grown if room is None else min(grown, room)

    def give_up(self) -> None:
        """Return to the size before the last growth, and grow no more (NEXT-13)."""
        self.raised, self._is_final = self._before, True

    # A size that was refused ---------------------------------------------------------

    def is_chosen(self, asked: int | None) -> bool:
        """Return True if a size is ours, and the caller's own would be accepted.

        Args:
            asked: What a call asked for.
        """
        own = self.requested or UNSET_MAX_TOKENS
        return asked != self.requested and own > self.thinking_budget

    def is_window_full(self, last: int) -> bool:
        """Return True if a segment had all that the context window leaves."""
        rooms = (self.room, self.window.beside_same)
        return any(room is not None and last >= room for room in rooms)

    def refuse(
        self, refusal: SizeRefusal, asked: int | None, last: int | None
    ) -> Ending | None:
        """Take in that a call was refused for its size (LIMIT-4, LIMIT-6).

        Args:
            refusal: Why it was refused.
            asked: What it asked for.
            last: What the segment had that it was to replace; None if it replaces none.

        Returns:
            None if the next call asks for another size; else what ends the turn, or the
            retry, without it.
        """
        self._refusals += 1
        lower = self._lower(refusal, asked, last)
        if refusal.reason in WINDOW:
            self.room = lower or 0
        if lower is not None and self._refusals <= MAX_REFUSALS:
            self._try(lower, is_guess=refusal.most is None and last is not None)
            return None
        ending, is_ours = self._ending(refusal, asked), self._is_raised(asked)
        self.raised, self._is_final = self._before if last else None, True
        if last is None:
            self.growth.shrink()
        if last is None and is_ours and refusal.reason not in WINDOW:
            self.reported = None  # the caller's own size is left
            return None
        return ending

    def _try(self, size: int, *, is_guess: bool) -> None:
        """Ask for less from now on; a guess holds only if a retry succeeds with it."""
        if is_guess:
            self.raised, self._is_final = size, True
        else:
            self.reported = size

    def _lower(
        self, refusal: SizeRefusal, asked: int | None, last: int | None
    ) -> int | None:
        """Return the next size to try, or None."""
        named = None if refusal.most is None else refusal.most - 1
        if named is not None and refusal.reason not in WINDOW:
            named = max(named, self.requested or 0)  # that was accepted
        if asked is None or (named is not None and named < asked):
            lower = named
        else:
            lower = asked // 2 if self._may_halve(refusal, last) else None
        least = max(last or 0, self.thinking_budget)
        return lower if lower is not None and lower > least else None

    def _may_halve(self, refusal: SizeRefusal, last: int | None) -> bool:
        """Return True if less may be accepted, and the caller's size is no better."""
        if last is not None or refusal.reason is Reason.NO_ROOM:
            return refusal.reason is not Reason.THINKING_BUDGET
        has_own = self.requested is not None or self.raised is not None
        return refusal.reason in {Reason.MODEL_LIMIT, Reason.UNNAMED} and not has_own

    def _is_raised(self, asked: int | None) -> bool:
        """Return True if a size is more than the caller's own."""
        is_raised = self.raised is not None or self.growth.size is not None
        return is_raised and (asked or 0) > (self.requested or 0)

    def _ending(self, refusal: SizeRefusal, asked: int | None) -> Ending:
        if refusal.reason in WINDOW:
            return Ending.CONTEXT_WINDOW
        is_less = self._asked is None or (asked or 0) < self._asked
        is_rest = self.total is not None and is_less
        return Ending.MAX_TOTAL_TOKENS if is_rest else Ending.NO_PROGRESS


@dataclass(frozen=True)
class Deadline:
    """The caller's `max_seconds`, counted from the turn's begin.

    Attributes:
        seconds: Seconds from `began` on, or None for no deadline.
        clock: Returns the time in seconds, from any origin.
        began: When the turn began, by that clock.
    """

    seconds: float | None
    clock: Callable[[], float]
    began: float

    def left(self) -> float | None:
        """Return the seconds that are left, or None if there is no deadline."""
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - (self.clock() - self.began))


def reached_limit(
    calls: int,
    max_continuations: int,
    tokens_left: int | None,
    seconds_left: float | None,
) -> Ending | None:
    """Return the limit that a further call would exceed, or None.

    Args:
        calls: The calls of the turn so far.
        max_continuations: The calls that are allowed after the first.
        tokens_left: What is left of `max_total_tokens`, or None.
        seconds_left: What is left of `max_seconds`, or None.
    """
    limits = (
        (Ending.MAX_CONTINUATIONS, calls > max_continuations),
        (Ending.MAX_TOTAL_TOKENS, tokens_left == 0),
        (Ending.MAX_SECONDS, seconds_left == 0),
    )
    return next((ending for ending, reached in limits if reached), None)


def recovery_wait(recoveries: int) -> float:
    """Return the longest wait before the next recovery, in seconds.

    Args:
        recoveries: The recoveries of the turn so far.
    """
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2**recoveries))

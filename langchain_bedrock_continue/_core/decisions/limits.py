"""The limits of a turn: tokens of a call, calls, tokens and seconds of the turn.

LIMIT-1. A call asks for the `max_tokens` that the caller asks for, unless less is left
    of `max_total_tokens`.
LIMIT-2. A segment that can't be continued is retried with GROWTH times its
    `max_tokens`. Below the ceiling, all attempts before one may together write a
    third of what that one may write. The turn does not return to less.
LIMIT-3. The ceiling is the caller's, or the model's limit, or ASSUMED_CEILING where
    that is unknown.
LIMIT-4. A limit that the service reports takes precedence over all of them.
LIMIT-5. A segment of unknown usage counts as all the tokens that it asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.decisions.vocabulary import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

GROWTH = 4

UNSET_MAX_TOKENS = 4_096
"""What Converse gives Claude where `maxTokens` is unset, in tokens (third-party
reports; the documentation says the model's maximum)."""

ASSUMED_CEILING = 16_384
"""The ceiling where nothing is known of the model's limit, in tokens: four times what
Converse gives Claude where `max_tokens` is unset. Most models of the last years can
write as much, and one that can't says so (LIMIT-4)."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""The longest wait before the first recovery, and before any, in seconds. The service
worked a moment ago, and botocore has already waited before it gave up a call."""


@dataclass
class MaxTokens:
    """The `max_tokens` of the next call.

    Attributes:
        requested: What the caller's call asks for, or None for the service's default.
        total: The caller's `max_total_tokens`, or None.
        ceiling: The caller's `max_tokens_ceiling`, or None.
        model_limit: The model's own limit, or None if unknown.
        raised: What a retry raised it to, or None.
        reported: The limit that the service reported, or None.
        echo: The tokens of the echo with which the next response begins (QUOTE-5).
    """

    requested: int | None = None
    total: int | None = None
    ceiling: int | None = None
    model_limit: int | None = None
    raised: int | None = field(default=None, init=False)
    reported: int | None = field(default=None, init=False)
    echo: int = field(default=0, init=False)

    def left(self, used: int) -> int | None:
        """Return what is left of `max_total_tokens`, or None if there is no limit.

        Args:
            used: The output tokens of the turn so far.
        """
        return None if self.total is None else max(0, self.total - used)

    def expected(self, used: int) -> int:
        """Return how many tokens the next call can write, as far as is known."""
        asked, left = self.raised or self.requested or UNSET_MAX_TOKENS, self.left(used)
        return asked if left is None else min(asked, left)

    def of_next_call(self, used: int) -> tuple[int | None, int | None]:
        """Return the `max_tokens` of the next call.

        Returns:
            What the call asks for, None for the service's default; and what has to be
            set in its arguments, None where they can stay as the caller gave them.
        """
        asked, left = self.raised or self.requested, self.left(used)
        echo = min(self.echo, self.echo_room(used))
        asked = asked + echo if asked is not None else None
        most = asked or self.model_limit or UNSET_MAX_TOKENS
        if left is not None and left < most:
            return left, left or most
        return asked, (asked or most) if self.raised is not None or echo else None

    def echo_room(self, used: int) -> int:
        """Return how many tokens of an echo the next call can have on top (QUOTE-5)."""
        asked, left = self.raised or self.requested, self.left(used)
        if asked is None:
            return 0
        most = self._ceiling if left is None else min(self._ceiling, left)
        return max(0, most - asked)

    def can_grow(self, last: int) -> bool:
        """Return True if the ceiling allows more than the last segment had."""
        return self._grown(last) > last

    def fits(self, last: int, used: int) -> bool:
        """Return True if `max_total_tokens` leaves more than the last segment had."""
        left = self.left(used)
        return left is None or left > last

    def grow(self, last: int) -> None:
        """Ask for more from now on (LIMIT-2); only if `can_grow` allows it."""
        self.raised, self.echo = self._grown(last), 0

    def accept(self, limit: int) -> None:
        """Adopt the limit that the service reported (LIMIT-4)."""
        self.reported = self.raised = limit

    @property
    def may_accept(self) -> bool:
        """Whether a reported limit can be about a size that we chose.

        Only once: a service that reports one limit after the other must not be asked
        for ever.
        """
        return self.raised is not None and self.reported is None

    def _grown(self, last: int) -> int:
        return min(last * GROWTH, self._ceiling)

    @property
    def _ceiling(self) -> int:
        return self.reported or self.ceiling or self.model_limit or ASSUMED_CEILING


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

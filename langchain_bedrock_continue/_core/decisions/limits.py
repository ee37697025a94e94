"""How many tokens a call asks for.

G1. A call asks for what the caller's calls ask for, `max_tokens`, unless less is left
    of `max_total_tokens`.
G2. A segment that was cut where it can't be gone on from is asked for again with GROWTH
    times as much: below the ceiling, all tries before one may write a third of what it
    may. The turn does not go back to less.
G3. It is raised to the ceiling at most: the caller's, or the model's limit; where that
    is unknown, ASSUMED_CEILING.
G4. The service's own word goes before both: a limit that it names is the ceiling.
G5. Tokens that a segment does not tell of count as all that it asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.request.messages import (
    UNSET_MAX_TOKENS,
    max_tokens_of,
    with_max_tokens,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.record.record import Record

GROWTH = 4

ASSUMED_CEILING = 16_384
"""Where nothing is known of a model's limit: four times what Converse gives Claude
where `max_tokens` is unset. Most models of the last years can write as much, and one
that can't says so (G4)."""


class Budget:
    """What the next call may write."""

    def __init__(
        self, policy: Policy, kwargs: Mapping[str, Any], record: Record
    ) -> None:
        """Begin with what the caller asks for.

        Args:
            policy: What the turn may cost.
            kwargs: The caller's arguments for each call.
            record: The segments so far.
        """
        self._policy = policy
        self._record = record
        self._kwargs = kwargs
        self._asked = max_tokens_of(kwargs, policy.max_tokens)
        self._limit: int | None = None
        self._raised: int | None = None

    @property
    def size(self) -> int:
        """The tokens that the next call can write, as far as is known."""
        asked = self._raised or self._asked or UNSET_MAX_TOKENS
        left = self.left()
        return asked if left is None else min(asked, left)

    def left(self) -> int | None:
        """Return what is left of `max_total_tokens`, or None."""
        if self._policy.max_total_tokens is None:
            return None
        return max(0, self._policy.max_total_tokens - self._record.output_tokens())

    def arguments(self) -> tuple[dict[str, Any], int | None]:
        """Return the next call's arguments, and the `max_tokens` among them."""
        asked, left = self._raised or self._asked, self.left()
        most = asked or self._policy.max_output_tokens or UNSET_MAX_TOKENS
        if left is not None and left < most:
            asked = left
        elif self._raised is None:
            return dict(self._kwargs), asked
        return with_max_tokens(self._kwargs, asked or most), asked

    def can_raise(self) -> bool:
        """Tell whether the ceiling lets the last segment be asked for with more."""
        return self._next_size() > self._last_size()

    def fits(self) -> bool:
        """Tell whether `max_total_tokens` leaves more than the last segment had."""
        left = self.left()
        return left is None or left > self._last_size()

    def raise_size(self) -> None:
        """Ask for more from now on (G2)."""
        self._raised = self._next_size()

    def learn(self, limit: int) -> None:
        """Take the service's word for the model's limit (G4)."""
        self._limit = self._raised = limit

    @property
    def may_learn(self) -> bool:
        """Whether a limit may be at fault: more was asked for than by the caller.

        Once: a service that names one limit after the other is not asked for ever.
        """
        return self._raised is not None and self._limit is None

    def _next_size(self) -> int:
        return min(self._last_size() * GROWTH, self._ceiling())

    def _last_size(self) -> int:
        last = self._record.last
        return last.max_tokens or max(UNSET_MAX_TOKENS, last.output_tokens or 0)

    def _ceiling(self) -> int:
        return (
            self._limit
            or self._policy.max_tokens_ceiling
            or self._policy.max_output_tokens
            or ASSUMED_CEILING
        )

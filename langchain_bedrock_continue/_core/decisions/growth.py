"""How the `max_tokens` of continuations grows: the caller's `max_tokens_growth`.

A short answer reserves little of the quota, and a long one takes few calls.

GROWTH-1. The n-th continuation asks for the first size times the n-th power of the
    factor, up to the ceiling. The caller's own size is never reduced.
GROWTH-2. A call that repeats a segment does not count: a retry has a size of its own
    (LIMIT-2), and the turn does not return to less.
GROWTH-3. A size that is refused, or takes longer than the client waits, ends the
    growth. The next call asks for what the one before had.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def check_growth(factor: float) -> float:
    """Return the factor unchanged if it is valid.

    Raises:
        ValueError: It is less than 1, or not a finite number.
    """
    if not 1 <= factor < float("inf"):
        raise ValueError(
            f"max_tokens_growth: must be a finite number of at least 1, got {factor}. "
            "Use 2 to double max_tokens with each continuation, or 1 to keep it."
        )
    return factor


@dataclass
class Growth:
    """The size that continuations have grown to.

    Attributes:
        factor: The caller's `max_tokens_growth`.
        size: What the next continuation asks for at least; None before the first.
    """

    factor: float = 1.0
    size: int | None = field(default=None, init=False)
    _exact: float | None = field(default=None, init=False)
    _before: int | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)

    @property
    def may_shrink(self) -> bool:
        """Whether the size may be reduced to the one before."""
        return self.size is not None and not self._is_over

    def grow(self, first: int, ceiling: int) -> None:
        """Grow for the next continuation (GROWTH-1).

        Args:
            first: The size of the first segment.
            ceiling: The most that a call may ask for.
        """
        if self.factor <= 1 or self._is_over:
            return
        most = max(first, ceiling)
        self._exact = min((self._exact or first) * self.factor, most)
        self._before, self.size = self.size, round(self._exact)

    def shrink(self) -> None:
        """Return to the size before, and grow no more (GROWTH-3)."""
        self.size, self._before, self._is_over = self._before, None, True

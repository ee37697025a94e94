"""Signs of life of a stream that receives content and shows none of it.

A tool call is withheld until it is complete. Meanwhile a watchdog, such as LangGraph's
idle timeout, takes a stream without chunks for one that hangs.

PULSE-1. If content arrives and no chunk was shown for a while, an empty chunk is shown.
PULSE-2. A pulse needs content that arrives: a stream that hangs has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 0.1
"""How long nothing is shown before a sign of life: far below any sensible timeout, and
far above the time between two chunks."""


class Pulse:
    """Says when a sign of life is due."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin now.

        Args:
            clock: Returns the time in seconds, from any origin.
        """
        self._clock = clock
        self._shown_at = clock()

    def is_due(self, *, has_shown: bool) -> bool:
        """Return True if a sign of life is due, which is then shown (PULSE-1).

        Args:
            has_shown: Whether what just arrived has led to a chunk.
        """
        now = self._clock()
        due = not has_shown and now - self._shown_at >= SECONDS
        if has_shown or due:
            self._shown_at = now
        return due

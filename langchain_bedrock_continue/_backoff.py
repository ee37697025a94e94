"""How long to wait before a call that comes after a failure; chance has its part."""

from __future__ import annotations

import random


def waiting_time(most: float) -> float:
    """Draw a waiting time: callers that failed together shall not come back together.

    Args:
        most: Seconds at most; half of it at least.

    Returns:
        Seconds.
    """
    return random.uniform(most / 2, most)  # noqa: S311 - a wait is no secret

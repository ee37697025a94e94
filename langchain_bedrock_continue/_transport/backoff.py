"""How long to wait before a call that comes after a failure; chance has its part."""

from __future__ import annotations

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_random


def waiting_time(most: float) -> float:
    """Draw a waiting time: callers that failed together shall not come back together.

    Args:
        most: Seconds at most; half of it at least.

    Returns:
        Seconds.
    """
    state = RetryCallState(Retrying(), None, (), {})
    return wait_random(most / 2, most)(state)

"""Rate limiters for tests."""

import asyncio
import time

from langchain_core.rate_limiters import BaseRateLimiter


class CountingLimiter(BaseRateLimiter):
    """Permits everything, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        """Count."""
        self.asked += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Count, as above."""
        return self.acquire()


class SlowLimiter(BaseRateLimiter):
    """Permits the first call at once, and delays every later one by 0.4 s."""

    def __init__(self) -> None:
        self._asked = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        """Delay the calls of a turn: the first is LangChain's own."""
        self._asked += 1
        if self._asked > 1:
            time.sleep(0.4)
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Delay the calls of an async turn, as above."""
        self._asked += 1
        if self._asked > 1:
            await asyncio.sleep(0.4)
        return True

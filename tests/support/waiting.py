"""Wait for what another thread is about to do, and fail if it never does."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 20.0
"""Far below botocore's read timeout of 60 s, so that no test passes by that one."""

START_SECONDS = 120.0
"""For a process that has to start first, which takes long on a busy machine."""

STEP_SECONDS = 0.005


def eventually(
    happened: Callable[[], object], patience: float = PATIENCE_SECONDS
) -> None:
    """Wait until it has happened."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(STEP_SECONDS)


async def eventually_async(happened: Callable[[], object]) -> None:
    """Wait until it has happened, and let the event loop run meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(STEP_SECONDS)

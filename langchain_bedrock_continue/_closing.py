"""Closes an async stream that another one is made of."""

from __future__ import annotations

import asyncio
from typing import Any


class ClosingStream:
    """Closes an async generator at the end of an `async with` block.

    An event loop that ends closes all generators at once, each in a task: the outer
    stream and the inner one. With `contextlib.aclosing`, the second one to close the
    inner stream would get RuntimeError, and the loop would log it.
    """

    def __init__(self, chunks: Any) -> None:
        """Do nothing yet.

        Args:
            chunks: The async generator.
        """
        self._chunks = chunks

    async def __aenter__(self) -> None:
        """Do nothing."""

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the generator, unless a task of the event loop's end does."""
        if kind is GeneratorExit and _loop_runs():
            await asyncio.sleep(0)  # such a task begins now
        if not self._chunks.ag_running:
            await self._chunks.aclose()


def _loop_runs() -> bool:
    """Return False if the stream is closed without a loop, when it is collected."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

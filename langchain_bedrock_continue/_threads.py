"""Run blocking calls for async callers, on threads of their own.

The event loop's default executor has few threads (6 on two cores) and is shared with
everything else in the process; a chat model that waits for a network needs its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def executor(threads: int) -> ThreadPoolExecutor:
    """Return the executor of this size, one a process; threads start when needed."""
    return ThreadPoolExecutor(threads, thread_name_prefix="bedrock-continue")


async def call(
    threads: ThreadPoolExecutor,
    function: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call a function in a thread, in the caller's context."""
    context = contextvars.copy_context()
    job = functools.partial(context.run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(threads, job)


async def iterate(
    threads: ThreadPoolExecutor, items: Generator[T, Any, Any]
) -> AsyncGenerator[T, None]:
    """Iterate over a blocking generator; close it when the caller stops."""
    done = object()
    pending = None
    try:
        while True:
            context = contextvars.copy_context()
            step: Callable[[], Any] = functools.partial(next, items, done)
            pending = threads.submit(context.run, step)
            item = await asyncio.wrap_future(pending)
            if item is done:
                return
            yield item
    finally:
        if pending is not None:
            # A cancelled caller leaves `next` running: close after it.
            pending.add_done_callback(lambda _: items.close())

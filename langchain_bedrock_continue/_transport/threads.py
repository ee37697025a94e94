"""Run blocking calls for async callers, on threads of their own.

The event loop's default executor has few threads (6 on two cores) and is shared with
everything else in the process; a chat model that waits for a network needs its own.
`concurrent.futures` joins its threads when the interpreter ends, and keeps those that
idle: these threads are daemons, so that a silent endpoint can't hold up an exit, and
end when they have had nothing to do for a while.

A caller that is cancelled, or stops iterating, hangs up: the thread that works for it
is free again at once, instead of when Bedrock has answered.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import itertools
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

P = ParamSpec("P")
T = TypeVar("T")

NAME = "bedrock-continue"

IDLE_SECONDS = 5.0
"""How long a thread waits for work: longer than between two chunks, or two turns."""


class Threads:
    """Daemon threads, started when there is work and none idles."""

    def __init__(self, most: int) -> None:
        """Begin with no thread.

        Args:
            most: Jobs at once; more of them wait.
        """
        self._most = most
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = 0
        self._idle = 0
        self._numbers = itertools.count()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run a job in a thread, once one is free."""
        future: Future[T] = Future()
        with self._changed:
            if self._idle <= len(self._jobs) and self._running < self._most:
                self._start()
            self._jobs.append((future, job))
            self._changed.notify()
        return future

    def _start(self) -> None:
        name = f"{NAME}_{next(self._numbers)}"
        threading.Thread(target=self._run, name=name, daemon=True).start()
        self._running += 1

    def _run(self) -> None:
        while self._work():
            pass

    def _work(self) -> bool:
        """Do one job; whether there was one. What it used is forgotten after it."""
        with self._changed:
            self._idle += 1
            found = self._changed.wait_for(lambda: self._jobs, IDLE_SECONDS)
            self._idle -= 1
            if not found:
                self._running -= 1
                return False
            future, job = self._jobs.popleft()
        _do(future, job)
        return True


def _do(future: Future[Any], job: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - HungUp too is the caller's to see
        future.set_exception(error)
    else:
        future.set_result(result)
    finally:
        del future, job  # an error's traceback holds this frame


@functools.cache
def executor(threads: int) -> Threads:
    """Return the threads of this number, one set a process."""
    return Threads(threads)


async def call(
    threads: Threads,
    hang_up: Callable[[], None],
    function: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call a function in a thread, in the caller's context; hang up when cancelled."""
    context = contextvars.copy_context()
    job = functools.partial(context.run, function, *args, **kwargs)
    try:
        return await asyncio.wrap_future(threads.submit(job))
    finally:
        hang_up()


async def iterate(
    threads: Threads, hang_up: Callable[[], None], items: Generator[T, Any, Any]
) -> AsyncGenerator[T, None]:
    """Iterate over a blocking generator; hang up and close it when the caller stops."""
    done = object()
    pending = None
    try:
        while True:
            context = contextvars.copy_context()
            step: Callable[[], Any] = functools.partial(next, items, done)
            pending = threads.submit(functools.partial(context.run, step))
            item = await asyncio.wrap_future(pending)
            if item is done:
                return
            yield item
    finally:
        hang_up()
        if pending is not None:
            # A cancelled caller leaves `next` running: close after it.
            pending.add_done_callback(lambda _: items.close())

"""Runs blocking calls for async callers, on threads: those that cannot be awaited.

The event loop's default executor has few threads (6 on two cores) and is shared with
the rest of the process. A chat model that waits for a network needs its own.
`concurrent.futures` keeps idle threads and joins them at exit. These threads are
daemons, so a silent endpoint cannot delay the exit, and they end when idle.

An async caller that is cancelled, or stops iterating, cancels the call. Its thread is
free at once, not only when Bedrock has answered.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import itertools
import os
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from langchain_bedrock_continue._transport.cancellation import Cancellation

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

P = ParamSpec("P")
T = TypeVar("T")

NAME = "bedrock-continue"

IDLE_SECONDS = 5.0
"""How long an idle thread lives: longer than the time between two chunks or turns."""


class Threads:
    """Daemon threads, started on demand and reused."""

    def __init__(self, limit: int, name: str = NAME) -> None:
        """Start with no thread.

        Args:
            limit: How many jobs run at once. Further jobs wait.
            name: What the threads' names begin with.
        """
        self._limit = limit
        self._name = name
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = 0
        self._idle = 0
        self._numbers = itertools.count()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run a job on a thread as soon as one is free."""
        future: Future[T] = Future()
        with self._changed:
            if self._idle <= len(self._jobs) and self._running < self._limit:
                self._start()
            self._jobs.append((future, job))
            self._changed.notify()
        return future

    def _start(self) -> None:
        name = f"{self._name}_{next(self._numbers)}"
        threading.Thread(target=self._run, name=name, daemon=True).start()
        self._running += 1

    def _run(self) -> None:
        while self._run_next_job():
            pass

    def _run_next_job(self) -> bool:
        """Run one job. Return False if none came within IDLE_SECONDS.

        A method of its own, so that no local variable keeps a finished job alive.
        """
        with self._changed:
            self._idle += 1
            found = self._changed.wait_for(lambda: self._jobs, IDLE_SECONDS)
            self._idle -= 1
            if not found:
                self._running -= 1
                return False
            future, job = self._jobs.popleft()
        _run_job(future, job)
        return True


def _run_job(future: Future[Any], job: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - the caller gets CallCancelled too
        future.set_exception(error)
    else:
        future.set_result(result)
    finally:
        del future, job  # an error's traceback refers to this frame


@functools.cache
def executor(limit: int, name: str = NAME) -> Threads:
    """Return the process's threads of a name, for a given limit."""
    return Threads(limit, name)


if hasattr(os, "register_at_fork"):
    # A forked child has none of these threads, but would count on them (Celery,
    # gunicorn with --preload). It starts its own. The old object's lock is not taken:
    # a thread of the parent may hold it.
    os.register_at_fork(after_in_child=executor.cache_clear)


async def run(
    function: Callable[Concatenate[Cancellation, P], T],
    limit: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run a blocking function for an async caller, in the caller's context.

    Args:
        function: Called with a Cancellation and the further arguments. It is cancelled
            when the caller is.
        limit: How many blocking calls run at once.
        *args: For the function.
        **kwargs: For the function.
    """
    cancellation = Cancellation()
    job = functools.partial(function, cancellation, *args, **kwargs)
    run_in_context = functools.partial(contextvars.copy_context().run, job)
    try:
        return await asyncio.wrap_future(executor(limit).submit(run_in_context))
    finally:
        cancellation.cancel()


async def iterate(
    function: Callable[Concatenate[Cancellation, P], Generator[T, Any, Any]],
    limit: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> AsyncGenerator[T, None]:
    """Iterate over a blocking generator for an async caller, in the caller's context.

    Args:
        function: Makes the generator from a Cancellation and the further arguments.
            When the caller stops, it is cancelled and the generator is closed.
        limit: How many blocking calls run at once.
        *args: For the function.
        **kwargs: For the function.
    """
    cancellation = Cancellation()
    items = function(cancellation, *args, **kwargs)
    threads, done, pending = executor(limit), object(), None
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
        cancellation.cancel()
        if pending is not None:
            # If the caller was cancelled, `next` still runs: close after it.
            pending.add_done_callback(lambda _: items.close())

"""Runs a turn for an async caller on the caller's event loop, without a thread.

LOOP-1. A caller that stops iterating closes the turn's generator, in its worker.
LOOP-2. A turn that is over has no connection, however it ended.
LOOP-3. While a turn runs, or a stream is asked for its next chunk, it counts as one of
    the turns that run at once. Between two chunks it does not.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from langchain_bedrock_continue._transport.awaiting_cancellation import (
    AwaitingCancellation,
)
from langchain_bedrock_continue._transport.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from langchain_bedrock_continue._transport.cancellation import Cancellation

P = ParamSpec("P")
T = TypeVar("T")

_ITEM = object()
"""What a worker hands over, instead of an awaitable, when it has an item."""


async def run(
    function: Callable[Concatenate[Cancellation, P], T],
    session: Any,
    limit: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run a blocking function, in the caller's context.

    Args:
        function: Called with a Cancellation and the further arguments.
        session: The session of its calls.
        limit: How many turns run at once.
        *args: For the function.
        **kwargs: For the function.
    """
    loop = asyncio.get_running_loop()
    cancellation = AwaitingCancellation(loop, session)
    worker = Worker(cancellation, partial(function, cancellation, *args, **kwargs))
    try:
        async with _slots(loop, limit):
            said = worker.resume()
            while not worker.dead:
                said = await worker.answer(said)
            return cast("T", said)
    finally:
        cancellation.cancel()  # LOOP-2


async def iterate(
    function: Callable[Concatenate[Cancellation, P], Generator[T, Any, Any]],
    session: Any,
    limit: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> AsyncGenerator[T, None]:
    """Iterate over a blocking generator, in the caller's context.

    Args:
        function: Makes the generator from a Cancellation and the further arguments.
        session: The session of its calls.
        limit: How many turns run at once.
        *args: For the function.
        **kwargs: For the function.
    """
    loop = asyncio.get_running_loop()
    cancellation = AwaitingCancellation(loop, session)
    items = function(cancellation, *args, **kwargs)
    worker: Worker
    item: T

    def produce() -> None:
        nonlocal item
        with closing(items):
            for item in items:  # noqa: B007 - the coroutine yields it
                worker.hand_over(_ITEM)

    worker, slots = Worker(cancellation, produce), _slots(loop, limit)
    try:
        while True:
            await slots.acquire()  # `async with` would cost two coroutines more
            try:
                said = worker.resume()
                while said is not _ITEM and not worker.dead:
                    said = await worker.answer(said)
            finally:
                slots.release()
            if worker.dead:
                return
            yield item
    finally:
        await _close(worker)  # LOOP-1
        cancellation.cancel()  # LOOP-2


async def _close(worker: Worker) -> None:
    """End a worker that has handed over an item: its generator is closed."""
    if worker.is_active:
        said = worker.throw()
        while not worker.dead:
            said = await worker.answer(said)


_slots_of: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[int, asyncio.Semaphore]
] = WeakKeyDictionary()


def _slots(loop: asyncio.AbstractEventLoop, limit: int) -> asyncio.Semaphore:
    """Return what limits the turns of an event loop that run at once (LOOP-3)."""
    by_limit = _slots_of.setdefault(loop, {})
    if limit not in by_limit:
        by_limit[limit] = asyncio.Semaphore(limit)
    return by_limit[limit]

"""A greenlet in which synchronous code waits without blocking its event loop.

A turn's code, langchain-aws and botocore block. In a `Worker` they run unchanged, on
the event loop's thread: where they would block, `wait_for` hands an awaitable to the
coroutine that drives the worker, and suspends the worker until the result is there.
SQLAlchemy's asyncio extension works in the same way.

WORKER-1. A worker runs only while its coroutine runs a step of its task. So
    `asyncio.current_task()` is the caller's, and so are the context variables: the
    worker sees the caller's, and the caller sees what it sets, as with a coroutine.
WORKER-2. An error of an awaitable, the task's cancellation included, is raised in the
    worker, where it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from langchain_bedrock_continue._transport.awaiting_cancellation import (
        AwaitingCancellation,
    )

T = TypeVar("T")


class Worker(greenlet):
    """The greenlet of one turn.

    Attributes:
        cancellation: The turn's cancellation.
    """

    def __init__(
        self, cancellation: AwaitingCancellation, work: Callable[[], Any]
    ) -> None:
        """Start nothing; `resume` does.

        Args:
            cancellation: The turn's cancellation.
            work: What the worker runs.
        """
        super().__init__(work)
        self.cancellation = cancellation

    @property
    def is_active(self) -> bool:
        """Whether it has started and not ended."""
        return bool(self)

    def resume(self) -> Any:
        """Run in the caller's context until the worker hands something over or ends.

        Returns:
            What it hands over: an awaitable, or what its code switches with. If it
            ends, what `work` returns.
        """
        self._follow().gr_context = getcurrent().gr_context  # WORKER-1
        return self.switch()

    async def answer(self, awaitable: Awaitable[Any]) -> Any:
        """Await what the worker waits for, and run it on (WORKER-2).

        Args:
            awaitable: What the worker handed over.

        Returns:
            What it hands over next; see `resume`.
        """
        try:
            result = await awaitable
        except BaseException as error:  # noqa: BLE001 - a cancellation too
            return self._follow().throw(error)
        return self._follow().switch(result)

    def hand_over(self, value: Any) -> Any:
        """Suspend the worker, from within it.

        Args:
            value: For the coroutine that drives the worker.

        Returns:
            What the coroutine resumes it with.
        """
        driver: Any = self.parent
        return driver.switch(value)

    def _follow(self) -> Worker:
        """Return to the greenlet that runs the event loop.

        It is the same one each time, unless loops are nested (nest_asyncio).
        """
        driver = getcurrent()
        if self.parent is not driver:
            self.parent = driver
        return self


def current_worker() -> Worker:
    """Return the worker that runs this code.

    Raises:
        RuntimeError: The code does not run in a worker.
    """
    worker = getcurrent()
    if not isinstance(worker, Worker):
        raise RuntimeError("only the turn of an async caller can wait here")
    return worker


def wait_for(awaitable: Awaitable[T]) -> T:
    """Wait, in a worker, for what only the event loop can wait for."""
    result: T = current_worker().hand_over(awaitable)
    return result

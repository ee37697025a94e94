"""The cancellation of a turn that an event loop runs: its waits are awaited.

The task's own cancellation needs nothing from here: it is raised where the worker waits
(WORKER-2). What is left are deadlines, and the waits that are no socket's.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_bedrock_continue._transport.awaiting_client import awaiting_client
from langchain_bedrock_continue._transport.call_cancelled import CallCancelled
from langchain_bedrock_continue._transport.cancellation import Cancellation, Deadline
from langchain_bedrock_continue._transport.worker import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Iterator

    from langchain_core.rate_limiters import BaseRateLimiter

    from langchain_bedrock_continue._transport.awaiting_socket import AwaitingSocket

T = TypeVar("T")


class AwaitingCancellation(Cancellation):
    """Cancels the calls of one turn; all of its methods are called in a worker.

    Attributes:
        loop: The event loop of the turn.
        ends_at: When the present deadline passes, by the loop's clock, or None.
        connections: The connections of calls in progress.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, session: Any) -> None:
        """Start with no call in progress.

        Args:
            loop: The event loop of the turn.
            session: The HTTP session of its calls.
        """
        super().__init__()
        self.loop = loop
        self._session = session
        self.ends_at: float | None = None
        self.connections: set[AwaitingSocket] = set()
        self._deadline: Deadline | None = None

    def cancel(self, deadline: Deadline | None = None) -> None:
        """Close the connection of the call in progress and prevent all later calls."""
        super().cancel(deadline)
        for connection in list(self.connections):
            connection.abort()

    @contextmanager
    def deadline(self, seconds: float | None) -> Iterator[Deadline]:
        """Cancel after some time; see the base class."""
        self._deadline = deadline = Deadline()
        self.ends_at = None if seconds is None else self.loop.time() + seconds
        try:
            yield deadline
        except CallCancelled:
            if not deadline.passed:
                raise
        finally:
            self.ends_at = self._deadline = None

    def check(self) -> None:
        """Raise CallCancelled if the turn is cancelled or its deadline has passed."""
        if self.ends_at is not None and self.loop.time() >= self.ends_at:
            self.cancel(self._deadline)
        if self.cancelled:
            raise CallCancelled

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Wait for something that is no socket, at most until the deadline.

        Raises:
            CallCancelled: The deadline passed, or had passed before.
        """
        if self.ends_at is not None:
            awaitable = _until(self.ends_at, awaitable)
        try:
            return wait_for(awaitable)
        except TimeoutError as error:
            if isinstance(error, _DeadlineError):
                self.check()
            raise

    def sleep(self, seconds: float) -> None:
        """Sleep until the time is over or the deadline passes; see the base class."""
        self.check()
        if seconds > 0:
            self.wait(asyncio.sleep(seconds))
            self.check()

    def acquire(self, limiter: BaseRateLimiter) -> None:
        """Wait for a rate limiter by its own async method."""
        self.check()
        self.wait(limiter.aacquire(blocking=True))

    def handle(
        self,
        handling: Coroutine[Any, Any, None],
        loop: asyncio.AbstractEventLoop,  # noqa: ARG002 - it is the turn's own
    ) -> None:
        """Await the handlers of a callback; see the base class."""
        self.wait(handling)

    def own_run(self, run: Any) -> Any:
        """Return a run whose callbacks are awaited; see the base class."""
        return None if run is None else _AwaitingRun(run, self)

    def prepare_client(self, client: Any) -> Any:
        """Return a copy of a boto3 client that the turn calls; see the base class."""
        return awaiting_client(client, self._session)


class _AwaitingRun:
    """An async run manager, as the synchronous code of a turn calls it.

    LangChain's `get_sync` would run async handlers on a thread, and block this one.
    """

    def __init__(self, run: Any, cancellation: AwaitingCancellation) -> None:
        self._run = run
        self._cancellation = cancellation

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._run, name)
        return partial(self._call, found) if name.startswith("on_") else found

    def _call(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return self._cancellation.wait(method(*args, **kwargs))


class _DeadlineError(TimeoutError):
    """The turn's deadline passed, not a timeout of the awaitable's own."""


async def _until(when: float, awaitable: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout_at(when) as timeout:
            return await awaitable
    except TimeoutError as error:
        if timeout.expired():
            raise _DeadlineError from error
        raise

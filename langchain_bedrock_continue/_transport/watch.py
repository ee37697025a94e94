"""Waits until an event loop says that a file descriptor is ready."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._transport.worker import wait_for

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from langchain_bedrock_continue._transport.awaiting_cancellation import (
        AwaitingCancellation,
    )
    from langchain_bedrock_continue._transport.awaiting_socket import AwaitingSocket


class Watch:
    """A loop's watch over one descriptor, for one call at a time.

    A chunk of a stream costs one future. The registration with the loop stays from one
    wait to the next, and so does the timer: a wait moves the moment at which it acts.
    """

    def __init__(self, descriptor: int) -> None:
        """Watch nothing yet.

        Args:
            descriptor: The file descriptor.
        """
        self._descriptor = descriptor
        self._cancellation: AwaitingCancellation | None = None
        self._connection: AwaitingSocket | None = None
        self._waiter: asyncio.Future[Any] | None = None
        self._read: Callable[[], int] | None = None
        self._reads = self._writes = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._expires = float("inf")

    def start(
        self, cancellation: AwaitingCancellation, connection: AwaitingSocket
    ) -> None:
        """Bind to a turn and its loop. It is then among the turn's connections."""
        if self._cancellation is not cancellation:
            self.stop()
            self._cancellation, self._connection = cancellation, connection
            cancellation.connections.add(connection)

    def stop(self) -> None:
        """Leave the turn and the loop."""
        cancellation, connection = self._cancellation, self._connection
        self._cancellation = self._connection = None
        if cancellation is None or connection is None:
            return
        cancellation.connections.discard(connection)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not cancellation.loop.is_closed():
            self._stop_reading(cancellation.loop)
            self._stop_writing(cancellation.loop)
        self._reads = self._writes = False

    def wait(
        self, timeout: float | None, read: Callable[[], int] | None, *, to_write: bool
    ) -> Any:
        """Wait until the descriptor is ready.

        Args:
            timeout: The longest wait, in seconds, or None.
            read: Called when it is ready to read; its result is returned. The loop
                calls it: until the worker ran, the loop would report the same data
                again. Default: nothing is read.
            to_write: Wait until it is ready to write, not to read.

        Raises:
            TimeoutError: The timeout or the turn's deadline passed.
        """
        cancellation = self._cancellation
        if cancellation is None:
            raise RuntimeError("not started")
        loop = cancellation.loop
        self._waiter = waiter = loop.create_future()
        self._read = read
        self._set_timer(cancellation, timeout)
        if to_write:
            loop.add_writer(self._descriptor, self._ready_to_write)
            self._writes = True
        elif not self._reads:
            loop.add_reader(self._descriptor, self._ready_to_read)
            self._reads = True
        try:
            return wait_for(waiter)
        finally:
            self._waiter = self._read = None  # the buffer may be gone
            if to_write and not loop.is_closed():
                self._stop_writing(loop)

    def _stop_reading(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._reads:
            loop.remove_reader(self._descriptor)
            self._reads = False

    def _stop_writing(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._writes:
            loop.remove_writer(self._descriptor)
            self._writes = False

    # What the loop calls --------------------------------------------------------------

    def _ready_to_read(self) -> None:
        waiter, read = self._waiter, self._read
        if waiter is None or self._writes:
            # It would be called again and again (SOCKET-2).
            if self._cancellation is not None:
                self._stop_reading(self._cancellation.loop)
        elif not waiter.done():
            try:
                waiter.set_result(read() if read is not None else None)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
                pass  # a part of a TLS record
            except Exception as error:  # noqa: BLE001 - it is the worker's
                waiter.set_exception(error)

    def _ready_to_write(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _set_timer(
        self, cancellation: AwaitingCancellation, timeout: float | None
    ) -> None:
        loop, ends_at = cancellation.loop, cancellation.ends_at
        expires = float("inf") if timeout is None else loop.time() + timeout
        if ends_at is not None:
            expires = min(expires, ends_at)
        self._expires = expires
        if self._timer is not None and self._timer_at > expires:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and expires != float("inf"):
            self._timer_at = expires
            self._timer = loop.call_at(expires, self._check_time)

    def _check_time(self) -> None:
        self._timer = None
        if self._cancellation is None or self._waiter is None:
            return  # nobody waits; the next wait sets a timer
        loop = self._cancellation.loop
        if loop.time() < self._expires:
            self._timer_at = self._expires
            self._timer = loop.call_at(self._expires, self._check_time)
        elif not self._waiter.done():
            self._waiter.set_exception(TimeoutError("timed out"))

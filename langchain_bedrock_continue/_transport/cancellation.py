"""Cancels a blocking call to Bedrock, from another thread and at any moment.

A thread that waits for Bedrock blocks in `recv`, and only its socket can wake it. A
`Cancellation` therefore knows the connection of the call in progress
(`cancellable_client` attaches it), and `cancel` shuts its socket down.

CANCEL-1. After `cancel`, no call is made: neither the next one, nor a retry by
    botocore, nor one that was still connecting.
CANCEL-2. Only the socket of a call in progress is shut down. A connection that is back
    in the pool may already serve another turn.
CANCEL-3. A cancelled call raises `CallCancelled`, never the service's error.

`cancel` cannot interrupt name resolution, connecting, or botocore's pause before a
retry. The thread ends after them, without making the call.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._transport.call_cancelled import CallCancelled
from langchain_bedrock_continue._transport.cancellable_client import cancellable_client

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from langchain_core.rate_limiters import BaseRateLimiter

RATE_LIMITER_POLL_SECONDS = 0.1
"""How often a rate limiter is polled. LangChain's own limiter polls at this rate."""

HANDLER_POLL_SECONDS = 0.1
"""How often a wait for an async handler looks whether the turn was cancelled."""


class Deadline:
    """A moment at which a call is cancelled.

    Attributes:
        passed: Whether this deadline cancelled the call.
    """

    def __init__(self) -> None:
        """Create a deadline that has not passed."""
        self.passed = False


class Cancellation:
    """Cancels the calls of one turn, which are made one after the other."""

    def __init__(self) -> None:
        """Start with no call in progress."""
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._connection: Any = None
        self._socket: Any = None
        self._interrupted = False

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called. It cannot be undone."""
        return self._cancelled.is_set()

    def cancel(self, deadline: Deadline | None = None) -> None:
        """Interrupt the call in progress and prevent all later ones.

        Thread-safe. The second call has no effect.

        Args:
            deadline: The deadline on whose behalf this is called, if any. It is marked
                as passed if nothing else cancelled first.
        """
        with self._lock:
            if self.cancelled:
                return
            if deadline is not None:
                deadline.passed = True
            self._cancelled.set()
            self._interrupted = self._socket is not None
            _shut_down(self._socket)  # with the lock held: CANCEL-2

    @contextmanager
    def deadline(self, seconds: float | None) -> Iterator[Deadline]:
        """Cancel after some time. The block then ends as if it were complete.

        ```python
        with cancellation.deadline(30) as deadline:
            for chunk in llm._stream(messages):
                ...
        # If deadline.passed, the chunks are those that arrived in time.
        ```

        Data that arrived before the deadline can still be read after it. So a response
        can be complete, stop reason included, although the deadline has passed.

        Args:
            seconds: Seconds from now. 0 or less cancels at once; None never cancels.

        Yields:
            The deadline.
        """
        deadline = Deadline()
        stop_timer = self._start_timer(deadline, seconds)
        try:
            yield deadline
        except CallCancelled:
            if not deadline.passed:
                raise
        finally:
            stop_timer()

    def sleep(self, seconds: float) -> None:
        """Sleep until the time is over or `cancel` is called.

        Raises:
            CallCancelled: `cancel` was called, before or during the sleep.
        """
        if self._cancelled.wait(seconds):
            raise CallCancelled

    def handle(
        self, handling: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
    ) -> None:
        """Have an async caller's event loop handle a callback, and wait for the end.

        Args:
            handling: Calls the handlers.
            loop: The caller's event loop. It runs in another thread.

        Raises:
            CallCancelled: `cancel` was called before or meanwhile.
        """
        handled = asyncio.run_coroutine_threadsafe(handling, loop)
        while True:
            try:
                handled.result(HANDLER_POLL_SECONDS)
            except TimeoutError:
                if handled.done():
                    raise  # the handler's own error
                self.sleep(0)
            else:
                return

    def own_run(self, run: Any) -> Any:
        """Return a run manager whose callbacks the turn can call.

        Args:
            run: The caller's, synchronous or async, or None.
        """
        return run.get_sync() if hasattr(run, "get_sync") else run

    def prepare_client(self, client: Any) -> Any:
        """Return a copy of a boto3 client whose calls can be cancelled.

        Args:
            client: The client. It is not changed. An object of another make is returned
                as it is.
        """
        return cancellable_client(client, self)

    def acquire(self, limiter: BaseRateLimiter) -> None:
        """Wait for a rate limiter until it allows a call or `cancel` is called.

        Raises:
            CallCancelled: `cancel` was called, before or during the wait.
        """
        while not limiter.acquire(blocking=False):
            self.sleep(RATE_LIMITER_POLL_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn the effects of `cancel` on a read into `CallCancelled` (CANCEL-3).

        The effect is not always an error: botocore accepts a body that ends before its
        content-length as complete. So a block that ends normally is checked as well.
        """
        if self.cancelled:
            raise CallCancelled
        try:
            yield
        except Exception as error:
            if self.cancelled:
                raise CallCancelled from error
            raise
        if self._interrupted:
            raise CallCancelled

    def attach(self, connection: Any) -> None:
        """Remember the connection that the call in progress waits on.

        Args:
            connection: An open connection like http.client's; its socket is `sock`.

        Raises:
            CallCancelled: `cancel` was called while it was connecting (CANCEL-1).
        """
        with self._lock:
            if self.cancelled:
                raise CallCancelled
            # The socket too: http.client drops it when the response ends with it.
            self._connection, self._socket = connection, connection.sock

    def detach(self, connection: Any) -> None:
        """Forget a connection before another call can use it (CANCEL-2).

        If a response was left unread, this may come after the next call began; the
        next call's connection then stays attached.
        """
        with self._lock:
            if connection is self._connection:
                self._connection = self._socket = None

    def _start_timer(
        self, deadline: Deadline, seconds: float | None
    ) -> Callable[[], None]:
        """Start a deadline's timer and return the function that stops it."""
        if seconds is None:
            return lambda: None
        if seconds <= 0:
            self.cancel(deadline)
            return lambda: None
        # One thread each: only a call with a deadline has one, and it ends with it. The
        # socket's own timeout can't replace it. urllib3 sets that to the read timeout
        # before each response, and it holds for one `recv`: one read makes several, and
        # a response that comes drop by drop passes every one of them.
        wait = min(seconds, threading.TIMEOUT_MAX)
        timer = threading.Timer(wait, self.cancel, [deadline])
        timer.name, timer.daemon = "bedrock-continue-deadline", True
        timer.start()
        return timer.cancel


def _shut_down(sock: Any) -> None:
    """Wake the thread that reads from a socket, and tell the other side.

    `SSLSocket.shutdown` would drop the TLS state while the other thread reads. Shutting
    down the socket below TLS makes that thread see an end of file instead. TLS within
    TLS, as through an HTTPS proxy, is no socket itself: the socket is its attribute.
    """
    plain = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
    if isinstance(plain, socket.socket):
        with suppress(OSError):  # closed meanwhile
            socket.socket.shutdown(plain, socket.SHUT_RDWR)

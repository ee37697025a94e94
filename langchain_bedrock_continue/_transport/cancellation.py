"""The line that a turn's calls go over: another thread can hang it up at any moment.

A thread that waits for Bedrock sits in `recv`, where nothing but its socket can reach
it. So the line knows the socket of the call under way (`_tapped` puts it in the know),
and to hang up is to shut that socket down.

L1. Once hung up, a line makes no call: neither the next one, nor botocore's retries,
    nor one that was still connecting.
L2. Only the socket of a call under way is shut down: one that went back to the pool may
    serve another turn by then.
L3. What comes of a hang-up is `HungUp`, never the service's error. A BaseException, it
    passes the `except Exception` of all libraries between, which would log or retry it.

Out of reach are a name being resolved, a connection being made, and botocore's pause
before a retry: their thread ends after them, without a call.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.rate_limiters import BaseRateLimiter

ASK_AGAIN_SECONDS = 0.1
"""How often a rate limiter is asked: as often as LangChain's own asks itself."""


class HungUp(BaseException):
    """The line was hung up: nobody waits for this answer any more.

    Like `asyncio.CancelledError`, it is no error.
    """


class Deadline:
    """A moment at which a line is hung up.

    Attributes:
        passed: Whether it was this deadline that hung up.
    """

    def __init__(self) -> None:
        """Begin with a deadline that is to come."""
        self.passed = False


class Line:
    """What one turn's calls go over, one call after the other."""

    def __init__(self) -> None:
        """Begin with no call under way."""
        self._lock = threading.Lock()
        self._hung_up = threading.Event()
        self._connection: Any = None
        self._socket: Any = None
        self._cut = False

    @property
    def hung_up(self) -> bool:
        """Whether it was hung up; it then stays so."""
        return self._hung_up.is_set()

    def hang_up(self, deadline: Deadline | None = None) -> None:
        """Break off the call under way, and make no other; from any thread.

        Args:
            deadline: What hangs up, where it is one; it passes if it is the first.
        """
        with self._lock:
            if self.hung_up:
                return
            if deadline is not None:
                deadline.passed = True
            self._hung_up.set()
            self._cut = self._socket is not None
            _shut_down(self._socket)  # with the lock held: L2

    @contextmanager
    def hang_up_after(self, seconds: float | None) -> Iterator[Deadline]:
        """Hang up when the time is over; the block then ends as if it were done.

        ```python
        with line.hang_up_after(30) as deadline:
            for chunk in llm._stream(messages):
                ...
        # Where deadline.passed, the chunks are those that came in time.
        ```

        What had arrived by then may still be read; so a response can be whole, its stop
        reason included, though the deadline has passed.

        Args:
            seconds: From now on; 0 or less hangs up at once, None never does.

        Yields:
            The deadline.
        """
        deadline = Deadline()
        cancel = self._watch(deadline, seconds)
        try:
            yield deadline
        except HungUp:
            if not deadline.passed:
                raise
        finally:
            cancel()

    def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the hang-up.

        Raises:
            HungUp: It was hung up, before or meanwhile.
        """
        if self._hung_up.wait(seconds):
            raise HungUp

    def acquire(self, limiter: BaseRateLimiter) -> None:
        """Wait for a rate limiter's leave, but not beyond the hang-up.

        Raises:
            HungUp: It was hung up, before or meanwhile.
        """
        while not limiter.acquire(blocking=False):
            self.sleep(ASK_AGAIN_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Make what comes of a hang-up a `HungUp` (L3).

        That is not always an error: botocore takes a body that ends before its
        content-length for a whole one. So the good end is judged, too.
        """
        if self.hung_up:
            raise HungUp
        try:
            yield
        except Exception as error:
            if self.hung_up:
                raise HungUp from error
            raise
        if self._cut:
            raise HungUp

    def hold(self, connection: Any) -> None:
        """Note the connection that the call waits on from here.

        Args:
            connection: An open one, as http.client's: its socket is `sock`.

        Raises:
            HungUp: It was hung up while the connection was made (L1).
        """
        with self._lock:
            if self.hung_up:
                raise HungUp
            # The socket too: http.client forgets it where a response ends with it.
            self._connection, self._socket = connection, connection.sock

    def let_go(self, connection: Any) -> None:
        """Forget a connection, before it can become another call's (L2).

        Where a response was left unread, that may come after the next call began.
        """
        with self._lock:
            if connection is self._connection:
                self._connection = self._socket = None

    def _watch(self, deadline: Deadline, seconds: float | None) -> Callable[[], None]:
        """Let a deadline run; return what calls it off."""
        if seconds is None:
            return lambda: None
        if seconds <= 0:
            self.hang_up(deadline)
            return lambda: None
        # A thread each: only a call with a deadline has one, and it ends with the call.
        wait = min(seconds, threading.TIMEOUT_MAX)
        timer = threading.Timer(wait, self.hang_up, [deadline])
        timer.name, timer.daemon = "bedrock-continue-deadline", True
        timer.start()
        return timer.cancel


def _shut_down(sock: Any) -> None:
    """Wake whoever reads from a socket, and tell the other side.

    `SSLSocket.shutdown` would drop its TLS state first, under the hands of the thread
    that reads; below TLS, that thread finds an end of file. TLS within TLS, as through
    an HTTPS proxy, is no socket itself, and has the one below as `socket`.
    """
    plain = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
    if isinstance(plain, socket.socket):
        with suppress(OSError):  # it was closed meanwhile
            socket.socket.shutdown(plain, socket.SHUT_RDWR)

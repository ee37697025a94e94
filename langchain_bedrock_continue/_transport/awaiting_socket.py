"""A socket whose waits are awaited: what urllib3 and http.client use in a worker.

urllib3 itself makes the request, so pools, proxies, TLS, keep-alive and all errors are
those of a synchronous call. Only where its socket would block, it waits for the event
loop instead.

SOCKET-1. An idle connection belongs to no event loop. The first wait of a call binds it
    to the call's loop, and the connection's way back to the pool frees it. So the next
    call can come from another loop, and a loop that is closed leaves nothing behind.
SOCKET-2. While a response is read, the loop watches the descriptor. If data comes and
    nobody waits for it, the loop stops watching: the caller reads more slowly than
    Bedrock writes, and TCP slows Bedrock down.
SOCKET-3. A read waits for the loop although the data may be there already. So a fast
    stream does not starve the loop's other tasks.
SOCKET-4. A descriptor is never closed while a loop watches it.
"""

from __future__ import annotations

import errno
import io
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._transport.watch import Watch
from langchain_bedrock_continue._transport.worker import current_worker

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class AwaitingSocket:
    """A stream socket that one call at a time uses, in a worker.

    Every other attribute is the inner socket's: `getpeercert`, `fileno`, `setsockopt`.
    """

    def __init__(self, inner: socket.socket, timeout: float | None = None) -> None:
        """Take over a socket.

        Args:
            inner: The socket. It becomes non-blocking.
            timeout: The longest wait, in seconds. None waits for ever.
        """
        inner.settimeout(0)
        self._inner = inner
        self._timeout = timeout
        self._files = 0
        self._closed = False
        self._watch = Watch(inner.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    # What urllib3 and http.client call ------------------------------------------------

    def gettimeout(self) -> float | None:
        """Return the longest wait, in seconds."""
        return self._timeout

    def settimeout(self, timeout: float | None) -> None:
        """Set the longest wait, in seconds."""
        self._timeout = timeout

    def connect(self, address: Any) -> None:
        """Connect.

        Raises:
            TimeoutError: It took longer than the timeout.
            OSError: As `socket.connect`.
        """
        current_worker().cancellation.check()
        try:
            self._inner.connect(address)
        except BlockingIOError:
            self._wait(to_write=True)
            code = self._inner.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code)) from None

    def sendall(self, data: Any) -> None:
        """Send all of the data."""
        current_worker().cancellation.check()
        with memoryview(data) as whole, whole.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                try:
                    sent += self._inner.send(rest[sent:])
                except _NOT_YET as reason:
                    self._wait_for(reason, to_write=True)

    def recv_into(self, buffer: Any) -> int:
        """Receive what comes, at most the buffer's length."""
        inner = self._inner
        if isinstance(inner, ssl.SSLSocket) and inner.pending():
            return inner.recv_into(buffer)  # decrypted: the descriptor may stay silent
        while True:
            try:
                size: int = self._wait(lambda: inner.recv_into(buffer))  # SOCKET-3
            except ssl.SSLWantWriteError as reason:
                self._wait_for(reason)
            else:
                return size

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """Return a file to read from. The socket closes when both are closed."""
        self._files += 1
        return io.BufferedReader(_File(self))

    def close(self) -> None:
        """Close, now or with the last file."""
        self._closed = True
        if not self._files:
            self.abort()

    # What the transport calls ---------------------------------------------------------

    def start_tls(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        """Start TLS as a client does.

        Args:
            context: The context.
            server_hostname: The server's name.

        Raises:
            ssl.SSLError: As `SSLContext.wrap_socket`. The socket is then closed.
        """
        self._watch.stop()
        self._inner = inner = ssl.SSLContext.wrap_socket(
            context,
            self._inner,
            server_hostname=server_hostname,
            do_handshake_on_connect=False,
        )
        try:
            while True:
                try:
                    return inner.do_handshake()
                except _NOT_YET as reason:
                    self._wait_for(reason)
        except BaseException:
            self.abort()
            raise

    def release(self) -> None:
        """End the use by a call (SOCKET-1)."""
        self._watch.stop()

    def abort(self) -> None:
        """Close at once, whatever files are open (SOCKET-4)."""
        self._closed = True
        self._watch.stop()
        self._inner.close()

    def close_file(self) -> None:
        """Note that a file was closed."""
        self._files -= 1
        if self._closed and not self._files:
            self.abort()

    # Waiting --------------------------------------------------------------------------

    def _wait_for(self, reason: OSError, *, to_write: bool = False) -> None:
        """Wait for what the inner socket lacks: TLS can need the other direction."""
        reads = isinstance(reason, ssl.SSLWantReadError)
        writes = isinstance(reason, ssl.SSLWantWriteError)
        self._wait(to_write=writes or (to_write and not reads))

    def _wait(
        self, read: Callable[[], int] | None = None, *, to_write: bool = False
    ) -> Any:
        if self._inner.fileno() < 0:  # another socket may have the number now
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        cancellation = current_worker().cancellation
        self._watch.start(cancellation, self)
        try:
            return self._watch.wait(self._timeout, read, to_write=to_write)
        except TimeoutError:
            cancellation.check()  # it may be the turn's deadline
            raise


class _File(io.RawIOBase):
    """The file below a response's reader."""

    def __init__(self, owner: AwaitingSocket) -> None:
        self._owner: AwaitingSocket | None = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._owner is None:
            raise ValueError("I/O operation on closed file")
        return self._owner.recv_into(buffer)

    def close(self) -> None:
        owner, self._owner = self._owner, None
        super().close()
        if owner is not None:
            owner.close_file()

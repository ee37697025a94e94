"""Endpoints and proxies that misbehave below HTTP, or stand before the real one."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from tests.support.waiting import PATIENCE_SECONDS

CERTIFICATES = Path(__file__).parent / "tls"
"""An authority that nobody trusts by default (`ca.pem`), and its certificates, with
keys: `server.pem` is for 127.0.0.1, `other.pem` for another host, `client.pem` for a
client. They are valid until 2120."""

Behaviour: TypeAlias = Callable[[socket.socket], None]
"""What an endpoint does with one connection."""


def server_context(name: str = "server.pem", *, mutual: bool = False) -> ssl.SSLContext:
    """Return a server's context.

    Args:
        name: The file of its certificate.
        mutual: Whether it asks the client for a certificate, too.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / name)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CERTIFICATES / "ca.pem")
    return context


class RawEndpoint:
    """Listens on 127.0.0.1 and treats each connection in a thread of its own.

    Attributes:
        connections: How many there were.
        open: Their sockets.
        left: Set when a connection has ended.
        port: The port.
    """

    def __init__(
        self, behave: Behaviour, context: ssl.SSLContext | None = None
    ) -> None:
        self._behave = behave
        self._context = context
        self.open: list[socket.socket] = []
        self.connections = 0
        self.left = threading.Event()
        self.port = 0

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shut(self._listening)
        for one in self.open:
            shut(one)

    def url(self, scheme: str = "http") -> str:
        """Return its URL."""
        return f"{scheme}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(
                    target=self._treat, args=[connection], daemon=True
                ).start()

    def _treat(self, connection: socket.socket) -> None:
        self.open.append(connection)
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            self._behave(connection)
        shut(connection)
        self.left.set()


def shut(connection: socket.socket) -> None:
    """Close a socket, and wake the threads that read from it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def read_request(connection: socket.socket) -> bytes:
    """Read one request, head and body. Empty where the client closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            missing = int(line.split(b":")[1]) - len(body)
            while missing > 0:
                more = connection.recv(65536)
                data, missing = data + more, missing - len(more)
    return data


def silent(connection: socket.socket) -> None:
    """Read the request and never answer."""
    read_request(connection)
    with suppress(OSError):
        connection.recv(1)  # until the client closes


def deaf(connection: socket.socket) -> None:
    """Accept, and do nothing."""
    time.sleep(PATIENCE_SECONDS)


def answering(*parts: bytes | float) -> Behaviour:
    """Return an endpoint that answers with bytes, then closes.

    Args:
        *parts: What to send. A number is a pause in seconds.
    """

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            if isinstance(part, float):
                time.sleep(part)
            else:
                connection.sendall(part)

    return behave


def before(port: int, seen: list[bytes] | None = None) -> Behaviour:
    """Return what passes everything on to another port of 127.0.0.1.

    Args:
        port: The port.
        seen: Is given what comes from the client.
    """

    def behave(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            pump_both(connection, upstream, seen)

    return behave


def proxy(seen: list[bytes], status: str = "200 Connection established") -> Behaviour:
    """Return an HTTP proxy that makes tunnels.

    Args:
        seen: Is given each request for a tunnel.
        status: The proxy's answer to it.
    """

    def behave(connection: socket.socket) -> None:
        request = read_request(connection)
        seen.append(request)
        connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if not status.startswith("200"):
            return
        _, port = request.split()[1].decode().rsplit(":", 1)
        with socket.create_connection(("127.0.0.1", int(port))) as upstream:
            pump_both(connection, upstream)

    return behave


def pump_both(
    near: socket.socket, far: socket.socket, seen: list[bytes] | None = None
) -> None:
    """Pass on what each side sends, until one closes."""

    def back() -> None:
        pump(far, near)

    thread = threading.Thread(target=back, daemon=True)
    thread.start()
    pump(near, far, seen)
    thread.join()


def pump(
    source: socket.socket, sink: socket.socket, seen: list[bytes] | None = None
) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if seen is not None:
                seen.append(data)
            sink.sendall(data)
    shut(sink)


def full_endpoint(stack: ExitStack) -> str:
    """Return the URL of a port that answers no attempt to connect.

    Its queue of connections is full, so Linux drops further attempts.
    """
    listening = stack.enter_context(socket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)  # noqa: FBT003 - the socket's own signature
        with suppress(BlockingIOError):
            waiting.connect(listening.getsockname())
    return f"http://127.0.0.1:{listening.getsockname()[1]}"

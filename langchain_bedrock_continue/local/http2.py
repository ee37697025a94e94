"""HTTP/2 without TLS on the endpoint's port, for clients that begin with it.

The AWS SDK for JavaScript does. uvicorn speaks HTTP/1.1 only, so a connection whose
first bytes are HTTP/2's preface is handed over to `Http2Protocol`, which is made of the
library h2.

FRAMES-1. A connection that does not begin with the preface is uvicorn's, unchanged.
FRAMES-2. Each request is a task of the server: it counts as in flight, and is cancelled
    when the server stops.
FRAMES-3. When a client resets a stream or disconnects, its request is told so, as by
    HTTP/1.1. A response that ends too early resets its stream.
FRAMES-4. A client that says it will send no more requests (GOAWAY) still gets the
    responses to those that it sent. Then the connection is closed.
FRAMES-5. No more is sent than the client's windows allow, and no more is read than the
    application takes.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from uvicorn.config import Config
    from uvicorn.server import ServerState

logger = logging.getLogger(__name__)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes of each HTTP/2 connection (RFC 9113, section 3.4)."""


_FRAME_HEADER = 9
_LARGEST_FRAME = 1 << 14
"""What a client may send as long as it is not allowed more (RFC 9113, 6.5.2)."""

_GOAWAY = 7


class Frames:
    """The bytes of a client, without its GOAWAY frames (FRAMES-4).

    h2 sends nothing after a GOAWAY, although the client waits for its responses. So it
    gets no such frame, and its connection is ended here.

    Attributes:
        leaving: Whether the client sent a GOAWAY.
        is_broken: Whether a frame is larger than it may be.
    """

    def __init__(self) -> None:
        """Start with the preface."""
        self.leaving = False
        self.is_broken = False
        self._rest = b""
        self._greeted = False

    def feed(self, data: bytes) -> bytes:
        """Return the complete frames, but for GOAWAY.

        Args:
            data: What arrived.
        """
        self._rest += data
        passed = bytearray()
        if not self._greeted:
            if len(self._rest) < len(PREFACE):
                return b""
            passed += self._take(len(PREFACE))
            self._greeted = True
        while len(self._rest) >= _FRAME_HEADER:
            size = int.from_bytes(self._rest[:3], "big")
            self.is_broken = size > _LARGEST_FRAME
            if self.is_broken or len(self._rest) < _FRAME_HEADER + size:
                break
            frame = self._take(_FRAME_HEADER + size)
            if frame[3] == _GOAWAY:
                self.leaving = True
            else:
                passed += frame
        return bytes(passed)

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class EitherProtocol(H11Protocol):
    """HTTP/1.1, until the first bytes say that it is HTTP/2 (FRAMES-1)."""

    _first: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        """Take what the client sends; decide by its first bytes."""
        if self._first is None:
            super().data_received(data)
            return
        self._first += data
        if len(self._first) < len(PREFACE) and PREFACE.startswith(self._first):
            return  # it may be either
        first, self._first = self._first, None
        if first.startswith(PREFACE) and _is_installed():
            self._hand_over(first)
        else:
            super().data_received(first)

    def _hand_over(self, first: bytes) -> None:
        self.connections.discard(self)
        protocol = Http2Protocol(self.config, self.server_state)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(first)


class Http2Protocol(asyncio.Protocol):
    """One HTTP/2 connection, and the requests on it."""

    def __init__(self, config: Config, server_state: ServerState) -> None:
        """Begin a connection.

        Args:
            config: The server's configuration, with the application.
            server_state: The server's connections and tasks.
        """
        self._errors = _h2("exceptions").ProtocolError
        settings = _h2("config").H2Configuration(
            client_side=False, header_encoding=None
        )
        self.h2 = _h2("connection").H2Connection(config=settings)
        self._app = config.loaded_app
        self._state = server_state
        self._streams: dict[int, _Stream] = {}
        self._frames = Frames()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: Any) -> None:
        """Greet the client."""
        self._transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type] # it has what counts
        self.h2.initiate_connection()
        self.flush()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell all requests that their client is gone (FRAMES-3)."""
        self._state.connections.discard(self)
        self._writable.set()
        for stream in self._streams.values():
            stream.disconnect()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        try:
            events = self.h2.receive_data(self._frames.feed(data))
        except self._errors:
            self.flush()  # it says why
            self._transport.close()
            return
        for event in events:
            handle = getattr(self, f"_on_{type(event).__name__}", None)
            if handle is not None:
                handle(event)
        if self._frames.is_broken:
            self.h2.close_connection(_h2("errors").ErrorCodes.FRAME_SIZE_ERROR)
            self.flush()
            self._transport.close()
        self.flush()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._frames.leaving and not self._streams:
            self._transport.close()

    def pause_writing(self) -> None:
        """Wait before more is sent: asyncio's buffer is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on to send."""
        self._writable.set()

    def shutdown(self) -> None:
        """End the connection: the server stops."""
        self.h2.close_connection()
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what h2 has ready."""
        if not self._transport.is_closing():
            self._transport.write(self.h2.data_to_send())

    def reset(self, stream_id: int) -> None:
        """End a stream in error.

        Args:
            stream_id: The stream.
        """
        with suppress(self._errors):  # the connection is closed
            self.h2.reset_stream(stream_id, _h2("errors").ErrorCodes.INTERNAL_ERROR)
            self.flush()

    async def writable(self) -> None:
        """Wait until the connection takes more."""
        await self._writable.wait()

    # What arrives, by the names of h2's events ----------------------------------------

    def _on_RequestReceived(self, event: Any) -> None:  # noqa: N802 - h2's name
        scope = _scope_of(event.headers, self._transport)
        stream = _Stream(self, event.stream_id, scope)
        self._streams[event.stream_id] = stream
        task = asyncio.get_running_loop().create_task(stream.run(self._app))
        self._state.tasks.add(task)
        task.add_done_callback(lambda done: self._forget(done, event.stream_id))

    def _forget(self, task: asyncio.Task[None], stream_id: int) -> None:
        self._state.tasks.discard(task)
        self._streams.pop(stream_id, None)
        self._close_if_done()

    def _on_DataReceived(self, event: Any) -> None:  # noqa: N802 - h2's name
        stream = self._streams.get(event.stream_id)
        if stream is None:  # it was answered before its end
            self.h2.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id
            )
        else:
            stream.receive_data(event.data, event.flow_controlled_length)

    def _on_StreamEnded(self, event: Any) -> None:  # noqa: N802 - h2's name
        if stream := self._streams.get(event.stream_id):
            stream.receive_end()

    def _on_StreamReset(self, event: Any) -> None:  # noqa: N802 - h2's name
        if stream := self._streams.get(event.stream_id):
            stream.disconnect()

    def _on_WindowUpdated(self, _event: Any) -> None:  # noqa: N802 - h2's name
        self._widen()

    def _on_RemoteSettingsChanged(self, _event: Any) -> None:  # noqa: N802 - h2's name
        self._widen()  # the initial window may have grown

    def _widen(self) -> None:
        for stream in self._streams.values():
            stream.widen()


class _Stream:
    """A request and its response, as ASGI's `receive` and `send`."""

    def __init__(
        self, connection: Http2Protocol, stream_id: int, scope: dict[str, Any]
    ) -> None:
        self._connection = connection
        self._id = stream_id
        self._scope = scope
        self._body = bytearray()
        self._unread = 0
        self._ended = False
        self._gone = False
        self._complete = False
        self._arrived = asyncio.Event()
        self._wider = asyncio.Event()

    async def run(self, app: Callable[..., Any]) -> None:
        """Run the application; a response that is not complete is reset (FRAMES-3)."""
        try:
            await app(self._scope, self._receive, self._send)
        finally:
            if not (self._complete or self._gone):
                self._connection.reset(self._id)

    def receive_data(self, data: bytes, size: int) -> None:
        self._body += data
        self._unread += size
        self._arrived.set()

    def receive_end(self) -> None:
        self._ended = True
        self._arrived.set()

    def disconnect(self) -> None:
        self._gone = True
        self._arrived.set()
        self._wider.set()

    def widen(self) -> None:
        self._wider.set()

    async def _receive(self) -> MutableMapping[str, Any]:
        if not (self._gone or self._complete):
            await self._arrived.wait()
            self._arrived.clear()
        if self._gone or self._complete:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        unread, self._unread = self._unread, 0
        if unread:  # the client may send as much again (FRAMES-5)
            self._connection.h2.acknowledge_received_data(unread, self._id)
            self._connection.flush()
        return {"type": "http.request", "body": body, "more_body": not self._ended}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._gone:
            return
        if message["type"] == "http.response.start":
            status = (b":status", str(message["status"]).encode())
            self._connection.h2.send_headers(self._id, [status, *message["headers"]])
            self._connection.flush()
            return
        await self._send_body(message.get("body", b""))
        if not (message.get("more_body") or self._gone):
            self._complete = True
            self._arrived.set()
            self._connection.h2.end_stream(self._id)
            self._connection.flush()

    async def _send_body(self, body: bytes) -> None:
        """Send a part of the body, as the client's windows allow (FRAMES-5)."""
        h2 = self._connection.h2
        while body:
            await self._connection.writable()
            if self._gone:
                return
            room = min(
                h2.local_flow_control_window(self._id), h2.max_outbound_frame_size
            )
            if room <= 0:
                self._wider.clear()
                await self._wider.wait()
                continue
            h2.send_data(self._id, body[:room])
            self._connection.flush()
            body = body[room:]


def _is_installed() -> bool:
    """Return True if h2 is installed. Without it, the client is refused (404)."""
    if importlib.util.find_spec("h2") is not None:
        return True
    logger.warning("A client begins with HTTP/2, which needs h2: pip install h2")
    return False


def _h2(module: str) -> Any:
    """Return a module of h2. A late import: most clients speak HTTP/1.1."""
    return importlib.import_module(f"h2.{module}")


def _scope_of(headers: Any, transport: Any) -> dict[str, Any]:
    """Return ASGI's scope of a request."""
    known = {name: value for name, value in headers if name.startswith(b":")}
    others = [(name, value) for name, value in headers if not name.startswith(b":")]
    raw_path, _, query = known[b":path"].partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "server": transport.get_extra_info("sockname"),
        "client": transport.get_extra_info("peername"),
        "scheme": "http",
        "method": known[b":method"].decode("ascii"),
        "root_path": "",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [(b"host", known.get(b":authority", b"")), *others],
        "state": {},
    }

"""Sends a backend's pieces as one HTTP response, with the faults among them.

RESPONDER-1. Nothing is sent before the first piece. A failure before it is an HTTP
    error, a later one is an exception event. A `Fault` with status 200 is always an
    event. An `EventFault` replaces its event and everything after it.
RESPONDER-2. A response that is not a stream is complete, or is an error. `no_stop` and
    `checksum`, which only a stream can have, close its connection.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias, TypeGuard, cast

from langchain_bedrock_continue.local.backend import EventFault, Fault, Finish
from langchain_bedrock_continue.local.wire import frames
from langchain_bedrock_continue.local.wire.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from langchain_bedrock_continue.local.backend import Json, Piece
    from langchain_bedrock_continue.local.wire.http_response import HttpResponse

Event: TypeAlias = "tuple[str, Json]"
"""Name and payload of a stream event."""


class Events(Protocol):
    """Converts pieces to the stream events of one operation.

    Attributes:
        headers: Additional HTTP headers of the stream.
    """

    headers: tuple[tuple[str, str], ...]

    def open(self) -> list[Event]:
        """Return the events before the first piece."""
        ...

    def feed(self, piece: Piece) -> list[Event]:
        """Return the events of a piece.

        Args:
            piece: The next piece of the response.
        """
        ...

    def close(self, usage: Json | None, latency_ms: int) -> list[Event]:
        """Return the events after the last piece.

        Args:
            usage: Converse's `usage`, or None to leave out usage and metrics.
            latency_ms: Time since the request arrived, in milliseconds.
        """
        ...

    def frame(self, event: Event) -> bytes:
        """Encode an event as a frame.

        Args:
            event: One of this object's events.
        """
        ...


class Message(Protocol):
    """Assembles stream events, including the opening ones, to one response."""

    def feed(self, event: Event) -> None:
        """Add an event.

        Args:
            event: The next event of the stream.
        """
        ...

    def response(self) -> Json:
        """Return the body of the response."""
        ...

    def headers(self) -> dict[str, str]:
        """Return the additional HTTP headers of the response."""
        ...


class _StreamEnded(Exception):  # noqa: N818 - control flow, not an error
    """A fault has ended the stream."""


class CloseConnection(Exception):  # noqa: N818 - control flow, not an error
    """Leave the response incomplete: the server closes the socket."""


class Responder:
    """Sends the pieces of one response.

    Args:
        pieces: The backend's pieces.
        events: Converts the pieces to the operation's events.
        usage: Returns Converse's `usage` for a number of output tokens.
        elapsed_ms: Returns the time since the request arrived, in milliseconds.
    """

    def __init__(
        self,
        pieces: AsyncIterator[Piece],
        events: Events,
        usage: Callable[[int], Json],
        elapsed_ms: Callable[[], int],
    ) -> None:
        """Initialize the responder; see the class."""
        self._pieces = cast("AsyncGenerator[Piece, None]", pieces)
        self._events = events
        self._usage = usage
        self._elapsed_ms = elapsed_ms
        self._finished = False
        self._event_faults: dict[int, Fault] = {}
        self._events_sent = 0
        self._with_metadata = True

    async def send_message(self, message: Message, response: HttpResponse) -> None:
        """Send all pieces as one JSON response.

        Args:
            message: Assembles the response.
            response: Sends it.

        Raises:
            ServiceError: A fault is an exception.
            CloseConnection: A fault closes the connection.
            RuntimeError: The pieces end without a `Finish`.
        """
        for event in self._events.open():
            message.feed(event)
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                if isinstance(piece, Fault | EventFault):
                    fault = piece.fault if isinstance(piece, EventFault) else piece
                    await self._fail_message(fault, response)
                    continue
                for event in self._events_of(piece):
                    message.feed(event)
        self._check_finished()
        await response.body(message.response(), message.headers())

    async def send_stream(self, response: HttpResponse) -> None:
        """Send the pieces as an event stream.

        Args:
            response: Sends the stream.

        Raises:
            ServiceError: A fault before the first piece is an exception.
            CloseConnection: A fault closes the connection.
            RuntimeError: The pieces end without a `Finish`.
            ValueError: An `EventFault` is after the last event.
        """
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    await self._send_piece(piece, response)
            self._check_finished()
            await self._fail_at_event(response)
            self._check_event_faults()
        except _StreamEnded:
            return
        await response.end()

    async def _send_piece(self, piece: Piece, response: HttpResponse) -> None:
        if isinstance(piece, EventFault):
            self._event_faults[piece.event] = piece.fault
            return
        if not response.started:
            await self._open(piece, response)
        if isinstance(piece, Fault):
            await self._fail_stream(piece, response)
            return
        for event in self._events_of(piece):
            await self._send(event, response)

    async def _send(self, event: Event, response: HttpResponse) -> None:
        await self._fail_at_event(response)
        await response.frame(self._events.frame(event))
        self._events_sent += 1

    async def _fail_at_event(self, response: HttpResponse) -> None:
        if fault := self._event_faults.pop(self._events_sent, None):
            await self._fail_stream(fault, response)

    def _events_of(self, piece: Piece) -> list[Event]:
        events = self._events.feed(piece)
        if isinstance(piece, Finish):
            self._finished = True
            usage = self._usage(piece.output_tokens)
            given = usage if self._with_metadata else None
            events += self._events.close(given, self._elapsed_ms())
        return events

    def _check_event_faults(self) -> None:
        for event in self._event_faults:
            raise ValueError(
                f"FaultAt.event={event}: the stream has only {self._events_sent} "
                "events; choose a smaller number"
            )

    def _check_finished(self) -> None:
        if not self._finished:
            raise RuntimeError("the pieces ended without a Finish")

    async def _open(self, first: Piece, response: HttpResponse) -> None:
        fault = self._event_faults.get(0, first)
        if _is_http_error(fault):
            raise _service_error(fault)
        await response.open(self._events.headers)
        for event in self._events.open():
            await self._send(event, response)

    async def _fail_stream(self, fault: Fault, response: HttpResponse) -> None:
        """Apply a fault; raise `_StreamEnded` if it ends the stream."""
        if fault.kind == "no_metadata":
            self._with_metadata = False
            return
        if fault.kind == "silence":
            await _wait_forever()
        if fault.kind == "close":
            await response.frame(frames.event("messageStop", {})[:-8])
            raise CloseConnection
        if fault.kind == "exception":
            await response.error(_service_error(fault))
            raise _StreamEnded
        if fault.kind == "unknown_exception":
            await response.frame(frames.exception("unmodelledException", fault.message))
        elif fault.kind == "checksum":
            await response.frame(frames.damaged(frames.event("messageStop", {})))
        await response.end()
        raise _StreamEnded

    async def _fail_message(self, fault: Fault, response: HttpResponse) -> None:
        if fault.kind in ("exception", "unknown_exception"):
            raise _service_error(fault)
        if fault.kind in ("close", "no_stop", "checksum"):
            await response.open_incomplete()
            raise CloseConnection
        if fault.kind == "silence":
            await _wait_forever()


def _is_http_error(piece: Piece) -> TypeGuard[Fault]:
    return (
        isinstance(piece, Fault)
        and piece.kind == "exception"
        and piece.status != HTTPStatus.OK
    )


def _service_error(fault: Fault) -> ServiceError:
    status = None if fault.status == HTTPStatus.OK else fault.status
    return ServiceError(fault.code, fault.message, status)


async def _wait_forever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError  # nothing sets the event

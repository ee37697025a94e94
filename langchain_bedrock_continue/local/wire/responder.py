"""From a backend's pieces to one HTTP response, faults included.

N1. Nothing is sent before the first piece: what fails until then is an HTTP error,
    what fails later an exception event. A `Fault` with status 200 always is an event.
    An `EventFault` happens at its event, instead of it and all behind it.
N2. When the client goes away, the work is cancelled at once, whether anything is being
    sent at that moment or not; so the backend's iterator is closed.
N3. A response that is not a stream is complete or an error; of the faults that only a
    stream can have, `no_stop` and `checksum` break the connection there too.
N4. A bug of the backend is a ValidationException: no client asks again, none mends it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias, TypeGuard, cast

from langchain_bedrock_continue.local.backend import EventFault, Fault, Finish
from langchain_bedrock_continue.local.wire import frames
from langchain_bedrock_continue.local.wire.errors import ServiceError, invalid

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine

    from starlette.types import Receive

    from langchain_bedrock_continue.local.backend import Json, Piece
    from langchain_bedrock_continue.local.wire.http_response import Reply

logger = logging.getLogger(__name__)

Event: TypeAlias = "tuple[str, Json]"


class Events(Protocol):
    """Pieces in, one operation's stream events out."""

    headers: tuple[tuple[str, str], ...]

    def open(self) -> list[Event]:
        """The events before the first piece."""
        ...

    def feed(self, piece: Piece) -> list[Event]:
        """The events of one piece."""
        ...

    def close(self, usage: Json | None, latency_ms: int) -> list[Event]:
        """The events after the last piece; `usage` is None when it is to be lost."""
        ...

    def frame(self, event: Event) -> bytes:
        """One event on the wire."""
        ...


class Message(Protocol):
    """The same events in, the opening ones too; one whole response out."""

    def feed(self, event: Event) -> None:
        """Take one event."""
        ...

    def response(self) -> Json:
        """The response's body."""
        ...

    def headers(self) -> dict[str, str]:
        """What else the response's head says."""
        ...


class _Over(Exception):  # noqa: N818 - it is an order, not an error
    """A fault has ended the stream."""


class HangUp(Exception):  # noqa: N818 - it is an order, not an error
    """Leave the response as it is; the server closes the socket."""


class Pump:
    """Moves one answer from a backend to a client.

    Args:
        pieces: The backend's answer.
        events: Makes the operation's events of it.
        usage: Gives the usage, from the output tokens.
        elapsed_ms: Tells the time since the request came.
    """

    def __init__(
        self,
        pieces: AsyncIterator[Piece],
        events: Events,
        usage: Callable[[int], Json],
        elapsed_ms: Callable[[], int],
    ) -> None:
        """See the class."""
        self._pieces = cast("AsyncGenerator[Piece, None]", pieces)
        self._events = events
        self._usage = usage
        self._elapsed_ms = elapsed_ms
        self._finished = False
        self._due: dict[int, Fault] = {}
        self._sent = 0
        self._metadata = True

    async def whole(self, message: Message, reply: Reply) -> None:
        """Answer with one message."""
        for event in self._events.open():
            message.feed(event)
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                if isinstance(piece, Fault | EventFault):
                    fault = piece.fault if isinstance(piece, EventFault) else piece
                    await self._fail_whole(fault, reply)
                    continue
                for event in self._events_of(piece):
                    message.feed(event)
        self._check_finished()
        await reply.body(message.response(), message.headers())

    async def stream(self, reply: Reply) -> None:
        """Answer with an event stream."""
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    await self._stream_piece(piece, reply)
            self._check_finished()
            await self._fail_if_due(reply)
            self._check_due()
        except _Over:
            return
        await reply.end()

    async def _stream_piece(self, piece: Piece, reply: Reply) -> None:
        if isinstance(piece, EventFault):
            self._due[piece.event] = piece.fault
            return
        if not reply.started:
            await self._open(piece, reply)
        if isinstance(piece, Fault):
            await self._fail_stream(piece, reply)
            return
        for event in self._events_of(piece):
            await self._send(event, reply)

    async def _send(self, event: Event, reply: Reply) -> None:
        await self._fail_if_due(reply)
        await reply.frame(self._events.frame(event))
        self._sent += 1

    async def _fail_if_due(self, reply: Reply) -> None:
        if fault := self._due.pop(self._sent, None):
            await self._fail_stream(fault, reply)

    def _events_of(self, piece: Piece) -> list[Event]:
        events = self._events.feed(piece)
        if isinstance(piece, Finish):
            self._finished = True
            usage = self._usage(piece.output_tokens)
            given = usage if self._metadata else None
            events += self._events.close(given, self._elapsed_ms())
        return events

    def _check_due(self) -> None:
        for event in self._due:
            raise ValueError(
                f"FaultAt.event={event}: the stream has only {self._sent} events; "
                "choose a smaller number"
            )

    def _check_finished(self) -> None:
        if not self._finished:
            raise RuntimeError("its pieces ended without a Finish")

    async def _open(self, first: Piece, reply: Reply) -> None:
        fault = self._due.get(0, first)
        if _is_http_error(fault):
            raise _error(fault)
        await reply.open(self._events.headers)
        for event in self._events.open():
            await self._send(event, reply)

    async def _fail_stream(self, fault: Fault, reply: Reply) -> None:
        """Do what the fault says; raise `_Over` where that is the end."""
        if fault.kind == "no_metadata":
            self._metadata = False
            return
        if fault.kind == "silence":
            await _silence()
        if fault.kind == "close":
            await reply.frame(frames.event("messageStop", {})[:-8])
            raise HangUp
        if fault.kind == "exception":
            await reply.error(_error(fault))
            raise _Over
        if fault.kind == "unknown_exception":
            await reply.frame(frames.exception("unmodelledException", fault.message))
        elif fault.kind == "checksum":
            await reply.frame(frames.damaged(frames.event("messageStop", {})))
        await reply.end()
        raise _Over

    async def _fail_whole(self, fault: Fault, reply: Reply) -> None:
        if fault.kind in ("exception", "unknown_exception"):
            raise _error(fault)
        if fault.kind in ("close", "no_stop", "checksum"):
            await reply.promise()
            raise HangUp
        if fault.kind == "silence":
            await _silence()


def _is_http_error(piece: Piece) -> TypeGuard[Fault]:
    return (
        isinstance(piece, Fault)
        and piece.kind == "exception"
        and piece.status != HTTPStatus.OK
    )


def _error(fault: Fault) -> ServiceError:
    status = None if fault.status == HTTPStatus.OK else fault.status
    return ServiceError(fault.code, fault.message, status)


async def _silence() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError  # nobody sets the event


async def answer(
    work: Coroutine[None, None, None], reply: Reply, receive: Receive
) -> None:
    """Do the work, unless the client goes away first (N2); answer what it raises."""
    tasks = [
        asyncio.create_task(_guarded(work, reply)),
        asyncio.create_task(_gone(receive)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _guarded(work: Coroutine[None, None, None], reply: Reply) -> None:
    try:
        await work
    except HangUp:
        pass
    except ServiceError as error:
        await reply.error(error)
    except Exception as error:
        logger.exception("the backend failed")
        text = f"The local backend failed: {error!r}"
        await reply.error(invalid(text))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

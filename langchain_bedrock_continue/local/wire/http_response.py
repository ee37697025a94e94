"""One HTTP response over ASGI: a JSON body, an error, or an event stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.wire import frames

if TYPE_CHECKING:
    from starlette.types import Send

    from langchain_bedrock_continue.local.backend import Json
    from langchain_bedrock_continue.local.wire.errors import ServiceError


class HttpResponse:
    """Sends one HTTP response.

    Args:
        send: ASGI's `send`.
        request_id: Value of the header `x-amzn-RequestId`.

    Attributes:
        started: True once the status and the headers are sent.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        """Start with nothing sent; see the class."""
        self._send = send
        self._request_id = request_id
        self.started = False

    async def body(
        self, payload: Json, headers: dict[str, str] | None = None, status: int = 200
    ) -> None:
        """Send a complete JSON response.

        Args:
            payload: The JSON object of the body.
            headers: Additional headers; none by default.
            status: HTTP status.
        """
        raw = json.dumps(payload, ensure_ascii=False).encode()
        await self._start(status, "application/json", len(raw), headers)
        await self._send({"type": "http.response.body", "body": raw})

    async def error(self, error: ServiceError) -> None:
        """Send an error: an HTTP error, or the last event of a stream (RESPONDER-1).

        Args:
            error: The error.
        """
        if not self.started:
            headers = {"x-amzn-ErrorType": error.code}
            await self.body({"message": error.message}, headers, error.status)
            return
        name = frames.event_name(error.code)
        await self.frame(frames.exception(name, error.message))
        await self.end()

    async def open(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Open an event stream.

        Args:
            headers: Additional headers.
        """
        await self._start(200, frames.CONTENT_TYPE, headers=dict(headers))

    async def frame(self, data: bytes) -> None:
        """Send a part of an event stream.

        Args:
            data: A frame, or a part of one.
        """
        part = {"type": "http.response.body", "body": data, "more_body": True}
        await self._send(part)

    async def end(self) -> None:
        """End an event stream cleanly."""
        await self._send({"type": "http.response.body", "body": b""})

    async def open_incomplete(self) -> None:
        """Send the beginning of a JSON response that never ends.

        The body is chunked: botocore accepts one that is shorter than its
        content-length.
        """
        await self._start(200, "application/json")
        await self.frame(b"{")

    async def _start(
        self,
        status: int,
        content_type: str,
        length: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        all_headers = {
            "content-type": content_type,
            "x-amzn-RequestId": self._request_id,
            **({} if length is None else {"content-length": str(length)}),
            **(headers or {}),
        }
        raw = [(k.lower().encode(), v.encode()) for k, v in all_headers.items()]
        self.started = True
        start = {"type": "http.response.start", "status": status, "headers": raw}
        await self._send(start)

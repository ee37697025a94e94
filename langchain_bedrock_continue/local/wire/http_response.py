"""One HTTP response, sent part by part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.wire import frames

if TYPE_CHECKING:
    from starlette.types import Send

    from langchain_bedrock_continue.local.backend import Json
    from langchain_bedrock_continue.local.wire.errors import ServiceError


class Reply:
    """One HTTP response, as far as it was sent."""

    def __init__(self, send: Send, request_id: str) -> None:
        """Begin with nothing sent."""
        self._send = send
        self._request_id = request_id
        self.started = False

    async def body(
        self, payload: Json, extra: dict[str, str] | None = None, status: int = 200
    ) -> None:
        """Send a whole JSON response; `extra` are more headers."""
        raw = json.dumps(payload, ensure_ascii=False).encode()
        await self._start(status, "application/json", len(raw), extra)
        await self._send({"type": "http.response.body", "body": raw})

    async def error(self, error: ServiceError) -> None:
        """Say what failed: as the response, or as the stream's last event (N1)."""
        if not self.started:
            head = {"x-amzn-ErrorType": error.code}
            await self.body({"message": error.message}, head, error.status)
            return
        name = frames.event_name(error.code)
        await self.frame(frames.exception(name, error.message))
        await self.end()

    async def open(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Open an event stream."""
        await self._start(200, frames.CONTENT_TYPE, extra=dict(headers))

    async def frame(self, data: bytes) -> None:
        """Send some of an event stream."""
        part = {"type": "http.response.body", "body": data, "more_body": True}
        await self._send(part)

    async def end(self) -> None:
        """End an event stream cleanly."""
        await self._send({"type": "http.response.body", "body": b""})

    async def promise(self) -> None:
        """Begin a response that never comes.

        In chunks: botocore takes a body that is shorter than its content-length.
        """
        await self._start(200, "application/json")
        await self.frame(b"{")

    async def _start(
        self,
        status: int,
        content_type: str,
        length: int | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        headers = {
            "content-type": content_type,
            "x-amzn-RequestId": self._request_id,
            **({} if length is None else {"content-length": str(length)}),
            **(extra or {}),
        }
        raw = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        self.started = True
        start = {"type": "http.response.start", "status": status, "headers": raw}
        await self._send(start)

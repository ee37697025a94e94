"""The HTTP request of every operation: read, limited in size, and answered.

HTTP-1. Every response has its own `x-amzn-RequestId`.
HTTP-2. A body that is not a JSON object, or is larger than `MAX_BODY_BYTES`, is
    refused. Of a body that is too large nothing stays in memory. If its
    `content-length` already says so, nothing of it is ever stored.
HTTP-3. When the client disconnects, the work is cancelled at once, also while nothing
    is being sent. That closes the backend's iterator.
HTTP-4. A bug in the backend is a `ValidationException`: clients do not retry it, so it
    cannot go unnoticed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from langchain_bedrock_continue.local.wire.errors import (
    ServiceError,
    validation_error,
)
from langchain_bedrock_continue.local.wire.http_response import HttpResponse
from langchain_bedrock_continue.local.wire.responder import CloseConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.types import Receive, Scope, Send

    from langchain_bedrock_continue.local.backend import Json

logger = logging.getLogger(__name__)

Handler: TypeAlias = "Callable[[Call], Coroutine[None, None, None]]"
"""Answers a call."""

MAX_BODY_BYTES = 25_000_000
"""Largest body that is accepted, in bytes.

Source: the maximum of `InvokeModel`'s `body` in AWS's API reference and in botocore's
service model. The user guide says 20 MB. That Converse has the same maximum is a guess.
"""

# The text of InvokeModel. Source: a public report of a live call.
_TOO_LARGE = (
    "1 validation error detected: Value at 'body' failed to satisfy constraint: Member "
    f"must have length less than or equal to {MAX_BODY_BYTES}"
)


@dataclass(frozen=True)
class RecordedRequest:
    """A request that a client sent to the endpoint.

    Attributes:
        operation: `"Converse"`, `"ConverseStream"`, `"CountTokens"`, `"InvokeModel"`,
            `"InvokeModelWithResponseStream"` or `"GetInferenceProfile"`.
        model_id: Model id, inference profile or ARN, decoded from the URL.
        body: The parsed JSON body.
        request_id: The `RequestId` of its response.
    """

    operation: str
    model_id: str
    body: Json
    request_id: str


@dataclass(frozen=True)
class Call:
    """A request and the means to answer it.

    Attributes:
        request: What the client sent.
        response: Sends the HTTP response.
        elapsed_ms: Returns the time since the request arrived, in milliseconds.
    """

    request: RecordedRequest
    response: HttpResponse
    elapsed_ms: Callable[[], int]


class Operation:
    """The ASGI application of one operation.

    Args:
        name: Name of the operation, such as `"Converse"`.
        handle: Answers a call.
        clock: Returns the time in seconds, like `time.monotonic`.
    """

    def __init__(self, name: str, handle: Handler, clock: Callable[[], float]) -> None:
        """Initialize the operation; see the class."""
        self._name = name
        self._handle = handle
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request and answer it, until the client disconnects.

        Args:
            scope: ASGI's scope of the request.
            receive: ASGI's `receive`.
            send: ASGI's `send`.
        """
        started = self._clock()
        request_id = str(uuid.uuid4())
        response = HttpResponse(send, request_id)
        model_id = scope["path_params"]["id"]
        try:
            body = await read_body(HttpRequest(scope, receive))
        except ServiceError as error:
            await response.error(error)
            return
        except ClientDisconnect:
            return
        call = Call(
            RecordedRequest(self._name, model_id, body, request_id),
            response,
            lambda: round((self._clock() - started) * 1000),
        )
        await _run_until_disconnect(self._handle(call), response, receive)


async def _run_until_disconnect(
    work: Coroutine[None, None, None], response: HttpResponse, receive: Receive
) -> None:
    """Run the work until it ends or the client disconnects (HTTP-3)."""
    tasks = [
        asyncio.create_task(_run(work, response)),
        asyncio.create_task(_disconnected(receive)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(work: Coroutine[None, None, None], response: HttpResponse) -> None:
    """Run the work; its exception becomes the response's error (HTTP-4)."""
    try:
        await work
    except CloseConnection:
        pass
    except ServiceError as error:
        await response.error(error)
    except Exception as error:
        logger.exception("the backend failed")
        text = f"The local backend failed: {error!r}"
        await response.error(validation_error(text))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(request: HttpRequest) -> Json:
    """Read the JSON object of a request's body. An empty body is an empty object.

    Args:
        request: The HTTP request.

    Raises:
        ServiceError: The body is too large or is not a JSON object (HTTP-2).
        ClientDisconnect: The client disconnected before the body was complete.
    """
    size, kept = 0, bytearray()
    # h11 has checked that the header is a number.
    announced = int(request.headers.get("content-length", 0))
    async for part in request.stream():
        size += len(part)
        if max(size, announced) <= MAX_BODY_BYTES:
            kept += part
        else:
            # Read to the end: a client that still sends does not read a response.
            kept.clear()
    if size > MAX_BODY_BYTES:
        raise validation_error(_TOO_LARGE)
    return json_object(bytes(kept))


def json_object(raw: bytes) -> Json:
    """Parse a JSON object. An empty text is an empty object.

    Args:
        raw: JSON text in UTF-8.

    Raises:
        ServiceError: The text is not a JSON object.
    """
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        text = f"The body is not valid JSON: {error}"
        raise ServiceError("SerializationException", text) from error
    if not isinstance(body, dict):
        raise ServiceError("SerializationException", "The body must be a JSON object.")
    return body

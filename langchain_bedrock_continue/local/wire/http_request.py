"""What every request goes through before its operation, and what is kept of it.

H1. Every response has an `x-amzn-RequestId` of its own.
H2. A body that is no JSON object, or larger than `MAX_BODY_BYTES`, goes no further. Of
    a larger one nothing is kept, and of one that says how large it is, nothing ever.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from langchain_bedrock_continue.local.wire.errors import ServiceError, invalid
from langchain_bedrock_continue.local.wire.http_response import Reply
from langchain_bedrock_continue.local.wire.responder import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.types import Receive, Scope, Send

    from langchain_bedrock_continue.local.backend import Json

Handler: TypeAlias = "Callable[[Call], Coroutine[None, None, None]]"

MAX_BODY_BYTES = 25_000_000
"""A larger body is refused.

It is the maximum of `InvokeModel`'s `body` in AWS's API reference and botocore's
service model; that Converse has the same one is a guess. (The user guide says 20 MB.)
"""

# InvokeModel's words, from a public report of a live call.
_TOO_LARGE = (
    "1 validation error detected: Value at 'body' failed to satisfy constraint: Member "
    f"must have length less than or equal to {MAX_BODY_BYTES}"
)


@dataclass(frozen=True)
class RecordedRequest:
    """What a client sent.

    Attributes:
        operation: `"Converse"`, `"ConverseStream"`, `"CountTokens"`, `"InvokeModel"`,
            `"InvokeModelWithResponseStream"`, or `"GetInferenceProfile"`.
        model_id: As in the URL, decoded.
        body: The parsed JSON body.
        request_id: The `RequestId` of its response.
    """

    operation: str
    model_id: str
    body: Json
    request_id: str


@dataclass(frozen=True)
class Call:
    """One request that is being answered."""

    request: RecordedRequest
    reply: Reply
    elapsed_ms: Callable[[], int]


class Operation:
    """The ASGI endpoint of one operation."""

    def __init__(self, name: str, handle: Handler, clock: Callable[[], float]) -> None:
        """See the class."""
        self._name = name
        self._handle = handle
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request, then handle it for as long as the client is there."""
        begun = self._clock()
        request_id = str(uuid.uuid4())
        reply = Reply(send, request_id)
        model_id = scope["path_params"]["id"]
        try:
            body = await read_body(HttpRequest(scope, receive))
        except ServiceError as error:
            await reply.error(error)
            return
        except ClientDisconnect:
            return
        call = Call(
            RecordedRequest(self._name, model_id, body, request_id),
            reply,
            lambda: round((self._clock() - begun) * 1000),
        )
        await answer(self._handle(call), reply, receive)


async def read_body(request: HttpRequest) -> Json:
    """Read a JSON object, or nothing; raise `ServiceError` for all else."""
    size, kept = 0, bytearray()
    # h11 has seen to it that the header is a number.
    announced = int(request.headers.get("content-length", 0))
    async for part in request.stream():
        size += len(part)
        if max(size, announced) <= MAX_BODY_BYTES:
            kept += part
        else:
            # Dropped, but read to its end: a client that still sends reads no answer.
            kept.clear()
    if size > MAX_BODY_BYTES:
        raise invalid(_TOO_LARGE)
    return json_object(bytes(kept))


def json_object(raw: bytes) -> Json:
    """Parse a body; raise `ServiceError` where it is no JSON object."""
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"No JSON: {error}") from error
    if not isinstance(body, dict):
        raise ServiceError("SerializationException", "The body must be a JSON object.")
    return body

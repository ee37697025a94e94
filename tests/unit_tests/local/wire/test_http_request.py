"""The body of a request (HTTP-2)."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request as HttpRequest

from langchain_bedrock_continue.local.wire.errors import ServiceError
from langchain_bedrock_continue.local.wire.http_request import MAX_BODY_BYTES, read_body

MB = 1_000_000


def request(parts: Iterator[bytes], announced: int | None) -> HttpRequest:
    """Return a request whose body arrives part by part."""

    async def receive() -> dict[str, Any]:
        part = next(parts, None)
        more = part is not None
        return {"type": "http.request", "body": part or b"", "more_body": more}

    size = [] if announced is None else [(b"content-length", b"%d" % announced)]
    return HttpRequest({"type": "http", "headers": size}, receive)


def megabytes(count: int) -> Iterator[bytes]:
    return (bytes([32]) * MB for _ in range(count))


async def refusal(parts: Iterator[bytes], announced: int | None) -> str:
    with pytest.raises(ServiceError) as caught:
        await read_body(request(parts, announced))
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)
    return caught.value.message


@pytest.mark.parametrize("announce", [True, False])
async def test_the_largest_body_is_accepted_and_a_larger_one_refused(
    announce: bool,
) -> None:
    raw = json.dumps({"text": "a" * (MAX_BODY_BYTES - 12)}).encode()
    assert len(raw) == MAX_BODY_BYTES
    announced = len(raw) if announce else None
    body = await read_body(request(iter([raw[:9], raw[9:]]), announced))
    assert len(body["text"]) == MAX_BODY_BYTES - 12
    text = await refusal(iter([raw, b" "]), len(raw) + 1 if announce else None)
    assert text == (
        "1 validation error detected: Value at 'body' failed to satisfy constraint: "
        "Member must have length less than or equal to 25000000"
    )


@pytest.mark.parametrize(("announced", "at_most"), [(200 * MB, 5), (None, 60)])
async def test_a_body_that_is_too_large_is_not_kept_in_memory(
    announced: int | None, at_most: int
) -> None:
    """It is read to its end, so that the client reads the response."""
    parts = megabytes(200)
    tracemalloc.start()
    try:
        await refusal(parts, announced)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < at_most * MB
    assert next(parts, None) is None


async def test_no_body_is_an_empty_object() -> None:
    assert await read_body(request(iter([]), None)) == {}

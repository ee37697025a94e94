"""A caller that cancels ends the request: at once, for good, and its thread is free.

The endpoint falls silent for ever in these tests, so that only the client can end them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.rate_limiters import InMemoryRateLimiter

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.support.cancellation import (
    WRAPPED,
    Make,
    cancelled,
    check_quiet,
    maker,
    silent,
    streamed,
)
from tests.support.endpoint import Serve
from tests.support.models import model
from tests.support.texts import LONG
from tests.support.waiting import (
    PATIENCE_SECONDS,
    eventually,
    eventually_async,
)

ONE_THREAD = {"max_tokens": 5, "max_concurrency": 1}

NEVER = Answer(LONG, first_delay=3600)
"""Not even the head of the response is sent."""

SILENCES = {
    "before the response": (NEVER, 1),
    "in the first segment": (silent(request=1), 1),
    "in the second segment": (silent(request=2), 2),
    "at the second segment's start": (silent(request=2, at=0), 2),
}


@pytest.fixture(params=list(WRAPPED))
def make(request: pytest.FixtureRequest) -> Make:
    """Make the model by each of the two operations."""
    return maker(request.param)


@pytest.fixture(params=list(SILENCES))
def silence(request: pytest.FixtureRequest) -> tuple[Answer, int]:
    """The endpoint's answer, and the number of the request in which it falls silent."""
    return SILENCES[request.param]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    check_quiet(caplog)


async def streamed_as_events(llm: ChatBedrockContinuing) -> None:
    async for _ in llm.astream_events("Hi", version="v2"):
        pass


async def invoked(llm: ChatBedrockContinuing) -> None:
    await llm.ainvoke("Hi")


ASYNC = {"ainvoke": invoked, "astream": streamed, "astream_events": streamed_as_events}


@pytest.fixture(params=list(ASYNC))
def asked(
    request: pytest.FixtureRequest,
) -> Callable[[ChatBedrockContinuing], Coroutine[Any, Any, None]]:
    """Ask by each asynchronous entrance."""
    return ASYNC[request.param]


async def check_request_ended(bedrock: LocalBedrock, requests: int) -> None:
    """Check that the endpoint saw the last request end, and got no other."""
    await eventually_async(lambda: bedrock.abandoned)
    assert bedrock.abandoned == bedrock.requests[-1:]
    assert len(bedrock.requests) == requests


async def check_one_thread_is_free(serve: Serve, make: Make) -> None:
    """Check that the one thread can answer again."""
    llm = make(serve(LONG), **ONE_THREAD)
    message = await asyncio.wait_for(llm.ainvoke("Hi"), PATIENCE_SECONDS)
    assert message.text == LONG


async def test_a_cancelled_task_ends_its_request(
    serve: Serve, make: Make, silence: Any, asked: Any
) -> None:
    said, requests = silence
    bedrock = serve(said)
    task = asyncio.create_task(asked(make(bedrock, **ONE_THREAD)))
    await eventually_async(lambda: len(bedrock.requests) == requests)
    await cancelled(task)
    await check_request_ended(bedrock, requests)
    await check_one_thread_is_free(serve, make)


async def test_a_timeout_ends_its_request(serve: Serve, make: Make, asked: Any) -> None:
    bedrock = serve(silent(request=1))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asked(make(bedrock, **ONE_THREAD)), 0.3)
    await eventually_async(lambda: len(bedrock.requests) == 1)
    await check_request_ended(bedrock, requests=1)
    await check_one_thread_is_free(serve, make)


async def test_a_cancel_between_two_chunks_ends_the_request(
    serve: Serve, make: Make
) -> None:
    bedrock = serve(silent(request=1, at=4))
    chunks, came = make(bedrock, **ONE_THREAD).astream("Hi"), asyncio.Event()

    async def read() -> None:
        async for chunk in chunks:
            if chunk.text:
                came.set()

    task = asyncio.create_task(read())
    await came.wait()
    await cancelled(task)
    await check_request_ended(bedrock, requests=1)


class SlowHandler(AsyncCallbackHandler):
    """Waits for ever at the first token."""

    def __init__(self) -> None:
        self.called = False

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.called = True
        await asyncio.sleep(3600)


async def test_a_cancel_while_a_callback_runs_ends_the_request(
    serve: Serve, make: Make
) -> None:
    bedrock, handler = serve(silent(request=1, at=4)), SlowHandler()
    llm = make(bedrock, **ONE_THREAD)
    task = asyncio.create_task(streamed(llm.with_config(callbacks=[handler])))
    await eventually_async(lambda: handler.called)
    await cancelled(task)
    await check_request_ended(bedrock, requests=1)
    await check_one_thread_is_free(serve, make)


async def test_fallbacks_are_not_asked_after_a_cancel(serve: Serve) -> None:
    bedrock = serve(silent(request=1))
    llm = model(bedrock, **ONE_THREAD).with_fallbacks([model(bedrock, max_tokens=50)])
    task = asyncio.create_task(llm.ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    await cancelled(task)
    await check_request_ended(bedrock, requests=1)


async def test_a_cancelled_batch_ends_all_its_requests(
    serve: Serve, make: Make
) -> None:
    bedrock = serve(Answer(LONG, faults=[FaultAt(Fault("silence"), 2, request=None)]))
    task = asyncio.create_task(make(bedrock, max_tokens=50).abatch(["Hi"] * 8))
    await eventually_async(lambda: len(bedrock.requests) == 8)
    await cancelled(task)
    await eventually_async(lambda: len(bedrock.abandoned) == 8)
    assert len(bedrock.requests) == 8


async def test_a_cancelled_wait_for_a_thread_makes_no_request(serve: Serve) -> None:
    bedrock = serve(silent(request=1))
    llm = model(bedrock, **ONE_THREAD)
    first = asyncio.create_task(llm.ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    second = asyncio.create_task(llm.ainvoke("Hi"))
    await asyncio.sleep(0.05)
    await cancelled(second)
    await cancelled(first)
    await check_request_ended(bedrock, requests=1)
    await check_one_thread_is_free(serve, model)


@pytest.mark.parametrize("how", ["aclose", "break", "error"])
async def test_leaving_an_async_stream_ends_its_request(
    serve: Serve, make: Make, how: str
) -> None:
    bedrock = serve(silent(request=1, at=4))
    with pytest.raises(ZeroDivisionError) if how == "error" else aclosing_nothing():
        async with aclosing(make(bedrock, **ONE_THREAD).astream("Hi")) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                if how == "error" and chunk.text:
                    raise ZeroDivisionError
                if chunk.text:
                    break
    await check_request_ended(bedrock, requests=1)
    await check_one_thread_is_free(serve, make)


class aclosing_nothing:  # noqa: N801 - in the place of pytest.raises
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_closing_a_stream_ends_its_request(serve: Serve, make: Make) -> None:
    bedrock = serve(silent(request=1, at=4))
    chunks: Any = make(bedrock, max_tokens=5).stream("Hi")
    next(chunk for chunk in chunks if chunk.text)
    chunks.close()
    eventually(lambda: bedrock.abandoned)
    assert bedrock.abandoned == bedrock.requests


def test_an_error_of_the_consumer_ends_the_request(serve: Serve, make: Make) -> None:
    bedrock = serve(silent(request=1, at=4))

    def consume() -> None:
        for chunk in make(bedrock, max_tokens=5).stream("Hi"):
            if chunk.text:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    eventually(lambda: bedrock.abandoned)
    assert bedrock.abandoned == bedrock.requests


async def test_a_cancelled_wait_for_the_rate_limiter_makes_no_request(
    serve: Serve,
) -> None:
    bedrock = serve(LONG)
    once = InMemoryRateLimiter(requests_per_second=0.001, max_bucket_size=1)
    once.available_tokens = 1
    llm = model(bedrock, **ONE_THREAD, rate_limiter=once)
    task = asyncio.create_task(llm.ainvoke("Hi"))
    await eventually_async(lambda: len(bedrock.requests) == 1)
    await asyncio.sleep(0.2)
    await cancelled(task)
    await check_one_thread_is_free(serve, model)

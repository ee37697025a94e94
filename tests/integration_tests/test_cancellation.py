"""Whoever stops waiting hangs up: at once, for good, and without a thread left behind.

The endpoint falls silent for ever in these tests; what passes, passes because the
client hung up.
"""

import asyncio
import logging
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeAlias

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import ChatBedrockContinuing, _threads
from langchain_bedrock_continue._line import Line
from langchain_bedrock_continue._tapped import calling_copy
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.integration_tests.test_invoke_model import wrapped
from tests.integration_tests.waiting import (
    PATIENCE_SECONDS,
    eventually,
    eventually_async,
)

Make: TypeAlias = Callable[..., ChatBedrockContinuing]

LONG = "The quick brown fox jumps over the lazy dog and runs away.\n\n- one\n- two\n"
ONE_THREAD = {"max_tokens": 5, "max_concurrency": 1}


def silent(request: int, at: int = 2) -> Answer:
    """Return an answer that falls silent in its n-th request."""
    return Answer(LONG, faults=[FaultAt(Fault("silence"), at=at, request=request)])


NEVER = Answer(LONG, first_delay=3600)
"""Not even the response's head comes."""

POOL = "urllib3.connectionpool"
"""It tells of a full pool: the connection of a stream that was not read to its end goes
back when it is collected, for plain ChatBedrockConverse too."""

WRAPPED = {"converse": model, "invoke_model": wrapped}

SILENCES = {
    "before the response": (NEVER, 1),
    "in the first segment": (silent(request=1), 1),
    "in the second segment": (silent(request=2), 2),
    "at the second segment's start": (silent(request=2, at=0), 2),
}


@pytest.fixture(params=list(WRAPPED))
def make(request: pytest.FixtureRequest) -> Make:
    """Make a model round each of the two that can be wrapped."""
    make = WRAPPED[request.param]

    def made(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
        own = kwargs.pop("max_concurrency", 64)
        llm: Any = make(bedrock, **kwargs)
        llm.max_concurrency = own
        return llm  # type: ignore[no-any-return]

    return made


@pytest.fixture(params=list(SILENCES))
def silence(request: pytest.FixtureRequest) -> tuple[Answer, int]:
    """What the endpoint says, and the request in which it falls silent."""
    return SILENCES[request.param]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Any:
    """Who hangs up wants no answer, and no word of it in the log."""
    yield
    said = caplog.get_records("call")
    assert [r for r in said if r.levelno >= logging.WARNING and r.name != POOL] == []


async def streamed(llm: Runnable[Any, Any]) -> None:
    async for _ in llm.astream("Hi"):
        pass


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
    """Ask in each of the asynchronous ways."""
    return ASYNC[request.param]


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def check_hung_up(bedrock: LocalBedrock, requests: int) -> None:
    """The endpoint saw the end of the last request, and gets no other."""
    await eventually_async(lambda: bedrock.abandoned)
    assert bedrock.abandoned == bedrock.requests[-1:]
    assert len(bedrock.requests) == requests


async def check_one_thread_is_free(serve: Serve, make: Make) -> None:
    """The only thread there is answers again."""
    llm = make(serve(LONG), **ONE_THREAD)
    message = await asyncio.wait_for(llm.ainvoke("Hi"), PATIENCE_SECONDS)
    assert message.text == LONG


async def test_a_cancelled_task_hangs_up(
    serve: Serve, make: Make, silence: Any, asked: Any
) -> None:
    said, requests = silence
    bedrock = serve(said)
    task = asyncio.create_task(asked(make(bedrock, **ONE_THREAD)))
    await eventually_async(lambda: len(bedrock.requests) == requests)
    await cancelled(task)
    await check_hung_up(bedrock, requests)
    await check_one_thread_is_free(serve, make)


async def test_a_timeout_hangs_up(serve: Serve, make: Make, asked: Any) -> None:
    bedrock = serve(silent(request=1))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asked(make(bedrock, **ONE_THREAD)), 0.3)
    await eventually_async(lambda: len(bedrock.requests) == 1)
    await check_hung_up(bedrock, requests=1)
    await check_one_thread_is_free(serve, make)


async def test_a_cancel_between_two_chunks_hangs_up(serve: Serve, make: Make) -> None:
    bedrock = serve(silent(request=1, at=4))
    chunks, came = make(bedrock, **ONE_THREAD).astream("Hi"), asyncio.Event()

    async def read() -> None:
        async for chunk in chunks:
            if chunk.text:
                came.set()

    task = asyncio.create_task(read())
    await came.wait()
    await cancelled(task)
    await check_hung_up(bedrock, requests=1)


class SlowListener(AsyncCallbackHandler):
    """Takes its time over the first token."""

    def __init__(self) -> None:
        self.heard = False

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard = True
        await asyncio.sleep(3600)


async def test_a_cancel_while_a_listener_works_hangs_up(
    serve: Serve, make: Make
) -> None:
    bedrock, listener = serve(silent(request=1, at=4)), SlowListener()
    llm = make(bedrock, **ONE_THREAD)
    task = asyncio.create_task(streamed(llm.with_config(callbacks=[listener])))
    await eventually_async(lambda: listener.heard)
    await cancelled(task)
    await check_hung_up(bedrock, requests=1)
    await check_one_thread_is_free(serve, make)


async def test_fallbacks_are_not_asked_after_a_cancel(serve: Serve) -> None:
    bedrock = serve(silent(request=1))
    llm = model(bedrock, **ONE_THREAD).with_fallbacks([model(bedrock, max_tokens=50)])
    task = asyncio.create_task(llm.ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    await cancelled(task)
    await check_hung_up(bedrock, requests=1)


async def test_all_of_a_cancelled_batch_hang_up(serve: Serve, make: Make) -> None:
    bedrock = serve(Answer(LONG, faults=[FaultAt(Fault("silence"), 2, request=None)]))
    task = asyncio.create_task(make(bedrock, max_tokens=50).abatch(["Hi"] * 8))
    await eventually_async(lambda: len(bedrock.requests) == 8)
    await cancelled(task)
    await eventually_async(lambda: len(bedrock.abandoned) == 8)
    assert len(bedrock.requests) == 8


async def test_what_waited_for_a_thread_makes_no_call(serve: Serve) -> None:
    bedrock = serve(silent(request=1))
    llm = model(bedrock, **ONE_THREAD)
    first = asyncio.create_task(llm.ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    second = asyncio.create_task(llm.ainvoke("Hi"))
    await asyncio.sleep(0.05)
    await cancelled(second)
    await cancelled(first)
    await check_hung_up(bedrock, requests=1)
    await check_one_thread_is_free(serve, model)


@pytest.mark.parametrize("how", ["aclose", "break", "error"])
async def test_leaving_an_async_stream_hangs_up(
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
    await check_hung_up(bedrock, requests=1)
    await check_one_thread_is_free(serve, make)


class aclosing_nothing:  # noqa: N801 - stands where pytest.raises could
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_closing_a_stream_hangs_up(serve: Serve, make: Make) -> None:
    bedrock = serve(silent(request=1, at=4))
    chunks: Any = make(bedrock, max_tokens=5).stream("Hi")
    next(chunk for chunk in chunks if chunk.text)
    chunks.close()
    eventually(lambda: bedrock.abandoned)
    assert bedrock.abandoned == bedrock.requests


def test_an_error_of_the_consumer_hangs_up(serve: Serve, make: Make) -> None:
    bedrock = serve(silent(request=1, at=4))

    def consume() -> None:
        for chunk in make(bedrock, max_tokens=5).stream("Hi"):
            if chunk.text:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    eventually(lambda: bedrock.abandoned)
    assert bedrock.abandoned == bedrock.requests


async def test_a_cancelled_wait_for_the_rate_limiter_makes_no_call(
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


async def test_other_turns_of_the_same_client_are_not_touched(serve: Serve) -> None:
    """Connections go from turn to turn; a late hang-up must not meet the next one."""
    bedrock = serve(LONG)
    llm, dice = model(bedrock, max_tokens=8), random.Random(5)  # noqa: S311 - no secret

    async def given_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(streamed(llm), dice.uniform(0, 0.03))

    async def whole() -> str:
        return (await llm.ainvoke("Hi")).text

    for _ in range(5):
        waiting = [given_up() for _ in range(4)] + [whole() for _ in range(4)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert results[4:] == [LONG] * 4


def test_a_connection_that_another_turn_has_now_is_not_touched(serve: Serve) -> None:
    bedrock = serve(lambda _: Answer(LONG, first_delay=0.3))
    llm: Any = plain_model(bedrock, max_tokens=50, client=bedrock.boto3_client())
    line, texts = Line(), []
    calling_copy(llm, line).invoke("Hi")
    other = threading.Thread(target=lambda: texts.append(llm.invoke("Hi").text))
    other.start()
    eventually(lambda: len(bedrock.requests) == 2)
    line.hang_up()
    other.join(PATIENCE_SECONDS)
    assert texts == [LONG]
    assert len(bedrock.requests) == 2  # broken, it would have been made again


def test_the_callers_client_is_not_changed(serve: Serve, make: Make) -> None:
    llm: Any = make(serve(LONG), max_tokens=5).llm
    client = llm.client
    llm_before, client_before = dict(vars(llm)), dict(vars(client))
    endpoint, session = client._endpoint, client._endpoint.http_session
    before = set(vars(endpoint)), set(vars(session))
    assert ChatBedrockContinuing(llm=llm).invoke("Hi").text == LONG
    assert dict(vars(llm)) == llm_before
    assert {k: vars(client)[k] for k in client_before} == client_before
    assert client._endpoint.http_session is session
    assert (set(vars(endpoint)), set(vars(session))) == before


def test_connections_are_kept_and_shared(serve: Serve) -> None:
    bedrock = serve(LONG)
    own = bedrock.boto3_client()
    llm: Any = model(bedrock, max_tokens=50, client=own)
    (pool,) = _pools(llm)
    sockets = _sockets(pool)
    for _ in range(3):
        llm.invoke("Hi")
        list(llm.stream("Hi"))
    assert _sockets(pool) == sockets
    assert len(sockets) == 1
    assert not {"_put_conn", "_validate_conn"} & set(vars(pool))


def _pools(llm: Any) -> list[Any]:
    llm.invoke("Hi")
    pools = llm.llm.client._endpoint.http_session._manager.pools
    return [pools[key] for key in pools.keys()]  # noqa: SIM118 - it has no other way


def _sockets(pool: Any) -> set[int]:
    return {id(conn.sock) for conn in pool.pool.queue if conn is not None}


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


async def test_no_thread_is_left_behind(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_threads, "IDLE_SECONDS", 0.01)
    bedrock, before = serve(silent(request=1)), threads()
    task = asyncio.create_task(model(bedrock, max_concurrency=7).ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    assert threads() - before
    await cancelled(task)
    await eventually_async(lambda: threads() <= before)


PROGRAM = """
import asyncio, threading
from langchain_bedrock_continue import ChatBedrockContinuing

llm = ChatBedrockContinuing(
    model={model!r}, endpoint_url={url!r}, region_name="us-east-1", max_tokens=50,
    aws_access_key_id="local", aws_secret_access_key="local",
)
came = threading.Event()

async def ask():
    async for chunk in llm.astream("Hi"):
        if chunk.text:
            came.set()
"""

EXITS = {
    "cancelled": """
async def main():
    task = asyncio.create_task(ask())
    await asyncio.to_thread(came.wait)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main())
""",
    "still waiting": """
threading.Thread(target=lambda: asyncio.run(ask()), daemon=True).start()
came.wait()
""",
}


@pytest.mark.parametrize("how", list(EXITS))
def test_a_silent_endpoint_does_not_hold_up_the_exit(serve: Serve, how: str) -> None:
    bedrock = serve(silent(request=1, at=4))
    model_id, url = model(bedrock).model_id, bedrock.endpoint_url
    program = PROGRAM.format(model=model_id, url=url) + EXITS[how]
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        timeout=2 * PATIENCE_SECONDS,  # it starts slowly, but waits 60 s where it waits
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(bedrock.requests) == 1

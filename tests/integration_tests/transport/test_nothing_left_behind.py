"""A cancelled turn leaves no thread, and leaves the connections of others alone.

The endpoint falls silent for ever in some of these tests, so that only the client can
end them.
"""

import asyncio
import random
import subprocess
import sys
import threading
from typing import Any

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._transport import Cancellation
from langchain_bedrock_continue._transport import threads as _threads
from langchain_bedrock_continue.local import Answer
from tests.support.cancellation import (
    WRAPPED,
    Make,
    cancellable,
    cancelled,
    check_quiet,
    maker,
    on_threads,
    silent,
    streamed,
)
from tests.support.endpoint import Serve
from tests.support.models import model, plain_model
from tests.support.texts import LONG
from tests.support.waiting import (
    PATIENCE_SECONDS,
    START_SECONDS,
    eventually,
    eventually_async,
)


@pytest.fixture(params=list(WRAPPED))
def make(request: pytest.FixtureRequest) -> Make:
    """Make the model by each of the two operations."""
    return maker(request.param)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    check_quiet(caplog)


async def test_other_turns_of_the_same_client_are_not_affected(serve: Serve) -> None:
    """Turns share connections; a late cancel must not end the next turn."""
    bedrock = serve(LONG)
    llm, dice = model(bedrock, max_tokens=8), random.Random(5)  # noqa: S311 - no secret

    async def timed_out() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(streamed(llm), dice.uniform(0, 0.03))

    async def complete() -> str:
        return (await llm.ainvoke("Hi")).text

    for _ in range(5):
        waiting = [timed_out() for _ in range(4)] + [complete() for _ in range(4)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert results[4:] == [LONG] * 4


def test_a_connection_that_another_turn_uses_is_not_closed(serve: Serve) -> None:
    bedrock = serve(lambda _: Answer(LONG, first_delay=0.3))
    llm: Any = plain_model(bedrock, max_tokens=50, client=bedrock.boto3_client())
    cancellation, texts = Cancellation(), []
    cancellable(llm, cancellation).invoke("Hi")
    other = threading.Thread(target=lambda: texts.append(llm.invoke("Hi").text))
    other.start()
    eventually(lambda: len(bedrock.requests) == 2)
    cancellation.cancel()
    other.join(PATIENCE_SECONDS)
    assert texts == [LONG]
    assert len(bedrock.requests) == 2  # a broken one would have been retried


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
    return [pools[key] for key in pools.keys()]  # noqa: SIM118 - it is no dictionary


def _sockets(pool: Any) -> set[int]:
    return {id(conn.sock) for conn in pool.pool.queue if conn is not None}


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


async def test_a_cancelled_turn_leaves_no_thread(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_threads, "IDLE_SECONDS", 0.01)
    bedrock, before = serve(silent(request=1)), threads()
    llm = on_threads(bedrock, max_concurrency=7)
    task = asyncio.create_task(llm.ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    assert threads() - before
    await cancelled(task)
    await eventually_async(lambda: threads() <= before)


async def test_a_turn_on_the_event_loop_has_no_thread(serve: Serve) -> None:
    bedrock, before = serve(silent(request=1)), threads()
    task = asyncio.create_task(model(bedrock).ainvoke("Hi"))
    await eventually_async(lambda: bedrock.requests)
    assert threads() <= before
    await cancelled(task)


PROGRAM = """
import asyncio, threading
from langchain_bedrock_continue import ChatBedrockContinuing

llm = ChatBedrockContinuing(
    model={model!r}, endpoint_url={url!r}, region_name="us-east-1", max_tokens=50,
    aws_access_key_id="local", aws_secret_access_key="local",
)
arrived = threading.Event()

async def ask():
    async for chunk in llm.astream("Hi"):
        if chunk.text:
            arrived.set()
"""

EXITS = {
    "cancelled": """
async def main():
    task = asyncio.create_task(ask())
    await asyncio.to_thread(arrived.wait)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main())
""",
    "still waiting": """
threading.Thread(target=lambda: asyncio.run(ask()), daemon=True).start()
arrived.wait()
""",
}


@pytest.mark.parametrize("how", list(EXITS))
def test_a_silent_endpoint_does_not_delay_the_exit(serve: Serve, how: str) -> None:
    bedrock = serve(silent(request=1, at=4))
    model_id, url = model(bedrock).model_id, bedrock.endpoint_url
    program = PROGRAM.format(model=model_id, url=url) + EXITS[how]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            eventually(
                lambda: bedrock.requests or running.poll() is not None, START_SECONDS
            )
            # Where the exit waits for the endpoint, it takes botocore's 60 s.
            _, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        finally:
            running.kill()
    assert (running.returncode, stderr) == (0, "")
    assert len(bedrock.requests) == 1

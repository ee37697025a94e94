"""An async turn on event loops of every kind, among other tasks, and its context."""

import asyncio
import contextvars
import gc
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import AIMessage
from langsmith import Client
from langsmith.run_helpers import get_current_run_tree, trace, tracing_context

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._transport.worker import Worker
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.support.cancellation import on_threads, silent, streamed
from tests.support.endpoint import Serve
from tests.support.messages import ending
from tests.support.models import model
from tests.support.raw_clients import client_for, wrapping
from tests.support.texts import LONG
from tests.support.waiting import (
    PATIENCE_SECONDS,
    START_SECONDS,
    eventually_async,
)


async def check_answers(llm: ChatBedrockContinuing) -> None:
    """Check both entrances, and a cancelled turn between them."""
    assert (await llm.ainvoke("Hi")).text == LONG
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await streamed(llm)
    assert "".join([chunk.text async for chunk in llm.astream("Hi")]) == LONG


# Loops --------------------------------------------------------------------------------


def test_one_loop_after_the_other(serve: Serve) -> None:
    llm = model(serve(LONG), max_tokens=8)
    for _ in range(3):
        asyncio.run(check_answers(llm))


def test_uvloop(serve: Serve) -> None:
    uvloop = pytest.importorskip("uvloop")
    llm = model(serve(LONG), max_tokens=8)
    for _ in range(2):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(check_answers(llm))


def test_a_cancelled_turn_on_uvloop(serve: Serve) -> None:
    uvloop = pytest.importorskip("uvloop")
    bedrock = serve(silent(request=1, at=4))

    async def cancel() -> None:
        task = asyncio.create_task(streamed(model(bedrock)))
        await eventually_async(lambda: bedrock.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually_async(lambda: bedrock.abandoned)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(cancel())


def test_loops_in_several_threads_at_once(serve: Serve) -> None:
    llm = wrapping(client_for(serve(LONG).endpoint_url), max_tokens=8)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(check_answers(llm))
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert failed == []


def test_a_loop_that_is_left_running_as_in_jupyter(serve: Serve) -> None:
    llm, loop = model(serve(LONG), max_tokens=8), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        for _ in range(2):
            cell = asyncio.run_coroutine_threadsafe(check_answers(llm), loop)
            cell.result(PATIENCE_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("resumes", [False, True], ids=["astream", "aresume_stream"])
def test_a_loop_that_ends_closes_the_streams_that_are_left(
    serve: Serve, *, resumes: bool
) -> None:
    """It closes all generators at once, those within others too."""
    llm = model(serve(LONG), max_tokens=8)
    partial = AIMessage("The", response_metadata={"stopReason": "max_tokens"})
    left: list[Any] = []
    errors: list[Any] = []

    async def begin() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        chunks = llm.aresume_stream("Hi", partial) if resumes else llm.astream("Hi")
        left.append(chunks)
        await anext(chunks)

    asyncio.run(begin())
    assert errors == []
    workers = [one for one in gc.get_objects() if isinstance(one, Worker)]
    assert not any(worker.is_active for worker in workers)


def test_a_loop_that_is_closed_in_the_middle_of_a_turn(serve: Serve) -> None:
    llm = model(serve(silent(request=1, at=4)), max_tokens=50)
    loop = asyncio.new_event_loop()
    chunks: Any = llm.astream("Hi")

    async def begin() -> None:
        await anext(chunks)  # within the loop, which knows the stream then

    loop.run_until_complete(begin())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    serve(LONG)
    asyncio.run(check_answers(model(serve(LONG))))


PROGRAM = """
import asyncio
from langchain_bedrock_continue import ChatBedrockContinuing

llm = ChatBedrockContinuing(
    model={model!r}, endpoint_url={url!r}, region_name="us-east-1", max_tokens=8,
    aws_access_key_id="local", aws_secret_access_key="local",
)

async def ask():
    return "".join([chunk.text async for chunk in llm.astream("Hi")])

async def left():
    async for chunk in llm.astream("Hi"):
        return chunk

print(asyncio.run(ask()))
asyncio.run(left())
print(asyncio.run(ask()))
"""


def test_no_loop_and_no_exit_warns_of_anything(serve: Serve) -> None:
    bedrock = serve(Answer("one two three"))
    program = PROGRAM.format(model=model(bedrock).model_id, url=bedrock.endpoint_url)
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "always::ResourceWarning", "-c", program],
        capture_output=True,
        check=False,
        text=True,
        timeout=START_SECONDS,
    )
    assert (ran.stdout, ran.stderr) == ("one two three\n" * 2, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork, beside threads
def test_a_forked_child_has_connections_of_its_own(serve: Serve) -> None:
    llm = wrapping(client_for(serve(LONG).endpoint_url), max_tokens=8)

    async def ask() -> str:
        return (await asyncio.wait_for(llm.ainvoke("Hi"), PATIENCE_SECONDS)).text

    assert asyncio.run(ask()) == LONG  # its connection is kept now
    child = os.fork()
    if not child:
        code = 1
        with suppress(BaseException):
            code = 0 if asyncio.run(ask()) == LONG else 1
        os._exit(code)
    assert asyncio.run(ask()) == LONG
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asyncio.run(ask()) == LONG


# Other tasks --------------------------------------------------------------------------


async def test_a_fast_stream_lets_other_tasks_run(serve: Serve) -> None:
    llm = model(serve(Answer(" ".join(["word"] * 2000))), max_tokens=8000)
    turns, over = 0, asyncio.Event()

    async def other() -> None:
        nonlocal turns
        while not over.is_set():
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await streamed(llm)
    over.set()
    await task
    assert turns > 20


async def test_a_slow_reader_loses_nothing(serve: Serve) -> None:
    text = " ".join(f"w{n}" for n in range(300))
    llm, came = model(serve(Answer(text)), max_tokens=4000), []
    async for chunk in llm.astream("Hi"):
        came.append(chunk.text)
        if len(came) % 50 == 0:
            await asyncio.sleep(0.01)
    assert "".join(came) == text


async def test_a_turn_within_the_stream_of_a_turn(serve: Serve) -> None:
    """Both are of one model, which allows one turn at once."""
    llm, inner = model(serve(LONG), max_tokens=8, max_concurrency=1), ""
    async for chunk in llm.astream("Hi"):
        if chunk.text and not inner:
            inner = (await llm.ainvoke("Hi")).text
    assert inner == LONG


async def test_no_more_turns_at_once_than_allowed(serve: Serve) -> None:
    bedrock = serve(lambda _: Answer(LONG, first_delay=0.02))
    llm, most = model(bedrock, max_tokens=50, max_concurrency=3), 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, bedrock.in_flight)
            await asyncio.sleep(0.002)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*[llm.ainvoke("Hi") for _ in range(12)])
    watching.cancel()
    assert 1 <= most <= 3


async def test_cancelled_at_random_moments_nothing_is_left(serve: Serve) -> None:
    bedrock = serve(lambda _: Answer(LONG, delay=0.001))
    llm, dice = model(bedrock, max_tokens=4), random.Random(7)  # noqa: S311 - no secret
    selector: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    before = len(selector.get_map())
    turns: list[Any] = [streamed(llm) for _ in range(24)]
    turns += [llm.ainvoke("Hi") for _ in range(24)]
    tasks = [asyncio.create_task(turn) for turn in turns]
    while any(not task.done() for task in tasks):
        dice.choice([task for task in tasks if not task.done()]).cancel()
        await asyncio.sleep(dice.uniform(0, 0.004))
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(selector.get_map()) == before
    del tasks, turns
    gc.collect()
    assert [one for one in gc.get_objects() if isinstance(one, Worker)] == []
    assert (await llm.ainvoke("Hi")).text == LONG


# A deadline ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [model, on_threads])
async def test_a_stream_ends_at_its_deadline(
    serve: Serve, make: Callable[..., ChatBedrockContinuing]
) -> None:
    bedrock = serve(Answer(LONG, faults=[FaultAt(Fault("silence"), 4, request=None)]))
    llm = make(bedrock, max_tokens=50, max_seconds=0.5)
    chunks = [chunk async for chunk in llm.astream("Hi")]
    message = sum(chunks[1:], chunks[0])
    assert LONG.startswith(message.text)
    assert message.text
    assert ending(message) == ("max_seconds", False)
    await eventually_async(lambda: bedrock.abandoned)
    assert len(bedrock.requests) == 1


# The caller's context -----------------------------------------------------------------

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")


def observed(bedrock: LocalBedrock, seen: list[str]) -> ChatBedrockContinuing:
    """Make a model that notes, in each request, who calls."""
    client = client_for(bedrock.endpoint_url)
    client.meta.events.register("request-created", lambda **_: seen.append(NAME.get()))
    return wrapping(client, max_tokens=8)


@pytest.mark.parametrize("streams", [True, False])
async def test_a_turn_runs_in_the_callers_context(
    serve: Serve, *, streams: bool
) -> None:
    seen: list[str] = []
    llm = observed(serve(LONG), seen)
    NAME.set("Ann")
    await (streamed(llm) if streams else llm.ainvoke("Hi"))
    assert len(seen) > 1
    assert set(seen) == {"Ann"}


async def test_turns_at_once_do_not_mix_their_contexts(serve: Serve) -> None:
    seen: list[str] = []
    llm = observed(serve(lambda _: Answer(LONG, delay=0.001)), seen)

    async def ask(name: str) -> int:
        NAME.set(name)
        return len([chunk async for chunk in llm.astream("Hi")])

    names = [f"caller {n}" for n in range(8)]
    await asyncio.gather(*[ask(name) for name in names])
    assert {seen.count(name) for name in names} == {len(seen) // 8}


async def test_langsmiths_trace_is_seen_in_a_turn(serve: Serve) -> None:
    """It is a context variable, as OpenTelemetry's context is."""
    seen: list[Any] = []
    client = client_for(serve(LONG).endpoint_url)
    client.meta.events.register(
        "request-created", lambda **_: seen.append(get_current_run_tree())
    )
    langsmith = mock.create_autospec(Client, instance=True)
    with tracing_context(enabled=True, client=langsmith, parent=False):
        async with trace("parent", client=langsmith) as run:
            await streamed(wrapping(client, max_tokens=8))
            await wrapping(client, max_tokens=8).ainvoke("Hi")
    assert len(seen) > 2
    assert {one.trace_id for one in seen} == {run.trace_id}


SPAN: contextvars.ContextVar[str] = contextvars.ContextVar("SPAN", default="none")


@pytest.fixture
def instrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a context variable during each call, as OpenTelemetry's botocore does."""
    original = BaseClient._make_api_call

    def call(self: Any, *args: Any) -> Any:
        token = SPAN.set(f"span of {NAME.get()}")
        try:
            return original(self, *args)
        finally:
            SPAN.reset(token)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


class Noting(BaseCallbackHandler):
    """Notes the context of each token."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        self.seen.append((NAME.get(), SPAN.get()))


class NotingAsync(AsyncCallbackHandler):
    """Notes the context of each token, on the event loop."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    async def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        await asyncio.sleep(0)
        self.seen.append((NAME.get(), SPAN.get()))


@pytest.mark.usefixtures("instrumented")
async def test_a_span_round_each_call_is_seen_in_it_alone(serve: Serve) -> None:
    """While a call is awaited, other turns and callbacks see their own spans."""
    in_calls: list[tuple[str, str]] = []
    client = client_for(serve(lambda _: Answer(LONG, delay=0.001)).endpoint_url)
    for event in ("request-created", "response-received"):
        client.meta.events.register(
            event, lambda **_: in_calls.append((NAME.get(), SPAN.get()))
        )
    llm = wrapping(client, max_tokens=8)

    async def ask(name: str, handler: BaseCallbackHandler) -> None:
        NAME.set(name)
        async for _ in llm.astream("Hi", {"callbacks": [handler]}):
            assert SPAN.get() == "none"

    handlers = {f"caller {n}": (Noting, NotingAsync)[n % 2]() for n in range(4)}
    await asyncio.gather(*[ask(*each) for each in handlers.items()])
    assert set(in_calls) == {(name, f"span of {name}") for name in handlers}
    for name, handler in handlers.items():
        assert set(handler.seen) == {(name, "none")}


# Callbacks ----------------------------------------------------------------------------


class Blocking(BaseCallbackHandler):
    """A synchronous handler that blocks until the event loop has gone on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.went_on: list[bool] = []

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        went_on = threading.Event()
        self._loop.call_soon_threadsafe(went_on.set)
        self.went_on.append(went_on.wait(PATIENCE_SECONDS))


class Awaiting(AsyncCallbackHandler):
    """An async handler that notes where it runs."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        self.threads.add(threading.current_thread())


@pytest.mark.parametrize("streams", [True, False])
async def test_handlers_of_a_turn(serve: Serve, *, streams: bool) -> None:
    """A sync one does not block the loop; an async one runs on it."""
    blocking, awaiting = Blocking(asyncio.get_running_loop()), Awaiting()
    llm = model(serve(LONG), max_tokens=12)
    config: Any = {"callbacks": [blocking, awaiting]}
    if streams:
        await streamed(llm.with_config(config))
    else:
        await llm.ainvoke("Hi", config)
    assert blocking.went_on
    assert all(blocking.went_on)
    assert awaiting.threads == {threading.current_thread()}

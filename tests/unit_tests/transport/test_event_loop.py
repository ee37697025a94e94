"""Synchronous code on an event loop: what it waits for is awaited."""

import asyncio
import contextvars
import gc
from collections.abc import Generator
from typing import Any

import pytest
from greenlet import getcurrent, greenlet

from langchain_bedrock_continue._transport import CallCancelled, Cancellation
from langchain_bedrock_continue._transport.awaiting_cancellation import (
    AwaitingCancellation,
)
from langchain_bedrock_continue._transport.event_loop import iterate, run
from langchain_bedrock_continue._transport.worker import (
    Worker,
    current_worker,
    wait_for,
)
from tests.support.rate_limiters import CountingLimiter

NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("NUMBER", default=0)
LONG = 3600


def wait(result: Any) -> Any:
    """Wait for a result that comes with the loop's next iteration."""

    async def soon() -> Any:
        await asyncio.sleep(0)
        if isinstance(result, Exception):
            raise result
        return result

    return wait_for(soon())


async def test_a_function_waits_and_returns() -> None:
    assert await run(lambda _, a, b: wait(a) + wait(b), None, 1, 2, b=3) == 5


async def test_worker_1_it_runs_in_the_callers_task_and_context() -> None:
    def work(_: Cancellation) -> Any:
        before = NUMBER.get()
        wait(None)
        NUMBER.set(before + 1)
        return asyncio.current_task()

    NUMBER.set(5)
    assert await run(work, None, 1) is asyncio.current_task()
    assert NUMBER.get() == 6


async def test_worker_1_each_item_in_the_context_of_its_caller() -> None:
    def work(_: Cancellation) -> Generator[int, None, None]:
        while True:
            yield NUMBER.get()

    items = iterate(work, None, 1)
    for number in range(3):
        NUMBER.set(number)
        assert await anext(items) == number
    await items.aclose()


async def test_worker_2_an_error_is_raised_where_it_waits() -> None:
    def work(_: Cancellation) -> str:
        try:
            wait(ZeroDivisionError("no"))
        except ZeroDivisionError as error:
            return str(wait(error.args[0]))
        return "nothing raised"

    assert await run(work, None, 1) == "no"
    with pytest.raises(KeyError):
        await run(lambda _: wait(KeyError()), None, 1)


async def test_worker_2_a_cancellation_is_raised_where_it_waits() -> None:
    seen: list[BaseException] = []

    def work(_: Cancellation) -> None:
        try:
            wait_for(asyncio.sleep(LONG))
        except BaseException as error:
            seen.append(error)
            wait("what closes a thing may wait too")
            raise

    task = asyncio.create_task(run(work, None, 1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [type(error) for error in seen] == [asyncio.CancelledError]


def counting(_: Cancellation, closed: list[Any]) -> Generator[int, None, None]:
    try:
        for number in range(100):
            wait(None)
            yield number
    finally:
        closed.append(wait("closed"))


async def test_items_to_the_end() -> None:
    closed: list[Any] = []
    assert [n async for n in iterate(counting, None, 1, closed)] == list(range(100))
    assert closed == ["closed"]


async def test_loop_1_a_caller_that_stops_closes_the_generator() -> None:
    closed: list[Any] = []
    items = iterate(counting, None, 1, closed)
    assert await anext(items) == 0
    await items.aclose()
    assert closed == ["closed"]


async def test_loop_1_a_generator_that_never_began() -> None:
    closed: list[Any] = []
    await iterate(counting, None, 1, closed).aclose()
    assert closed == []


async def test_loop_1_a_caller_that_forgets_the_generator_closes_it() -> None:
    closed: list[Any] = []
    items = iterate(counting, None, 1, closed)
    assert await anext(items) == 0
    del items
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0)
    assert closed == ["closed"]


async def test_an_error_of_the_generator() -> None:
    def failing(_: Cancellation) -> Generator[int, None, None]:
        yield 1
        raise ZeroDivisionError

    items = iterate(failing, None, 1)
    assert await anext(items) == 1
    with pytest.raises(ZeroDivisionError):
        await anext(items)


async def test_loop_3_a_limit_holds_and_is_free_between_two_items() -> None:
    began: list[int] = []

    def work(_: Cancellation, number: int) -> None:
        began.append(number)
        wait_for(asyncio.sleep(LONG))

    closed: list[Any] = []
    items = iterate(counting, None, 1, closed)
    assert await anext(items) == 0
    tasks = [asyncio.create_task(run(work, None, 1, n)) for n in range(2)]
    await asyncio.sleep(0.01)
    assert began == [0]
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert began == [0, 1]
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert await anext(items) == 1
    await items.aclose()


async def test_a_loop_within_another_greenlet() -> None:
    """As with nest_asyncio: a step is driven from another greenlet than the first."""
    closed: list[Any] = []
    items = iterate(counting, None, 1, closed)
    loop, main = asyncio.get_running_loop(), getcurrent()

    def step() -> asyncio.Future[int]:
        async def next_item() -> int:
            return await anext(items)

        coroutine, done = next_item(), loop.create_future()
        try:
            while True:
                coroutine.send(None)
        except StopIteration as stop:
            done.set_result(stop.value)
        return done

    assert await step() == 0
    assert await greenlet(step, parent=main).switch() == 1
    assert await step() == 2
    await items.aclose()


def test_no_worker_no_wait() -> None:
    with pytest.raises(RuntimeError, match="async caller"):
        current_worker()


# Its waits ----------------------------------------------------------------------------


async def waited(seconds: float | None, wait: Any) -> tuple[bool, bool]:
    """Wait until a deadline; return whether it passed, and whether it waited on."""

    def work(cancellation: Cancellation) -> tuple[bool, bool]:
        done = False
        with cancellation.deadline(seconds) as deadline:
            wait(cancellation)
            done = True
        return deadline.passed, done

    return await run(work, None, 1)


class Never(CountingLimiter):
    async def aacquire(self, *, blocking: bool = True) -> bool:
        await asyncio.sleep(LONG)
        return True


async def handler() -> None:
    await asyncio.sleep(LONG)


WAITS = {
    "sleep": lambda c: c.sleep(LONG),
    "rate limiter": lambda c: c.acquire(Never()),
    "handler": lambda c: c.handle(handler(), c.loop),
}


@pytest.mark.parametrize("name", list(WAITS))
@pytest.mark.parametrize("seconds", [-1, 0.01])
async def test_a_deadline_ends_a_wait(name: str, seconds: float) -> None:
    assert await waited(seconds, WAITS[name]) == (True, False)


@pytest.mark.parametrize("seconds", [None, LONG])
async def test_a_wait_that_ends_before_its_deadline(seconds: float | None) -> None:
    limiter = CountingLimiter()

    def wait(cancellation: Cancellation) -> None:
        cancellation.sleep(0)
        cancellation.sleep(0.001)
        cancellation.acquire(limiter)

    assert await waited(seconds, wait) == (False, True)
    assert limiter.asked == 1


async def test_a_timeout_of_a_handlers_own_is_its_error() -> None:
    async def failing() -> None:
        raise TimeoutError("its own")

    for seconds in (None, LONG):
        with pytest.raises(TimeoutError, match="its own"):
            await waited(seconds, lambda c: c.handle(failing(), c.loop))


async def test_after_a_deadline_no_call_is_made() -> None:
    def work(cancellation: AwaitingCancellation) -> bool:
        with cancellation.deadline(0):
            cancellation.check()
        with pytest.raises(CallCancelled):
            cancellation.sleep(1)
        return cancellation.cancelled

    function: Any = work
    assert await run(function, None, 1)


async def test_a_run_whose_callbacks_are_awaited() -> None:
    seen: list[Any] = []

    class Run:
        run_id = 7

        async def on_llm_new_token(self, token: str) -> str:
            await asyncio.sleep(0)
            seen.append((token, isinstance(getcurrent(), Worker)))
            return "told"

    def work(cancellation: Cancellation) -> Any:
        own = cancellation.own_run(Run())
        assert cancellation.own_run(None) is None
        return own.run_id, own.on_llm_new_token("a")

    assert await run(work, None, 1) == (7, "told")
    assert seen == [("a", False)]

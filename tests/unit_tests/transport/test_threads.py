"""The threads that work for async callers."""

import asyncio
import contextvars
import os
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, wait
from contextlib import suppress

import pytest

from langchain_bedrock_continue._transport import Cancellation
from langchain_bedrock_continue._transport import threads as _threads
from langchain_bedrock_continue._transport.threads import Threads, iterate, run
from tests.support.waiting import eventually_async

PATIENCE_SECONDS = 20.0

NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("NUMBER", default=0)


def no_job() -> None:
    """Do nothing."""


def all_done(futures: list[Future[int]]) -> list[int]:
    assert not wait(futures, PATIENCE_SECONDS).not_done
    return [future.result() for future in futures]


def test_jobs_run_at_once_up_to_the_limit() -> None:
    threads, barrier = Threads(4), threading.Barrier(4, timeout=PATIENCE_SECONDS)
    together = [threads.submit(lambda: barrier.wait() * 0 + 7) for _ in range(8)]
    assert all_done(together) == [7] * 8


def test_no_more_of_them_than_the_limit() -> None:
    threads, lock, now, most = Threads(3), threading.Lock(), [0], [0]

    def job() -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1
        return 1

    assert sum(all_done([threads.submit(job) for _ in range(30)])) == 30
    assert most[0] <= 3


def test_an_idle_thread_is_not_assigned_two_jobs() -> None:
    threads, barrier = Threads(2), threading.Barrier(2, timeout=PATIENCE_SECONDS)
    threads.submit(no_job).result(PATIENCE_SECONDS)
    with threads._changed:  # it can't take the first before the second comes
        both = [threads.submit(barrier.wait) for _ in range(2)]
    assert sorted(all_done(both)) == [0, 1]


def test_an_idle_thread_is_reused() -> None:
    threads = Threads(8)
    used = {
        threads.submit(threading.get_ident).result(PATIENCE_SECONDS) for _ in range(20)
    }
    assert len(used) <= 2  # a result can be there before its thread idles


def test_idle_threads_end_and_are_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_threads, "IDLE_SECONDS", 0.001)
    threads = Threads(2)
    for _ in range(50):
        first, second = threads.submit(lambda: 1), threads.submit(lambda: 2)
        assert all_done([first, second]) == [1, 2]
        time.sleep(0.001)


def test_they_are_daemons() -> None:
    job = Threads(1).submit(threading.current_thread)
    assert job.result(PATIENCE_SECONDS).daemon


def test_an_error_is_raised_to_the_caller() -> None:
    class StopEverything(BaseException):
        pass

    def fail() -> None:
        raise StopEverything

    threads = Threads(1)
    assert isinstance(threads.submit(fail).exception(PATIENCE_SECONDS), StopEverything)
    assert threads.submit(lambda: 1).result(PATIENCE_SECONDS) == 1


def test_a_job_cancelled_in_the_queue_never_runs() -> None:
    threads, gate, ran = Threads(1), threading.Event(), []
    first = threads.submit(lambda: gate.wait(PATIENCE_SECONDS))
    second = threads.submit(lambda: ran.append(2))
    third = threads.submit(lambda: ran.append(3))
    assert second.cancel()
    gate.set()
    third.result(PATIENCE_SECONDS)
    assert first.result()
    assert ran == [3]


async def test_a_function_runs_in_the_callers_context() -> None:
    NUMBER.set(5)
    assert await run(lambda _, name: name.get(), 1, NUMBER) == 5


async def test_a_cancelled_caller_cancels_the_call() -> None:
    begun: list[Cancellation] = []

    def wait_long(cancellation: Cancellation) -> None:
        begun.append(cancellation)
        cancellation.sleep(PATIENCE_SECONDS)

    task = asyncio.create_task(run(wait_long, 1))
    await eventually_async(lambda: begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert begun[0].cancelled


def counting(
    cancellation: Cancellation, begun: list[Cancellation], closed: threading.Event
) -> Generator[int, None, None]:
    begun.append(cancellation)
    try:
        yield from range(1000)
    finally:
        closed.set()


async def test_iterating_to_the_end() -> None:
    begun: list[Cancellation] = []
    closed = threading.Event()
    numbers = [number async for number in iterate(counting, 1, begun, closed)]
    assert numbers == list(range(1000))
    assert closed.is_set()


async def test_a_caller_that_stops_cancels_and_closes() -> None:
    begun: list[Cancellation] = []
    closed = threading.Event()
    kept: list[
        Generator[int, None, None]
    ] = []  # so that garbage collection can't close

    def count(cancellation: Cancellation) -> Generator[int, None, None]:
        kept.append(counting(cancellation, begun, closed))
        return kept[0]

    items = iterate(count, 1)
    assert await anext(items) == 0
    assert not begun[0].cancelled
    await items.aclose()
    assert begun[0].cancelled
    assert closed.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork, beside threads
def test_a_forked_child_has_threads_of_its_own() -> None:
    async def job() -> str:
        return await asyncio.wait_for(run(lambda _: "done", 1), 10)

    assert asyncio.run(job()) == "done"  # its thread is idle now
    child = os.fork()
    if not child:
        code = 1
        with suppress(BaseException):
            code = 0 if asyncio.run(job()) == "done" else 1
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

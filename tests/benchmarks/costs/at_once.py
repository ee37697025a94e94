"""Many turns at once: wall time, CPU, memory, and how many calls are in flight.

A turn has three segments of 20 tokens. Each peer runs in a process of its own, so that
its memory is its own. "In flight" is what the endpoint saw: calls that it has received
and not answered in full. A caller who sends faster than the model answers has them all
in flight; one whose calls take longer to prepare than to be answered can't:
`latency / CPU of a call` is the most for one thread.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import psutil

from tests.benchmarks.costs.endpoint import SPAWN, Asked, most_in_flight
from tests.benchmarks.costs.peers import Peers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.benchmarks.costs.figures import Row

SEGMENTS, SIZE = 3, 20
COUNTS = (1, 16, 96, 256, 1024)
LATENCIES = (0.1, 0.5)
LONG = 4.0
"""Seconds: longer than it takes to prepare 1,024 calls."""

TURNS = 96
"""Turns that are measured at least: few at once are repeated."""


class Series(NamedTuple):
    """A peer, and what of it is measured.

    Attributes:
        peer: Its name.
        verb: `astream` or `ainvoke`.
        most: The most turns at once, by latency.
        threads: The threads of the event loop's executor; 0 leaves it as it is.
    """

    peer: str
    verb: str
    most: dict[float, int]
    threads: int = 0

    @property
    def name(self) -> str:
        """What the table calls it."""
        threads = f", {self.threads:,} threads" if self.threads else ""
        return f"{self.peer.removesuffix(', threads')}, {self.verb}{threads}"


OWN = {0.1: 1024, 0.5: 1024, LONG: 1024}
FEW = {0.1: 96, 0.5: 16}
"""With the event loop's own threads, six on two cores: more would take minutes."""

MANY = {0.1: 256, 0.5: 256}
SERIES = (
    Series("this package", "astream", OWN),
    Series("this package", "ainvoke", OWN),
    Series("ChatBedrockConverse", "astream", FEW),
    Series("ChatBedrockConverse", "ainvoke", FEW),
    Series("ChatBedrockConverse", "astream", MANY, 1024),
    Series("ChatBedrockConverse", "ainvoke", MANY, 1024),
    Series("boto3, Converse, threads", "astream", MANY, 1024),
)


def waited_for_a_core() -> float:
    """Return the seconds in which this thread could run, but other work did (Linux)."""
    try:
        with open("/proc/thread-self/schedstat") as file:  # noqa: PTH123 - no path
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


class Run(NamedTuple):
    """One run of some turns at once, in seconds and bytes."""

    wall: float
    cpu: float
    waited: float
    memory: int


async def run_once(
    function: Callable[[str], AsyncIterator[str]], question: str, count: int
) -> Run:
    """Run turns at once."""
    process, memory, over = psutil.Process(), 0, False

    async def watch() -> None:
        nonlocal memory
        while not over:
            memory = max(memory, process.memory_info().rss)
            await asyncio.sleep(0.05)

    async def turn() -> None:
        characters = sum([len(part) async for part in function(question)])
        if characters != SEGMENTS * SIZE * 6 - 1:
            raise RuntimeError(f"{characters} characters")

    watching = asyncio.create_task(watch())
    wall, cpu, waited = time.perf_counter(), time.process_time(), waited_for_a_core()
    await asyncio.gather(*[turn() for _ in range(count)])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    waited, over = waited_for_a_core() - waited, True
    await watching
    return Run(wall, cpu, waited, memory)


def run_series(url: str, series: Series, counts: list[int]) -> list[Row]:
    """Measure a series; the function of its process."""
    peer = Peers(url, SIZE).asynchronous[series.peer]
    function = peer.streams if series.verb == "astream" else peer.whole
    rows = []
    with asyncio.Runner() as runner:
        if series.threads:
            executor = ThreadPoolExecutor(series.threads)
            runner.get_loop().set_default_executor(executor)
        runner.run(run_once(function, Asked(SEGMENTS * SIZE).question, 1))
        for latency, most in series.most.items():
            asked = Asked(SEGMENTS * SIZE, latency=latency)
            for count in counts if latency < LONG else [max(counts)]:
                if count > most:
                    continue
                most_in_flight(url)
                runs = []
                for _ in range(min(-(-TURNS // count), 6)):
                    gc.collect()
                    runs.append(runner.run(run_once(function, asked.question, count)))
                rows.append(row(series.name, latency, count, runs, most_in_flight(url)))
    return rows


def row(name: str, latency: float, count: int, runs: list[Run], seen: int) -> Row:
    """Return the figures of some runs alike.

    `beside` is the wall time without the wait for a core, divided by the larger of all
    latency and all CPU.
    """
    cpu = min(run.cpu for run in runs)
    wall = statistics.median(run.wall for run in runs)
    waited = statistics.median(run.waited for run in runs)
    floor = max(SEGMENTS * latency, cpu)
    return {
        "name": name,
        "latency": latency,
        "at_once": count,
        "in_flight": seen,
        "wall": round(wall, 2),
        "waited": round(waited, 2),
        "cpu": round(cpu / count * 1e3, 2),
        "beside": round((wall - waited) / floor, 2),
        "memory": round(max(run.memory for run in runs) / 1e6),
    }


def at_once(url: str, *, quick: bool) -> list[Row]:
    """Return what many turns at once take."""
    counts = [16, 256] if quick else list(COUNTS)
    rows: list[Row] = []
    for series in SERIES:
        with ProcessPoolExecutor(1, SPAWN) as pool:
            rows += pool.submit(run_series, url, series, counts).result()
    return rows

"""What async turns cost: CPU a chunk, many turns at once, cancellations.

    python -m tests.benchmarks.async_turns
    python -m tests.benchmarks.async_turns --at-once 16 1024 --rounds 1

The endpoint runs in another process, so that all CPU counted here is the caller's. Each
figure is to be read beside the others of the same run: on another machine, or beside
other work, they all change.

1. CPU a streamed chunk, for boto3, ChatBedrockConverse and this package; each round
   measures all, and the smallest figure of all rounds counts. The rows "boto3, awaited"
   and "boto3" differ in the transport alone. With `--gap 0.001`, chunks come singly,
   and each wakes the process.
2. Turns at once: three segments, each with its latency and 20 chunks. On a busy machine
   the wall time is mostly the time in which the event loop's thread got no core, so
   that is printed, too (Linux).
3. Turns cancelled at random moments. It fails if a task, socket or greenlet is left.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
from botocore.config import Config
from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue import _transport as transport
from langchain_bedrock_continue._transport.worker import Worker
from tests.benchmarks.replay import Endpoint, endpoint
from tests.support.raw_clients import client_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
SEGMENTS, SIZE, LATENCY = 3, 20, 0.5
"""Of a turn among many: its segments, their tokens, and seconds before each."""

POOL = Config(max_pool_connections=1024)
CANCELLED = 1000
ASKED: dict[str, Any] = {
    "modelId": MODEL,
    "messages": [{"role": "user", "content": [{"text": "chunks"}]}],
    "inferenceConfig": {"maxTokens": 4096},
}


# 1. CPU a chunk -----------------------------------------------------------------------


def models(url: str) -> dict[str, Any]:
    """Make the models, each with a client of its own."""
    sizes: dict[str, Any] = {"model": MODEL, "max_tokens": 4096, "region_name": "x"}

    def clients() -> dict[str, Any]:
        client = client_for(url, POOL)
        return {"client": client, "bedrock_client": client}

    on_threads = clients()
    on_threads["client"].meta.events.register("before-send", lambda **_: None)
    return {
        "boto3": client_for(url, POOL),
        "bare": ChatBedrockConverse(**sizes, **clients()),
        "own": ChatBedrockContinuing(**sizes, **clients()),
        "own on threads": ChatBedrockContinuing(**sizes, **on_threads),
    }


def rows(url: str) -> dict[str, Callable[[], Awaitable[int]]]:
    """Return what is measured; each reads one stream and counts its chunks."""
    made = models(url)

    def of_boto3(client: Any) -> int:
        said = client.converse_stream(**ASKED)
        return sum(1 for _ in said["stream"])

    def awaited(cancellation: Any) -> Iterator[Any]:
        client = cancellation.prepare_client(made["boto3"])
        yield from client.converse_stream(**ASKED)["stream"]

    async def boto3() -> int:
        return of_boto3(made["boto3"])

    async def boto3_awaited() -> int:
        function: Any = awaited
        items = transport.iterate(function, made["boto3"], 8)
        return len([item async for item in items])

    def stream(llm: Any) -> Callable[[], Awaitable[int]]:
        async def read() -> int:
            return sum(1 for _ in llm.stream("chunks"))

        return read

    def astream(llm: Any) -> Callable[[], Awaitable[int]]:
        async def read() -> int:
            return len([chunk async for chunk in llm.astream("chunks")])

        return read

    return {
        "ChatBedrockConverse.stream": stream(made["bare"]),
        "boto3": boto3,
        "boto3, awaited": boto3_awaited,
        "stream": stream(made["own"]),
        "astream": astream(made["own"]),
        "astream, on threads": astream(made["own on threads"]),
        "ChatBedrockConverse.astream": astream(made["bare"]),
    }


async def cpu_a_chunk(url: str, rounds: int) -> None:
    """Print the CPU of a chunk, and beside ChatBedrockConverse.stream."""
    found: dict[str, list[float]] = {}
    every = rows(url)
    for read in every.values():
        await read()
    for _ in range(rounds):
        for name, read in every.items():
            gc.collect()
            began = time.process_time()
            count = await read()
            found.setdefault(name, []).append((time.process_time() - began) / count)
    least = {name: min(each) for name, each in found.items()}
    base = least["ChatBedrockConverse.stream"]
    print(f"{'CPU of a chunk':28} {'µs':>7} {'beside':>7}")
    for name, cost in least.items():
        print(f"{name:28} {cost * 1e6:7.1f} {cost / base:7.2f}")
    added = least["boto3, awaited"] - least["boto3"]
    print(f"the transport alone: {added * 1e6:+.1f} µs, {added / base:+.2f}\n")


# 2. Turns at once ---------------------------------------------------------------------


async def turn(llm: Any, *, streams: bool) -> None:
    """Run one turn of three segments."""
    if streams:
        chunks = [chunk async for chunk in llm.astream("turn")]
        message = chunks[0] + chunks[1:]
    else:
        message = await llm.ainvoke("turn")
    segments = message.response_metadata["continuation"]["segments"]
    if len(segments) != SEGMENTS:
        raise RuntimeError(f"{len(segments)} segments: {message}")


def waited_for_a_core() -> float:
    """Return the seconds in which this thread could run, but other work did."""
    try:
        with open("/proc/thread-self/schedstat") as file:  # noqa: PTH123 - no path
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


async def at_once(
    serving: Endpoint, count: int, llm: Any, name: str, *, streams: bool
) -> None:
    """Print what many turns at once take."""
    gc.collect()
    serving.most_in_flight()
    wall, cpu, waited = time.perf_counter(), time.process_time(), waited_for_a_core()
    await asyncio.gather(*[turn(llm, streams=streams) for _ in range(count)])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    waited = waited_for_a_core() - waited
    memory = psutil.Process().memory_info().rss / 1e6
    print(
        f"{name:20} {count:7} {serving.most_in_flight():9} {wall:7.2f} "
        f"{waited:15.2f} {cpu / count * 1e3:11.2f} {memory:7.0f}",
        flush=True,
    )


async def many_at_once(serving: Endpoint, counts: list[int]) -> None:
    """Print a table of turns at once."""
    base: dict[str, Any] = {"model": MODEL, "max_tokens": SIZE, "region_name": "x"}
    client, other = client_for(serving.url, POOL), client_for(serving.url, POOL)
    other.meta.events.register("before-send", lambda **_: None)
    llms = {
        name: ChatBedrockContinuing(
            **base, client=each, bedrock_client=each, max_concurrency=1024
        )
        for name, each in (("", client), (", on threads", other))
    }
    print(f"turns of {SEGMENTS} x {LATENCY} s      at once in flight wall, s ", end="")
    print("without core, s CPU ms/turn RSS, MB")
    for suffix, llm in llms.items():
        for streams in (True, False):
            for count in counts:
                name = ("astream" if streams else "ainvoke") + suffix
                await at_once(serving, count, llm, name, streams=streams)
    print()


# 3. Cancellations ---------------------------------------------------------------------


async def storm(url: str) -> None:
    """Cancel turns at random moments. The client still works, and is closed."""
    client, dice = client_for(url, POOL), random.Random(1)  # noqa: S311 - no secret
    llm = ChatBedrockContinuing(
        model=MODEL, max_tokens=SIZE, client=client, bedrock_client=client
    )

    async def cancelled(number: int) -> None:
        task = asyncio.create_task(turn(llm, streams=bool(number % 2)))
        await asyncio.sleep(dice.uniform(0, 2 * SEGMENTS * LATENCY))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*[cancelled(number) for number in range(CANCELLED)])
    await turn(llm, streams=True)
    client.close()


async def left_by_a_storm(url: str) -> str:
    """Return what cancelled turns leave behind."""
    gc.collect()  # what was measured before has closed its connections then
    sockets = len(psutil.Process().net_connections("tcp"))
    await storm(url)
    gc.collect()
    await asyncio.sleep(0)
    left = {
        "tasks": len(asyncio.all_tasks()) - 1,
        "sockets": len(psutil.Process().net_connections("tcp")) - sockets,
        "greenlets": sum(isinstance(one, Worker) for one in gc.get_objects()),
    }
    return ", ".join(f"{count} {name}" for name, count in left.items() if count)


def main() -> int:
    """Print the tables; fail if a cancelled turn left something behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.async_turns")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--gap", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--at-once", type=int, nargs="*", default=[16, 256, 1024])
    given = parser.parse_args()
    with endpoint(0, given.gap) as serving:
        asyncio.run(cpu_a_chunk(serving.url, given.rounds))
    with endpoint(LATENCY, 0) as serving:
        if given.at_once:
            asyncio.run(many_at_once(serving, given.at_once))
        left = asyncio.run(left_by_a_storm(serving.url))
    print(f"{CANCELLED} turns cancelled; left behind: {left or 'nothing'}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())

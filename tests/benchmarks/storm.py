"""Turns cancelled at random moments: nothing is left behind, the client still works.

    python -m tests.benchmarks.storm
    python -m tests.benchmarks.storm --turns 200

Half of the turns stream. Each is cancelled at a random moment, by a fixed seed: within
four times its latency, because so many turns at once take longer than one. The command
fails if a task, a socket, a greenlet or a thread is left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil

from langchain_bedrock_continue._transport.worker import Worker
from tests.benchmarks.costs.endpoint import Asked, endpoint
from tests.benchmarks.costs.peers import Peers

if TYPE_CHECKING:
    from langchain_bedrock_continue import ChatBedrockContinuing

SEGMENTS, SIZE, LATENCY = 3, 20, 0.5
ASKED = Asked(SEGMENTS * SIZE, latency=LATENCY)
SEED = 1


async def turn(llm: ChatBedrockContinuing, *, streams: bool) -> None:
    """Run one turn; fail if it is not complete."""
    if streams:
        text = "".join([chunk.text async for chunk in llm.astream(ASKED.question)])
    else:
        text = (await llm.ainvoke(ASKED.question)).text
    if len(text) != ASKED.length * ASKED.width - 1:
        raise RuntimeError(f"{len(text)} characters: {text}")


async def storm(llm: ChatBedrockContinuing, turns: int) -> Counter[str]:
    """Cancel turns at random moments; return how many ended in which way."""
    dice = random.Random(SEED)  # noqa: S311 - no secret
    counts: Counter[str] = Counter()

    async def cancelled(number: int) -> None:
        task = asyncio.create_task(turn(llm, streams=bool(number % 2)))
        await asyncio.sleep(dice.uniform(0, 4 * SEGMENTS * LATENCY))
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        counts["complete" if outcome is None else type(outcome).__name__] += 1

    await asyncio.gather(*[cancelled(number) for number in range(turns)])
    return counts


def held() -> dict[str, int]:
    """Return what the process holds."""
    gc.collect()
    return {
        "sockets": len(psutil.Process().net_connections("tcp")),
        "greenlets": sum(isinstance(one, Worker) for one in gc.get_objects()),
        "threads": threading.active_count(),
    }


async def run(url: str, turns: int) -> tuple[Counter[str], dict[str, int]]:
    """Run a storm; return how its turns ended, and what they left behind."""
    before = held()
    llm: Any = Peers(url, SIZE).own()
    counts = await storm(llm, turns)
    await turn(llm, streams=True)
    await turn(llm, streams=False)
    llm.client.close()
    del llm
    await asyncio.sleep(0)
    after = {**held(), "tasks": len(asyncio.all_tasks()) - 1}
    return counts, {name: n - before.get(name, 0) for name, n in after.items()}


def main() -> int:
    """Print what is left behind; fail if anything is, or a turn failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.storm")
    parser.add_argument("--turns", type=int, default=1000)
    given = parser.parse_args()
    with endpoint() as url:
        counts, left = asyncio.run(run(url, given.turns))
    behind = ", ".join(f"{count} {name}" for name, count in left.items() if count)
    print(f"{given.turns} turns: {dict(counts)}; left behind: {behind or 'nothing'}")
    return 1 if behind or counts.keys() - {"complete", "CancelledError"} else 0


if __name__ == "__main__":
    sys.exit(main())

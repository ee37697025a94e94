"""Many turns at once, with failures at random: nothing is lost, nothing is left behind.

    python -m tests.benchmarks.soak
    python -m tests.benchmarks.soak --turns 200 --share 0.2
    python -m tests.benchmarks.soak --turns 4096 --at-once 256 --part 2048

A scripted model on the local endpoint says texts of many kinds; every third answer by
`ainvoke`, the others by `astream`; by turns on a model that takes a prefill and on one
that refuses it. A share of the responses fails, by a fixed seed. What a turn does not
recover from itself is taken up by `aresume`, as a caller would; an error before
anything came is the caller's own, who asks again. The command fails where a text
differs, or a thread, a socket or memory is left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
from botocore.config import Config

from langchain_bedrock_continue import ChatBedrockContinuing, SegmentError
from langchain_bedrock_continue._transport.worker import Worker
from langchain_bedrock_continue.local import (
    Answer,
    LocalBedrock,
    RandomFaults,
    Request,
    Script,
)
from tests.seams.texts import texts
from tests.support.scripts import rest_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.messages import AIMessage

MODELS = (
    "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-sonnet-4-6",
)
SIZE = 60
"""`max_tokens` of a segment: an answer takes three or four."""

LENGTH = 600
"""Characters of an answer."""

SEED = 20260101
TRIES = 50
"""What a turn may take of a caller's patience."""

PATIENCE_SECONDS = 20.0
FLAT_MB = 20.0
"""What memory may grow after the first quarter: allocators keep some."""

SAYS = [text.full[:LENGTH].rstrip() for text in texts()]


@dataclass
class Soak:
    """What is run, and what came of it.

    Attributes:
        turns: How many.
        at_once: How many of them at the same time.
        share: Of all responses, how many fail.
        part: How many in one event loop.
        counts: Turns by what came of them.
        tasks: What each event loop still had at its end, in all.
        levels: After each part: turns, RSS in MB, threads, sockets.
    """

    turns: int = 2000
    at_once: int = 32
    share: float = 0.05
    part: int = 200
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    levels: list[Level] = field(default_factory=list)
    before: Level | None = None
    after: Level | None = None
    tasks: int = 0

    @property
    def growth(self) -> float:
        """MB that memory grew by since a quarter of the turns."""
        rss = [level.rss for level in self.levels]
        return rss[-1] - rss[len(rss) // 4]

    @property
    def left_behind(self) -> str:
        """What was not there before; empty where nothing is."""
        if self.before is None or self.after is None:
            return "it did not end"
        left = {
            "threads": self.after.threads - self.before.threads,
            "sockets": self.after.sockets - self.before.sockets,
            "greenlets": self.after.greenlets,
            "tasks": self.tasks,
        }
        return ", ".join(f"{count} {name}" for name, count in left.items() if count)


@dataclass(frozen=True)
class Level:
    """What the process holds at a moment."""

    turns: int
    rss: float
    threads: int
    sockets: int
    greenlets: int

    @classmethod
    def now(cls, turns: int) -> Level:
        """Measure; sockets are those of the client and of the endpoint, both ends."""
        gc.collect()  # botocore leaves a broken stream's socket to it
        process = psutil.Process()
        rss, sockets = process.memory_info().rss / 1e6, process.net_connections("tcp")
        greenlets = sum(isinstance(one, Worker) for one in gc.get_objects())
        return cls(turns, rss, process.num_threads(), len(sockets), greenlets)


def said(request: Request) -> Answer:
    """Say the text of the turn that is asked for."""
    return rest_of(Answer(text_of(texts_of(request)[0])), request)


def text_of(asked: str) -> str:
    """Choose a turn's text."""
    return SAYS[int(asked.removeprefix("Turn ")) % len(SAYS)]


def soak(run: Soak, show: Callable[[Level], None] = lambda _level: None) -> Soak:
    """Run it.

    Args:
        run: What to do; filled with what came of it.
        show: Is given each level as it is measured.
    """
    script = Script(said, RandomFaults(SEED, run.share))
    with LocalBedrock(script) as bedrock:
        run.before = Level.now(0)
        client = bedrock.boto3_client(Config(max_pool_connections=run.at_once))
        llms = [_model(client, model, run.at_once) for model in MODELS]
        for first in range(0, run.turns, run.part):
            last = min(first + run.part, run.turns)
            asyncio.run(_part(run, llms, range(first, last)))
            bedrock.clear()
            run.levels.append(Level.now(last))
            show(run.levels[-1])
        client.close()
        run.after = _settled(run)
    run.faults = script.faults_played
    return run


def _model(client: Any, model: str, at_once: int) -> ChatBedrockContinuing:
    return ChatBedrockContinuing(
        model=model,
        max_tokens=SIZE,
        max_concurrency=at_once,
        client=client,
        bedrock_client=client,
    )


async def _part(run: Soak, llms: list[ChatBedrockContinuing], numbers: range) -> None:
    """Run some turns, so many at once."""
    waiting = iter(numbers)

    async def worker() -> None:
        for number in waiting:
            await _turn(run, llms[number % len(llms)], number)

    await asyncio.gather(*(worker() for _ in range(run.at_once)))
    run.tasks += len(asyncio.all_tasks()) - 1


async def _turn(run: Soak, llm: ChatBedrockContinuing, number: int) -> None:
    asked = f"Turn {number}"
    message, means = await _whole(llm, asked, streams=bool(number % 3))
    run.counts["exact" if message.text == text_of(asked) else "not exact"] += 1
    run.counts.update(means)
    segments = message.response_metadata["continuation"]["segments"]
    run.counts["recoveries"] += sum("error" in segment for segment in segments)


async def _whole(
    llm: ChatBedrockContinuing, asked: str, *, streams: bool
) -> tuple[AIMessage, list[str]]:
    """Have the whole answer, and by what means beyond asking once."""
    partial: AIMessage | None = None
    means: list[str] = []
    while len(means) < TRIES:
        try:
            return await _had(llm, asked, partial, streams=streams), means
        except SegmentError as error:
            partial = error.partial
            means.append("resumed")
        except Exception:  # noqa: BLE001 - the first call's own error, whichever
            means.append("asked again")
    raise RuntimeError(f"{asked}: {means}")


async def _had(
    llm: ChatBedrockContinuing, asked: str, partial: AIMessage | None, *, streams: bool
) -> AIMessage:
    if partial is not None:
        return await llm.aresume(asked, partial)
    if not streams:
        return await llm.ainvoke(asked)
    chunks = [chunk async for chunk in llm.astream(asked)]
    return chunks[0] + chunks[1:]


def _settled(run: Soak) -> Level:
    """Measure when all is over: idle threads end, and the endpoint sees who left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        run.after = Level.now(run.turns)
        if not run.left_behind or time.monotonic() > deadline:
            return run.after
        time.sleep(0.1)


def _show(level: Level) -> None:
    print(
        f"{level.turns:6}  {level.rss:8.1f}  {level.threads:7}  {level.sockets:7}",
        flush=True,
    )


def main() -> int:
    """Print the levels and the sums; fail where anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak")
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--part", type=int, default=200)
    given = parser.parse_args()
    began = time.monotonic()
    print(f"{'turns':>6}  {'RSS, MB':>8}  threads  sockets")
    run = soak(Soak(given.turns, given.at_once, given.share, given.part), _show)
    print(f"\n{run.turns} turns, {run.at_once} at once: {dict(run.counts)}")
    print(f"faults: {dict(run.faults)}, {sum(run.faults.values())} in all")
    print(f"left behind: {run.left_behind or 'nothing'}")
    print(f"memory since a quarter of the turns: {run.growth:+.1f} MB")
    print(f"{time.monotonic() - began:.0f} s")
    good = run.counts["exact"] == run.turns and not run.left_behind
    return 0 if good and run.growth < FLAT_MB else 1


if __name__ == "__main__":
    sys.exit(main())

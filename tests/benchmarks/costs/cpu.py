"""CPU of a chunk and of a segment, and how a segment's grows with the answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.benchmarks.costs.endpoint import Asked
from tests.benchmarks.costs.figures import Row, measure_cpu
from tests.benchmarks.costs.peers import Peers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CHUNKS = 400
SEGMENTS, SIZE = 10, 20
WIDTH = 54
"""Characters of a token where answers grow: a segment of 20 tokens has about 1 KB."""

BASE_CHUNK = "ChatBedrockConverse, stream"
BASE_SEGMENT = "ChatBedrockConverse, invoke"


def read(
    function: Callable[[str], Iterator[str]], question: str, characters: int
) -> None:
    """Read an answer; fail if it is not complete."""
    check(sum(map(len, function(question))), characters)


def read_async(
    runner: asyncio.Runner,
    function: Callable[[str], AsyncIterator[str]],
    question: str,
    characters: int,
) -> None:
    """Read an answer on an event loop; fail if it is not complete."""

    async def consume() -> int:
        return sum([len(part) async for part in function(question)])

    check(runner.run(consume()), characters)


def check(found: int, characters: int) -> None:
    """Fail if an answer has another length."""
    if found != characters:
        raise RuntimeError(f"{found:,} characters instead of {characters:,}")


def things(
    peers: Peers, asked: Asked, runner: asyncio.Runner, verbs: dict[str, str]
) -> dict[str, Callable[[], Any]]:
    """Return every way to get an answer, by name.

    Args:
        peers: The peers.
        asked: The answer.
        runner: Runs the async ones.
        verbs: The ways that are measured, sync to async: `{"stream": "astream"}`.
    """
    question, characters = asked.question, asked.length * asked.width - 1
    found: dict[str, Callable[[], Any]] = {}
    for verb, verb_async in verbs.items():
        streams = verb == "stream"
        for name, peer in peers.sync.items():
            function = peer.streams if streams else peer.whole
            found[f"{name}, {verb}"] = partial(read, function, question, characters)
        for name, peer_async in peers.asynchronous.items():
            reads = peer_async.streams if streams else peer_async.whole
            found[f"{name}, {verb_async}"] = partial(
                read_async, runner, reads, question, characters
            )
    return found


def chunk(url: str, *, quick: bool) -> list[Row]:
    """Return the CPU of a streamed chunk, in µs, beside ChatBedrockConverse.stream."""
    with asyncio.Runner() as runner:
        every = things(
            Peers(url, CHUNKS, loops=False),
            Asked(CHUNKS),
            runner,
            {"stream": "astream"},
        )
        return measure_cpu(every, 3 if quick else 15, 1 / CHUNKS).rows(BASE_CHUNK, 1e6)


def segment(url: str, *, quick: bool) -> list[Row]:
    """Return the CPU of a segment, in ms, beside ChatBedrockConverse.invoke."""
    asked = Asked(SEGMENTS * SIZE)
    verbs = {"stream": "astream", "invoke": "ainvoke"}
    with asyncio.Runner() as runner:
        every = things(Peers(url, SIZE), asked, runner, verbs)
        rounds = measure_cpu(every, 3 if quick else 15, 1 / SEGMENTS)
    return rounds.rows(BASE_SEGMENT, 1e3, 2)


def growth(url: str, *, quick: bool) -> list[Row]:
    """Return the CPU of a segment, in ms, of answers of 10 to 1,000 segments."""
    peers = Peers(url, SIZE)
    rows = []
    names = ("ChatBedrockConverse", "this package")
    for segments in (10, 100) if quick else (10, 100, 1000):
        asked = Asked(segments * SIZE, WIDTH)
        question, characters = asked.question, asked.length * asked.width - 1
        every = {
            f"{name}, {verb}": partial(read, function, question, characters)
            for name in names
            for verb, function in (
                ("invoke", peers.sync[name].whole),
                ("stream", peers.sync[name].streams),
            )
        }
        rounds = measure_cpu(every, 5 if segments <= 100 else 2, 1 / segments)
        rows += [
            {"name": row["name"], "segments": segments, "cost": row["cost"]}
            for row in rounds.rows(BASE_SEGMENT, 1e3, 2)
        ]
    return with_growth(rows)


def with_growth(rows: list[Row]) -> list[Row]:
    """Add each cost divided by that of the shortest answer, and beside the bare loop.

    `beside` is this growth divided by the growth of ChatBedrockConverse's loop.
    """
    least = min(row["segments"] for row in rows)
    by_key = {(row["name"], row["segments"]): row["cost"] for row in rows}
    found = []
    for row in rows:
        name, segments = row["name"], row["segments"]
        bare = name.replace("this package", "ChatBedrockConverse")
        grown = row["cost"] / by_key[name, least]
        bare_grown = by_key[bare, segments] / by_key[bare, least]
        found.append(
            {**row, "growth": round(grown, 2), "beside": round(grown / bare_grown, 2)}
        )
    return found

"""When text comes: the first token, and the gap at a seam.

Each is the time beyond what the model itself takes: its latency, and at a seam the time
from the last token to the end of the response, which is that of one token. In a user
turn, the model first repeats the end of the text: here, eight to ten tokens of 5 ms. A
caller waits for that too.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from typing import TYPE_CHECKING

from tests.benchmarks.costs.endpoint import Asked
from tests.benchmarks.costs.figures import Row, percentile
from tests.benchmarks.costs.peers import (
    USER_TURN_MODEL,
    Peers,
    one_async_turn,
    one_turn,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

SEGMENTS, SIZE = 3, 60
LATENCY, GAP = 0.1, 0.005
ASKED = Asked(SEGMENTS * SIZE - 20, latency=LATENCY, gap=GAP)
"""An answer that is short enough for the repetitions of two user turns."""


def moments(function: Callable[[str], Iterator[str]]) -> list[float]:
    """Return when the text of a stream came, in seconds from the call."""
    began = time.perf_counter()
    parts = function(ASKED.question)
    return [time.perf_counter() - began for part in parts if part]


async def moments_async(function: Callable[[str], AsyncIterator[str]]) -> list[float]:
    """Return when the text of an async stream came, in seconds from the call."""
    began = time.perf_counter()
    parts = function(ASKED.question)
    return [time.perf_counter() - began async for part in parts if part]


def gaps(found: list[float], seams: int) -> list[float]:
    """Return the longest waits between two texts of a stream: those at its seams.

    Raises:
        RuntimeError: There were fewer seams.
    """
    pairs = itertools.pairwise(found)
    waits = sorted(later - earlier for earlier, later in pairs)[-seams:]
    if waits[0] < LATENCY * 0.9:
        raise RuntimeError(f"fewer than {seams} seams: {waits}")
    return waits


def seam(url: str, *, quick: bool) -> list[Row]:
    """Return what the first token and a seam take beyond the latency, in ms."""
    peers = Peers(url, SIZE)
    own = peers.own(model=USER_TURN_MODEL)
    sync = {
        "boto3, Converse, stream": peers.sync["boto3, Converse"].streams,
        "ChatBedrockConverse, stream": peers.sync["ChatBedrockConverse"].streams,
        "this package, stream": peers.sync["this package"].streams,
        "this package, user turn, stream": one_turn(own).streams,
    }
    asynchronous = {
        "ChatBedrockConverse, astream": peers.asynchronous["ChatBedrockConverse"],
        "this package, astream": peers.asynchronous["this package"],
        "this package, user turn, astream": one_async_turn(own),
    }
    found: dict[str, list[list[float]]] = {}
    with asyncio.Runner() as runner:
        for _ in range(2 if quick else 8):
            for name, function in sync.items():
                found.setdefault(name, []).append(moments(function))
            for name, peer in asynchronous.items():
                run = runner.run(moments_async(peer.streams))
                found.setdefault(name, []).append(run)
    return [row(name, runs[1:]) for name, runs in found.items()]


def row(name: str, runs: list[list[float]]) -> Row:
    """Return the figures of a peer, in ms beyond what the model takes itself.

    Other work on the machine delays the text: the least tenth is the least delayed.
    """
    firsts = [run[0] - LATENCY for run in runs]
    own = LATENCY + GAP  # a response ends a gap after its last token
    waits = [wait - own for run in runs for wait in gaps(run, SEGMENTS - 1)]
    return {
        "name": name,
        "first": _ms(statistics.median(firsts)),
        "gap_least": _ms(percentile(waits, 0.1)),
        "gap": _ms(statistics.median(waits)),
        "gap_most": _ms(percentile(waits, 0.9)),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)

"""An endpoint that costs next to nothing: it replays responses that are encoded once.

LocalBedrock applies Bedrock's rules to each request, and takes more CPU than the client
that is measured. This one, in a process of its own, looks at two things only: the
operation, and how much of the answer the final assistant message has.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue.local.wire.frames import event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

WORDS = [f"{a}{b}" for a in "abcdefghijklmnop" for b in "abcdefghijklmnopqrstuvwxy"]
"""The answer, 400 words: a chunk each."""

HEAD = b"HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 11:00:00 GMT\r\nContent-Type: %s\r\n"
STREAM = HEAD % b"application/vnd.amazon.eventstream"
JSON = HEAD % b"application/json"


def words_of(seen: int, size: int) -> tuple[list[str], str]:
    """Return the words of a segment, each with its blank, and the stop reason.

    Segments of 20 words are of an answer of 60, larger ones of the whole.
    """
    length = 60 if size <= 20 else len(WORDS)
    words = [f" {word}" if n else word for n, word in enumerate(WORDS[:length])]
    part = words[seen : seen + size]
    return part, "max_tokens" if seen + size < length else "end_turn"


def usage(count: int) -> dict[str, int]:
    """Return the usage of a segment."""
    return {"inputTokens": 9, "outputTokens": count, "totalTokens": 9 + count}


def chunk(data: bytes) -> bytes:
    """Return a chunk of HTTP."""
    return b"%x\r\n%s\r\n" % (len(data), data)


@cache
def streamed(seen: int, size: int) -> list[bytes]:
    """Return a streamed segment: what is written at one moment, each."""
    words, reason = words_of(seen, size)
    deltas = [
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
        for word in words
    ]
    end = [
        event("contentBlockStop", {"contentBlockIndex": 0}),
        event("messageStop", {"stopReason": reason}),
        event("metadata", {"usage": usage(len(words)), "metrics": {"latencyMs": 1}}),
    ]
    start = STREAM + b"Transfer-Encoding: chunked\r\n\r\n"
    start += chunk(event("messageStart", {"role": "assistant"}))
    return [start, *map(chunk, deltas), b"".join(map(chunk, end)) + chunk(b"")]


@cache
def whole(seen: int, size: int) -> list[bytes]:
    """Return a segment in one piece."""
    words, reason = words_of(seen, size)
    content = [{"text": "".join(words)}]
    body = json.dumps(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": reason,
            "usage": usage(len(words)),
            "metrics": {"latencyMs": 1},
        }
    ).encode()
    return [JSON + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)]


class Replay(asyncio.Protocol):
    """One connection: a request, its response, and so on.

    Attributes:
        in_flight: Requests of all connections that are not answered in full.
        most: The most of them at once.
    """

    in_flight = 0
    most = 0

    def __init__(self, latency: float, gap: float) -> None:
        """Set the seconds before the response, and before each further chunk."""
        self._latency, self._gap = latency, gap
        self._data = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when the request is complete."""
        self._data += data
        head, blank, body = self._data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not blank or len(body) < int(length):
            return
        self._data = b""
        Replay.in_flight += 1
        Replay.most = max(Replay.most, Replay.in_flight)
        asked = json.loads(body)
        last = asked["messages"][-1]
        seen = len(last["content"][0]["text"].split()) * (last["role"] == "assistant")
        size = asked["inferenceConfig"]["maxTokens"]
        make = streamed if b"-stream HTTP/" in head else whole
        self._later(self._latency, make(seen, size), 0)

    def _later(self, delay: float, parts: list[bytes], index: int) -> None:
        asyncio.get_running_loop().call_later(delay, self._write, parts, index)

    def _write(self, parts: list[bytes], index: int) -> None:
        over = index + 1 == len(parts) or self._transport.is_closing()
        Replay.in_flight -= over
        self._transport.write(parts[index])
        if not over:
            self._later(self._gap, parts, index + 1)


async def serve(pipe: Connection, latency: float, gap: float) -> None:
    """Serve until told to end; answer each message with the most calls in flight."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(
        lambda: Replay(latency, gap), "127.0.0.1", 0, backlog=2048
    )

    def told() -> None:
        if pipe.recv() is None:
            over.set()
        else:
            pipe.send(Replay.most)
            Replay.most = 0

    loop.add_reader(pipe.fileno(), told)
    pipe.send(server.sockets[0].getsockname()[1])
    await over.wait()


def run(pipe: Connection, latency: float, gap: float) -> None:
    """Run the endpoint; the function of its process."""
    asyncio.run(serve(pipe, latency, gap))


class Endpoint:
    """The endpoint in another process."""

    def __init__(self, pipe: Connection) -> None:
        """Take the pipe to it."""
        self._pipe = pipe
        self.url = f"http://127.0.0.1:{pipe.recv()}"

    def most_in_flight(self) -> int:
        """Return the most calls in flight since this was last asked."""
        self._pipe.send("most")
        most: int = self._pipe.recv()
        return most


@contextmanager
def endpoint(latency: float, gap: float) -> Iterator[Endpoint]:
    """Run an endpoint.

    Args:
        latency: Seconds before each response.
        gap: Seconds before each further chunk of it.
    """
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=run, args=[there, latency, gap])
    process.start()
    try:
        yield Endpoint(here)
    finally:
        here.send(None)
        process.join()

"""An endpoint that costs next to nothing: it replays responses that are encoded once.

LocalBedrock applies Bedrock's rules to each request, and takes more CPU than the client
that is measured. This one, in a process of its own, looks at three things only: the
operation, what the question says of the answer (`Asked`), and how much of the answer
the request already has.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

from langchain_bedrock_continue.local.backend import BlockEnd, Finish, Text
from langchain_bedrock_continue.local.wire.anthropic_events import (
    AnthropicEvents,
    AnthropicMessage,
)
from langchain_bedrock_continue.local.wire.frames import event
from tests.support.prompts import QUOTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

SPAWN = multiprocessing.get_context("spawn")

HEAD = b"HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 11:00:00 GMT\r\nContent-Type: %s\r\n"
STREAM = HEAD % b"application/vnd.amazon.eventstream"
JSON = HEAD % b"application/json"


class Asked(NamedTuple):
    """What is asked of the endpoint, in the text of the question.

    Attributes:
        length: The tokens of the answer. Each is a chunk of a stream.
        width: The characters of a token, a multiple of 6.
        latency: Seconds before each response.
        gap: Seconds before each further chunk.
    """

    length: int
    width: int = 6
    latency: float = 0.0
    gap: float = 0.0

    @property
    def question(self) -> str:
        """The text of the question."""
        return json.dumps(self)


@cache
def token(number: int, width: int) -> str:
    """Return a token of the answer: words of which no two are equal.

    A token begins with a blank, except the first one. Every eighth word ends in a
    comma or a full stop, but not the last word of a segment of 20 tokens: the endpoint
    continues after whole tokens only.
    """
    each = width // 6
    words = (_word(number * each + n) for n in range(each))
    return ("" if number == 0 else " ") + " ".join(words)


def _word(number: int) -> str:
    scrambled = number * 7_368_787 % 26**5  # both have no divisor in common
    word = "".join(chr(97 + scrambled // 26**n % 26) for n in range(5))
    mark = {1: ",", 8: "."}.get(number % 16)
    return word[:4] + mark if mark else word


class Segment(NamedTuple):
    """A response: from which token on, how many, and what comes before them.

    Attributes:
        asked: What the question says.
        seen: The tokens that the request already has.
        size: The request's `max_tokens`.
        echo: What the request asks to repeat.
    """

    asked: Asked
    seen: int
    size: int
    echo: str = ""

    @property
    def echoed(self) -> list[str]:
        """The tokens of the echo."""
        width, size = self.asked.width, len(self.echo)
        first = size % width or width
        return [
            self.echo[max(end - width, 0) : end]
            for end in range(first, size + 1, width)
        ][: self.size]

    @property
    def end(self) -> int:
        """The tokens of the answer after this response."""
        return min(self.seen + self.size - len(self.echoed), self.asked.length)

    @property
    def tokens(self) -> list[str]:
        """The tokens of the response: those of the echo, then new ones."""
        width, end = self.asked.width, self.end
        new = [token(n, width) for n in range(self.seen, end)]
        if new and end == self.asked.length:
            new[-1] = f"{new[-1][:-1]}."  # otherwise the answer is not complete
        return [*self.echoed, *new]

    @property
    def stop_reason(self) -> str:
        """`end_turn` at the end of the answer, or `max_tokens`."""
        return "end_turn" if self.end == self.asked.length else "max_tokens"

    @property
    def usage(self) -> dict[str, int]:
        """The usage, as Converse reports it."""
        count = len(self.tokens)
        return {"inputTokens": 9, "outputTokens": count, "totalTokens": 9 + count}


def segment(body: dict[str, Any]) -> Segment:
    """Return the response to a request of either API."""
    question, *later = [_text(message["content"]) for message in body["messages"]]
    asked = Asked(*json.loads(question))
    written, echo = "", ""
    for at, text in enumerate(later):
        if at % 2 == 0:
            written += text[len(echo) :]
        else:
            found = QUOTED.search(text)
            echo = found[2] if found else ""
    size = body.get("max_tokens") or body["inferenceConfig"]["maxTokens"]
    prefilled = len(later) % 2
    seen = (len(written) + 1) // asked.width
    return Segment(asked, seen, size, "" if prefilled else echo)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


# Encoded ------------------------------------------------------------------------------

ENCODED = lru_cache(4096)


def chunk(data: bytes) -> bytes:
    """Return a chunk of HTTP."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def streamed(frames: list[bytes], last: bytes) -> list[bytes]:
    """Return what is written of a stream, moment by moment.

    Args:
        frames: The first frame, then one for each token.
        last: All frames after them.
    """
    start = STREAM + b"Transfer-Encoding: chunked\r\n\r\n"
    first, *rest = map(chunk, frames)
    return [start + first, *rest, chunk(last) + chunk(b"")]


def whole(payload: Any) -> list[bytes]:
    """Return what is written of a response in one piece."""
    body = json.dumps(payload).encode()
    return [JSON + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)]


@ENCODED
def converse_stream(said: Segment) -> list[bytes]:
    """Encode a response of ConverseStream."""
    deltas = [
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})
        for text in said.tokens
    ]
    end = [
        event("contentBlockStop", {"contentBlockIndex": 0}),
        event("messageStop", {"stopReason": said.stop_reason}),
        event("metadata", {"usage": said.usage, "metrics": {"latencyMs": 1}}),
    ]
    start = event("messageStart", {"role": "assistant"})
    return streamed([start, *deltas], b"".join(end))


@ENCODED
def converse(said: Segment) -> list[bytes]:
    """Encode a response of Converse."""
    content = [{"text": "".join(said.tokens)}]
    return whole(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": said.stop_reason,
            "usage": said.usage,
            "metrics": {"latencyMs": 1},
        }
    )


def _anthropic(said: Segment) -> tuple[AnthropicEvents, list[Any], list[Any]]:
    """Return the events of a token each, with those before them, and the last ones."""
    usage = {**said.usage, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0}
    events = AnthropicEvents("claude", usage)
    first = events.open()
    each = [one for text in said.tokens for one in events.feed(Text(text))]
    finish = Finish(said.stop_reason, len(said.tokens))
    end = [*events.feed(BlockEnd()), *events.feed(finish), *events.close(usage, 1)]
    return events, [*first, *each], end


@ENCODED
def invoke_model_stream(said: Segment) -> list[bytes]:
    """Encode a response of InvokeModelWithResponseStream."""
    events, each, end = _anthropic(said)
    frames = [events.frame(one) for one in each]
    start = b"".join(frames[:2])  # of the message and of its block
    return streamed([start, *frames[2:]], b"".join(map(events.frame, end)))


@ENCODED
def invoke_model(said: Segment) -> list[bytes]:
    """Encode a response of InvokeModel."""
    message = AnthropicMessage()
    _, each, end = _anthropic(said)
    for one in [*each, *end]:
        message.feed(one)
    return whole(message.response())


ENCODERS = {
    b"converse-stream": converse_stream,
    b"converse": converse,
    b"invoke-with-response-stream": invoke_model_stream,
    b"invoke": invoke_model,
}
"""The encoder of a response, by the end of the request's path."""


# Served -------------------------------------------------------------------------------


class Replay(asyncio.Protocol):
    """One connection: a request, its response, and so on.

    Attributes:
        in_flight: Requests of all connections that are not answered in full.
        most: The most of them at once.
    """

    in_flight = 0
    most = 0

    def __init__(self) -> None:
        """Start without a request."""
        self._data = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when the request is complete."""
        self._data += data
        head_end = self._data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._data[:head_end])
        if head.startswith(b"GET "):
            self._transport.writelines(whole(Replay.most))
            self._transport.close()
            Replay.most = 0
            return
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(self._data) < head_end + 4 + int(length):
            return
        said = segment(json.loads(self._data[head_end + 4 :]))
        self._data.clear()
        Replay.in_flight += 1
        Replay.most = max(Replay.most, Replay.in_flight)
        operation = head.partition(b" HTTP/")[0].rpartition(b"/")[2]
        parts = ENCODERS[operation](said)
        self._later(said.asked.latency, said.asked.gap, parts, 0)

    def _later(self, delay: float, gap: float, parts: list[bytes], index: int) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(delay, self._write, gap, parts, index)

    def _write(self, gap: float, parts: list[bytes], index: int) -> None:
        over = index + 1 == len(parts) or self._transport.is_closing()
        Replay.in_flight -= over
        self._transport.write(parts[index])
        if not over:
            self._later(gap if index else 0.0, gap, parts, index + 1)


async def serve(pipe: Connection) -> None:
    """Serve until told to end."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(Replay, "127.0.0.1", 0, backlog=2048)
    loop.add_reader(pipe.fileno(), over.set)
    pipe.send(server.sockets[0].getsockname()[1])
    await over.wait()


def run(pipe: Connection) -> None:
    """Run the endpoint; the function of its process."""
    asyncio.run(serve(pipe))


@contextmanager
def endpoint() -> Iterator[str]:
    """Run an endpoint in another process, and yield its URL."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=run, args=[there])
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        here.send(None)
        process.join()


def most_in_flight(url: str) -> int:
    """Return the most calls that an endpoint had in flight since it was last asked."""
    with urlopen(f"{url}/most") as response:  # noqa: S310 - the endpoint's own URL
        return int(response.read())

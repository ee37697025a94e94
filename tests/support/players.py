"""Models for a Turn to talk to, and its shell: all of it in memory."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call_chunk

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn

QUESTION: list[BaseMessage] = [HumanMessage("Q")]
QUOTED = re.compile(r"<(tail[-\d]*)>(.*)</\1>", re.DOTALL)

Block: TypeAlias = dict[str, Any]
Said: TypeAlias = Iterator[AIMessage | Exception]
"""What a call brings: messages or chunks, and an exception where it breaks off."""

Model: TypeAlias = Callable[[SegmentRequest], Said]


class FaultyModelError(Exception):
    """A player's own mistake, which no test may take for one of the turn."""


@dataclass
class Played:
    """What the caller of a turn has seen."""

    turn: Turn
    pieces: list[AIMessageChunk] = field(default_factory=list)
    requests: list[SegmentRequest] = field(default_factory=list)
    error: Exception | None = None

    @property
    def text(self) -> str:
        """The text that was shown."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def message(self) -> AIMessage:
        """What the turn returns, or its error carries."""
        if isinstance(self.error, ContinuationError):
            return self.error.partial
        if self.error is not None:
            raise self.error
        return self.turn.message()

    @property
    def summary(self) -> dict[str, Any]:
        """What the message says of the turn."""
        summary: dict[str, Any] = self.message.response_metadata["continuation"]
        return summary

    def streamed(self) -> AIMessageChunk:
        """The chunks of a stream that came to its end, added up."""
        first, *rest = self.pieces
        return first + rest if rest else first


def play(turn: Turn, model: Model, *, most: int = 1_000) -> Played:
    """Play the shell.

    Args:
        turn: The turn.
        model: What answers.
        most: So many calls, or it is endless.
    """
    played = Played(turn, list(turn.resumed_chunks()))
    for request in turn.requests():
        played.requests.append(request)
        if len(played.requests) > most:
            raise AssertionError("the turn does not end")
        try:
            _call(played, model(request))
        except Exception as error:  # noqa: BLE001 - as the shell does
            played.error = error
            return played
    played.pieces.append(turn.last_chunk())
    return played


def _call(played: Played, said: Said) -> None:
    for message in said:
        error = message if isinstance(message, Exception) else None
        if not isinstance(message, Exception):
            error = _received(played, message)
        if error is not None:
            for piece in played.turn.fail(error):
                played.pieces.append(piece)  # one by one: it raises behind the last
            return
    played.pieces += played.turn.end_segment()


def _received(played: Played, message: AIMessage) -> Exception | None:
    try:
        played.pieces += played.turn.receive(message)
    except Exception as error:  # noqa: BLE001 - as the shell does
        return error
    return None


# What a model says ----------------------------------------------------------------


def metadata(reason: str | None) -> dict[str, Any]:
    """Return the metadata of a response."""
    return {} if reason is None else {"stopReason": reason}


def usage_of(tokens: int) -> Any:
    """Return the usage of a response."""
    return {"input_tokens": 3, "output_tokens": tokens, "total_tokens": 3 + tokens}


def whole(blocks: Sequence[Block], reason: str | None) -> AIMessage:
    """Say blocks as ChatBedrockConverse returns a response: one text is a string."""
    content: Any = [{**block} for block in blocks]
    if [block.keys() for block in content] == [{"type", "text"}]:
        content = content[0]["text"]
    calls = [
        {"id": b["id"], "name": b["name"], "args": b["input"]}
        for b in blocks
        if b["type"] == "tool_use"
    ]
    return AIMessage(content, tool_calls=calls, response_metadata=metadata(reason))


def chunks(blocks: Sequence[Block], reason: str | None, size: int) -> Iterator[Any]:
    """Say blocks as ChatBedrockConverse streams a response.

    A tool call's `input` is its JSON text, as far as it comes.
    """
    yield AIMessageChunk(content=[])
    for index, block in enumerate(blocks):
        yield from _chunks_of({**block, "index": index}, size)
        yield AIMessageChunk(content=[])
    yield AIMessageChunk(content="", response_metadata=metadata(reason))


def _chunks_of(block: Block, size: int) -> Iterator[AIMessageChunk]:
    if block["type"] == "text":
        for part in _parts(block["text"], size):
            yield AIMessageChunk(content=[{**block, "text": part}])
    elif block["type"] == "tool_use":
        begin = {key: block[key] for key in ("type", "id", "name", "index")}
        start = tool_call_chunk(
            name=block["name"], id=block["id"], index=block["index"]
        )
        yield AIMessageChunk(content=[begin], tool_call_chunks=[start])
        for part in _parts(block["input"], size):
            more = {"type": "input_json_delta", "input": part, "index": block["index"]}
            chunk = tool_call_chunk(args=part, index=block["index"])
            yield AIMessageChunk(content=[more], tool_call_chunks=[chunk])
    else:
        yield AIMessageChunk(content=[block])


def _parts(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


# A model that knows what it wants to say -------------------------------------------


@dataclass
class Teller:
    """A model that tells one text, goes on as it is asked to, and is cut.

    Attributes:
        text: What it tells.
        sizes: How much it writes in each call, one after the other, then anew.
        chunk: The characters of a chunk; 0 for whole responses.
        faults: After so many chunks a call breaks off, by the number of the call.
        error: With what it breaks off.
    """

    text: str
    sizes: list[int]
    chunk: int = 3
    faults: dict[int, int] = field(default_factory=dict)
    error: Exception = field(default_factory=ConnectionError)
    calls: int = 0

    def __call__(self, request: SegmentRequest) -> Said:
        """Answer a request."""
        said, written = self._answer(request.messages)
        size = self.sizes[self.calls % len(self.sizes)]
        fault = self.faults.get(self.calls)
        self.calls += 1
        text = (said + self.text[written:])[: len(said) + size]
        over = written + size > len(self.text)
        reason = "end_turn" if over else "max_tokens"
        for at, message in enumerate(self._messages(text, reason)):
            if at == fault:
                yield self.error
                return
            yield message

    def _messages(self, text: str, reason: str) -> Iterator[AIMessage]:
        blocks = [{"type": "text", "text": text}]
        if self.chunk:
            yield from chunks(blocks, reason, self.chunk)
            usage = usage_of(100)
            yield AIMessageChunk(content="", usage_metadata=usage)
        else:
            message = whole(blocks, reason)
            message.usage_metadata = usage_of(100)
            yield message

    def _answer(self, messages: Sequence[BaseMessage]) -> tuple[str, int]:
        """Return the echo that it begins with, and how much is written already."""
        if len(messages) == len(QUESTION):
            return "", 0
        if isinstance(messages[-1], AIMessage):
            return "", self._written([messages[-1].text])
        found = QUOTED.search(messages[-1].text)
        quote = found[2] if found else ""
        _question, *asked = messages
        return quote, self._written(
            [message.text for message in asked if isinstance(message, AIMessage)],
            [message.text for message in asked if isinstance(message, HumanMessage)],
        )

    def _written(self, said: list[str], asked: Sequence[str] = ()) -> int:
        """Count what stands of the text, by all that was said before."""
        written = said[0]
        for text, prompt in zip(said[1:], asked, strict=False):
            found = QUOTED.search(prompt)
            quote = found[2] if found else ""
            if not text.startswith(quote):
                raise FaultyModelError("it did not echo")
            written = written.rstrip() + text[len(quote) :]
        if not self.text.startswith(written.rstrip()):
            raise FaultyModelError(f"{written!r} is no beginning of {self.text!r}")
        return len(written.rstrip()) if asked else len(written)

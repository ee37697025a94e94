"""A model that says what a script tells it to: the backend for tests.

The script is data; the endpoint in front of it is real, and so are the cuts: answers
are made of tokens, and `maxTokens` counts them.

S1. Answer k is given to a conversation with k finished assistant messages; the last
    answer repeats. Nothing is remembered between requests (but how often each answer
    was asked for, for its faults), so any number of conversations may overlap.
S2. An answer's text is all that its assistant message will say, including what the
    caller may put into the model's mouth. A request that ends in an assistant message
    with the beginning of this text goes on exactly behind it, and what is left is
    tokenized anew.
S3. When the final assistant message is not the beginning of the text, the model is
    confused, and starts again from the top.
S4. An answer that fills `maxTokens` to the last token stops with `max_tokens`, though
    nothing is left to say: there was no room for the end.
S5. The requests to an answer are counted, for its faults: to a list's answer all that
    reach it, to a function's those whose messages are equal, but for a prefill and
    for cachePoints.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from langchain_bedrock_continue.local.backend import EventFault, Fault, Piece, Request
from langchain_bedrock_continue.local.script.answers import Answer
from langchain_bedrock_continue.local.script.faults import at_events, at_pieces, due
from langchain_bedrock_continue.local.script.playback import play
from langchain_bedrock_continue.local.script.tokenizer import tokenize

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_bedrock_continue.local.script.answers import FaultAt
    from langchain_bedrock_continue.local.script.faults import RandomFaults

Answers: TypeAlias = (
    str | Answer | Sequence[str | Answer] | Callable[[Request], str | Answer]
)


class Script:
    """A backend that answers from a script.

    Args:
        answers: One answer, or one for each of the model's turns (S1), or a function
            that makes the answer to a request. A string is an answer of one text. The
            function may remember what it was asked: it is never called twice at once.
        faults: Failures at random, besides those that the answers name.

    Raises:
        ValueError: There is no answer.
    """

    def __init__(self, answers: Answers, faults: RandomFaults | None = None) -> None:
        """See the class."""
        self._random = faults
        self._answers = [answers] if isinstance(answers, str | Answer) else answers
        if not callable(self._answers) and not self._answers:
            raise ValueError("answers: a script needs at least one answer")
        self._asked: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def faults_played(self) -> Counter[str]:
        """How many faults there were so far, by kind."""
        with self._lock:
            return Counter(self._faults)

    def start(self) -> None:
        """Nothing to get ready."""

    def close(self) -> None:
        """Nothing to let go of."""

    async def count_tokens(self, request: Request) -> int:
        """Count the tokens of every text in the request, and a few for each message."""
        texts = _texts([request.tool_config, request.system, request.messages])
        return sum(len(tokenize(t)) for t in texts) + 3 * len(request.messages)

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        """Answer, piece by piece."""
        turn = turn_of(request)
        answer = self._answer(turn, request)
        pieces = play(answer, request, turn)
        faults = self._due(answer, request, len(pieces))
        for waiting in at_events(faults):
            yield self._played(waiting)
        placed = at_pieces(faults, len(pieces))
        await asyncio.sleep(answer.first_delay)
        for i, piece in enumerate(pieces):
            if i:
                await asyncio.sleep(answer.delay)
            if fault := placed.get(i):
                yield self._played(fault)
                if fault.kind != "no_metadata":
                    return
            yield piece

    def _answer(self, turn: int, request: Request) -> Answer:
        answers = self._answers
        if callable(answers):
            one = answers(request)
        else:
            one = answers[min(turn, len(answers) - 1)]
        return Answer(one) if isinstance(one, str) else one

    def _due(self, answer: Answer, request: Request, pieces: int) -> list[FaultAt]:
        """Choose the faults of this response (S5)."""
        asked = _asked_for(request)
        faults = due(answer.faults, self._count(self._key(asked, turn_of(request))))
        if self._random is None:
            return faults
        nth = self._count(f"random {asked}")
        drawn = self._random.draw(asked, nth, pieces)
        return [*faults, drawn] if drawn else faults

    def _key(self, asked: str, turn: int) -> str:
        """Stand for the answer that a request reaches."""
        answers = self._answers
        return asked if callable(answers) else f"{min(turn, len(answers) - 1)}"

    def _count(self, key: str) -> int:
        with self._lock:
            self._asked[key] += 1
            return self._asked[key]

    def _played(self, piece: Fault | EventFault) -> Fault | EventFault:
        kind = (piece.fault if isinstance(piece, EventFault) else piece).kind
        with self._lock:
            self._faults[kind] += 1
        return piece


def turn_of(request: Request) -> int:
    """Which of the model's turns a request asks for, from 0; a prefill is no turn."""
    return sum(m["role"] == "assistant" for m in request.messages[:-1])


def _asked_for(request: Request) -> str:
    """Stand for a request's messages, but for a prefill and for cachePoints (S5)."""
    digest = hashlib.sha256()
    prefilled = request.messages[-1]["role"] == "assistant"
    for message in request.messages[: -1 if prefilled else None]:
        content = [b for b in message["content"] if "cachePoint" not in b]
        digest.update(json.dumps([message["role"], content], sort_keys=True).encode())
    return digest.hexdigest()


def _texts(value: object) -> Iterator[str]:
    """Every text in a request, but the bytes of documents and images."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ("bytes", "cachePoint"):
                yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)

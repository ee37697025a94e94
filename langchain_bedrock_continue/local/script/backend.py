"""`Script`: the backend for tests, which generates scripted answers.

The script is data. The endpoint in front of it is real, and so is the truncation:
answers consist of tokens, and `maxTokens` counts them.

SCRIPT-1. A conversation with k complete assistant messages gets answer k. The last
    answer repeats. No state is kept between requests, except how often each answer was
    requested (for its faults), so any number of conversations may overlap.
SCRIPT-2. An answer's text is the complete text of its assistant message, including a
    prefill. A request whose prefill is the beginning of this text continues exactly
    after it, and the rest is tokenized anew.
SCRIPT-3. If the prefill is not the beginning of the text, the answer starts from the
    beginning.
SCRIPT-4. An answer whose last token reaches `maxTokens` stops with `max_tokens`: the
    model has no token left to end its turn.
SCRIPT-5. The requests to an answer are counted, for its faults. Every request to a
    list's answer counts. For a function's answers, requests with the same messages
    count together, without a prefill and without cachePoints.
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
from langchain_bedrock_continue.local.script.faults import (
    by_piece,
    event_faults,
    faults_of_request,
)
from langchain_bedrock_continue.local.script.playback import play
from langchain_bedrock_continue.local.script.tokenizer import tokenize

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_bedrock_continue.local.script.answers import FaultAt
    from langchain_bedrock_continue.local.script.faults import RandomFaults

Answers: TypeAlias = (
    str | Answer | Sequence[str | Answer] | Callable[[Request], str | Answer]
)
"""One answer, one answer per turn, or a function that returns the answer."""


class Script:
    """A backend that answers from a script.

    Args:
        answers: One answer, one answer per turn (SCRIPT-1), or a function that returns
            the answer to a request. A string is an answer of one text block. The
            function may keep state: its calls never overlap.
        faults: Random faults in addition to those of the answers; none by default.

    Raises:
        TypeError: `answers` is something else.
        ValueError: `answers` is empty.
    """

    def __init__(self, answers: Answers, faults: RandomFaults | None = None) -> None:
        """Initialize the script; see the class."""
        self._random = faults
        self._answers = [answers] if isinstance(answers, str | Answer) else answers
        _check_answers(self._answers)
        self._requests: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def faults_played(self) -> Counter[str]:
        """Number of faults so far, by kind."""
        with self._lock:
            return Counter(self._faults)

    def start(self) -> None:
        """Do nothing: there is nothing to start."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    async def count_tokens(self, request: Request) -> int:
        """Count the tokens of every text in the request, and three per message.

        Args:
            request: The request, or a prefix of one.
        """
        texts = _texts([request.tool_config, request.system, request.messages])
        return sum(len(tokenize(t)) for t in texts) + 3 * len(request.messages)

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        """Generate the answer to a request, piece by piece.

        Args:
            request: The request.

        Raises:
            ValueError: A fault's place is after the end of the response.
        """
        turn = turn_of(request)
        answer = self._answer(turn, request)
        pieces = play(answer, request, turn)
        faults = self._faults_of(answer, request, len(pieces))
        for event_fault in event_faults(faults):
            yield self._counted(event_fault)
        placed = by_piece(faults, len(pieces))
        await asyncio.sleep(answer.first_delay)
        for i, piece in enumerate(pieces):
            if i:
                await asyncio.sleep(answer.delay)
            if fault := placed.get(i):
                yield self._counted(fault)
                if fault.kind != "no_metadata":
                    return
            yield piece

    def _answer(self, turn: int, request: Request) -> Answer:
        answers = self._answers
        if callable(answers):
            answer = answers(request)
            _check_answers([answer])
        else:
            answer = answers[min(turn, len(answers) - 1)]
        return Answer(answer) if isinstance(answer, str) else answer

    def _faults_of(
        self, answer: Answer, request: Request, pieces: int
    ) -> list[FaultAt]:
        """Return the faults of this response (SCRIPT-5)."""
        request_key = _request_key(request)
        nth = self._count(self._answer_key(request_key, turn_of(request)))
        faults = faults_of_request(answer.faults, nth)
        if self._random is None:
            return faults
        nth = self._count(f"random {request_key}")
        drawn = self._random.draw(request_key, nth, pieces)
        return [*faults, drawn] if drawn else faults

    def _answer_key(self, request_key: str, turn: int) -> str:
        """Return what identifies the answer to a request."""
        answers = self._answers
        return request_key if callable(answers) else f"{min(turn, len(answers) - 1)}"

    def _count(self, key: str) -> int:
        with self._lock:
            self._requests[key] += 1
            return self._requests[key]

    def _counted(self, piece: Fault | EventFault) -> Fault | EventFault:
        kind = (piece.fault if isinstance(piece, EventFault) else piece).kind
        with self._lock:
            self._faults[kind] += 1
        return piece


def _check_answers(answers: object) -> None:
    if callable(answers):
        return
    for answer in answers if isinstance(answers, Sequence) else [answers]:
        if not isinstance(answer, str | Answer):
            raise TypeError(
                f"Script: {answer!r} is not an answer. Give a string or an Answer, a "
                "list of them, or a function that returns one."
            )
    if not answers:
        raise ValueError("answers: a script needs at least one answer")


def turn_of(request: Request) -> int:
    """Return the index of the turn that a request asks for. A prefill is not a turn.

    Args:
        request: The request.
    """
    return sum(m["role"] == "assistant" for m in request.messages[:-1])


def _request_key(request: Request) -> str:
    """Return a hash of the messages without prefill and cachePoints (SCRIPT-5)."""
    digest = hashlib.sha256()
    prefilled = request.messages[-1]["role"] == "assistant"
    for message in request.messages[: -1 if prefilled else None]:
        content = [b for b in message["content"] if "cachePoint" not in b]
        digest.update(json.dumps([message["role"], content], sort_keys=True).encode())
    return digest.hexdigest()


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a request, except the bytes of documents and images."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in ("bytes", "cachePoint"):
                yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)

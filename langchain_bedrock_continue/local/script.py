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
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from langchain_bedrock_continue.local._answers import Answer
from langchain_bedrock_continue.local._backend import Fault, Piece, Request
from langchain_bedrock_continue.local._playback import play
from langchain_bedrock_continue.local._tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


Answers: TypeAlias = (
    str | Answer | Sequence[str | Answer] | Callable[[Request], str | Answer]
)


class Script:
    """A backend that answers from a script.

    Args:
        answers: One answer, or one for each of the model's turns (S1), or a function
            that makes the answer to a request. A string is an answer of one text.

    Raises:
        ValueError: There is no answer.
    """

    def __init__(self, answers: Answers) -> None:
        """See the class."""
        self._answers = [answers] if isinstance(answers, str | Answer) else answers
        if not callable(self._answers) and not self._answers:
            raise ValueError("answers: a script needs at least one answer")
        self._asked: Counter[int] = Counter()
        self._lock = threading.Lock()

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
        faults = _faults(answer, self._ask(turn), len(pieces))
        await asyncio.sleep(answer.first_delay)
        for i, piece in enumerate(pieces):
            if i:
                await asyncio.sleep(answer.delay)
            if fault := faults.get(i):
                yield fault
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

    def _ask(self, turn: int) -> int:
        """Count the requests that reached an answer, this one included."""
        key = turn if callable(self._answers) else min(turn, len(self._answers) - 1)
        with self._lock:
            self._asked[key] += 1
            return self._asked[key]


def turn_of(request: Request) -> int:
    """Which of the model's turns a request asks for, from 0; a prefill is no turn."""
    return sum(m["role"] == "assistant" for m in request.messages[:-1])


def _faults(answer: Answer, nth: int, pieces: int) -> dict[int, Fault]:
    due = [f for f in answer.faults if f.request in (None, nth)]
    for fault in due:
        if not -pieces < fault.at < pieces:
            raise ValueError(
                f"FaultAt.at={fault.at}: the response has only {pieces} pieces; "
                "choose a smaller number"
            )
    # -1 is before the last piece, the Finish.
    return {(f.at if f.at >= 0 else pieces + f.at): f.fault for f in due}


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

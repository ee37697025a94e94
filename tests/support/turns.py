"""Runs a Turn to its end in memory: what the shell does, with a model in its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.responses import text_of

QUESTION: list[BaseMessage] = [HumanMessage("Q")]

STRATEGIES = st.sampled_from(["prefill", "user_turn"])

Response: TypeAlias = Iterator[AIMessage | Exception]
"""What a call returns: messages or chunks, then an exception if it fails."""

Model: TypeAlias = Callable[[SegmentRequest], Response]


class FakeModelError(Exception):
    """A mistake of a fake model, which is not to be taken for an error of the turn."""


def policy(strategy: str = "prefill", **kwargs: Any) -> Policy:
    """Return a policy that allows more continuations than a test needs."""
    return Policy(**{"strategy": strategy, "max_continuations": 500, **kwargs})


@dataclass
class TurnRun:
    """What the caller of a turn has seen.

    Attributes:
        turn: The turn.
        chunks: The chunks that were released, in order.
        requests: The requests that were made.
        error: What the turn raised.
    """

    turn: Turn
    chunks: list[AIMessageChunk] = field(default_factory=list)
    requests: list[SegmentRequest] = field(default_factory=list)
    error: Exception | None = None

    @property
    def text(self) -> str:
        """The text that was released."""
        return text_of(self.chunks)

    @property
    def message(self) -> AIMessage:
        """The message that the turn returns, or that its error carries."""
        if isinstance(self.error, ContinuationError):
            return self.error.partial
        if self.error is not None:
            raise self.error
        return self.turn.message()

    @property
    def continuation(self) -> dict[str, Any]:
        """The `continuation` metadata of the message."""
        continuation: dict[str, Any] = self.message.response_metadata["continuation"]
        return continuation

    def added_chunks(self) -> AIMessageChunk:
        """Return the sum of all chunks of a stream that was read to its end."""
        first, *rest = self.chunks
        return first + rest if rest else first


def run_turn(turn: Turn, model: Model, *, max_calls: int = 1_000) -> TurnRun:
    """Run a turn to its end.

    Args:
        turn: The turn.
        model: Answers its requests.
        max_calls: After more calls than this, the turn counts as endless.
    """
    run = TurnRun(turn, list(turn.resumed_chunks()))
    for request in turn.requests():
        run.requests.append(request)
        if len(run.requests) > max_calls:
            raise AssertionError("the turn does not end")
        try:
            _receive_response(run, model(request))
        except Exception as error:  # noqa: BLE001 - the shell catches any, too
            run.error = error
            return run
    run.chunks.append(turn.last_chunk())
    return run


def run_turn_strictly(turn: Turn, model: Model) -> TurnRun:
    """Run a turn to its end, and raise a mistake of the fake model.

    Raises:
        FakeModelError: The model could not answer a request.
    """
    run = run_turn(turn, model)
    if isinstance(run.error, FakeModelError):
        raise run.error
    return run


def _receive_response(run: TurnRun, response: Response) -> None:
    for message in response:
        error = message if isinstance(message, Exception) else None
        if not isinstance(message, Exception):
            error = _receive(run, message)
        if error is not None:
            for chunk in run.turn.fail(error):
                run.chunks.append(chunk)  # one by one: it may raise after the last
            return
    run.chunks += run.turn.end_segment()


def _receive(run: TurnRun, message: AIMessage) -> Exception | None:
    try:
        run.chunks += run.turn.receive(message)
    except Exception as error:  # noqa: BLE001 - the shell catches any, too
        return error
    return None

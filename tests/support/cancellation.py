"""Callers that cancel a model, and an endpoint that falls silent."""

import asyncio
import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import pytest
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._transport import Cancellation, cancellable_client
from langchain_bedrock_continue._wrapped.adapters import adapter_for
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.support.models import continuing_chat_bedrock, model
from tests.support.texts import LONG

Make: TypeAlias = Callable[..., ChatBedrockContinuing]


def silent(request: int, at: int = 2) -> Answer:
    """Return an answer that falls silent in its n-th request."""
    return Answer(LONG, faults=[FaultAt(Fault("silence"), at=at, request=request)])


POOL = "urllib3.connectionpool"
"""It warns of a full pool: the connection of an unfinished stream is given back when it
is collected, with plain ChatBedrockConverse too."""


@cache
def _client_with_handler(bedrock: LocalBedrock) -> Any:
    client = bedrock.boto3_client()
    client.meta.events.register("before-send", lambda **_: None)
    return client


def on_threads(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
    """Make a model whose async calls go over threads.

    A handler of `before-send` could answer in the place of Bedrock. This one does not.
    """
    return model(bedrock, client=_client_with_handler(bedrock), **kwargs)


WRAPPED = {
    "converse": model,
    "invoke_model": continuing_chat_bedrock,
    "converse_on_threads": on_threads,
}
"""The model under test, by the operation of Bedrock that it uses and the transport."""


def maker(kind: str) -> Make:
    """Return a function that makes the model, with 64 turns at once by default."""
    make = WRAPPED[kind]

    def made(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
        own = kwargs.pop("max_concurrency", 64)
        llm: Any = make(bedrock, **kwargs)
        llm.max_concurrency = own
        return llm  # type: ignore[no-any-return]

    return made


def check_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Check that nothing was logged: a caller that cancels wants no warning of it."""
    said = caplog.get_records("call")
    assert [r for r in said if r.levelno >= logging.WARNING and r.name != POOL] == []


async def streamed(llm: Runnable[Any, Any]) -> None:
    """Read a stream to its end."""
    async for _ in llm.astream("Hi"):
        pass


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task, and wait until it has ended."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def cancellable(llm: Any, cancellation: Cancellation) -> Any:
    """Return the copy of a wrapped model that a turn makes its calls with."""
    wrapped = adapter_for(llm)
    return wrapped.for_turn(lambda client: cancellable_client(client, cancellation)).llm

"""Models that are left alone by their callers, and an endpoint that falls silent."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.integration_tests.conftest import model
from tests.integration_tests.wrapped.test_chat_bedrock import wrapped

Make: TypeAlias = Callable[..., ChatBedrockContinuing]

LONG = "The quick brown fox jumps over the lazy dog and runs away.\n\n- one\n- two\n"


def silent(request: int, at: int = 2) -> Answer:
    """Return an answer that falls silent in its n-th request."""
    return Answer(LONG, faults=[FaultAt(Fault("silence"), at=at, request=request)])


POOL = "urllib3.connectionpool"
"""It tells of a full pool: the connection of a stream that was not read to its end goes
back when it is collected, for plain ChatBedrockConverse too."""

WRAPPED = {"converse": model, "invoke_model": wrapped}


def maker(kind: str) -> Make:
    """Make a model round each of the two that can be wrapped."""
    make = WRAPPED[kind]

    def made(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
        own = kwargs.pop("max_concurrency", 64)
        llm: Any = make(bedrock, **kwargs)
        llm.max_concurrency = own
        return llm  # type: ignore[no-any-return]

    return made


def check_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Who hangs up wants no answer, and no word of it in the log."""
    said = caplog.get_records("call")
    assert [r for r in said if r.levelno >= logging.WARNING and r.name != POOL] == []


async def streamed(llm: Runnable[Any, Any]) -> None:
    async for _ in llm.astream("Hi"):
        pass


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

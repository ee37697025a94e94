"""Fixtures for tests over real HTTP against the local endpoint.

One endpoint and one client serve the whole session: making a boto3 client takes longer
than most of these tests.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

import pytest
from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock, Script
from langchain_bedrock_continue.local.backend import Piece, Request
from tests.support.entrances import ENTRANCES, Entrance

Serve: TypeAlias = Callable[[Any], LocalBedrock]

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
REFUSING_MODEL = "us.anthropic.claude-sonnet-4-6"


class Switchboard:
    """A backend that passes each request to the script of the running test."""

    def __init__(self) -> None:
        self.script = Script("")

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def count_tokens(self, request: Request) -> int:
        return await self.script.count_tokens(request)

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        async for piece in self.script.generate(request):
            yield piece


@pytest.fixture(scope="session")
def endpoint() -> Iterator[tuple[LocalBedrock, Switchboard]]:
    switchboard = Switchboard()
    with LocalBedrock(switchboard) as bedrock:
        yield bedrock, switchboard
    _client.cache_clear()


@pytest.fixture
def serve(endpoint: tuple[LocalBedrock, Switchboard]) -> Serve:
    """Let the endpoint say something: a script, or what a script is made of."""
    bedrock, switchboard = endpoint

    def start(said: Any) -> LocalBedrock:
        switchboard.script = said if isinstance(said, Script) else Script(said)
        bedrock.clear()
        return bedrock

    return start


@pytest.fixture(params=list(ENTRANCES))
def entrance(request: pytest.FixtureRequest) -> Entrance:
    """Each of the four, in turn."""
    return ENTRANCES[request.param]


@cache
def _client(bedrock: LocalBedrock) -> Any:
    return bedrock.boto3_client()


def arguments(bedrock: LocalBedrock, **kwargs: Any) -> dict[str, Any]:
    """Return a model's arguments, with the session's client."""
    client = _client(bedrock)
    shared = {"client": client, "bedrock_client": client}
    return {"model": MODEL, "max_tokens": 12, **shared, **kwargs}


def model(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
    """Make the model under test, with small segments."""
    return ChatBedrockContinuing(
        **{"max_continuations": 200, **arguments(bedrock, **kwargs)}
    )


def plain_model(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockConverse:
    """Make what the model under test is measured by."""
    return ChatBedrockConverse(**arguments(bedrock, **kwargs))

"""Fixtures for tests over real HTTP against the local endpoint.

One endpoint and one client serve a whole session, which is one worker's part of the
tests: making a boto3 client takes longer than most of these tests.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from langchain_bedrock_continue import chat_models
from langchain_bedrock_continue.local import LocalBedrock, Script
from langchain_bedrock_continue.local.llama.backend import LlamaBackend
from langchain_bedrock_continue.local.llama.weights import WeightsUnavailableError
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve, Switchboard
from tests.support.entrances import ENTRANCES, TWO_ENTRANCES, Entrance
from tests.support.models import client_of
from tests.support.resume import RESUMES, TWO_RESUMES, Resume


@pytest.fixture(scope="session")
def endpoint() -> Iterator[tuple[LocalBedrock, Switchboard]]:
    """Start the endpoint of this session."""
    switchboard = Switchboard()
    with LocalBedrock(switchboard) as bedrock:
        yield bedrock, switchboard
    client_of.cache_clear()


@pytest.fixture
def serve(endpoint: tuple[LocalBedrock, Switchboard]) -> Serve:
    """Let the endpoint say something: a script, or what a script is made of."""
    bedrock, switchboard = endpoint

    def start(said: Any) -> LocalBedrock:
        switchboard.script = said if isinstance(said, Script) else Script(said)
        bedrock.clear()
        return bedrock

    return start


@pytest.fixture(params=list(TWO_ENTRANCES))
def entrance(request: pytest.FixtureRequest) -> Entrance:
    """Ask by an entrance that streams, and by one that does not."""
    return TWO_ENTRANCES[request.param]


@pytest.fixture(params=list(ENTRANCES))
def every_entrance(request: pytest.FixtureRequest) -> Entrance:
    """Ask by each of the four entrances."""
    return ENTRANCES[request.param]


@pytest.fixture(params=list(TWO_RESUMES))
def resume(request: pytest.FixtureRequest) -> Resume:
    """Resume by a method that streams, and by one that does not."""
    return TWO_RESUMES[request.param]


@pytest.fixture(params=list(RESUMES))
def every_resume(request: pytest.FixtureRequest) -> Resume:
    """Resume by each of the four methods."""
    return RESUMES[request.param]


@pytest.fixture
def recorder() -> Recorder:
    """Make a callback handler that records what it is told."""
    return Recorder()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a retry at once."""
    monkeypatch.setattr(chat_models, "waiting_time", lambda _most: 0.0)


@pytest.fixture(scope="session")
def real_model() -> Iterator[LocalBedrock]:
    """Start an endpoint with the real small model, once per session."""
    pytest.importorskip("xllamacpp", reason="the extra [local] is not installed")
    with ExitStack() as stack:
        try:
            serving = stack.enter_context(LocalBedrock(LlamaBackend("smollm2")))
        except WeightsUnavailableError as error:
            pytest.skip(f"no real model: {error}")
        yield serving

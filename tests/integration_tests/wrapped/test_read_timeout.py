"""A client that waits too short for the size of a blocking call is named, once."""

import logging
from typing import Any

import pytest
from botocore.config import Config

from langchain_bedrock_continue.local import Answer, CallTool
from tests.support.answers import WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import by_ainvoke, by_astream, by_invoke, by_stream
from tests.support.models import (
    MODEL,
    PREFILL_MODEL,
    continuing_chat_bedrock,
    model,
)

NAMED = "read_timeout: the client waits"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    texts = [record.getMessage() for record in caplog.records]
    return [text for text in texts if text.startswith(NAMED)]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.WARNING)
    return lambda: warnings(caplog)


@pytest.mark.parametrize("make", [model, continuing_chat_bedrock])
@pytest.mark.parametrize("ask", [by_invoke, by_ainvoke])
def test_timeout_1_a_large_blocking_call_of_the_default_client_is_named(
    serve: Serve, make: Any, ask: Any, log: Any
) -> None:
    llm = make(serve("Hello."), max_tokens=8192)
    for _ in range(3):
        ask(llm, "Hi")
    [said] = log()
    assert "waits 60 seconds" in said
    assert "max_tokens=8192 can take 231" in said
    assert "Config(read_timeout=3600)" in said


@pytest.mark.parametrize(
    "settings",
    [{"max_tokens": 2048}, {"max_tokens": None}, {"max_tokens": 1}],
    ids=str,
)
def test_timeout_1_a_small_call_of_the_default_client_is_harmless(
    serve: Serve, settings: Any, log: Any
) -> None:
    by_invoke(model(serve("Hello."), **settings), "Hi")
    assert log() == []


def test_timeout_1_a_client_that_waits_long_is_harmless(serve: Serve, log: Any) -> None:
    bedrock = serve("Hello.")
    client = bedrock.boto3_client(Config(read_timeout=3600))
    by_invoke(model(bedrock, client=client, max_tokens=8192), "Hi")
    assert log() == []


@pytest.mark.parametrize("ask", [by_stream, by_astream])
def test_timeout_1_a_stream_is_harmless(serve: Serve, ask: Any, log: Any) -> None:
    ask(model(serve("Hello."), max_tokens=8192), "Hi")
    assert log() == []


def test_timeout_1_a_size_of_a_call_or_of_a_retry_counts(
    serve: Serve, log: Any
) -> None:
    by_invoke(model(serve("Hello."), max_tokens=12), "Hi", max_tokens=8192)
    assert len(log()) == 1
    call = CallTool("weather", {"city": "word " * 900, "days": [1]})
    llm = model(serve(Answer(call)), model=PREFILL_MODEL, max_tokens=700)
    by_invoke(llm.bind_tools(WEATHER_TOOLS), "Hi")
    assert "max_tokens=2800" in log()[1]


def test_timeout_2_another_model_or_client_is_named_again(
    serve: Serve, log: Any
) -> None:
    bedrock = serve("Hello.")
    short = bedrock.boto3_client(Config(read_timeout=5))
    for settings in ({}, {"client": short}, {"model": PREFILL_MODEL}, {"model": MODEL}):
        by_invoke(model(bedrock, **{"max_tokens": 8192, **settings}), "Hi")
    assert len(log()) == 3

"""The caller sees one LangChain run: each token once, in order, and usage once."""

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.outputs import LLMResult
from langchain_core.prompts import ChatPromptTemplate

from tests.integration_tests.conftest import Serve, model
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.limiters import CountingLimiter

LONG = "The quick brown fox jumps over the lazy dog and runs away.\n\n- one\n- two\n"


class Recorder(BaseCallbackHandler):
    """Writes down what LangChain tells a listener."""

    def __init__(self) -> None:
        self.runs: list[UUID] = []
        self.tokens: list[str] = []
        self.ends: list[LLMResult] = []
        self.events: list[tuple[str, dict[str, Any]]] = []

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        self.runs.append(run_id)

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        self.tokens.append(chunk.message.text)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.ends.append(response)

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_one_run(serve: Serve, entrance: Entrance, recorder: Recorder) -> None:
    llm = model(serve(LONG), max_tokens=5)
    message = entrance(llm, "Hi", config={"callbacks": [recorder]})
    assert len(recorder.runs) == 1
    (end,) = recorder.ends
    ended: Any = end.generations[0][0]
    assert ended.message.text == message.text == LONG
    assert ended.message.usage_metadata == message.usage_metadata
    if recorder.tokens:
        assert "".join(recorder.tokens) == LONG


@pytest.mark.parametrize("name", ["stream", "astream"])
def test_tokens_reach_callbacks_while_they_come(
    serve: Serve, recorder: Recorder, name: str
) -> None:
    llm = model(serve(LONG), max_tokens=5)
    ENTRANCES[name](llm, "Hi", config={"callbacks": [recorder]})
    assert len([token for token in recorder.tokens if token]) > 5


def test_usage_reaches_langchains_own_counter_once(
    serve: Serve, entrance: Entrance
) -> None:
    counter = UsageMetadataCallbackHandler()
    llm = model(serve(LONG), max_tokens=5)
    message = entrance(llm, "Hi", config={"callbacks": [counter]})
    assert list(counter.usage_metadata.values()) == [message.usage_metadata]


def test_each_seam_is_an_event_of_the_chain(
    serve: Serve, entrance: Entrance, recorder: Recorder
) -> None:
    llm = model(serve(LONG), max_tokens=5)
    chain = ChatPromptTemplate.from_messages([("user", "{q}")]) | llm
    message = entrance(chain, {"q": "Hi"}, config={"callbacks": [recorder]})
    assert {name for name, _ in recorder.events} == {"bedrock_continuation"}
    summary = message.response_metadata["continuation"]
    assert [data["offset"] for _, data in recorder.events] == summary["seams"]
    assert [data["segment"] for _, data in recorder.events] == summary["segments"][:-1]


async def test_stream_events_carry_the_text_once(serve: Serve) -> None:
    llm = model(serve(LONG), max_tokens=5)
    events = [event async for event in llm.astream_events("Hi", version="v2")]
    kinds = [event["event"] for event in events]
    assert kinds.count("on_chat_model_start") == 1
    assert kinds.count("on_chat_model_end") == 1
    streamed = [
        event["data"]["chunk"].text
        for event in events
        if event["event"] == "on_chat_model_stream"
    ]
    assert "".join(streamed) == LONG


def test_the_rate_limiter_is_asked_before_every_call(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock, limiter = serve(LONG), CountingLimiter()
    entrance(model(bedrock, max_tokens=5, rate_limiter=limiter), "Hi")
    assert limiter.asked == len(bedrock.requests) > 2


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_langchains_cache_stores_the_whole_turn(serve: Serve, name: str) -> None:
    bedrock, cache = serve(LONG), InMemoryCache()
    first = ENTRANCES[name](model(bedrock, max_tokens=5, cache=cache), "Hi")
    calls = len(bedrock.requests)
    again = ENTRANCES[name](model(bedrock, max_tokens=5, cache=cache), "Hi")
    assert len(bedrock.requests) == calls
    assert again.text == first.text == LONG
    # Other settings are another question.
    ENTRANCES[name](model(bedrock, max_tokens=6, cache=cache), "Hi")
    others = model(bedrock, max_tokens=5, max_continuations=1, cache=cache)
    assert ENTRANCES[name](others, "Hi").text != LONG


def test_many_turns_at_once(serve: Serve) -> None:
    llm = model(serve(LONG), max_tokens=5)
    messages = llm.batch(["Hi"] * 20)
    assert [message.text for message in messages] == [LONG] * 20


def test_breaking_out_of_a_stream_makes_no_further_call(serve: Serve) -> None:
    bedrock = serve(LONG * 3)
    stream = model(bedrock, max_tokens=5).stream("Hi")
    next(chunk for chunk in stream if chunk.text)
    stream.close()  # type: ignore[attr-defined]
    assert len(bedrock.requests) == 1


async def test_breaking_out_of_an_async_stream_makes_no_further_call(
    serve: Serve,
) -> None:
    bedrock = serve(LONG * 3)
    async with aclosing(model(bedrock, max_tokens=5).astream("Hi")) as stream:  # type: ignore[type-var]
        async for chunk in stream:
            if chunk.text:
                break
    assert len(bedrock.requests) == 1


async def test_many_async_turns_at_once(serve: Serve) -> None:
    llm = model(serve(LONG), max_tokens=5)
    messages = await asyncio.gather(*(llm.ainvoke("Hi") for _ in range(40)))
    assert [message.text for message in messages] == [LONG] * 40

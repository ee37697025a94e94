"""A turn is one LangChain run: each token once, in order, and its usage once."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.callbacks import (
    BaseCallbackHandler,
    UsageMetadataCallbackHandler,
)
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate

from langchain_bedrock_continue._wrapped.linear_sum import LinearSumChunk
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.messages import continuation
from tests.support.models import continuing_chat_bedrock, model
from tests.support.texts import LONG


def test_a_turn_is_one_run(
    serve: Serve, every_entrance: Entrance, recorder: Recorder
) -> None:
    llm = model(serve(LONG), max_tokens=5)
    message = every_entrance(llm, "Hi", config={"callbacks": [recorder]})
    assert len(recorder.runs) == 1
    (end,) = recorder.ends
    ended: Any = end.generations[0][0]
    assert ended.message.text == message.text == LONG
    assert ended.message.usage_metadata == continuation(message)["billed"]
    if recorder.tokens:
        assert "".join(recorder.tokens) == LONG


@pytest.mark.parametrize("name", ["stream", "astream"])
def test_tokens_reach_callbacks_as_they_arrive(
    serve: Serve, recorder: Recorder, name: str
) -> None:
    llm = model(serve(LONG), max_tokens=5)
    ENTRANCES[name](llm, "Hi", config={"callbacks": [recorder]})
    assert len([token for token in recorder.tokens if token]) > 5


@pytest.mark.parametrize("wrap", [model, continuing_chat_bedrock])
def test_sum_1_langchain_adds_up_a_stream_in_linear_time(
    serve: Serve, wrap: Any
) -> None:
    """It adds all chunks to the first one."""
    first, *_ = wrap(serve(LONG), max_tokens=5)._stream([HumanMessage("Hi")])
    assert isinstance(first, LinearSumChunk)


class Descriptions(BaseCallbackHandler):
    """Keeps the description of the model that each run begins with."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def on_chat_model_start(self, serialized: Any, *_: Any, **__: Any) -> None:
        self.found.append(serialized)


def test_a_model_is_described_once_and_again_after_a_change(
    serve: Serve, every_entrance: Entrance
) -> None:
    """It takes LangChain longer than our part of a short turn."""
    llm, described = model(serve("Hi."), temperature=0.5), Descriptions()
    for _ in range(2):
        every_entrance(llm, "Hi", config={"callbacks": [described]})
    llm.temperature = 0.25
    every_entrance(llm, "Hi", config={"callbacks": [described]})
    colder = llm.model_copy(update={"temperature": 0.125})
    every_entrance(colder, "Hi", config={"callbacks": [described]})
    first, second, *later = described.found
    assert first is second
    heats = [each["kwargs"]["llm"]["kwargs"]["temperature"] for each in later]
    assert heats == [0.25, 0.125]


def test_langchains_usage_counter_counts_a_turn_once(
    serve: Serve, every_entrance: Entrance
) -> None:
    counter = UsageMetadataCallbackHandler()
    llm = model(serve(LONG), max_tokens=5)
    message = every_entrance(llm, "Hi", config={"callbacks": [counter]})
    assert list(counter.usage_metadata.values()) == [continuation(message)["billed"]]


def test_each_seam_is_a_custom_event(
    serve: Serve, every_entrance: Entrance, recorder: Recorder
) -> None:
    llm = model(serve(LONG), max_tokens=5)
    chain = ChatPromptTemplate.from_messages([("user", "{q}")]) | llm
    message = every_entrance(chain, {"q": "Hi"}, config={"callbacks": [recorder]})
    assert {name for name, _ in recorder.events} == {"bedrock_continuation"}
    summary = continuation(message)
    assert [data["offset"] for _, data in recorder.events] == summary["seams"]
    assert [data["segment"] for _, data in recorder.events] == summary["segments"][:-1]


async def test_astream_events_has_the_text_once(serve: Serve) -> None:
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


def test_a_batch_of_turns_is_complete(serve: Serve) -> None:
    llm = model(serve(LONG), max_tokens=5)
    messages = llm.batch(["Hi"] * 20)
    assert [message.text for message in messages] == [LONG] * 20


async def test_concurrent_async_turns_are_complete(serve: Serve) -> None:
    llm = model(serve(LONG), max_tokens=5)
    messages = await asyncio.gather(*(llm.ainvoke("Hi") for _ in range(40)))
    assert [message.text for message in messages] == [LONG] * 40


def test_closing_a_stream_ends_its_requests(serve: Serve) -> None:
    bedrock = serve(LONG * 3)
    stream = model(bedrock, max_tokens=5).stream("Hi")
    next(chunk for chunk in stream if chunk.text)
    stream.close()  # type: ignore[attr-defined]
    assert len(bedrock.requests) == 1


async def test_closing_an_async_stream_ends_its_requests(serve: Serve) -> None:
    bedrock = serve(LONG * 3)
    async with aclosing(model(bedrock, max_tokens=5).astream("Hi")) as stream:  # type: ignore[type-var]
        async for chunk in stream:
            if chunk.text:
                break
    assert len(bedrock.requests) == 1

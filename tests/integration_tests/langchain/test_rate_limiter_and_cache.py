"""LangChain's rate limiter is asked before every call, and its cache keeps no part."""

import asyncio
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import get_llm_cache, set_llm_cache
from langchain_core.runnables import RunnableLambda

from langchain_bedrock_continue import chat_models
from langchain_bedrock_continue.local import Answer, CallTool, Fault, FaultAt
from tests.integration_tests.conftest import MODEL, REFUSING_MODEL, Serve, model
from tests.support.entrances import Entrance, by_invoke, by_stream
from tests.support.limiters import CountingLimiter
from tests.support.resuming import RESUMES
from tests.support.tool_models import going_on, tools

TEXT = "One cache keeps what is whole, and that is all that it keeps, and it is much."
TALK = going_on(Answer(TEXT))
FEW = {"max_tokens": 6, "max_continuations": 1}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_models, "waiting_time", lambda _most: 0.0)


@pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])
def test_every_continuation_is_asked_for(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    limiter, bedrock = CountingLimiter(), serve(TALK)
    entrance(model(bedrock, model=name, rate_limiter=limiter), "Hi")
    assert limiter.asked == len(bedrock.requests) > 1


# One that botocore does not try again by itself.
BUSY = Fault("exception", "ModelStreamErrorException", "Oh no.", 424)
AGAIN = {
    "recovery": Answer(TEXT, faults=[FaultAt(BUSY, request=2)]),
    "larger": Answer(["I write. ", CallTool("write", {"text": TEXT}, "t1")]),
    "broken": Answer(TEXT, stop_reason="malformed_model_output"),
}


@pytest.mark.parametrize("name", list(AGAIN))
def test_every_repetition_is_asked_for(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    limiter, bedrock = CountingLimiter(), serve(AGAIN[name])
    entrance(model(bedrock, rate_limiter=limiter).bind_tools(tools("write")), "Hi")
    assert limiter.asked == len(bedrock.requests) > 1


@pytest.mark.parametrize("way", list(RESUMES))
def test_every_call_of_a_resuming_is_asked_for(serve: Serve, way: str) -> None:
    limiter, bedrock = CountingLimiter(), serve(TALK)
    partial = by_invoke(model(bedrock, max_continuations=0), "Hi")
    bedrock.clear()
    llm = model(bedrock, max_tokens=6, rate_limiter=limiter)
    RESUMES[way](llm, "Hi", partial)
    assert limiter.asked == len(bedrock.requests) > 1


@pytest.fixture(params=["own", "global"])
def cached(request: pytest.FixtureRequest) -> Any:
    """Make settings that use a cache: the model's own, or everybody's."""
    before, cache = get_llm_cache(), InMemoryCache()
    if request.param == "own":
        yield {"cache": cache}
    else:
        set_llm_cache(cache)
        yield {"cache": True}
    set_llm_cache(before)


def test_a_whole_turn_is_cached(
    serve: Serve, entrance: Entrance, cached: dict[str, Any]
) -> None:
    bedrock = serve(TALK)
    llm = model(bedrock, **cached)
    first = by_invoke(llm, "Hi")
    bedrock.clear()
    again = entrance(llm, "Hi")
    assert again.text == first.text == TEXT
    # LangChain's cache is for `invoke` and `ainvoke` alone.
    assert (bedrock.requests == []) == (type(again) is type(first))


def test_a_partial_is_never_cached(
    serve: Serve, entrance: Entrance, cached: dict[str, Any]
) -> None:
    bedrock = serve(TALK)
    few = model(bedrock, **cached, **FEW)
    partial = entrance(few, "Hi")
    assert not partial.response_metadata["continuation"]["complete"]
    bedrock.clear()
    assert entrance(few, "Hi").text == partial.text
    assert len(bedrock.requests) == 2


def test_a_run_that_is_watched_caches_no_partial(
    serve: Serve, cached: dict[str, Any]
) -> None:
    """LangChain lets `invoke` stream where somebody listens to its messages."""
    bedrock = serve(TALK)
    llm = model(bedrock, **cached, **FEW)
    chain: Any = RunnableLambda(llm.invoke)

    async def watch() -> list[str]:
        events = chain.astream_events("Hi", version="v2")
        return [event["event"] async for event in events]

    assert "on_chat_model_stream" in asyncio.run(watch())
    partial = by_stream(llm, "Hi")
    bedrock.clear()
    assert by_invoke(llm, "Hi").text == partial.text
    assert len(bedrock.requests) == 2


@pytest.mark.parametrize("way", ["resume", "aresume"])
def test_a_resumed_turn_is_cached_by_its_partial(
    serve: Serve, way: str, cached: dict[str, Any]
) -> None:
    bedrock = serve(TALK)
    partial = by_invoke(model(bedrock, max_continuations=0), "Hi")
    llm = model(bedrock, **cached)
    assert RESUMES[way](llm, "Hi", partial).text == TEXT
    bedrock.clear()
    assert RESUMES[way](llm, "Hi", partial).text == TEXT
    assert bedrock.requests == []
    assert by_invoke(llm, "Hi").text == TEXT
    assert bedrock.requests

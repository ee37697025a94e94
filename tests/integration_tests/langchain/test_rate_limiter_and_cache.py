"""LangChain's rate limiter delays every request; its cache keeps complete turns."""

import asyncio
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import get_llm_cache, set_llm_cache
from langchain_core.runnables import RunnableLambda

from langchain_bedrock_continue.local import Answer, CallTool, Fault, FaultAt
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance, by_invoke, by_stream
from tests.support.messages import continuation
from tests.support.models import MODEL, REFUSING_MODEL, model
from tests.support.rate_limiters import CountingLimiter
from tests.support.resume import RESUMES, Resume
from tests.support.scripts import continuing
from tests.support.texts import LONG

TEXT = "One cache keeps what is whole, and that is all that it keeps, and it is much."
TALK = continuing(Answer(TEXT))
FEW = {"max_tokens": 6, "max_continuations": 1}

pytestmark = pytest.mark.usefixtures("no_backoff")

# The rate limiter --------------------------------------------------------------------


@pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])
def test_the_rate_limiter_is_asked_before_every_segment(
    serve: Serve, every_entrance: Entrance, name: str
) -> None:
    limiter, bedrock = CountingLimiter(), serve(TALK)
    every_entrance(model(bedrock, model=name, rate_limiter=limiter), "Hi")
    assert limiter.asked == len(bedrock.requests) > 1


RETRIED = {
    "a truncated tool call": Answer(
        ["I write. ", CallTool("write", {"text": TEXT}, "t1")]
    ),
    "malformed output": Answer(TEXT, stop_reason="malformed_model_output"),
}


@pytest.mark.parametrize("name", list(RETRIED))
def test_the_rate_limiter_is_asked_before_every_retry(
    serve: Serve, every_entrance: Entrance, name: str
) -> None:
    limiter, bedrock = CountingLimiter(), serve(RETRIED[name])
    llm = model(bedrock, rate_limiter=limiter).bind_tools(tools("write"))
    every_entrance(llm, "Hi")
    assert limiter.asked == len(bedrock.requests) > 1


@pytest.mark.parametrize("name", ["stream", "astream"])
def test_the_rate_limiter_is_asked_before_a_broken_stream_is_continued(
    serve: Serve, name: str
) -> None:
    broken = Answer(TEXT, faults=[FaultAt(Fault("close"), at=5, request=1)])
    limiter, bedrock = CountingLimiter(), serve(broken)
    ENTRANCES[name](model(bedrock, rate_limiter=limiter), "Hi")
    assert limiter.asked == len(bedrock.requests) > 1


def test_the_rate_limiter_is_asked_before_every_request_of_a_resumed_turn(
    serve: Serve, every_resume: Resume
) -> None:
    limiter, bedrock = CountingLimiter(), serve(TALK)
    partial = by_invoke(model(bedrock, max_continuations=0), "Hi")
    bedrock.clear()
    llm = model(bedrock, max_tokens=6, rate_limiter=limiter)
    every_resume(llm, "Hi", partial)
    assert limiter.asked == len(bedrock.requests) > 1


# The cache ---------------------------------------------------------------------------


@pytest.fixture(params=["own", "global"])
def cached(request: pytest.FixtureRequest) -> Any:
    """Make settings that use a cache: the model's own, or LangChain's global one."""
    before, cache = get_llm_cache(), InMemoryCache()
    if request.param == "own":
        yield {"cache": cache}
    else:
        set_llm_cache(cache)
        yield {"cache": True}
    set_llm_cache(before)


def test_a_complete_turn_is_cached(
    serve: Serve, every_entrance: Entrance, cached: dict[str, Any]
) -> None:
    bedrock = serve(TALK)
    llm = model(bedrock, **cached)
    first = by_invoke(llm, "Hi")
    bedrock.clear()
    again = every_entrance(llm, "Hi")
    assert again.text == first.text == TEXT
    # LangChain's cache serves `invoke` and `ainvoke` alone.
    assert (bedrock.requests == []) == (type(again) is type(first))


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_a_turn_is_cached_by_its_settings(serve: Serve, name: str) -> None:
    bedrock, cache = serve(LONG), InMemoryCache()
    first = ENTRANCES[name](model(bedrock, max_tokens=5, cache=cache), "Hi")
    calls = len(bedrock.requests)
    again = ENTRANCES[name](model(bedrock, max_tokens=5, cache=cache), "Hi")
    assert len(bedrock.requests) == calls
    assert again.text == first.text == LONG
    # With other settings the cache is asked another question.
    ENTRANCES[name](model(bedrock, max_tokens=6, cache=cache), "Hi")
    others = model(bedrock, max_tokens=5, max_continuations=1, cache=cache)
    assert ENTRANCES[name](others, "Hi").text != LONG


def test_a_partial_message_is_not_cached(
    serve: Serve, every_entrance: Entrance, cached: dict[str, Any]
) -> None:
    bedrock = serve(TALK)
    few = model(bedrock, **cached, **FEW)
    partial = every_entrance(few, "Hi")
    assert not continuation(partial)["complete"]
    bedrock.clear()
    assert every_entrance(few, "Hi").text == partial.text
    assert len(bedrock.requests) == 2


def test_a_partial_message_of_a_watched_run_is_not_cached(
    serve: Serve, cached: dict[str, Any]
) -> None:
    """LangChain lets `invoke` stream where a handler asks for its chunks."""
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


@pytest.mark.parametrize("name", ["resume", "aresume"])
def test_a_resumed_turn_is_cached_by_its_partial_message(
    serve: Serve, name: str, cached: dict[str, Any]
) -> None:
    bedrock = serve(TALK)
    partial = by_invoke(model(bedrock, max_continuations=0), "Hi")
    llm = model(bedrock, **cached)
    assert RESUMES[name](llm, "Hi", partial).text == TEXT
    bedrock.clear()
    assert RESUMES[name](llm, "Hi", partial).text == TEXT
    assert bedrock.requests == []
    assert by_invoke(llm, "Hi").text == TEXT
    assert bedrock.requests

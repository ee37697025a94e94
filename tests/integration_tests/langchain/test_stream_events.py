"""Event streams over segments are valid, and give the message that is not truncated."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias, cast

import pytest
from langchain_core.messages import AIMessage
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from langchain_bedrock_continue.local import Answer, LocalBedrock, Request, Say, Think
from langchain_bedrock_continue.local.script.playback import _block_text, remaining
from tests.support.answers import CITATION, TIME, WEATHER, WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import added, by_stream
from tests.support.messages import continuation, shape_without_usage
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL, model, plain_model
from tests.support.scripts import turn_of, written_so_far

TEXT = (
    "The quick brown fox jumps over the lazy dog.\n\n- one, two\n- three: `four`\n\n"
    "日本語の文。 And that is the end of it, for now.\n"
)
ANSWERS: dict[str, list[Any]] = {
    "text": [TEXT],
    "thinking": [Think("Let me see what there is.", signature="s1g"), TEXT],
    "tool": ["Let me look at the weather first of all. ", WEATHER],
    "two tools": ["Let me look at both of them. ", WEATHER, TIME],
    "tools alone": [WEATHER, TIME],
    "all": [Think("I look at it. " * 3, signature="s"), "Well, both. ", WEATHER, TIME],
    "redacted": [Think("", redacted=b"xyz"), "Fine, and all is well with it, too."],
    "citations": [
        "As was said before ",
        Say("right here in the text", citations=(CITATION,)),
        " and there too.",
    ],
}
WITH_TOOLS = ("tool", "two tools", "tools alone", "all")
KINDS = [
    *((kind, False) for kind in ANSWERS),
    *((kind, True) for kind in WITH_TOOLS),  # their input truncated anywhere
]
SIZES = (4, 7, 10, 21)

Strategy: TypeAlias = tuple[str, bool]  # the model, and whether it thinks again
STRATEGIES: dict[str, Strategy] = {
    "prefill": (PREFILL_MODEL, False),
    "user turn": (REFUSING_MODEL, False),
    "user turn that thinks again": (REFUSING_MODEL, True),
}


def answers(content: list[Any], *, fine: bool, thinks_again: bool) -> Any:
    """Continue a prefill, or repeat the quote in a user turn."""
    complete = Answer(content, fine_grained=fine)
    thought = [Think("I go on.", signature="s")] if thinks_again else []

    def answer(request: Request) -> Answer:
        texts = turn_of(with_cited_texts(request))
        if len(texts) == 1 or request.messages[-1]["role"] == "assistant":
            return complete
        written, quote = written_so_far(texts)
        rest = [block for _, block in remaining(complete.blocks, written)]
        if rest and isinstance(rest[0], Say):
            first = Say(quote + rest[0].text, rest[0].citations)
            return Answer([*thought, first, *rest[1:]], fine_grained=fine)
        return Answer([*thought, quote, *rest], fine_grained=fine)

    return answer


def with_cited_texts(request: Request) -> Request:
    """Return the request with cited texts as plain ones."""
    messages = [
        {**message, "content": [{"text": _block_text(b)} for b in message["content"]]}
        for message in request.messages
    ]
    return replace(request, messages=messages)


def by_v3(llm: Any) -> AIMessage:
    """Read `stream_events`, version 3, and check it by LangChain's own oracle."""
    stream = llm.stream_events("Go.", version="v3")
    assert_valid_event_stream(list(stream))
    return cast("AIMessage", stream.output)


def by_async_v3(llm: Any) -> AIMessage:
    """Read `astream_events`, version 3, and check it likewise."""

    async def collected() -> AIMessage:
        stream = await llm.astream_events("Go.", version="v3")
        assert_valid_event_stream([event async for event in stream])
        return cast("AIMessage", await stream.output)

    return asyncio.run(collected())


def by_v2(llm: Any) -> AIMessage:
    """Add up the chunks of `astream_events`, version 2, which are those of one run."""

    async def collected() -> list[Any]:
        return [event async for event in llm.astream_events("Go.", version="v2")]

    events = asyncio.run(collected())
    kinds = [event["event"] for event in events if "chat_model" in event["event"]]
    assert kinds.count("on_chat_model_start") == kinds.count("on_chat_model_end") == 1
    return added(
        [event["data"]["chunk"] for event in events if "chunk" in event["data"]]
    )


READS: dict[str, Callable[[Any], AIMessage]] = {
    "v3": by_v3,
    "async v3": by_async_v3,
    "astream_events v2": by_v2,
    "stream": lambda llm: by_stream(llm, "Go."),
}


# `v3` and `async v3` read the same chunks: two readers are enough for user turns.
STRATEGIES_AND_READS = [
    (strategy, read)
    for strategy in STRATEGIES
    for read in READS
    if strategy == "prefill" or read in {"v3", "astream_events v2"}
]


def tooled(make: Any, bedrock: LocalBedrock, **kwargs: Any) -> Any:
    """Make a model with tools, whose messages are in LangChain's own form."""
    return make(bedrock, output_version="v1", **kwargs).bind_tools(WEATHER_TOOLS)


def without_truncated_thoughts(seen: dict[str, Any]) -> dict[str, Any]:
    """Leave out thoughts that a retry replaced; the other blocks move up."""

    def is_truncated(block: Any) -> bool:
        return bool(block.get("truncated") or block.get("extras", {}).get("truncated"))

    if isinstance(seen["content"], str):
        return seen
    gone = [one.get("index", 0) for one in seen["content"] if is_truncated(one)]
    kept = [one for one in seen["content"] if not is_truncated(one)]
    for one in [*kept, *seen.get("tool_call_chunks", [])]:
        if isinstance(one.get("index"), int):
            one["index"] -= sum(number < one["index"] for number in gone)
    return {**seen, "content": kept}


@pytest.mark.parametrize(("strategy", "read"), STRATEGIES_AND_READS)
@pytest.mark.parametrize(("kind", "fine"), KINDS)
def test_an_event_stream_is_valid_and_gives_the_message_that_is_not_truncated(
    serve: Serve, kind: str, strategy: str, read: str, fine: bool
) -> None:
    model_id, thinks_again = STRATEGIES[strategy]
    bedrock = serve(answers(ANSWERS[kind], fine=fine, thinks_again=thinks_again))
    by = READS[read]
    plain = tooled(plain_model, bedrock, model=model_id, max_tokens=3000)
    expected = shape_without_usage(by(plain))
    bedrock.clear()
    for size in SIZES:
        message = by(tooled(model, bedrock, model=model_id, max_tokens=size))
        seen = without_truncated_thoughts(shape_without_usage(message))
        assert seen == expected, f"truncated at {size}"
        assert continuation(message)["ended_by"] == "model"
    assert len(bedrock.requests) > len(SIZES)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("kind", WITH_TOOLS)
def test_a_truncated_call_is_invalid_in_every_event_stream(
    serve: Serve, kind: str, read: str
) -> None:
    bedrock = serve(answers(ANSWERS[kind], fine=True, thinks_again=False))
    limits: dict[str, Any] = {"max_tokens_ceiling": 20, "model": PREFILL_MODEL}
    tools = sum(not isinstance(one, str | Think) for one in ANSWERS[kind])
    for at in range(19, 4, -2):
        message = READS[read](tooled(model, bedrock, max_tokens=at, **limits))
        ended_by = continuation(message)["ended_by"]
        calls, invalid = message.tool_calls, message.invalid_tool_calls
        assert (len(calls), len(invalid)) in {(0, 0), (0, 1), (0, tools), (tools, 0)}
        assert bool(invalid) == (ended_by == "tool_call"), f"truncated at {at}"
        blocks = [block["type"] for block in message.content_blocks]
        assert blocks.count("invalid_tool_call") == len(invalid)
        assert "non_standard" not in blocks

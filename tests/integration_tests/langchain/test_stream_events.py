"""Event streams over seams: the protocol's own oracle, and each token once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias, cast

import pytest
from langchain_core.messages import AIMessage
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from langchain_bedrock_continue.local import Answer, LocalBedrock, Request, Say, Think
from langchain_bedrock_continue.local.script.playback import _block_text, remaining
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.integration_tests.content.test_message_shape import (
    CITATION,
    TIME,
    TOOLS,
    WEATHER,
    shape,
)
from tests.support.echo import turn_of, written_so_far
from tests.support.entrances import added

PREFILL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
USER_TURN = "us.anthropic.claude-sonnet-4-6"
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
    *((kind, True) for kind in WITH_TOOLS),  # their input cut anywhere
]
SIZES = (4, 5, 7, 10, 13, 21)

Way: TypeAlias = tuple[str, bool]  # the model, and whether it thinks again
WAYS: dict[str, Way] = {
    "prefill": (PREFILL, False),
    "user turn": (USER_TURN, False),
    "user turn that thinks again": (USER_TURN, True),
}


def answers(content: list[Any], *, fine: bool, way: Way) -> Any:
    """Go on from a prefill, or repeat the quote in a user turn."""
    whole = Answer(content, fine_grained=fine)
    thought = [Think("I go on.", signature="s")] if way[1] else []

    def answer(request: Request) -> Answer:
        texts = turn_of(with_cited_texts(request))
        if len(texts) == 1 or request.messages[-1]["role"] == "assistant":
            return whole
        written, quote = written_so_far(texts)
        rest = [block for _, block in remaining(whole.blocks, written)]
        if rest and isinstance(rest[0], Say):
            first = Say(quote + rest[0].text, rest[0].citations)
            return Answer([*thought, first, *rest[1:]], fine_grained=fine)
        return Answer([*thought, quote, *rest], fine_grained=fine)

    return answer


def with_cited_texts(request: Request) -> Request:
    """Put cited texts in the form of plain ones, which the echo looks for."""
    messages = [
        {**message, "content": [{"text": _block_text(b)} for b in message["content"]]}
        for message in request.messages
    ]
    return replace(request, messages=messages)


def by_v3(llm: Any) -> AIMessage:
    stream = llm.stream_events("Go.", version="v3")
    assert_valid_event_stream(list(stream))
    return cast("AIMessage", stream.output)


def by_async_v3(llm: Any) -> AIMessage:
    async def collected() -> AIMessage:
        stream = await llm.astream_events("Go.", version="v3")
        assert_valid_event_stream([event async for event in stream])
        return cast("AIMessage", await stream.output)

    return asyncio.run(collected())


def by_v2(llm: Any) -> AIMessage:
    """Add up the chunks of astream_events, which are those of the one run."""

    async def collected() -> list[Any]:
        return [event async for event in llm.astream_events("Go.", version="v2")]

    events = asyncio.run(collected())
    kinds = [event["event"] for event in events if "chat_model" in event["event"]]
    assert kinds.count("on_chat_model_start") == kinds.count("on_chat_model_end") == 1
    return added(
        [event["data"]["chunk"] for event in events if "chunk" in event["data"]]
    )


def by_stream(llm: Any) -> AIMessage:
    return added(list(llm.stream("Go.")))


READS: dict[str, Callable[[Any], AIMessage]] = {
    "v3": by_v3,
    "async v3": by_async_v3,
    "astream_events v2": by_v2,
    "stream": by_stream,
}


def same_shape(message: AIMessage) -> dict[str, Any]:
    """All of a message but what a cut answer costs more."""
    seen = shape(message)
    seen.pop("usage_metadata")
    seen["response_metadata"].pop("metrics", None)
    return seen


def tooled(make: Any, bedrock: LocalBedrock, **kwargs: Any) -> Any:
    return make(bedrock, output_version="v1", **kwargs).bind_tools(TOOLS)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "fine"), KINDS)
def test_a_spliced_stream_is_valid_and_gives_the_uncut_message(
    serve: Serve, kind: str, way: str, read: str, fine: bool
) -> None:
    bedrock = serve(answers(ANSWERS[kind], fine=fine, way=WAYS[way]))
    by, model_id = READS[read], WAYS[way][0]
    uncut = same_shape(
        by(tooled(plain_model, bedrock, model=model_id, max_tokens=3000))
    )
    bedrock.clear()
    for size in SIZES:
        message = by(tooled(model, bedrock, model=model_id, max_tokens=size))
        assert same_shape(message) == uncut, f"cut at {size}"
        assert message.response_metadata["continuation"]["ended_by"] == "model"
    assert len(bedrock.requests) > len(SIZES)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("kind", WITH_TOOLS)
def test_a_call_that_was_cut_is_invalid_in_every_stream(
    serve: Serve, kind: str, read: str
) -> None:
    bedrock = serve(answers(ANSWERS[kind], fine=True, way=WAYS["prefill"]))
    limits: dict[str, Any] = {"max_tokens_ceiling": 20, "model": PREFILL}
    tools = sum(not isinstance(one, str | Think) for one in ANSWERS[kind])
    for cut in range(19, 4, -2):
        message = READS[read](tooled(model, bedrock, max_tokens=cut, **limits))
        ended_by = message.response_metadata["continuation"]["ended_by"]
        calls, invalid = message.tool_calls, message.invalid_tool_calls
        assert (len(calls), len(invalid)) in {(0, 0), (0, 1), (0, tools), (tools, 0)}
        assert bool(invalid) == (ended_by == "tool_call"), f"cut at {cut}"
        blocks = [block["type"] for block in message.content_blocks]
        assert blocks.count("invalid_tool_call") == len(invalid)
        assert "non_standard" not in blocks

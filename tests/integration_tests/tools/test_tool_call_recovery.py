"""What becomes of a cut tool call: it is asked for again, given back, or raised."""

import copy
import pickle
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import TruncatedToolCallError, TurnLimitError
from langchain_bedrock_continue._core.decisions.limits import ASSUMED_CEILING
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    ModelRules,
    Script,
)
from tests.integration_tests.conftest import (
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.integration_tests.langchain.test_callbacks import Recorder
from tests.support.entrances import Entrance, by_invoke, by_stream
from tests.support.tool_models import (
    PREFILL_MODEL,
    by_number,
    prefilled,
    tools,
)

TEXT = "I write it. "
INPUT = {"path": "a.md", "content": "x y z " * 30}
TOOLS = tools("write", "read")
UNKNOWN_MODEL = "acme.model-v1"


def write(tool_use_id: str = "t1") -> CallTool:
    return CallTool("write", INPUT, tool_use_id=tool_use_id)


CALLING = Answer([TEXT, write()], fine_grained=True)


def tooled(bedrock: LocalBedrock, **kwargs: Any) -> Runnable[Any, AIMessage]:
    settings = {"model": PREFILL_MODEL, "max_tokens": 20, **kwargs}
    return model(bedrock, **settings).bind_tools(TOOLS)


def sizes_of(bedrock: LocalBedrock) -> list[int | None]:
    """What each request asked for."""
    configs = (one.body.get("inferenceConfig", {}) for one in bedrock.requests)
    return [config.get("maxTokens") for config in configs]


def summary_of(message: AIMessage) -> dict[str, Any]:
    summary: dict[str, Any] = message.response_metadata["continuation"]
    return summary


def ended(message: AIMessage) -> tuple[str, bool]:
    return summary_of(message)["ended_by"], summary_of(message)["complete"]


# Asked for again --------------------------------------------------------------------


def test_a_cut_call_is_asked_for_again_with_four_times_the_room(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(CALLING)
    message = entrance(tooled(bedrock, max_tokens=12), "Write.")
    assert message.text == TEXT
    assert [call["args"] for call in message.tool_calls] == [INPUT]
    assert message.invalid_tool_calls == []
    assert sizes_of(bedrock) == [12, 48, 192]
    assert ended(message) == ("model", True)


# The ways to ask for a number of tokens, and where a request has it then.
WAYS: dict[str, dict[str, Any]] = {
    "max_tokens": {"max_tokens": 20},
    "maxTokens": {"maxTokens": 20},
    "inference_config": {"inference_config": {"max_tokens": 20, "temperature": 0.5}},
    "inferenceConfig": {"inferenceConfig": {"maxTokens": 20, "temperature": 0.5}},
}


@pytest.mark.parametrize("way", WAYS)
def test_only_the_room_is_another(serve: Serve, entrance: Entrance, way: str) -> None:
    bedrock = serve(CALLING)
    kwargs = {"tool_choice": {"any": {}}, "stop": ["@"], **WAYS[way]}
    before = copy.deepcopy(kwargs)
    entrance(tooled(bedrock, max_tokens=99), "Write.", **kwargs)
    assert kwargs == before
    plain = plain_model(bedrock, model=PREFILL_MODEL, max_tokens=99)
    entrance(plain.bind_tools(TOOLS), "Write.", **kwargs)
    first, *retries, theirs = [one.body for one in bedrock.requests]
    assert first == theirs
    assert len(retries) == 2
    for body in retries:
        body["inferenceConfig"]["maxTokens"] = 20
        assert body == first


def test_room_that_was_not_asked_for_is_raised_too(serve: Serve) -> None:
    # Where maxTokens is unset, Converse gives Claude 4,096 tokens.
    big = Answer([TEXT, CallTool("write", {"content": "x y z " * 1700})])
    bedrock = serve(big)
    message = by_invoke(tooled(bedrock, max_tokens=None), "Write.")
    assert len(message.tool_calls) == 1
    assert sizes_of(bedrock) == [None, 4 * 4096]


def test_a_later_segment_keeps_the_room(serve: Serve, entrance: Entrance) -> None:
    rest = "And then there is more to say than fits, again and again and again. " * 5
    bedrock = serve(
        by_number(CALLING, Answer([TEXT, rest]), lambda r: Answer(prefilled(r) + "!"))
    )
    message = entrance(tooled(bedrock), "Write.")
    assert sizes_of(bedrock) == [20, 80, 80]
    assert message.text == prefilled_text(bedrock) + "!"
    assert ended(message) == ("model", True)


def prefilled_text(bedrock: LocalBedrock) -> str:
    content = bedrock.requests[-1].body["messages"][-1]["content"]
    return "".join(block["text"] for block in content)


def test_usage_and_segments_tell_of_every_try(serve: Serve, entrance: Entrance) -> None:
    message = entrance(tooled(serve(CALLING), max_tokens=12), "Write.")
    summary = summary_of(message)
    entries = summary["segments"]
    assert [one["strategy"] for one in entries] == [None, "retry", "retry"]
    reasons = [one["stop_reason"] for one in entries]
    assert reasons == ["max_tokens", "max_tokens", "tool_use"]
    billed = [
        sum(one[f"{way}_tokens"] for one in entries) for way in ("input", "output")
    ]
    usage: Any = message.usage_metadata
    assert [usage["input_tokens"], usage["output_tokens"]] == billed
    assert usage["total_tokens"] == sum(billed)
    assert summary["seams"] == []
    assert summary["strategy"] is None


def test_listeners_hear_of_every_try(serve: Serve, entrance: Entrance) -> None:
    recorder = Recorder()
    chain = ChatPromptTemplate.from_messages([("user", "{it}")]) | tooled(
        serve(CALLING)
    )
    entrance(chain, {"it": "Write."}, config={"callbacks": [recorder]})
    heard = [(name, event["type"]) for name, event in recorder.events]
    assert heard == [("bedrock_continuation", "retry")] * 2


# The ceiling ------------------------------------------------------------------------

ENDLESS = Answer([TEXT, CallTool("write", {"content": "x y z " * 30_000})])


@pytest.mark.parametrize(
    ("model_id", "field", "last"),
    [
        (PREFILL_MODEL, None, 64_000),  # as its profile says
        (PREFILL_MODEL, 5_000, 5_000),
        (REFUSING_MODEL, 30_000, 30_000),
        (UNKNOWN_MODEL, None, ASSUMED_CEILING),
    ],
)
def test_the_ceiling(model_id: str, field: int | None, last: int) -> None:
    rules = {UNKNOWN_MODEL: ModelRules(family="unknown")}
    with LocalBedrock(Script(ENDLESS), models=rules) as bedrock:
        llm = tooled(bedrock, model=model_id, max_tokens=2000, max_tokens_ceiling=field)
        message = llm.invoke("Write.")
        assert sizes_of(bedrock)[-1] == last
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert "Cut at max_tokens" in (invalid["error"] or "")
    assert ended(message) == ("tool_call", False)
    assert message.text == TEXT


@pytest.mark.parametrize("limit", [115, 40])
def test_a_lower_limit_that_the_service_names_is_the_ceiling(limit: int) -> None:
    rules = {PREFILL_MODEL: ModelRules("claude", max_output_tokens=limit)}
    for entrance in (by_invoke, by_stream):
        with LocalBedrock(Script(CALLING), models=rules) as bedrock:
            message = entrance(tooled(bedrock, max_tokens=30), "Write.")
            assert sizes_of(bedrock) == [30, 120, limit]
        entries = summary_of(message)["segments"]
        assert [one["max_tokens"] for one in entries] == [30, limit]
        whole = limit == 115
        assert [call["args"] for call in message.tool_calls] == [INPUT] * whole
        assert ended(message) == (("model", True) if whole else ("tool_call", False))


def test_a_limit_that_the_first_request_is_over_is_the_callers(serve: Serve) -> None:
    with pytest.raises(Exception, match="exceeds the model limit of 64000"):
        by_stream(tooled(serve(CALLING), max_tokens=64_001), "Write.")


def test_a_limit_no_larger_than_what_was_asked_for_ends_it() -> None:
    rules = {PREFILL_MODEL: ModelRules("claude", max_output_tokens=30)}
    for entrance in (by_invoke, by_stream):
        with LocalBedrock(Script(CALLING), models=rules) as bedrock:
            message = entrance(tooled(bedrock, max_tokens=30), "Write.")
        assert len(summary_of(message)["segments"]) == 1
        assert message.text == TEXT
        assert len(message.invalid_tool_calls) == 1
        assert ended(message) == ("tool_call", False)


LIMITS: list[tuple[str, int, list[int]]] = [
    ("max_continuations", 1, [20, 80]),
    ("max_total_tokens", 60, [20, 40]),
    ("max_total_tokens", 40, [20]),  # what is left is no more than the first had
]


@pytest.mark.parametrize("on_limit", ["return", "raise"])
@pytest.mark.parametrize("reached", LIMITS)
def test_a_limit_in_between_ends_the_turn_with_an_invalid_call(
    serve: Serve, entrance: Entrance, reached: tuple[str, int, list[int]], on_limit: str
) -> None:
    name, limit, sizes = reached
    bedrock = serve(CALLING)
    llm = tooled(bedrock, on_limit=on_limit, **{name: limit})
    if on_limit == "raise":
        with pytest.raises(TurnLimitError) as raised:
            entrance(llm, "Write.")
        message = raised.value.partial
    else:
        message = entrance(llm, "Write.")
    assert sizes_of(bedrock) == sizes
    assert message.tool_calls == []
    assert len(message.invalid_tool_calls) == 1
    assert message.text == TEXT
    assert ended(message) == (name, False)


# Returned, raised -------------------------------------------------------------------


def test_return_gives_the_call_back_as_invalid(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(CALLING)
    message = entrance(tooled(bedrock, tool_call_recovery="return"), "Write.")
    assert len(bedrock.requests) == 1
    assert message.tool_calls == []
    assert [call["id"] for call in message.invalid_tool_calls] == ["t1"]
    assert ended(message) == ("tool_call", False)


def test_raise_raises_with_all_that_arrived(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(CALLING)
    with pytest.raises(TruncatedToolCallError) as raised:
        entrance(tooled(bedrock, tool_call_recovery="raise"), "Write.")
    assert len(bedrock.requests) == 1
    error = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own bytes
    assert isinstance(error, TruncatedToolCallError)
    assert str(error) == str(raised.value)
    assert error.partial == raised.value.partial
    assert error.partial.text == TEXT
    assert error.partial.tool_calls == []
    assert [call["id"] for call in error.partial.invalid_tool_calls] == ["t1"]
    assert error.segments == summary_of(error.partial)["segments"]
    assert [one["max_tokens"] for one in error.segments] == [20]


@pytest.mark.parametrize("recovery", ["return", "raise"])
def test_neither_hinders_what_was_not_cut(
    serve: Serve, entrance: Entrance, recovery: str
) -> None:
    long = "This text is longer than what fits, so it is cut before any call comes. "
    bedrock = serve(Answer([long, CallTool("read", {})]))
    message = entrance(tooled(bedrock, tool_call_recovery=recovery), "Read.")
    assert message.text == long
    assert [call["name"] for call in message.tool_calls] == ["read"]
    assert ended(message) == ("model", True)

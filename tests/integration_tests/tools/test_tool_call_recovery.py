"""A truncated tool call is retried with more tokens, returned as invalid, or raised."""

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
from tests.support.answers import tools
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_invoke, by_stream
from tests.support.messages import continuation, ending, requested_sizes
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL, model, plain_model
from tests.support.scripts import in_order, prefill_of

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


# Retried ----------------------------------------------------------------------------


def test_a_truncated_call_is_retried_with_four_times_the_tokens(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(CALLING)
    message = entrance(tooled(bedrock, max_tokens=12), "Write.")
    assert message.text == TEXT
    assert [call["args"] for call in message.tool_calls] == [INPUT]
    assert message.invalid_tool_calls == []
    assert requested_sizes(bedrock) == [12, 48, 192]
    assert ending(message) == ("model", True)


# The arguments by which a call can set its number of tokens.
SIZE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "max_tokens": {"max_tokens": 20},
    "maxTokens": {"maxTokens": 20},
    "inference_config": {"inference_config": {"max_tokens": 20, "temperature": 0.5}},
    "inferenceConfig": {"inferenceConfig": {"maxTokens": 20, "temperature": 0.5}},
}


@pytest.mark.parametrize("argument", SIZE_ARGUMENTS)
def test_a_retry_differs_in_its_tokens_alone(
    serve: Serve, entrance: Entrance, argument: str
) -> None:
    bedrock = serve(CALLING)
    kwargs = {"tool_choice": {"any": {}}, "stop": ["@"], **SIZE_ARGUMENTS[argument]}
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


def test_the_services_default_size_is_raised_too(serve: Serve) -> None:
    # Converse allows Claude 4,096 tokens where maxTokens is not set.
    big = Answer([TEXT, CallTool("write", {"content": "x y z " * 1700})])
    bedrock = serve(big)
    message = by_invoke(tooled(bedrock, max_tokens=None), "Write.")
    assert len(message.tool_calls) == 1
    assert requested_sizes(bedrock) == [None, 4 * 4096]


def test_a_later_segment_keeps_the_raised_size(
    serve: Serve, entrance: Entrance
) -> None:
    rest = "And then there is more to say than fits, again and again and again. " * 5
    bedrock = serve(
        in_order(CALLING, Answer([TEXT, rest]), lambda r: Answer(prefill_of(r) + "!"))
    )
    message = entrance(tooled(bedrock), "Write.")
    assert requested_sizes(bedrock) == [20, 80, 80]
    assert message.text == prefilled_text(bedrock) + "!"
    assert ending(message) == ("model", True)


def prefilled_text(bedrock: LocalBedrock) -> str:
    content = bedrock.requests[-1].body["messages"][-1]["content"]
    return "".join(block["text"] for block in content)


def test_usage_and_segments_include_every_attempt(
    serve: Serve, entrance: Entrance
) -> None:
    message = entrance(tooled(serve(CALLING), max_tokens=12), "Write.")
    summary = continuation(message)
    entries = summary["segments"]
    assert [one["strategy"] for one in entries] == [None, "retry", "retry"]
    reasons = [one["stop_reason"] for one in entries]
    assert reasons == ["max_tokens", "max_tokens", "tool_use"]
    billed = [
        sum(one[f"{way}_tokens"] for one in entries) for way in ("input", "output")
    ]
    usage: Any = summary["billed"]
    assert [usage["input_tokens"], usage["output_tokens"]] == billed
    assert usage["total_tokens"] == sum(billed)
    assert summary["seams"] == []
    assert summary["strategy"] is None


def test_every_retry_is_an_event(
    serve: Serve, every_entrance: Entrance, recorder: Recorder
) -> None:
    chain = ChatPromptTemplate.from_messages([("user", "{it}")]) | tooled(
        serve(CALLING)
    )
    every_entrance(chain, {"it": "Write."}, config={"callbacks": [recorder]})
    events = [
        event for name, event in recorder.events if name == "bedrock_continuation"
    ]
    assert [event["type"] for event in events] == ["retry"] * 2


# The ceiling ------------------------------------------------------------------------

ENDLESS = Answer([TEXT, CallTool("write", {"content": "x y z " * 30_000})])


@pytest.mark.parametrize(
    ("model_id", "field", "last"),
    [
        (PREFILL_MODEL, None, 64_000),  # langchain-aws's profile of the model
        (PREFILL_MODEL, 5_000, 5_000),
        (REFUSING_MODEL, 30_000, 30_000),
        (UNKNOWN_MODEL, None, ASSUMED_CEILING),
    ],
)
def test_no_retry_is_larger_than_the_ceiling(
    model_id: str, field: int | None, last: int
) -> None:
    rules = {UNKNOWN_MODEL: ModelRules(family="unknown")}
    with LocalBedrock(Script(ENDLESS), models=rules) as bedrock:
        llm = tooled(bedrock, model=model_id, max_tokens=2000, max_tokens_ceiling=field)
        message = llm.invoke("Write.")
        assert requested_sizes(bedrock)[-1] == last
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert "Truncated at max_tokens" in (invalid["error"] or "")
    assert ending(message) == ("tool_call", False)
    assert message.text == TEXT


@pytest.mark.parametrize("limit", [116, 41])
def test_a_lower_limit_reported_by_the_service_takes_precedence(limit: int) -> None:
    rules = {PREFILL_MODEL: ModelRules("claude", max_output_tokens=limit)}
    for entrance in (by_invoke, by_stream):
        with LocalBedrock(Script(CALLING), models=rules) as bedrock:
            message = entrance(tooled(bedrock, max_tokens=30), "Write.")
            assert requested_sizes(bedrock) == [30, 120, limit - 1]
        entries = continuation(message)["segments"]
        assert [one["max_tokens"] for one in entries] == [30, limit - 1]
        complete = limit == 116
        assert [call["args"] for call in message.tool_calls] == [INPUT] * complete
        assert ending(message) == (
            ("model", True) if complete else ("tool_call", False)
        )


def test_a_first_request_above_the_services_limit_is_the_callers_error(
    serve: Serve,
) -> None:
    with pytest.raises(Exception, match="exceeds the model limit of 64000"):
        by_stream(tooled(serve(CALLING), max_tokens=64_001), "Write.")


def test_a_service_limit_no_larger_than_the_first_request_ends_the_turn() -> None:
    rules = {PREFILL_MODEL: ModelRules("claude", max_output_tokens=30)}
    for entrance in (by_invoke, by_stream):
        with LocalBedrock(Script(CALLING), models=rules) as bedrock:
            message = entrance(tooled(bedrock, max_tokens=30), "Write.")
        assert len(continuation(message)["segments"]) == 1
        assert message.text == TEXT
        assert len(message.invalid_tool_calls) == 1
        assert ending(message) == ("tool_call", False)


LIMITS: list[tuple[str, int, list[int]]] = [
    ("max_continuations", 1, [20, 80]),
    ("max_total_tokens", 60, [20, 40]),
    ("max_total_tokens", 40, [20]),  # no more is left than the first request had
]


@pytest.mark.parametrize("on_limit", ["return", "raise"])
@pytest.mark.parametrize("reached", LIMITS)
def test_a_limit_between_attempts_ends_the_turn_with_an_invalid_call(
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
    assert requested_sizes(bedrock) == sizes
    assert message.tool_calls == []
    assert len(message.invalid_tool_calls) == 1
    assert message.text == TEXT
    assert ending(message) == (name, False)


# Returned or raised -------------------------------------------------------------------


def test_return_returns_the_call_as_invalid(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(CALLING)
    message = entrance(tooled(bedrock, tool_call_recovery="return"), "Write.")
    assert len(bedrock.requests) == 1
    assert message.tool_calls == []
    assert [call["id"] for call in message.invalid_tool_calls] == ["t1"]
    assert ending(message) == ("tool_call", False)


def test_raise_raises_an_error_with_all_that_arrived(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(CALLING)
    with pytest.raises(TruncatedToolCallError) as raised:
        every_entrance(tooled(bedrock, tool_call_recovery="raise"), "Write.")
    assert len(bedrock.requests) == 1
    error = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own bytes
    assert isinstance(error, TruncatedToolCallError)
    assert str(error) == str(raised.value)
    assert error.partial == raised.value.partial
    assert error.partial.text == TEXT
    assert error.partial.tool_calls == []
    assert [call["id"] for call in error.partial.invalid_tool_calls] == ["t1"]
    assert error.segments == continuation(error.partial)["segments"]
    assert [one["max_tokens"] for one in error.segments] == [20]


@pytest.mark.parametrize("recovery", ["return", "raise"])
def test_return_and_raise_change_nothing_where_no_call_is_truncated(
    serve: Serve, entrance: Entrance, recovery: str
) -> None:
    long = "This text is longer than what fits, so it is truncated before any call. "
    bedrock = serve(Answer([long, CallTool("read", {})]))
    message = entrance(tooled(bedrock, tool_call_recovery=recovery), "Read.")
    assert message.text == long
    assert [call["name"] for call in message.tool_calls] == ["read"]
    assert ending(message) == ("model", True)

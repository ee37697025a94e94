"""What ChatBedrockConverse and ChatBedrock do for their callers, the wrapper does."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_aws.middleware.prompt_caching import BedrockPromptCachingMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import ConfigurableField, RunnableConfig
from pydantic import BaseModel, ValidationError

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.messages import continuation
from tests.support.models import (
    NOVA,
    PREFILL_MODEL,
    chat_bedrock,
    continuing_chat_bedrock,
    model,
    plain_model,
)
from tests.support.texts import LONG

Make = Callable[..., Any]
PAIRS: dict[str, tuple[Make, Make]] = {
    "Converse": (plain_model, model),
    "InvokeModel": (chat_bedrock, continuing_chat_bedrock),
}
"""How to make the bare model and ours, by API."""


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Port(BaseModel):
    """A port."""

    name: str


def sent_size(bedrock: LocalBedrock) -> int:
    """Return the `max_tokens` of the last request."""
    body = bedrock.requests[-1].body
    size = body.get("max_tokens") or body["inferenceConfig"]["maxTokens"]
    assert isinstance(size, int)
    return size


# isinstance -----------------------------------------------------------------------


@pytest.mark.parametrize("api", PAIRS)
@pytest.mark.parametrize("behavior", ["warn", "raise"])
def test_prompt_caching_middleware_caches(
    serve: Serve, api: str, behavior: Literal["warn", "raise"]
) -> None:
    bodies: list[Any] = []
    for make in PAIRS[api]:
        bedrock = serve("Hi.")
        caching = BedrockPromptCachingMiddleware(unsupported_model_behavior=behavior)
        llm = make(bedrock, model=PREFILL_MODEL, max_tokens=100)
        agent = create_agent(llm, [add], system_prompt="Be kind.", middleware=[caching])
        asked: Any = {"messages": [HumanMessage("Hi")]}
        asyncio.run(agent.ainvoke(asked))
        assert agent.invoke(asked)["messages"][-1].text == "Hi."
        bodies.append([request.body for request in bedrock.requests])
    bare, ours = bodies
    assert ours == bare
    assert "cachePoint" in str(ours) or "cache_control" in str(ours)


# Settings -------------------------------------------------------------------------


@pytest.mark.parametrize("api", PAIRS)
def test_a_changed_setting_is_sent(serve: Serve, api: str) -> None:
    bedrock = serve("Hi.")
    _, make = PAIRS[api]
    llm = make(bedrock, max_tokens=50)
    llm.model_copy(update={"max_tokens": 51}).invoke("Hi")
    assert sent_size(bedrock) == 51
    dynamic = llm.configurable_fields(max_tokens=ConfigurableField(id="size"))
    dynamic.invoke("Hi", {"configurable": {"size": 52}})
    assert sent_size(bedrock) == 52
    llm.max_tokens = 53
    llm.invoke("Hi")
    assert sent_size(bedrock) == 53


def test_a_configured_model_resumes(serve: Serve) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock, max_tokens=5, max_continuations=1)
    dynamic: Any = llm.configurable_fields(max_tokens=ConfigurableField(id="size"))
    config: RunnableConfig = {"configurable": {"size": 500}}
    partial = dynamic.invoke("Hi")
    assert not continuation(partial)["complete"]
    whole = dynamic.resume([HumanMessage("Hi")], partial, config=config)
    assert whole.text == LONG


# Our fields for one call ----------------------------------------------------------


def test_a_field_is_given_for_one_call(serve: Serve, every_entrance: Entrance) -> None:
    llm = model(serve(LONG), max_tokens=5)
    message = every_entrance(llm, "Hi", max_continuations=1)
    assert continuation(message)["ended_by"] == "max_continuations"
    assert len(continuation(message)["segments"]) == 2
    assert every_entrance(llm, "Hi").text == LONG
    assert every_entrance(llm.bind(max_continuations=0), "Hi").text != LONG


def test_it_goes_with_tools_and_with_resume(serve: Serve) -> None:
    llm = model(serve(LONG), model=PREFILL_MODEL, max_tokens=5)
    bound = llm.bind_tools([add], max_continuations=1)
    partial = bound.invoke("Hi")
    assert len(continuation(partial)["segments"]) == 2
    partial = bound.resume([HumanMessage("Hi")], partial, max_total_tokens=1)
    assert continuation(partial)["ended_by"] == "max_total_tokens"
    assert llm.resume([HumanMessage("Hi")], partial).text == LONG


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_continuations", -1),
        ("max_continuations", "many"),
        ("max_seconds", 0),
        ("strategy", "magic"),
        ("continuation_prompt", "go on"),
    ],
)
def test_it_is_validated_as_in_the_constructor(
    serve: Serve, every_entrance: Entrance, name: str, value: object
) -> None:
    bedrock = serve(LONG)
    llm = model(bedrock)
    with pytest.raises(ValidationError) as at_construction:
        model(bedrock, **{name: value})
    with pytest.raises(ValidationError) as at_call:
        every_entrance(llm, "Hi", **{name: value})
    known = ("loc", "msg", "type")
    (first,), (second,) = at_construction.value.errors(), at_call.value.errors()
    assert [first[key] for key in known] == [second[key] for key in known]  # type: ignore[literal-required]
    assert bedrock.requests == []


@pytest.mark.parametrize("name", ["llm", "max_concurrency"])
def test_some_fields_are_of_the_model_only(serve: Serve, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: can't be given for one call"):
        model(serve(LONG)).bind(**{name: 5}).invoke("Hi")


# Callbacks ------------------------------------------------------------------------


@pytest.mark.parametrize("api", PAIRS)
@pytest.mark.parametrize("size", [5, 500])
@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_streaming_is_what_invoke_does_if_it_is_asked_for(
    serve: Serve, api: str, size: int, name: str
) -> None:
    bedrock = serve(LONG)
    _, make = PAIRS[api]
    llm = make(bedrock, max_tokens=size, streaming=True)
    recorder = Recorder()
    message = ENTRANCES[name](llm, "Hi", config={"callbacks": [recorder]})
    assert "".join(recorder.tokens) == message.text == LONG
    assert len(recorder.tokens) > 5
    assert all("stream" in request.operation.lower() for request in bedrock.requests)


@pytest.mark.parametrize("api", PAIRS)
def test_without_streaming_invoke_does_not_stream(serve: Serve, api: str) -> None:
    _, make = PAIRS[api]
    recorder = Recorder()
    for streaming in ({}, {"streaming": False}):
        llm = make(serve(LONG), max_tokens=500, **streaming)
        llm.invoke("Hi", {"callbacks": [recorder]})
    assert recorder.tokens == []


@pytest.mark.parametrize("api", PAIRS)
def test_the_llm_output_of_a_whole_answer_is_the_same(serve: Serve, api: str) -> None:
    outputs: list[Any] = []
    for make in PAIRS[api]:
        recorder = Recorder()
        llm = make(serve(LONG), max_tokens=500)
        messages: Any = [[HumanMessage("Hi")], [HumanMessage("Hello")]]
        batch = llm.generate(messages, callbacks=[recorder])
        message = batch.generations[0][0].message
        usage = message.response_metadata.get("usage")
        singles = [end.llm_output for end in recorder.ends]
        outputs.append([batch.llm_output, singles, message.additional_kwargs, usage])
    assert outputs[0] == outputs[1]


def test_the_llm_output_of_a_turn_is_the_sum_of_its_calls(serve: Serve) -> None:
    recorder = Recorder()
    llm = continuing_chat_bedrock(serve(LONG), max_tokens=5)
    message = llm.invoke("Hi", {"callbacks": [recorder]})
    billed = continuation(message)["billed"]
    output = recorder.ends[0].llm_output or {}
    assert billed is not None
    assert output["usage"]["prompt_tokens"] == billed["input_tokens"]
    assert output["usage"]["completion_tokens"] == billed["output_tokens"]
    assert output["stop_reason"] == "end_turn"
    counted: Any = message.usage_metadata
    for usage in (
        message.additional_kwargs["usage"],
        message.response_metadata["usage"],
    ):
        assert usage["prompt_tokens"] == counted["input_tokens"]
        assert usage["completion_tokens"] == counted["output_tokens"]
        assert usage["total_tokens"] == counted["total_tokens"]


@pytest.mark.parametrize("message_usage", ["response", "billed"])
def test_chat_bedrocks_own_usage_counts_the_cache_once(
    serve: Serve, message_usage: Literal["response", "billed"]
) -> None:
    """ChatBedrock's own usage has the cache apart, and the rest in `prompt_tokens`."""
    bedrock = serve(LONG)
    caching: Any = {"prompt_caching": "5m", "message_usage": message_usage}
    llm = ChatBedrockContinuing(
        llm=chat_bedrock(bedrock, model=PREFILL_MODEL, max_tokens=9), **caching
    )
    message = llm.invoke("A harbour, and all of its boats. " * 400)
    sums: Any = continuation(message)
    cached = sums[message_usage]["input_token_details"]
    assert sums["billed"]["input_token_details"]["cache_read"] > 0
    for usage in (
        message.additional_kwargs["usage"],
        message.response_metadata["usage"],
    ):
        assert usage["cache_read_input_tokens"] == cached["cache_read"]
        assert usage["cache_write_input_tokens"] == cached["cache_creation"]
        cache = cached["cache_read"] + cached["cache_creation"]
        assert usage["prompt_tokens"] + cache == sums[message_usage]["input_tokens"]


class Interventions(BaseCallbackHandler):
    """Records what a guardrail's intervention is reported with."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, object, object]] = []

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        report = (str(error), kwargs.get("reason"), kwargs.get("trace"))
        self.reports.append(report)


GUARDED: dict[str, Any] = {
    "guardrails": {
        "guardrailIdentifier": "g",
        "guardrailVersion": "1",
        "trace": True,
    }
}
INTERVENED = {
    "amazon-bedrock-guardrailAction": "INTERVENED",
    "amazon-bedrock-trace": {"guardrail": {"input": {}}},
}


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_a_guardrails_trace_is_reported(serve: Serve, name: str) -> None:
    answer = Answer(LONG, additional_fields=INTERVENED)
    seen: list[Any] = []
    for llm in (
        chat_bedrock(serve(answer), max_tokens=500, **GUARDED),
        continuing_chat_bedrock(serve(answer), max_tokens=500, **GUARDED),
    ):
        handler = Interventions()
        ENTRANCES[name](llm, "Hi", config={"callbacks": [handler]})
        seen.append(handler.reports)
    assert seen[0] == seen[1]
    assert [report[1] for report in seen[1]] == ["GUARDRAIL_INTERVENED"]
    assert seen[1][0][2] == INTERVENED["amazon-bedrock-trace"]


# beta_use_converse_api ------------------------------------------------------------


def beta(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrock:
    """Make a ChatBedrock that uses Converse. For that it creates clients of its own."""
    shared = {"model": PREFILL_MODEL, "beta_use_converse_api": True}
    return ChatBedrock(**{**shared, **bedrock.client_kwargs(), **kwargs})


def converse_by_beta(bedrock: LocalBedrock, **kwargs: Any) -> Any:
    return ChatBedrockContinuing(llm=beta(bedrock, **kwargs))


def test_a_chat_bedrock_that_uses_converse(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    message = every_entrance(converse_by_beta(bedrock, max_tokens=5), "Hi")
    assert message.text == LONG
    assert message.response_metadata["stopReason"] == "end_turn"
    assert all("Converse" in request.operation for request in bedrock.requests)


@pytest.mark.parametrize("choice", [None, "Port", True])
def test_it_has_tools(serve: Serve, choice: Any) -> None:
    bedrock = serve(Answer([CallTool("Port", {"name": "Harwich"})]))
    bare = beta(bedrock, max_tokens=100)
    for llm in (bare, ChatBedrockContinuing(llm=bare)):
        bound = llm.bind_tools([Port], tool_choice=choice)
        message: AIMessage = bound.invoke("Hi")
        assert message.tool_calls[0]["args"] == {"name": "Harwich"}
    first, second = (request.body for request in bedrock.requests)
    assert first == second


@pytest.mark.parametrize("include_raw", [False, True])
def test_it_has_structured_output(serve: Serve, include_raw: bool) -> None:
    bedrock = serve(Answer([CallTool("Port", {"name": "Harwich"})]))
    llm = converse_by_beta(bedrock, max_tokens=100)
    chain = llm.with_structured_output(Port, include_raw=include_raw)
    found = chain.invoke("Hi")
    assert (found["parsed"] if include_raw else found) == Port(name="Harwich")


def test_a_provider_without_a_messages_api_is_wrapped_by_it(serve: Serve) -> None:
    bedrock = serve(LONG)
    keys = bedrock.client_kwargs()
    bare = ChatBedrock(model=NOVA, max_tokens=5, **keys)
    assert bare.beta_use_converse_api  # ChatBedrock sets it for Nova
    assert ChatBedrockContinuing(llm=bare).invoke("Hi").text == LONG


def test_its_class_is_that_of_the_wrapped_model(serve: Serve) -> None:
    llm = converse_by_beta(serve(LONG))
    assert isinstance(llm, ChatBedrock)
    assert not isinstance(llm, ChatBedrockConverse)


def test_its_model_is_created_once_and_follows_its_fields(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    bedrock = serve(LONG)
    inner = beta(bedrock, max_tokens=5)
    created: list[object] = []
    create: Any = ChatBedrock._as_converse

    def recorded(llm: ChatBedrock) -> Any:
        created.append(llm)
        return create.fget(llm)

    monkeypatch.setattr(ChatBedrock, "_as_converse", property(recorded))
    llm: Any = ChatBedrockContinuing(llm=inner)
    for _ in range(2):
        llm.invoke("Hi")
    assert len(created) == 1
    llm.max_tokens = 7
    llm.invoke("Hi")
    assert sent_size(bedrock) == 7
    inner.max_tokens = 9
    ChatBedrockContinuing(llm=inner).invoke("Hi")
    assert sent_size(bedrock) == 9


def test_a_subclass_may_stream_from_any_iterator(serve: Serve) -> None:
    """BaseChatModel's `_stream` returns an iterator, which need not be closable."""

    class Listing(ChatBedrockConverse):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            return iter([*super()._stream(*args, **kwargs)])

    bedrock = serve("Hi.")
    bare = Listing(model=PREFILL_MODEL, **bedrock.client_kwargs())
    llm = ChatBedrockContinuing(llm=bare)
    assert "".join(chunk.text for chunk in llm.stream("Q")) == "Hi."

"""Callbacks and tracers see what a run cost; the message has the size of a response."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.tracers import LangChainTracer
from langgraph.graph import START, MessagesState, StateGraph

from langchain_bedrock_continue import TurnLimitError
from langchain_bedrock_continue.local import Request, Script
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES
from tests.support.messages import continuation
from tests.support.models import (
    PREFILL_MODEL,
    continuing_chat_bedrock,
    model,
    plain_model,
)

TEXT = " ".join(f"Sentence {number} about the harbour." for number in range(12))
VIEWS = ("billed", "response")

ASK: dict[str, Callable[..., AIMessage]] = {
    **ENTRANCES,
    "batch": lambda llm, asked, config: llm.batch([asked, asked], config)[1],
    "abatch": lambda llm, asked, config: asyncio.run(
        llm.abatch([asked, asked], config)
    )[1],
}


def seen_by(recorder: Recorder) -> AIMessage:
    """Return the message that the callbacks got when the last run ended."""
    generation: Any = recorder.ends[-1].generations[0][0]
    message: AIMessage = generation.message
    return message


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("make", [model, continuing_chat_bedrock])
@pytest.mark.parametrize("ask", ASK)
def test_callbacks_see_the_bill_and_the_caller_the_size(
    serve: Serve, recorder: Recorder, make: Any, ask: str, version: str
) -> None:
    bedrock = serve(TEXT)
    llm = make(bedrock, max_tokens=20).model_copy(update={"output_version": version})
    handler = UsageMetadataCallbackHandler()
    config = {"callbacks": [recorder, handler]}
    message = ASK[ask](llm, "Hi", config=config)
    sums = continuation(message)
    assert sums["billed"] != sums["response"]
    seen = seen_by(recorder)
    assert seen is not message
    assert (seen.usage_metadata, message.usage_metadata) == (
        sums["billed"],
        sums["response"],
    )
    # One model, as often as it was called.
    (counted,) = handler.usage_metadata.values()
    calls = len(recorder.ends)
    assert counted["output_tokens"] == calls * sums["billed"]["output_tokens"]
    assert counted["input_tokens"] == calls * sums["billed"]["input_tokens"]


@pytest.mark.parametrize("ask", ENTRANCES)
def test_an_answer_that_is_not_truncated_has_one_usage(
    serve: Serve, recorder: Recorder, ask: str
) -> None:
    bedrock = serve(TEXT)
    config = {"callbacks": [recorder]}
    ours, bare = (
        ASK[ask](make(bedrock, max_tokens=500), "Hi", config=config)
        for make in (model, plain_model)
    )
    assert (
        ours.usage_metadata == bare.usage_metadata == seen_by(recorder).usage_metadata
    )


@pytest.mark.parametrize("message_usage", VIEWS)
@pytest.mark.parametrize("usage_view", VIEWS)
@pytest.mark.parametrize("ask", ENTRANCES)
def test_each_of_them_can_be_set(
    serve: Serve, recorder: Recorder, ask: str, usage_view: str, message_usage: str
) -> None:
    settings: Any = {"usage_view": usage_view, "message_usage": message_usage}
    llm = model(serve(TEXT), max_tokens=20, **settings)
    message = ASK[ask](llm, "Hi", config={"callbacks": [recorder]})
    sums = continuation(message)
    assert message.usage_metadata == sums[message_usage]
    assert seen_by(recorder).usage_metadata == sums[usage_view]


@pytest.mark.parametrize("ask", ENTRANCES)
def test_the_partial_message_of_an_error_is_the_callers(serve: Serve, ask: str) -> None:
    llm = model(serve(TEXT), max_tokens=20, max_continuations=1, on_limit="raise")
    with pytest.raises(TurnLimitError) as raised:
        ASK[ask](llm, "Hi", config={})
    partial = raised.value.partial
    assert partial.usage_metadata == continuation(partial)["response"]


# The readers --------------------------------------------------------------------------


class TraceClient:
    """Records what LangSmith's client would send."""

    tracing_queue = None
    otel_exporter = None

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def create_run(self, **run: Any) -> None:
        """Record the start of a run."""
        self.sent.append(run)

    def update_run(self, **run: Any) -> None:
        """Record the end of a run."""
        self.sent.append(run)

    def flush(self) -> None:
        """Do nothing: runs are recorded at once."""


@pytest.mark.parametrize("ask", ENTRANCES)
def test_a_recorded_trace_has_the_bill(serve: Serve, ask: str) -> None:
    client: Any = TraceClient()
    tracer = LangChainTracer(client=client)
    llm = model(serve(TEXT), max_tokens=20)
    message = ASK[ask](llm, "Hi", config={"callbacks": [tracer]})
    tracer.wait_for_futures()
    ended = client.sent[-1]
    billed = continuation(message)["billed"]
    traced = ended["outputs"]["generations"][0][0]["message"]["kwargs"]
    assert traced["usage_metadata"] == billed
    assert ended["extra"]["metadata"]["usage_metadata"] == billed


def answering(request: Request) -> str:
    last = "".join(block.get("text", "") for block in request.messages[-1]["content"])
    return "A SUMMARY." if "summar" in last.lower() else TEXT * 4


def summarizes(serve: Serve, make: Any, **settings: Any) -> bool:
    """Return True if a short conversation is replaced by a summary."""
    bedrock = serve(Script(answering))
    llm = make(bedrock, model=PREFILL_MODEL, max_tokens=30, **settings)
    summary = SummarizationMiddleware(
        llm, trigger=("tokens", 3000), keep=("messages", 2)
    )
    agent: Any = create_agent(llm, [], middleware=[summary])
    long = "tide " * 600
    asked = [("human", long), ("ai", "noted"), ("human", "tell me")]
    first = agent.invoke({"messages": asked})["messages"]
    then = agent.invoke({"messages": [*first, HumanMessage("go on")]})["messages"]
    return any("summary" in one.text.lower() for one in then)


def test_a_continued_answer_is_no_full_context_for_summarization(serve: Serve) -> None:
    assert not summarizes(serve, plain_model)
    assert not summarizes(serve, model)
    assert summarizes(serve, model, message_usage="billed")


def test_tokens_that_are_scaled_by_usage_are_those_of_the_conversation(
    serve: Serve,
) -> None:
    bedrock = serve(TEXT)
    sizes = []
    for llm in (plain_model(bedrock, max_tokens=500), model(bedrock, max_tokens=20)):
        conversation = [HumanMessage("Hi " * 50), llm.invoke("Hi " * 50)]
        sizes.append(
            count_tokens_approximately(conversation, use_usage_metadata_scaling=True)
        )
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("stream_mode", ["values", "messages"])
def test_a_graph_keeps_the_size_and_its_callbacks_see_the_bill(
    serve: Serve, recorder: Recorder, stream_mode: Any
) -> None:
    llm = model(serve(TEXT), max_tokens=20)
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [llm.invoke(state["messages"])]})
    graph.add_edge(START, "model")
    built: Any = graph.compile()
    config = {"callbacks": [recorder]}
    asked = {"messages": [("human", "Hi")]}
    *_, last = built.stream(asked, config, stream_mode=[stream_mode, "values"])
    message = last[1]["messages"][-1]
    assert message.usage_metadata == continuation(message)["response"]
    assert seen_by(recorder).usage_metadata == continuation(message)["billed"]

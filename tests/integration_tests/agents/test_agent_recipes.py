"""Recipes: what users build round an agent, with each of the two ways to continue it.

Each is written as a user would write it. `make` is `by_model` or `by_middleware` of
`tests/support/agents.py`: `create_agent` with a ChatBedrockContinuing, or with a
ChatBedrockConverse and a ContinuationMiddleware.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import (
    HumanInTheLoopMiddleware,
    ModelFallbackMiddleware,
    SummarizationMiddleware,
)
from langchain_aws.middleware import BedrockPromptCachingMiddleware
from langchain_core.messages import AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from langchain_bedrock_continue import SegmentError
from langchain_bedrock_continue.local import Answer, Request, Script
from tests.support.agents import (
    ASK,
    CONTENT,
    DONE,
    RUNS,
    SAYS,
    SIZE,
    WAYS,
    Files,
    Make,
    Run,
    by_middleware,
    by_plain_model,
    failing_at,
    spoken,
    writing,
)
from tests.support.endpoint import Serve
from tests.support.messages import continuation
from tests.support.models import (
    MODEL,
    PREFILL_MODEL,
    REFUSING_MODEL,
    model,
    plain_model,
)
from tests.support.scripts import continuing, rest_of

WRITTEN = [("a.md", CONTENT)]
CONFIG: Any = {"configurable": {"thread_id": "1"}}


@pytest.fixture(params=list(WAYS))
def make(request: pytest.FixtureRequest) -> Make:
    return WAYS[request.param]


@pytest.fixture(params=list(RUNS))
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


# A truncated tool call ----------------------------------------------------------------


@pytest.mark.parametrize("name", [PREFILL_MODEL, REFUSING_MODEL])
def test_a_truncated_tool_call_runs_once_with_all_its_arguments(
    serve: Serve, make: Make, run: Run, name: str
) -> None:
    files = Files()
    agent = make(serve(Script(writing())), [files.tool], model=name)
    state = run(agent, ASK)
    assert files.calls == WRITTEN
    assert [message.text for message in spoken(state)] == [SAYS, DONE]


def test_without_continuation_it_runs_with_a_part_of_them(
    serve: Serve, run: Run
) -> None:
    # This is why the package exists: if it fails, LangChain has fixed it.
    files = Files()
    state = run(by_plain_model(serve(Script(writing())), [files.tool]), ASK)
    [(path, content)] = files.calls
    assert path == "a.md"
    assert content != CONTENT
    assert CONTENT.startswith(content)
    assert spoken(state)[-1].text != DONE


# A checkpointer on SQLite -------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "checkpoints.db")


def test_the_next_process_goes_on_with_a_conversation(
    serve: Serve, make: Make, database: str
) -> None:
    bedrock, files = serve(Script(writing())), Files()
    for said in ("Write the file.", "And what did you write?"):
        with closing(sqlite3.connect(database, check_same_thread=False)) as connection:
            saver = SqliteSaver(connection)
            agent = make(bedrock, [files.tool], agent={"checkpointer": saver})
            state = agent.invoke({"messages": [HumanMessage(said)]}, CONFIG)
    assert files.calls == WRITTEN
    assert [message.text for message in spoken(state)] == [SAYS, DONE, DONE]


@pytest.mark.parametrize("name", [PREFILL_MODEL, REFUSING_MODEL])
def test_the_next_process_resumes_an_answer_that_failed(
    serve: Serve, database: str, name: str
) -> None:
    bedrock, files = serve(Script(failing_at(5, writing()))), Files()

    def agent_with(saver: Any) -> Any:
        agent = {"checkpointer": saver}
        return by_middleware(bedrock, [files.tool], agent=agent, model=name)

    with (
        closing(sqlite3.connect(database, check_same_thread=False)) as connection,
        pytest.raises(SegmentError) as raised,
    ):
        agent_with(SqliteSaver(connection)).invoke(ASK, CONFIG)
    asked = len(bedrock.requests)
    with closing(sqlite3.connect(database, check_same_thread=False)) as connection:
        state = agent_with(SqliteSaver(connection)).invoke(None, CONFIG)
    assert files.calls == WRITTEN  # the tool did not run again
    assert [message.text for message in spoken(state)] == [SAYS, DONE]
    last = spoken(state)[-1]
    assert last.id == raised.value.partial.id
    # What had arrived was not generated again.
    generated = len(continuation(last)["segments"])
    assert generated - len(raised.value.segments) == len(bedrock.requests) - asked


def test_the_next_process_resumes_it_on_an_event_loop(
    serve: Serve, database: str
) -> None:
    """Async, LangGraph needs AsyncSqliteSaver."""
    bedrock, files = serve(Script(failing_at(5, writing()))), Files()

    async def invoked(given: Any) -> Any:
        async with AsyncSqliteSaver.from_conn_string(database) as saver:
            agent = by_middleware(bedrock, [files.tool], agent={"checkpointer": saver})
            return await agent.ainvoke(given, CONFIG)

    with pytest.raises(SegmentError):
        asyncio.run(invoked(ASK))
    state = asyncio.run(invoked(None))
    assert files.calls == WRITTEN
    assert [message.text for message in spoken(state)] == [SAYS, DONE]


def test_with_the_model_alone_the_caller_resumes_the_answer(serve: Serve) -> None:
    bedrock, files = serve(Script(failing_at(5, writing()))), Files()
    llm = model(bedrock, max_tokens=SIZE)
    agent = WAYS["model"](
        bedrock, [files.tool], agent={"checkpointer": InMemorySaver()}
    )
    with pytest.raises(SegmentError) as raised:
        agent.invoke(ASK, CONFIG)
    messages = agent.get_state(CONFIG).values["messages"]
    complete = llm.bind_tools([files.tool]).resume(messages, raised.value.partial)
    agent.update_state(CONFIG, {"messages": [complete]}, as_node="model")
    state = agent.invoke(None, CONFIG)
    assert files.calls == WRITTEN
    assert [message.text for message in spoken(state)] == [SAYS, DONE]


# Other middleware ---------------------------------------------------------------------

LONG = "One sentence follows the other, and each has its own number. " * 12
BETWEEN = 400
"""More tokens than one response of it has, and fewer than all calls for it."""

QUESTIONS = [HumanMessage("Tell me all.", id="1"), HumanMessage("Go on.", id="2")]


@pytest.mark.parametrize("usage", ["response", "billed"])
def test_summarization_goes_by_the_size_of_one_response(
    serve: Serve, make: Make, usage: str
) -> None:
    """The sum of all calls would be mistaken for the size of the conversation."""
    bedrock = serve(continuing(Answer(LONG)))
    summary = SummarizationMiddleware(
        model(bedrock, max_tokens=SIZE),
        trigger=("tokens", BETWEEN),
        keep=("messages", 1),
    )
    agent = make(
        bedrock,
        middleware=[summary],
        agent={"checkpointer": InMemorySaver()},
        message_usage=usage,
    )
    first = agent.invoke({"messages": QUESTIONS[:1]}, CONFIG)
    counted = continuation(spoken(first)[-1])
    assert counted["response"]["total_tokens"] < BETWEEN
    assert counted["billed"]["total_tokens"] > BETWEEN
    state = agent.invoke({"messages": QUESTIONS[1:]}, CONFIG)
    has_all = [one.id for one in state["messages"][::2]] == ["1", "2"]
    assert has_all is (usage == "response")


def test_the_summary_is_complete(serve: Serve, make: Make) -> None:
    bedrock = serve(continuing(Answer(LONG)))
    summary = SummarizationMiddleware(
        model(bedrock, max_tokens=SIZE), trigger=("messages", 3), keep=("messages", 1)
    )
    agent = make(bedrock, middleware=[summary], agent={"checkpointer": InMemorySaver()})
    agent.invoke({"messages": QUESTIONS[:1]}, CONFIG)
    state = agent.invoke({"messages": QUESTIONS[1:]}, CONFIG)
    assert LONG.strip() in state["messages"][0].text
    assert spoken(state)[-1].text == LONG


def test_prompt_caching_adds_the_points_that_it_adds_without_continuation(
    serve: Serve, make: Make, run: Run
) -> None:
    bedrock, files = serve(Script(writing())), Files()
    caching = [BedrockPromptCachingMiddleware()]
    run(by_plain_model(bedrock, [files.tool], caching), ASK)
    expected = bedrock.requests[0].body
    bedrock.clear()
    run(make(bedrock, [files.tool], caching), ASK)
    bodies = [request.body for request in bedrock.requests]
    assert bodies[0] == expected
    assert str(expected).count("cachePoint") > 1
    assert all(1 <= str(body).count("cachePoint") <= 4 for body in bodies)
    assert files.calls[-1:] == WRITTEN


def test_a_fallback_model_is_continued(serve: Serve, make: Make, run: Run) -> None:
    """`on_error="raise"` lets the middleware for fallbacks see each error."""
    bedrock, files = serve(Script(failing_at(1, writing(), at=0))), Files()
    second = model if make is WAYS["model"] else plain_model
    fallback = ModelFallbackMiddleware(
        second(bedrock, model=REFUSING_MODEL, max_tokens=SIZE)
    )
    ours = {} if make is WAYS["model"] else {"on_error": "raise"}
    state = run(make(bedrock, [files.tool], [fallback], **ours), ASK)
    assert files.calls == WRITTEN
    assert [message.text for message in spoken(state)] == [SAYS, DONE]
    called = [request.model_id for request in bedrock.requests]
    assert called[:2] == [MODEL, REFUSING_MODEL]


def test_a_fallback_answers_where_the_first_model_fails_within_its_answer(
    serve: Serve, run: Run
) -> None:
    bedrock = serve(
        Script(failing_at(2, lambda request: rest_of(Answer(DONE), request)))
    )
    other = plain_model(bedrock, model=REFUSING_MODEL, max_tokens=SIZE)
    fallback = [ModelFallbackMiddleware(other)]
    state = run(by_middleware(bedrock, [], fallback, on_error="raise"), ASK)
    assert [message.text for message in spoken(state)] == [DONE]


@pytest.mark.parametrize("name", [PREFILL_MODEL, REFUSING_MODEL])
def test_a_human_decides_about_the_complete_call(
    serve: Serve, make: Make, run: Run, name: str
) -> None:
    files = Files()
    human = HumanInTheLoopMiddleware(interrupt_on={"write_file": True})
    agent = make(
        serve(Script(writing())),
        [files.tool],
        [human],
        agent={"checkpointer": InMemorySaver()},
        model=name,
    )
    state = run(agent, ASK, CONFIG)
    [asked] = state["__interrupt__"][0].value["action_requests"]
    assert asked["args"] == {"path": "a.md", "content": CONTENT}
    assert files.calls == []
    state = run(agent, Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert files.calls == WRITTEN
    assert spoken(state)[-1].text == DONE


# Subgraphs and streams ----------------------------------------------------------------


def test_parallel_agents_resume_the_answer_that_failed(serve: Serve, run: Run) -> None:
    """A subgraph resumes its partial message from its own checkpoint."""
    failing = failing_at(3, lambda asked: rest_of(Answer(DONE), asked))

    def answer(asked: Request) -> Answer:
        is_first = asked.model_id == PREFILL_MODEL
        return rest_of(Answer(LONG), asked) if is_first else failing(asked)

    bedrock = serve(Script(answer))
    graph = StateGraph(MessagesState)
    for node, name in {"first": PREFILL_MODEL, "second": REFUSING_MODEL}.items():
        graph.add_node(node, by_middleware(bedrock, model=name))
        graph.add_edge(START, node)
    agents = graph.compile(checkpointer=InMemorySaver())
    with pytest.raises(SegmentError) as raised:
        run(agents, ASK, CONFIG)
    asked = [request.model_id for request in bedrock.requests].count(REFUSING_MODEL)
    state = run(agents, None, CONFIG)
    texts = {str(message.text): message for message in spoken(state)}
    assert texts.keys() == {LONG, DONE}
    resumed, partial = texts[DONE], raised.value.partial
    assert resumed.id == partial.id
    again = [request.model_id for request in bedrock.requests].count(REFUSING_MODEL)
    generated = len(continuation(resumed)["segments"])
    assert generated - len(continuation(partial)["segments"]) == again - asked


STREAM_MODES = ["messages", "updates", "custom", "values"]


def by_stream(agent: Any) -> list[Any]:
    return list(agent.stream(ASK, stream_mode=STREAM_MODES))


def by_astream(agent: Any) -> list[Any]:
    async def collected() -> list[Any]:
        return [part async for part in agent.astream(ASK, stream_mode=STREAM_MODES)]

    return asyncio.run(collected())


@pytest.mark.parametrize("stream", [by_stream, by_astream])
@pytest.mark.parametrize("name", [PREFILL_MODEL, REFUSING_MODEL])
def test_all_stream_modes_at_once(
    serve: Serve, make: Make, stream: Any, name: str
) -> None:
    files = Files()
    parts = stream(make(serve(Script(writing())), [files.tool], model=name))
    shown: dict[str, str] = {}
    for mode, part in parts:
        if mode == "messages" and isinstance(part[0], AIMessageChunk):
            chunk = part[0]
            shown[chunk.id or ""] = shown.get(chunk.id or "", "") + chunk.text
    last = [part for mode, part in parts if mode == "values"][-1]
    messages = spoken(last)
    assert [message.text for message in messages] == [SAYS, DONE]
    # Each message was streamed once, token by token, under its own id.
    assert shown == {message.id: message.text for message in messages}
    updated = [
        message
        for mode, part in parts
        if mode == "updates"
        for update in part.values()
        for message in (update or {}).get("messages", [])
    ]
    assert [one.id for one in updated] == [one.id for one in last["messages"][1:]]
    events = [part for mode, part in parts if mode == "custom"]
    types = {event["data"].get("type") for event in events}
    assert {event["name"] for event in events} == {
        "bedrock_continuation",
        "bedrock_tool_call",
    }
    assert {"retry", "seam"} <= types
    assert files.calls == WRITTEN

"""The events of a turn reach everyone who listens to its run, once each."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_bedrock_continue import ChatBedrockContinuing
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.messages import continuation
from tests.support.models import model
from tests.support.texts import LONG


class AsyncRecorder(AsyncCallbackHandler):
    """Records events, with the thread and the event loop that it is called on."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.called_on: set[tuple[int, asyncio.AbstractEventLoop]] = set()

    async def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        await asyncio.sleep(0)  # hold the turn up
        self.called_on.add((threading.get_ident(), asyncio.get_running_loop()))
        self.events.append((name, data))


def chained(llm: Runnable[Any, Any]) -> Runnable[Any, Any]:
    same: Runnable[Any, Any] = RunnableLambda(lambda asked: asked)
    return same | llm


Place = Callable[[ChatBedrockContinuing, Any], tuple[Runnable[Any, Any], Any]]

PLACES: dict[str, Place] = {
    "config": lambda llm, h: (llm, {"callbacks": [h]}),
    "the chain's config": lambda llm, h: (chained(llm), {"callbacks": [h]}),
    "constructor": lambda llm, h: (llm.model_copy(update={"callbacks": [h]}), None),
    "constructor, in a chain": lambda llm, h: (
        chained(llm.model_copy(update={"callbacks": [h]})),
        None,
    ),
    "with_config": lambda llm, h: (llm.with_config(callbacks=[h]), None),
    "with_config, in a chain": lambda llm, h: (
        chained(llm.with_config(callbacks=[h])),
        None,
    ),
    "bind": lambda llm, h: (llm.bind(stop=["zzz"]), {"callbacks": [h]}),
    "two places": lambda llm, h: (
        chained(llm.model_copy(update={"callbacks": [h]}).with_config(callbacks=[h])),
        {"callbacks": [h]},
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("handler_class", [Recorder, AsyncRecorder])
def test_each_handler_gets_each_event_once(
    serve: Serve, every_entrance: Entrance, place: str, handler_class: type[Any]
) -> None:
    handler = handler_class()
    llm, config = PLACES[place](model(serve(LONG), max_tokens=9), handler)
    message = every_entrance(llm, "Hi", config=config)
    seams = continuation(message)["seams"]
    assert len(seams) > 1
    assert [data["offset"] for _, data in handler.events] == seams


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_an_invoke_that_streams_has_them_too(serve: Serve, name: str) -> None:
    recorder = Recorder()
    llm = model(serve(LONG), max_tokens=9, streaming=True)
    message = ENTRANCES[name](llm, "Hi", config={"callbacks": [recorder]})
    offsets = [data["offset"] for _, data in recorder.events]
    assert offsets == continuation(message)["seams"]
    assert recorder.tokens


@pytest.mark.parametrize("name", ["ainvoke", "astream"])
def test_an_async_handler_runs_on_the_callers_loop(serve: Serve, name: str) -> None:
    handler = AsyncRecorder()
    llm = model(serve(LONG), max_tokens=9)
    ENTRANCES[name](llm, "Hi", config={"callbacks": [handler]})
    ((thread, _),) = handler.called_on
    assert thread == threading.get_ident()


def test_an_error_of_an_async_handler_is_raised_if_it_asks_for_it(
    serve: Serve,
) -> None:
    class Failing(AsyncRecorder):
        raise_error = True

        async def on_custom_event(self, *_: Any, **__: Any) -> None:
            raise TimeoutError("mine")

    config: RunnableConfig = {"callbacks": [Failing()]}
    llm = model(serve(LONG), max_tokens=9, stream_recoveries=0)
    with pytest.raises(Exception, match="mine"):
        asyncio.run(llm.ainvoke("Hi", config))


def test_a_cancelled_turn_does_not_wait_for_a_handler(serve: Serve) -> None:
    class Hanging(AsyncRecorder):
        async def on_custom_event(self, *_: Any, **__: Any) -> None:
            reached.set()
            await asyncio.Event().wait()

    async def cancel_it() -> None:
        llm = model(serve(LONG), max_tokens=9)
        task = asyncio.create_task(llm.ainvoke("Hi", {"callbacks": [Hanging()]}))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    reached = asyncio.Event()
    asyncio.run(cancel_it())


@pytest.mark.parametrize("in_chain", [False, True])
def test_astream_events_has_them_with_the_models_run(
    serve: Serve, in_chain: bool
) -> None:
    llm: Runnable[Any, Any] = model(serve(LONG), max_tokens=9, tags=["mine"])

    async def collected() -> list[Any]:
        asked = chained(llm) if in_chain else llm
        config: RunnableConfig = {"metadata": {"user": "u"}}
        stream = asked.astream_events("Hi", config, version="v2")
        return [event async for event in stream]

    events = asyncio.run(collected())
    custom = [event for event in events if event["event"] == "on_custom_event"]
    starts = [event for event in events if event["event"] == "on_chat_model_start"]
    assert len(custom) > 1
    assert {event["run_id"] for event in custom} == {starts[0]["run_id"]}
    assert all("mine" in event["tags"] for event in custom)
    assert all(event["metadata"]["user"] == "u" for event in custom)


def test_a_run_id_of_the_config_is_kept(serve: Serve, every_entrance: Entrance) -> None:
    recorder = Recorder()
    run_id = "01890000-0000-7000-8000-000000000000"
    config = {"callbacks": [recorder], "run_id": run_id}
    every_entrance(model(serve(LONG), max_tokens=9), "Hi", config=config)
    assert [str(one) for one in recorder.runs] == [run_id]
    assert config["run_id"] == run_id


def test_two_streams_with_one_config_are_two_runs(serve: Serve) -> None:
    recorder = Recorder()
    config: RunnableConfig = {"callbacks": [recorder]}
    llm = model(serve(LONG), max_tokens=9)
    for _ in range(2):
        list(llm.stream("Hi", config))
    assert len(set(recorder.runs)) == 2
    assert "run_id" not in config


@pytest.mark.parametrize("name", ENTRANCES)
def test_a_graphs_custom_stream_has_them(serve: Serve, name: str) -> None:
    llm = model(serve(LONG), max_tokens=9)

    async def ask_async(state: MessagesState) -> Any:
        if name == "ainvoke":
            return {"messages": [await llm.ainvoke(state["messages"])]}
        chunks = [chunk async for chunk in llm.astream(state["messages"])]
        return {"messages": [sum(chunks[1:], chunks[0])]}

    def ask(state: MessagesState) -> Any:
        return {"messages": [ENTRANCES[name](llm, state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask_async if name.startswith("a") else ask)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", END)
    graph = builder.compile()
    asked: Any = {"messages": [("human", "Hi")]}

    async def stream_async() -> list[Any]:
        stream = graph.astream(asked, stream_mode=["custom", "values"])
        return [event async for event in stream]

    if name.startswith("a"):
        events = asyncio.run(stream_async())
    else:
        events = list(graph.stream(asked, stream_mode=["custom", "values"]))
    written: list[Any] = [data for mode, data in events if mode == "custom"]
    values: list[Any] = [data for mode, data in events if mode == "values"]
    seams = continuation(values[-1]["messages"][-1])["seams"]
    assert {data["name"] for data in written} == {"bedrock_continuation"}
    assert [data["data"]["offset"] for data in written] == seams

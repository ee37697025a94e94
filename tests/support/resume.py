"""The four methods that resume a partial message, and the forms that one comes in.

Each method is a function that returns the final message; each form is a function that
returns the message after it was stored and loaded.
"""

import asyncio
import json
import pickle
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeAlias

from langchain_core._api import LangChainBetaWarning
from langchain_core.load import dumpd, load
from langchain_core.messages import AIMessage, AIMessageChunk
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from tests.support.entrances import added

Resume: TypeAlias = Callable[..., AIMessage]


def by_resume(llm: Any, asked: Any, partial: AIMessage, **kwargs: Any) -> AIMessage:
    """Resume by `resume`."""
    message: AIMessage = llm.resume(asked, partial, **kwargs)
    return message


def by_resume_stream(
    llm: Any, asked: Any, partial: AIMessage, **kwargs: Any
) -> AIMessage:
    """Resume by `resume_stream`."""
    return added(list(llm.resume_stream(asked, partial, **kwargs)))


def by_aresume(llm: Any, asked: Any, partial: AIMessage, **kwargs: Any) -> AIMessage:
    """Resume by `aresume`, in an event loop of its own."""
    message: AIMessage = asyncio.run(llm.aresume(asked, partial, **kwargs))
    return message


def by_aresume_stream(
    llm: Any, asked: Any, partial: AIMessage, **kwargs: Any
) -> AIMessage:
    """Resume by `aresume_stream`, in an event loop of its own."""

    async def collected() -> list[AIMessageChunk]:
        chunks = llm.aresume_stream(asked, partial, **kwargs)
        return [chunk async for chunk in chunks]

    return added(asyncio.run(collected()))


RESUMES: dict[str, Resume] = {
    "resume": by_resume,
    "resume_stream": by_resume_stream,
    "aresume": by_aresume,
    "aresume_stream": by_aresume_stream,
}

TWO_RESUMES = {name: RESUMES[name] for name in ("resume_stream", "aresume")}
"""Enough for a test of the content, as with `TWO_ENTRANCES`."""


def pickled(message: AIMessage) -> AIMessage:
    """Return the message after a pickle."""
    copy: AIMessage = pickle.loads(pickle.dumps(message))  # noqa: S301 - our own
    return copy


def through_json(message: AIMessage) -> AIMessage:
    """Return the message after LangChain's JSON form of it."""
    saved = json.loads(json.dumps(dumpd(message)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)  # `load` is in beta
        copy: AIMessage = load(saved, allowed_objects="core")
    return copy


def through_a_checkpoint(message: AIMessage) -> AIMessage:
    """Return the message that another graph finds in the same LangGraph database."""
    config: Any = {"configurable": {"thread_id": "1"}}
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as database:
        _graph(database).update_state(config, {"messages": [message]})
        [copy] = _graph(database).get_state(config).values["messages"]
    assert isinstance(copy, AIMessage)
    return copy


def _graph(database: sqlite3.Connection) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda _state: {})
    graph.add_edge(START, "model")
    return graph.compile(checkpointer=SqliteSaver(database))


FORMS: dict[str, Callable[[AIMessage], AIMessage]] = {
    "fresh": lambda message: message,
    "pickled": pickled,
    "json": through_json,
    "checkpoint": through_a_checkpoint,
}

"""Two LangGraph programs that save an answer while it is written.

One saves each segment as a checkpoint, the other each chunk in a store. Run as a
program, which may be killed and run again with the same database, it resumes what it
has saved:

    python -m tests.support.graphs graph model endpoint_url database
"""

import sqlite3
import sys
from contextlib import closing
from typing import Annotated, Any, NotRequired

import boto3
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage
from langchain_core.messages.utils import convert_to_messages
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.store.base import BaseStore
from langgraph.store.sqlite import SqliteStore
from typing_extensions import TypedDict

from langchain_bedrock_continue import ChatBedrockContinuing

ASKED = "Tell me all."
THREAD: Any = {"configurable": {"thread_id": "1"}}
NAMESPACE = ("partial",)
SIZE = 12


class State(TypedDict):
    """A conversation, and the partial message of the answer in progress."""

    messages: Annotated[list[AnyMessage], add_messages]
    partial: NotRequired[AIMessage | None]


def by_segment(llm: ChatBedrockContinuing) -> Any:
    """Make each segment a step of the graph, so that a checkpoint follows each."""
    one = llm.model_copy(update={"max_continuations": 0})

    def write(state: State) -> Any:
        partial = state.get("partial")
        asked = state["messages"]
        message = one.resume(asked, partial) if partial else one.invoke(asked)
        if message.response_metadata["continuation"]["complete"]:
            return {"messages": [message], "partial": None}
        return {"partial": message}

    def then(state: State) -> str:
        return "write" if state.get("partial") else END

    graph = StateGraph(State)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    graph.add_conditional_edges("write", then)
    return graph


def by_chunk(llm: ChatBedrockContinuing) -> Any:
    """Save the sum of the chunks in a store after each of them, within one step."""

    def write(state: State, *, store: BaseStore) -> Any:
        saved = store.get(NAMESPACE, "1")
        asked = state["messages"]
        chunks = llm.stream(asked)
        if saved:
            chunks = llm.resume_stream(asked, partial_of(saved.value["content"]))
        message = AIMessageChunk(content=[])
        for chunk in chunks:
            message += chunk
            store.put(NAMESPACE, "1", {"content": message.content})
        store.delete(NAMESPACE, "1")
        return {"messages": convert_to_messages([message])}

    graph = StateGraph(State)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    return graph


def partial_of(content: Any) -> AIMessage:
    """Make a partial message of the saved content: it has to be marked as partial."""
    return AIMessage(content, response_metadata={"continuation": {"complete": False}})


GRAPHS = {"by_segment": by_segment, "by_chunk": by_chunk}


def main(graph_name: str, model: str, endpoint_url: str, path: str) -> None:
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    llm = ChatBedrockContinuing(
        model=model, max_tokens=SIZE, client=client, bedrock_client=client
    )
    with (
        closing(sqlite3.connect(path, check_same_thread=False)) as database,
        SqliteStore.from_conn_string(f"{path}.store") as store,
    ):
        store.setup()
        saver = SqliteSaver(database)
        graph = GRAPHS[graph_name](llm).compile(checkpointer=saver, store=store)
        began = graph.get_state(THREAD).created_at is not None
        asked = None if began else {"messages": [("user", ASKED)]}
        state = graph.invoke(asked, THREAD, durability="sync")
    sys.stdout.buffer.write(state["messages"][-1].text.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])

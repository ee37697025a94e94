"""A refused tool call in a conversation does not make a later request fail."""

import pickle
import warnings
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.load import dumpd, load
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    Request,
    Script,
    Think,
)
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance, by_invoke, by_stream
from tests.support.models import (
    PREFILL_MODEL,
    REFUSING_MODEL,
    THINKING,
    continuing_chat_bedrock,
    model,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langgraph.prebuilt import create_react_agent

SAYS = "I write it. "
THREAD: Any = {"configurable": {"thread_id": "1"}}


def write_file(path: str, content: str = "") -> str:
    """Write a file."""
    return f"saved {path}, {len(content)}"


LONG = {"path": "a.md", "content": "word " * 400}
SHORT = {"path": "b.md"}


def writes(*inputs: dict[str, Any], says: str = SAYS) -> Script:
    """Make a model that writes files when it is asked to, and else says thanks."""

    def answer(request: Request) -> str | Answer:
        last = request.messages[-1]["content"]
        text = "".join(block.get("text", "") for block in last)
        if "write" in text:
            ids = iter(f"call_{len(request.messages)}_{n}" for n in range(9))
            calls = [CallTool("write_file", one, next(ids)) for one in inputs]
            return Answer([says, *calls] if says else calls)
        return "You are welcome."

    return Script(answer)


WRAPPED = {
    "ChatBedrockConverse": lambda bedrock, **kwargs: model(
        bedrock, model=PREFILL_MODEL, **kwargs
    ),
    "ChatBedrock": lambda bedrock, **kwargs: continuing_chat_bedrock(
        bedrock, model=PREFILL_MODEL, **kwargs
    ),
}


def limited(name: str, bedrock: LocalBedrock, **kwargs: Any) -> Any:
    """Make a model whose long calls are refused."""
    llm = WRAPPED[name](bedrock, max_tokens=60)
    return llm.model_copy(update={"tool_call_recovery": "return", **kwargs})


def results_in(bedrock: LocalBedrock) -> list[Any]:
    """Return the tool results of the last request, as JSON."""
    blocks = [
        block
        for message in bedrock.requests[-1].body["messages"]
        for block in message["content"]
        if isinstance(block, dict)
    ]
    return [
        one for one in blocks if "toolResult" in one or one.get("type") == "tool_result"
    ]


def by_sum_of_stream(llm: Any, asked: Any) -> AIMessage:
    """Ask by `stream`, and add its chunks one by one, as most callers do."""
    chunks = iter(llm.stream(asked))
    message: AIMessage = sum(chunks, next(chunks))
    return message


# Graphs -------------------------------------------------------------------------------


def state_graph(llm: Any, ask: Entrance = by_invoke) -> Any:
    """Make the agent of LangGraph's introduction."""
    bound = llm.bind_tools([write_file])
    graph = StateGraph(MessagesState)
    graph.add_node("agent", lambda state: {"messages": [ask(bound, state["messages"])]})
    graph.add_node("tools", ToolNode([write_file]))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    return graph.compile(checkpointer=InMemorySaver())


GRAPHS: dict[str, Callable[[Any], Any]] = {
    "create_react_agent": lambda llm: create_react_agent(
        llm, [write_file], checkpointer=InMemorySaver()
    ),
    "create_agent": lambda llm: create_agent(
        llm, [write_file], checkpointer=InMemorySaver()
    ),
    **{
        f"tools_condition, {name}": partial(state_graph, ask=ask)
        for name, ask in {**ENTRANCES, "stream": by_sum_of_stream}.items()
    },
}


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_thread_goes_on_after_a_refused_call(
    serve: Serve, graph: str, wrapped: str, version: str
) -> None:
    bedrock = serve(writes(LONG))
    built = GRAPHS[graph](limited(wrapped, bedrock, output_version=version))
    said = []
    for text in ("Write: write it.", "Thanks.", "Again: write it.", "Thanks, really."):
        given = built.invoke({"messages": [("human", text)]}, THREAD)
        said.append(given["messages"][-1].text)
    assert said == [SAYS, "You are welcome."] * 2
    refused = next(one for one in given["messages"] if isinstance(one, AIMessage))
    (call,) = refused.invalid_tool_calls
    assert call["name"] == "write_file"
    if "astream" not in graph:  # LangChain's sum of a list of chunks has no error
        assert (call["error"] or "").startswith("Truncated at max_tokens")
        assert (call["args"] or "").startswith('{"path"')


@pytest.mark.parametrize("stream_mode", ["messages", "values", "updates", "custom"])
def test_the_reason_is_in_the_error_in_every_stream_mode(
    serve: Serve, stream_mode: Any
) -> None:
    bedrock = serve(writes(LONG))
    graph = state_graph(limited("ChatBedrockConverse", bedrock))
    list(
        graph.stream(
            {"messages": [("human", "write")]}, THREAD, stream_mode=[stream_mode]
        )
    )
    (call,) = graph.get_state(THREAD).values["messages"][-1].invalid_tool_calls
    assert (call["error"] or "").startswith("Truncated at max_tokens")
    assert (call["args"] or "").startswith('{"path"')


# Conversations ------------------------------------------------------------------------


def stored(message: AIMessage) -> AIMessage:
    """Return a message from its JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangChain's `load` is in beta
        loaded: AIMessage = load(dumpd(message), allowed_objects="all")
    return loaded


FORMS: dict[str, Callable[[AIMessage], AIMessage]] = {
    "as returned": lambda message: message,
    "from JSON": stored,
    "from a pickle": lambda message: pickle.loads(pickle.dumps(message)),  # noqa: S301
    "without metadata": lambda message: message.model_copy(
        update={"response_metadata": {}}
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "answer",
    [
        writes(LONG),
        writes(LONG, says=""),
        writes(SHORT, LONG),
        writes(SHORT, SHORT, LONG, says=""),
    ],
)
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_conversation_with_refused_calls_can_be_sent(
    serve: Serve, entrance: Entrance, wrapped: str, form: str, answer: Script
) -> None:
    bedrock = serve(answer)
    llm = limited(wrapped, bedrock).bind_tools([write_file])
    refused = FORMS[form](entrance(llm, "write"))
    assert refused.tool_calls == []
    asked: list[BaseMessage] = [HumanMessage("write"), refused, HumanMessage("Thanks.")]
    before = [message.model_dump() for message in asked]
    assert entrance(llm, asked).text == "You are welcome."
    assert [message.model_dump() for message in asked] == before
    for result in results_in(bedrock):
        assert "runcated at max_tokens" in str(result)


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_the_answer_of_the_caller_is_sent(
    serve: Serve, entrance: Entrance, wrapped: str
) -> None:
    bedrock = serve(writes(SHORT, LONG))
    llm = limited(wrapped, bedrock).bind_tools([write_file])
    refused = entrance(llm, "write")
    told = [
        ToolMessage(f"Refused {n}.", tool_call_id=call["id"] or "", status="error")
        for n, call in enumerate(refused.invalid_tool_calls)
    ]
    for answered in (told, told[:1], told[1:]):
        asked = [HumanMessage("write"), refused, *answered, HumanMessage("Thanks.")]
        assert entrance(llm, asked).text == "You are welcome."
        results = str(results_in(bedrock))
        assert all(str(result.content) in results for result in answered)
        assert len(results_in(bedrock)) >= len(answered)


def test_a_call_that_ran_beside_a_malformed_one_keeps_its_result(
    serve: Serve, entrance: Entrance
) -> None:
    broken = CallTool("write_file", SHORT, "t2", json_text='{"path": b.md}')
    bedrock = serve(Answer([SAYS, CallTool("write_file", SHORT, "t1"), broken]))
    llm = model(bedrock, max_tokens=500).bind_tools([write_file])
    message = by_stream(llm, "write")
    assert [call["id"] for call in message.tool_calls] == ["t1"]
    result = ToolMessage("saved", tool_call_id="t1")
    bedrock = serve(writes())
    asked = [HumanMessage("write"), message, result, HumanMessage("Thanks.")]
    assert entrance(llm, asked).text == "You are welcome."
    results = {one["toolResult"]["toolUseId"]: one for one in results_in(bedrock)}
    assert results["t1"]["toolResult"]["content"] == [{"text": "saved"}]
    assert results["t2"]["toolResult"]["status"] == "error"


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_without_tools_a_refused_call_is_left_out(
    serve: Serve, entrance: Entrance, wrapped: str
) -> None:
    """A summary of the conversation, for example, has no tools."""
    bedrock = serve(writes(LONG))
    llm = limited(wrapped, bedrock)
    refused = entrance(llm.bind_tools([write_file]), "write")
    asked = [SystemMessage("Be brief."), HumanMessage("write"), refused]
    assert entrance(llm, [*asked, HumanMessage("Thanks.")]).text == "You are welcome."
    assert results_in(bedrock) == []


def test_a_refused_call_that_ends_the_conversation_is_answered(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(writes(LONG))
    llm = limited("ChatBedrockConverse", bedrock).bind_tools([write_file])
    refused = entrance(llm, "write")
    assert entrance(llm, [HumanMessage("write"), refused]).text == "You are welcome."
    assert len(results_in(bedrock)) == 1


def test_a_refused_call_after_thinking_can_be_sent(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(
        Script(
            lambda request: (
                "Well."
                if len(request.messages) > 1
                else Answer([Think("Hm."), SAYS, CallTool("write_file", LONG)])
            )
        )
    )
    settings = {"model": PREFILL_MODEL, **THINKING, "tool_call_recovery": "return"}
    llm = model(bedrock, max_tokens=60, **settings).bind_tools([write_file])
    refused = entrance(llm, "write")
    asked = [HumanMessage("write"), refused, HumanMessage("Thanks.")]
    assert entrance(llm, asked).text == "Well."


def test_a_long_thread_is_sent_as_it_is_but_for_its_refused_calls(
    serve: Serve,
) -> None:
    bedrock = serve(writes(SHORT, LONG))
    llm = limited("ChatBedrockConverse", bedrock).bind_tools([write_file])
    refused = by_stream(llm, "write")
    usual: list[AnyMessage] = [HumanMessage("Hi."), AIMessage("Hi.")]
    for before, after in product(range(3), repeat=2):
        asked = [*usual * before, HumanMessage("write"), refused, *usual * after]
        by_invoke(llm, [*asked, HumanMessage("Thanks.")])
        sent = bedrock.requests[-1].body["messages"]
        assert len(sent) == 2 * before + 2 * after + 3
        assert len(results_in(bedrock)) == 2


@pytest.mark.parametrize("make", [model, continuing_chat_bedrock])
def test_refused_4_a_conversation_that_ends_in_a_refused_call_goes_on(
    serve: Serve, make: Any, every_entrance: Entrance
) -> None:
    bedrock = serve(writes(LONG))
    llm = make(bedrock, model=REFUSING_MODEL, max_tokens=60)
    llm = llm.model_copy(update={"tool_call_recovery": "return"})
    llm = llm.bind_tools([write_file])
    asked = [HumanMessage("write it")]
    refused = every_entrance(llm, asked)
    assert refused.invalid_tool_calls
    assert every_entrance(llm, [*asked, refused]).text == "You are welcome."
    assert len(results_in(bedrock)) == 1

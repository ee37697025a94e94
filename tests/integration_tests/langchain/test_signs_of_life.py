"""A stream whose content is withheld shows that it is alive; reasoning is not withheld.

Each reading of the clock takes longer than the time to a sign of life, so that one is
due whenever content arrives and is withheld.
"""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from langchain_bedrock_continue import chat_models
from langchain_bedrock_continue._core.record import pulse
from langchain_bedrock_continue.local import Answer, CallTool, Script, Think
from tests.support.answers import tools
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance, added
from tests.support.models import (
    NOVA,
    PREFILL_MODEL,
    THINKING,
    chat_bedrock,
    continuing_chat_bedrock,
    model,
    plain_model,
)

WRITE = CallTool("write", {"content": "word " * 60}, "t1")
STREAMS = {name: ENTRANCES[name] for name in ("stream", "astream")}
PAIRS = {
    "ChatBedrockConverse": (plain_model, model),
    "ChatBedrock": (chat_bedrock, continuing_chat_bedrock),
}


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time pass with each reading of the clock."""
    ticks = itertools.count()

    class Time:
        @staticmethod
        def monotonic() -> float:
            return next(ticks) * 2 * pulse.SECONDS

    monkeypatch.setattr(chat_models, "time", Time)


def chunks_of(llm: Any, asked: Any = "Hi", **kwargs: Any) -> list[AIMessageChunk]:
    return list(llm.stream(asked, **kwargs))


@pytest.mark.usefixtures("slow_clock")
@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("wrapped", PAIRS)
@pytest.mark.parametrize("stream", STREAMS)
def test_callbacks_hear_of_a_withheld_call_as_often_as_it_grows(
    serve: Serve, recorder: Recorder, stream: str, wrapped: str, version: str
) -> None:
    bedrock = serve(Answer(["I write. ", WRITE], fine_grained=True))
    heard, messages = [], []
    for make in PAIRS[wrapped]:
        recorder.tokens.clear()
        llm = make(bedrock, max_tokens=500).model_copy(
            update={"output_version": version}
        )
        config = {"callbacks": [recorder]}
        messages.append(
            STREAMS[stream](llm.bind_tools(tools("write")), "Hi", config=config)
        )
        heard.append(len(recorder.tokens))
    bare, ours = messages
    assert ours.content == bare.content
    assert ours.tool_calls == bare.tool_calls
    assert heard[1] >= heard[0] > 60


@pytest.mark.usefixtures("slow_clock")
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_callbacks_hear_of_a_withheld_object(
    serve: Serve, recorder: Recorder, method: str
) -> None:
    class Note(BaseModel):
        """A note."""

        text: str

    note = Note(text="word " * 60)
    call = CallTool("Note", note.model_dump())
    said = note.model_dump_json() if method == "json_schema" else call
    bedrock = serve(Answer([said], fine_grained=True))
    llm: Any = model(bedrock, model=NOVA, max_tokens=500)
    chain = llm.with_structured_output(Note, method=method)
    assert list(chain.stream("Hi", config={"callbacks": [recorder]}))[-1] == note
    assert len(recorder.tokens) > 60


def test_an_answer_that_comes_fast_has_no_empty_chunks(serve: Serve) -> None:
    bedrock = serve(Answer(["I write. ", WRITE], fine_grained=True))
    bare, ours = (
        chunks_of(make(bedrock, max_tokens=500).bind_tools(tools("write")))
        for make in (plain_model, model)
    )
    assert len(ours) <= len(bare)


# Events -------------------------------------------------------------------------------


def graph_of(llm: Any, ask: Callable[..., Any]) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [ask(llm, state["messages"])]})
    graph.add_edge(START, "model")
    return graph.compile()


@pytest.mark.usefixtures("slow_clock")
@pytest.mark.parametrize("wrapped", PAIRS)
@pytest.mark.parametrize("stream", STREAMS)
def test_an_event_names_the_tool_and_says_how_much_has_come(
    serve: Serve, recorder: Recorder, stream: str, wrapped: str
) -> None:
    read = CallTool("read", {"path": "a.md"}, "t2")
    bedrock = serve(Answer(["I do both. ", WRITE, read], fine_grained=True))
    llm = PAIRS[wrapped][1](bedrock, max_tokens=500).bind_tools(tools("write", "read"))
    graph = graph_of(llm, STREAMS[stream])
    graph.invoke({"messages": [("human", "Hi")]}, {"callbacks": [recorder]})
    told = [data for name, data in recorder.events if name == "bedrock_tool_call"]
    assert [name for name, _ in itertools.groupby(one["name"] for one in told)] == [
        "write",
        "read",
    ]
    assert {(one["name"], one["id"]) for one in told} == {
        ("write", "t1"),
        ("read", "t2"),
    }
    sizes = [one["characters"] for one in told if one["name"] == "write"]
    assert sizes == sorted(sizes)
    assert sizes[0] == 0
    assert sizes[-1] > 250
    assert len(sizes) > 30


def test_a_text_has_no_such_event(serve: Serve, recorder: Recorder) -> None:
    graph = graph_of(
        model(serve("Only text. " * 9), max_tokens=10), ENTRANCES["stream"]
    )
    graph.invoke({"messages": [("human", "Hi")]}, {"callbacks": [recorder]})
    assert {name for name, _ in recorder.events} == {"bedrock_continuation"}


# Reasoning ----------------------------------------------------------------------------

THOUGHT = "Step by step, the tide comes in and goes out. " * 3


def thinking(make: Any, bedrock: Any, **kwargs: Any) -> Any:
    """Make a model that thinks."""
    fields = THINKING["additional_model_request_fields"]
    is_converse = make in {model, plain_model}
    asks = THINKING if is_converse else {"model_kwargs": fields}
    settings = {"model": PREFILL_MODEL, "max_tokens": 500, **asks, **kwargs}
    return make(bedrock, **settings)


@pytest.mark.parametrize("wrapped", PAIRS)
def test_reasoning_streams_as_it_comes(serve: Serve, wrapped: str) -> None:
    bedrock = serve(Answer([Think(THOUGHT, "c2ln"), "High water is at noon."]))
    bare, ours = (
        [
            chunk.content
            for chunk in chunks_of(thinking(make, bedrock))
            if "text" not in str(chunk.content) or "reasoning" in str(chunk.content)
        ]
        for make in PAIRS[wrapped]
    )
    assert len(bare) > 30
    assert [one for one in ours if one] == [one for one in bare if one]


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("wrapped", PAIRS)
def test_truncated_reasoning_is_marked_and_is_not_sent_back(
    serve: Serve, entrance: Entrance, wrapped: str, version: str
) -> None:
    bedrock = serve(Answer([Think(THOUGHT, "c2ln"), "High water is at noon."]))
    llm = thinking(PAIRS[wrapped][1], bedrock, max_tokens=None)
    llm = llm.model_copy(update={"output_version": version}).bind(max_tokens=20)
    message = entrance(llm, "Hi")
    assert message.text == "High water is at noon."
    signed = [block for block in message.content if "c2ln" in str(block)]
    assert len(signed) == 1
    if version == "v0":
        marked = [block for block in message.content if "truncated" in str(block)]
        is_streamed = isinstance(message, AIMessageChunk)
        assert len(marked) == (len(bedrock.requests) - 1 if is_streamed else 0)
    before = message.model_dump()
    entrance(llm, [HumanMessage("Hi"), message, HumanMessage("And?")])
    assert message.model_dump() == before
    sent = bedrock.requests[-1].body["messages"][1]["content"]
    assert [str(block).count("c2ln") for block in sent] == [1, 0]


@pytest.mark.parametrize("wrapped", PAIRS)
def test_reasoning_that_was_truncated_at_the_ceiling_is_not_sent_back(
    serve: Serve, entrance: Entrance, wrapped: str
) -> None:
    bedrock = serve(
        Script(
            lambda request: (
                Answer([Think(THOUGHT), "Noon."])
                if len(request.messages) == 1
                else "Well."
            )
        )
    )
    llm = thinking(PAIRS[wrapped][1], bedrock, max_tokens=20)
    llm = llm.model_copy(update={"max_tokens_ceiling": 20})
    message = entrance(llm, "Hi")
    assert any(
        block.get("truncated") for block in message.content if isinstance(block, dict)
    )
    answer = entrance(llm, [HumanMessage("Hi"), message, HumanMessage("And?")])
    assert answer.text == "Well."
    assert "tide" not in str(bedrock.requests[-1].body["messages"])


def test_the_sum_of_a_stream_with_a_truncated_thought_is_valid(serve: Serve) -> None:
    bedrock = serve(
        Answer([Think(THOUGHT, "c2ln"), "One. ", Think("Hm.", "d2"), WRITE])
    )
    for max_tokens in range(3, 60, 5):
        llm = thinking(model, bedrock, max_tokens=max_tokens)
        message = added(chunks_of(llm.bind_tools(tools("write"))))
        assert isinstance(message, AIMessage)
        numbers = [block["index"] for block in message.content]  # type: ignore[index]
        assert numbers == sorted(set(numbers))
        thoughts = [one for one in message.content if "reasoning_content" in one]
        assert thoughts
        for one in thoughts:
            signed = "signature" in str(one)
            assert signed != one.get("truncated", False)  # type: ignore[union-attr]
        assert message.tool_calls[0]["args"] == WRITE.input

"""A message is one message: it keeps its id when it breaks, and when it is resumed."""

from itertools import islice
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.graph.message import add_messages

from langchain_bedrock_continue import SegmentError
from langchain_bedrock_continue.local import Answer, CallTool, Fault, FaultAt
from tests.integration_tests.conftest import (
    MODEL,
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.integration_tests.wrapped.test_chat_bedrock import wrapped
from tests.support.entrances import Entrance, added
from tests.support.resuming import RESUMES
from tests.support.tool_models import going_on, tools

TEXT = "It stays the same message, however often it was broken and put together again."


@pytest.mark.parametrize("way", list(RESUMES))
@pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])
def test_a_resumed_message_takes_the_place_of_the_partial_one(
    serve: Serve, way: str, name: str
) -> None:
    llm = model(serve(going_on(Answer(TEXT))), model=name, max_tokens=12)
    asked = HumanMessage("Hi", id="asked")
    partial = llm.model_copy(update={"max_continuations": 0}).invoke([asked])
    whole = RESUMES[way](llm, [asked], partial)
    assert partial.id
    assert whole.id == partial.id
    # LangGraph's own rule for a list of messages.
    before: Any = [asked, partial]
    messages: Any = add_messages(before, whole)
    assert [one.id for one in messages] == ["asked", partial.id]
    assert messages[1].content == whole.content


def test_what_is_left_of_a_broken_message_has_its_id(
    serve: Serve, entrance: Entrance
) -> None:
    fatal = Fault("exception", "ValidationException", "No.", 400)
    answer = Answer(TEXT, faults=[FaultAt(fatal, at=0, request=2)])
    llm = model(serve(answer), max_tokens=12)
    runs = RunCollectorCallbackHandler()
    with pytest.raises(SegmentError) as raised:
        entrance(llm.with_config(callbacks=[runs]), "Hi")
    assert raised.value.partial.id == f"lc_run--{runs.traced_runs[0].id}"


@pytest.mark.parametrize("way", list(RESUMES))
@pytest.mark.parametrize("chunks", [2, 5, 9])
def test_the_sum_of_a_streams_chunks_is_resumed(
    serve: Serve, way: str, chunks: int
) -> None:
    """As far as they came: nothing else is left of a process that was killed."""
    llm = model(serve(going_on(Answer(TEXT))), max_tokens=30)
    came = added(list(islice(llm.stream("Hi"), chunks)))
    assert came.text
    assert came.text != TEXT
    assert RESUMES[way](llm, "Hi", came).text == TEXT


def test_the_size_of_a_response_leaves_out_what_was_asked_for_again(
    serve: Serve, entrance: Entrance
) -> None:
    answer: Any = Answer(["I write. ", CallTool("write", {"text": TEXT}, "t1")])
    llm = model(serve(answer), max_tokens=8, usage_view="response")
    message: AIMessage = entrance(llm.bind_tools(tools("write")), "Hi")
    summary = message.response_metadata["continuation"]
    *tries, last = summary["segments"]
    assert {one["strategy"] for one in [*tries[1:], last]} == {"retry"}
    assert summary["response"]["output_tokens"] == last["output_tokens"]
    assert summary["billed"]["output_tokens"] > last["output_tokens"]
    assert message.usage_metadata == summary["response"]


@pytest.mark.parametrize("way", list(RESUMES))
def test_a_binding_resumes_with_what_it_binds(serve: Serve, way: str) -> None:
    bedrock = serve(going_on(Answer(TEXT)))
    llm = model(bedrock, max_tokens=12).bind_tools(tools("write"))
    partial = plain_model(bedrock, max_tokens=12).invoke("Hi")
    bedrock.clear()
    assert RESUMES[way](llm, "Hi", partial).text == TEXT
    assert len(bedrock.requests) > 1
    for request in bedrock.requests:
        (tool,) = request.body["toolConfig"]["tools"]
        assert tool["toolSpec"]["name"] == "write"


def test_what_is_left_of_plain_chunks_is_plain(serve: Serve) -> None:
    """The chunks of ChatBedrock's text are strings, and so is what is left of them."""
    fatal = Fault("exception", "ValidationException", "No.", 400)
    answer = Answer(TEXT, faults=[FaultAt(fatal, at=0, request=2)])
    llm, came = wrapped(serve(answer), max_tokens=12), ""
    with pytest.raises(SegmentError) as raised:  # noqa: PT012 - what came counts, too
        for chunk in llm.stream("Hi"):
            came += str(chunk.content)
    assert raised.value.partial.content == came != ""

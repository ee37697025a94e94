"""A message keeps its id when it fails and when it is resumed."""

from itertools import islice
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.graph.message import add_messages

from langchain_bedrock_continue import SegmentError
from langchain_bedrock_continue.local import Answer, CallTool, Fault, FaultAt
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, added
from tests.support.messages import continuation
from tests.support.models import (
    MODEL,
    REFUSING_MODEL,
    continuing_chat_bedrock,
    model,
    plain_model,
)
from tests.support.resume import Resume
from tests.support.scripts import continuing

TEXT = "It stays the same message, however often it was broken and put together again."


@pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])
def test_a_resumed_message_replaces_the_partial_one_in_langgraph(
    serve: Serve, every_resume: Resume, name: str
) -> None:
    llm = model(serve(continuing(Answer(TEXT))), model=name, max_tokens=12)
    asked = HumanMessage("Hi", id="asked")
    partial = llm.model_copy(update={"max_continuations": 0}).invoke([asked])
    complete = every_resume(llm, [asked], partial)
    assert partial.id
    assert complete.id == partial.id
    # LangGraph's own rule for a list of messages.
    before: Any = [asked, partial]
    messages: Any = add_messages(before, complete)
    assert [one.id for one in messages] == ["asked", partial.id]
    assert messages[1].content == complete.content


def test_a_partial_message_has_the_id_of_its_run(
    serve: Serve, every_entrance: Entrance
) -> None:
    fatal = Fault("exception", "ValidationException", "No.", 400)
    answer = Answer(TEXT, faults=[FaultAt(fatal, at=0, request=2)])
    llm = model(serve(answer), max_tokens=12)
    runs = RunCollectorCallbackHandler()
    with pytest.raises(SegmentError) as raised:
        every_entrance(llm.with_config(callbacks=[runs]), "Hi")
    assert raised.value.partial.id == f"lc_run--{runs.traced_runs[0].id}"


@pytest.mark.parametrize("chunks", [2, 5, 9])
def test_the_first_chunks_of_a_stream_can_be_resumed(
    serve: Serve, every_resume: Resume, chunks: int
) -> None:
    """Nothing else is left of a process that was killed."""
    llm = model(serve(continuing(Answer(TEXT))), max_tokens=30)
    came = added(list(islice(llm.stream("Hi"), chunks)))
    assert came.text
    assert came.text != TEXT
    assert every_resume(llm, "Hi", came).text == TEXT


def test_the_usage_of_the_response_leaves_out_retried_attempts(
    serve: Serve, every_entrance: Entrance
) -> None:
    answer: Any = Answer(["I write. ", CallTool("write", {"text": TEXT}, "t1")])
    llm = model(serve(answer), max_tokens=8)
    message: AIMessage = every_entrance(llm.bind_tools(tools("write")), "Hi")
    summary = continuation(message)
    *attempts, last = summary["segments"]
    assert {one["strategy"] for one in [*attempts[1:], last]} == {"retry"}
    assert summary["response"]["output_tokens"] == last["output_tokens"]
    assert summary["billed"]["output_tokens"] > last["output_tokens"]
    assert message.usage_metadata == summary["response"]


def test_a_bound_model_resumes_with_its_tools(
    serve: Serve, every_resume: Resume
) -> None:
    bedrock = serve(continuing(Answer(TEXT)))
    llm = model(bedrock, max_tokens=12).bind_tools(tools("write"))
    partial = plain_model(bedrock, max_tokens=12).invoke("Hi")
    bedrock.clear()
    assert every_resume(llm, "Hi", partial).text == TEXT
    assert len(bedrock.requests) > 1
    for request in bedrock.requests:
        (tool,) = request.body["toolConfig"]["tools"]
        assert tool["toolSpec"]["name"] == "write"


def test_a_partial_message_of_chat_bedrock_is_a_string(serve: Serve) -> None:
    """The chunks of ChatBedrock's text are strings, and so is their sum."""
    fatal = Fault("exception", "ValidationException", "No.", 400)
    answer = Answer(TEXT, faults=[FaultAt(fatal, at=0, request=2)])
    llm, came = continuing_chat_bedrock(serve(answer), max_tokens=12), ""
    with pytest.raises(SegmentError) as raised:  # noqa: PT012 - what arrived counts, too
        for chunk in llm.stream("Hi"):
            came += str(chunk.content)
    assert raised.value.partial.content == came != ""

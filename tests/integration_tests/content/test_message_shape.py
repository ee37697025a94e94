"""The message has the shape of ChatBedrockConverse's, truncated or not."""

import copy
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)

from langchain_bedrock_continue.local import Answer, Say, Think
from tests.support.answers import CITATION, TIME, WEATHER, WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_stream
from tests.support.messages import continuation, shape
from tests.support.models import model, plain_model
from tests.support.texts import LONG

ANSWERS: dict[str, Answer] = {
    "text": Answer(LONG),
    "nothing": Answer([]),
    "refusal": Answer("No.", stop_reason="content_filtered"),
    "guardrail": Answer("No.", stop_reason="guardrail_intervened"),
    "unknown stop reason": Answer("Hm.", stop_reason="a_new_reason"),
    "tool": Answer([WEATHER]),
    "tool without arguments": Answer([TIME]),
    "text and tools": Answer(["Let me look. ", WEATHER, TIME]),
    "thinking": Answer([Think("Let me see.", signature="s1g"), LONG]),
    "thinking, text, tool": Answer([Think("Hm.", signature="s"), "Well. ", WEATHER]),
    "redacted thinking": Answer([Think("", redacted=b"xyz"), "Fine."]),
    "citations": Answer(
        ["As said ", Say("here", citations=(CITATION,)), " and there."]
    ),
    "model's fields": Answer("Yes.", additional_fields={"x": {"y": 1}}),
}


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_that_is_not_truncated_is_the_same_message(
    serve: Serve, every_entrance: Entrance, kind: str, output_version: str
) -> None:
    bedrock = serve(ANSWERS[kind])
    sizes = {"max_tokens": 1000, "output_version": output_version}
    ours = every_entrance(model(bedrock, **sizes).bind_tools(WEATHER_TOOLS), "Hi")
    plain = plain_model(bedrock, **sizes).bind_tools(WEATHER_TOOLS)
    theirs = every_entrance(plain, "Hi")
    assert type(ours) is type(theirs)
    assert shape(ours) == shape(theirs)
    assert continuation(ours)["complete"] is True


def test_a_truncated_answer_is_the_same_message_as_one_that_is_not(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    ours = shape(every_entrance(model(bedrock, max_tokens=5), "Hi"))
    theirs = shape(every_entrance(plain_model(bedrock, max_tokens=1000), "Hi"))
    assert ours == theirs


@pytest.mark.parametrize("kind", ["text", "text and tools", "thinking, text, tool"])
def test_the_first_request_is_the_one_that_chat_bedrock_converse_sends(
    serve: Serve, every_entrance: Entrance, kind: str
) -> None:
    bedrock = serve(ANSWERS[kind])
    asked = [SystemMessage("s"), HumanMessage("Hi"), AIMessage("I "), HumanMessage("?")]
    settings = {"max_tokens": 1000, "temperature": 0.25, "stop_sequences": ["@"]}
    for llm in (model(bedrock, **settings), plain_model(bedrock, **settings)):
        every_entrance(llm.bind_tools(WEATHER_TOOLS, tool_choice="any"), asked)
    ours, theirs = bedrock.requests
    assert ours.body == theirs.body
    assert (ours.operation, ours.model_id) == (theirs.operation, theirs.model_id)


def test_the_callers_objects_are_not_changed(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve("Start: and a long answer that goes on and on, as they do.\n")
    blocks: list[Any] = [{"type": "text", "text": "Start: \n"}]
    asked: list[BaseMessage] = [HumanMessage("Hi"), AIMessage(content=blocks)]
    kwargs: dict[str, Any] = {"stop": ["@"], "max_tokens": 5}
    before = copy.deepcopy((asked, kwargs))
    every_entrance(model(bedrock, max_total_tokens=60), asked, **kwargs)
    assert len(bedrock.requests) > 2
    assert (asked, kwargs) == before


def test_the_last_chunk_alone_has_the_summary_and_the_usage(serve: Serve) -> None:
    bedrock = serve(LONG)
    chunks = list(model(bedrock, max_tokens=5).stream("Hi"))
    assert [chunk.chunk_position for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].chunk_position == "last"
    carrying = [c for c in chunks if "continuation" in c.response_metadata]
    assert carrying == [chunks[-1]]
    with_usage = [chunk for chunk in chunks if chunk.usage_metadata]
    assert with_usage == [chunks[-1]]


def test_the_metadata_is_that_of_the_last_segment(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    metadata = every_entrance(model(bedrock, max_tokens=5), "Hi").response_metadata
    assert metadata["stopReason"] == "end_turn"
    assert metadata["model_name"] == metadata["model_name"].strip()
    assert metadata["model_provider"] == "bedrock_converse"
    request_id = metadata["ResponseMetadata"]["RequestId"]
    assert request_id == bedrock.requests[-1].request_id


def test_a_continued_text_stays_in_its_block(serve: Serve) -> None:
    bedrock = serve(LONG)
    message = by_stream(model(bedrock, max_tokens=5), "Hi")
    assert message.content == [{"type": "text", "text": LONG, "index": 0}]
    chunks = list(model(bedrock, max_tokens=5).stream("Hi"))
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    indexes = {block["index"] for c in chunks for block in c.content if c.content}  # type: ignore[index]
    assert indexes == {0}


@pytest.mark.parametrize("view", ["billed", "response"])
def test_the_usage_is_the_sum_over_the_segments(
    serve: Serve, every_entrance: Entrance, view: str
) -> None:
    bedrock = serve(LONG)
    message = every_entrance(model(bedrock, max_tokens=5, message_usage=view), "Hi")
    summary = continuation(message)
    inputs = [entry["input_tokens"] for entry in summary["segments"]]
    outputs = [entry["output_tokens"] for entry in summary["segments"]]
    assert len(inputs) > 2
    assert summary["billed"]["input_tokens"] == sum(inputs)
    assert summary["billed"]["output_tokens"] == sum(outputs)
    assert summary["billed"]["total_tokens"] == sum(inputs) + sum(outputs)
    assert summary["response"]["input_tokens"] == inputs[0]
    assert summary["response"]["output_tokens"] == sum(outputs)
    assert message.usage_metadata == summary[view]

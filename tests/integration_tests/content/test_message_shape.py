"""The message has the shape that ChatBedrockConverse gives an uncut answer."""

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

from langchain_bedrock_continue.local import Answer, CallTool, Say, Think
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.support.entrances import Entrance, by_stream

LONG = "The quick brown fox jumps over the lazy dog.\n\n- one\n- two\n"
CITATION = {
    "title": "Doc",
    "sourceContent": [{"text": "quoted"}],
    "location": {"documentChar": {"documentIndex": 0, "start": 1, "end": 2}},
}
WEATHER = CallTool("weather", {"city": "Oslo", "days": [1, 2]}, tool_use_id="t1")
TIME = CallTool("time", {}, tool_use_id="t2")

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
TOOLS: list[dict[str, Any]] = [
    {
        "name": name,
        "description": "d",
        "input_schema": {"type": "object", "properties": {}},
    }
    for name in ("weather", "time")
]
VOLATILE = ("RequestId", "HTTPHeaders")


def shape(message: AIMessage) -> dict[str, Any]:
    """All of a message but what differs between two calls, and what we add."""
    dumped = copy.deepcopy(message.model_dump())
    metadata = dumped["response_metadata"]
    metadata.pop("continuation", None)
    metadata.get("metrics", {}).pop("latencyMs", None)
    for key in VOLATILE:
        metadata.get("ResponseMetadata", {}).pop(key, None)
    dumped["id"] = dumped["id"][:8]
    return dumped


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_uncut_answer_is_the_same_message(
    serve: Serve, entrance: Entrance, kind: str, output_version: str
) -> None:
    bedrock = serve(ANSWERS[kind])
    sizes = {"max_tokens": 1000, "output_version": output_version}
    ours = entrance(model(bedrock, **sizes).bind_tools(TOOLS), "Hi")
    theirs = entrance(plain_model(bedrock, **sizes).bind_tools(TOOLS), "Hi")
    assert type(ours) is type(theirs)
    assert shape(ours) == shape(theirs)
    assert ours.response_metadata["continuation"]["complete"] is True


def test_a_cut_answer_is_the_same_message_as_uncut(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    ours = shape(entrance(model(bedrock, max_tokens=5), "Hi"))
    theirs = shape(entrance(plain_model(bedrock, max_tokens=1000), "Hi"))
    assert ours.pop("usage_metadata") != theirs.pop("usage_metadata")
    assert ours == theirs


@pytest.mark.parametrize("kind", ["text", "text and tools", "thinking, text, tool"])
def test_the_first_request_is_the_one_chat_bedrock_converse_sends(
    serve: Serve, entrance: Entrance, kind: str
) -> None:
    bedrock = serve(ANSWERS[kind])
    asked = [SystemMessage("s"), HumanMessage("Hi"), AIMessage("I "), HumanMessage("?")]
    settings = {"max_tokens": 1000, "temperature": 0.25, "stop_sequences": ["@"]}
    for llm in (model(bedrock, **settings), plain_model(bedrock, **settings)):
        entrance(llm.bind_tools(TOOLS, tool_choice="any"), asked)
    ours, theirs = bedrock.requests
    assert ours.body == theirs.body
    assert (ours.operation, ours.model_id) == (theirs.operation, theirs.model_id)


def test_the_callers_objects_are_never_changed(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve("Start: and a long answer that goes on and on, as they do.\n")
    blocks: list[Any] = [{"type": "text", "text": "Start: \n"}]
    asked: list[BaseMessage] = [HumanMessage("Hi"), AIMessage(content=blocks)]
    kwargs: dict[str, Any] = {"stop": ["@"], "max_tokens": 5}
    before = copy.deepcopy((asked, kwargs))
    entrance(model(bedrock, max_total_tokens=60), asked, **kwargs)
    assert len(bedrock.requests) > 2
    assert (asked, kwargs) == before


def test_the_last_chunk_says_so_and_carries_the_summary_once(serve: Serve) -> None:
    bedrock = serve(LONG)
    chunks = list(model(bedrock, max_tokens=5).stream("Hi"))
    assert [chunk.chunk_position for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].chunk_position == "last"
    carrying = [c for c in chunks if "continuation" in c.response_metadata]
    assert carrying == [chunks[-1]]
    with_usage = [chunk for chunk in chunks if chunk.usage_metadata]
    assert with_usage == [chunks[-1]]


def test_metadata_of_earlier_segments_is_not_merged_in(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(LONG)
    metadata = entrance(model(bedrock, max_tokens=5), "Hi").response_metadata
    assert metadata["stopReason"] == "end_turn"
    assert metadata["model_name"] == metadata["model_name"].strip()
    assert metadata["model_provider"] == "bedrock_converse"
    request_id = metadata["ResponseMetadata"]["RequestId"]
    assert request_id == bedrock.requests[-1].request_id


def test_text_goes_on_in_its_block(serve: Serve) -> None:
    bedrock = serve(LONG)
    message = by_stream(model(bedrock, max_tokens=5), "Hi")
    assert message.content == [{"type": "text", "text": LONG, "index": 0}]
    chunks = list(model(bedrock, max_tokens=5).stream("Hi"))
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    indexes = {block["index"] for c in chunks for block in c.content if c.content}  # type: ignore[index]
    assert indexes == {0}


@pytest.mark.parametrize("view", ["billed", "response"])
def test_usage_is_summed_once(serve: Serve, entrance: Entrance, view: str) -> None:
    bedrock = serve(LONG)
    message = entrance(model(bedrock, max_tokens=5, usage_view=view), "Hi")
    summary = message.response_metadata["continuation"]
    inputs = [entry["input_tokens"] for entry in summary["segments"]]
    outputs = [entry["output_tokens"] for entry in summary["segments"]]
    assert len(inputs) > 2
    assert summary["billed"]["input_tokens"] == sum(inputs)
    assert summary["billed"]["output_tokens"] == sum(outputs)
    assert summary["billed"]["total_tokens"] == sum(inputs) + sum(outputs)
    assert summary["response"]["input_tokens"] == inputs[0]
    assert summary["response"]["output_tokens"] == sum(outputs)
    assert message.usage_metadata == summary[view]

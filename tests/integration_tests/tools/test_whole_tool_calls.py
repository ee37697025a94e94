"""A whole tool call is never refused: what ChatBedrockConverse returns of it, we do."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_stream
from tests.support.messages import ending
from tests.support.models import (
    chat_bedrock,
    continuing_chat_bedrock,
    model,
    plain_model,
)

TOOL: dict[str, Any] = {
    "name": "write_file",
    "description": "d",
    "input_schema": {"type": "object"},
}
PAIRS = {
    "ChatBedrockConverse": (plain_model, model),
    "ChatBedrock": (chat_bedrock, continuing_chat_bedrock),
}
"""By class: the bare model, and ours round it."""

CONTROLS = ["\n", "\t", "\r\n", "\b\f", "\x01", "\x1f\x00"]


def raw_call(text: str, name: str = "write_file") -> CallTool:
    """Return a call whose arguments have a text with raw control characters."""
    arguments = {"path": "a.md", "content": f"one{text}two {text}", "n": [1, text]}
    written = json.dumps(arguments, ensure_ascii=False)
    for control in text:
        written = written.replace(json.dumps(control)[1:-1], control)
    assert text in written
    return CallTool(name, arguments, json_text=written)


def tooled(make: Callable[..., Any], bedrock: LocalBedrock) -> Any:
    """Make a model that may call the tool, and needs no continuation."""
    return make(bedrock, max_tokens=500).bind_tools([TOOL])


@pytest.mark.parametrize("fine_grained", [True, False])
@pytest.mark.parametrize("wrapped", PAIRS)
@pytest.mark.parametrize("text", CONTROLS, ids=ascii)
def test_raw_control_characters_in_a_string_are_part_of_a_whole_call(
    serve: Serve, entrance: Entrance, text: str, wrapped: str, *, fine_grained: bool
) -> None:
    calls = [raw_call(text), CallTool("write_file", {"path": "b.md"}), raw_call("\n")]
    bedrock = serve(Answer(["I write. ", *calls], fine_grained=fine_grained))
    bare, ours = (
        entrance(tooled(make, bedrock), "Write it.") for make in PAIRS[wrapped]
    )
    assert [call["args"] for call in ours.tool_calls] == [one.input for one in calls]
    assert ours.tool_calls == bare.tool_calls
    assert (ours.invalid_tool_calls, ending(ours)) == ([], ("model", True))


@pytest.mark.parametrize("wrapped", PAIRS)
def test_such_a_call_can_be_sent_back(
    serve: Serve, entrance: Entrance, wrapped: str
) -> None:
    bedrock = serve(Answer([raw_call("\n\t")], fine_grained=True))
    bodies = []
    for make in PAIRS[wrapped]:
        llm = tooled(make, bedrock)
        called = entrance(llm, "Write it.")
        result = ToolMessage("saved", tool_call_id=called.tool_calls[0]["id"] or "")
        llm.invoke([HumanMessage("Write it."), called, result])
        bodies.append(bedrock.requests[-1].body["messages"])
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("wrapped", PAIRS)
@pytest.mark.parametrize(
    "reason", ["end_turn", "stop_sequence", "content_filtered", "a_new_reason"]
)
def test_a_streamed_call_that_ends_is_whole_unless_a_limit_ended_the_answer(
    serve: Serve, reason: str, wrapped: str
) -> None:
    bedrock = serve(Answer(["So: ", raw_call("\n")], stop_reason=reason))
    bare, ours = (by_stream(tooled(make, bedrock), "Go.") for make in PAIRS[wrapped])
    assert len(ours.tool_calls) == 1
    assert ours.tool_calls == bare.tool_calls


def test_a_call_with_raw_line_breaks_is_not_whole_where_it_is_cut(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([raw_call("\n\t")], fine_grained=True))
    whole = raw_call("\n\t").input
    for max_tokens in range(1, 40):
        llm = model(bedrock, max_tokens=max_tokens, tool_call_recovery="return")
        message = entrance(llm.bind_tools([TOOL]), "Go.")
        assert [call["args"] for call in message.tool_calls] in ([], [whole])
    assert len(message.tool_calls) == 1

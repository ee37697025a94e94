"""No truncated tool call is ever valid, wherever it is truncated."""

import json
from typing import Any

import pytest

from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock, Say
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_invoke, by_stream
from tests.support.messages import continuation, ending
from tests.support.models import PREFILL_MODEL, model, plain_model

INPUT = {"path": "notes/a.md", "content": 'One "line"\nand {another}, 日本語。', "n": 7}
WRITE = CallTool("write_file", INPUT, tool_use_id="t1")
READ = CallTool("read_file", {"path": "b.md"}, tool_use_id="t2")
TOOLS: list[dict[str, Any]] = [
    {"name": name, "description": "d", "input_schema": {"type": "object"}}
    for name in ("write_file", "read_file")
]
WHOLE = {"t1": INPUT, "t2": {"path": "b.md"}}
ANSWERS = {
    # How much of a truncated call's arguments arrives.
    "one, of complete keys": Answer(["I write. ", WRITE]),
    "one, without arguments": Answer(
        ["I write. ", WRITE], truncated_tool_input="empty"
    ),
    "one, of any text": Answer(["I write. ", WRITE], fine_grained=True),
    "two, of complete keys": Answer(["I do both. ", WRITE, READ]),
    "two, of any text": Answer([WRITE, READ], fine_grained=True),
}


def tooled(bedrock: LocalBedrock, max_tokens: int, **kwargs: Any) -> Any:
    """Make a model that returns a truncated call as it is, without a retry."""
    settings = {"model": PREFILL_MODEL, "tool_call_recovery": "return", **kwargs}
    return model(bedrock, max_tokens=max_tokens, **settings).bind_tools(TOOLS)


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_call_is_complete_or_invalid_wherever_it_is_truncated(
    serve: Serve, entrance: Entrance, kind: str
) -> None:
    bedrock = serve(ANSWERS[kind])
    outcomes = set()
    for max_tokens in range(1, 60):
        version = f"v{max_tokens % 2}"
        llm = tooled(bedrock, max_tokens, output_version=version)
        message = entrance(llm, "Write it.")
        for call in message.tool_calls:
            assert call["args"] == WHOLE[call["id"] or ""], f"truncated at {max_tokens}"
        for block in message.content_blocks:
            if block["type"] == "tool_call":
                assert block["args"] == WHOLE[block["id"] or ""]
        if message.invalid_tool_calls:
            assert message.tool_calls == []
            assert ending(message) == ("tool_call", False)
        outcomes.add(ending(message)[0])
    # A segment of one token may be no more than a blank.
    assert outcomes - {"no_progress"} == {"tool_call", "model"}
    assert len(message.tool_calls) == (1 if kind.startswith("one") else 2)


def test_chat_bedrock_converse_returns_a_truncated_call_as_valid(
    serve: Serve, entrance: Entrance
) -> None:
    # This is why the package exists: if it fails, langchain-aws has fixed it.
    bedrock = serve(ANSWERS["one, of any text"])
    message = entrance(plain_model(bedrock, max_tokens=20).bind_tools(TOOLS), "Write.")
    assert message.response_metadata["stopReason"] == "max_tokens"
    (call,) = message.tool_calls
    assert call["args"] != INPUT


def test_an_invalid_call_has_the_reason_and_the_raw_arguments(serve: Serve) -> None:
    bedrock = serve(ANSWERS["one, of any text"])
    llm = tooled(bedrock, 20)
    message = by_stream(llm, "Write.")
    (invalid,) = message.invalid_tool_calls
    (block,) = [
        part
        for part in message.content
        if isinstance(part, dict) and part["type"] == "invalid_tool_call"
    ]
    assert json.dumps(INPUT).startswith(block["args"][:10])
    assert block["args"] in (invalid["args"] or "")
    assert "Truncated at max_tokens" in block["error"]
    message = by_invoke(llm, "Write.")
    (invalid,) = message.invalid_tool_calls
    assert "Truncated at max_tokens" in (invalid["error"] or "")
    assert (invalid["name"], invalid["id"]) == ("write_file", "t1")


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_entrance_returns_an_invalid_call_and_the_text_before_it(
    serve: Serve, every_entrance: Entrance, kind: str
) -> None:
    message = every_entrance(tooled(serve(ANSWERS[kind]), 20), "Write.")
    assert message.text == "".join(
        one.text for one in ANSWERS[kind].blocks[:-1] if isinstance(one, Say)
    )
    assert message.tool_calls == []
    assert "t1" in {call["id"] for call in message.invalid_tool_calls}
    assert ending(message) == ("tool_call", False)


def test_no_chunk_adds_up_to_half_a_call(serve: Serve) -> None:
    bedrock = serve(ANSWERS["two, of any text"])
    for max_tokens in range(5, 60, 3):
        llm = tooled(bedrock, max_tokens)
        seen = None
        for chunk in llm.stream("Write."):
            seen = chunk if seen is None else seen + chunk
            *before, _last = seen.tool_calls or [None]
            for call in before:
                assert call is None or call["args"] == WHOLE[call["id"] or ""]


def test_a_truncated_text_is_continued_up_to_a_complete_call(
    serve: Serve, entrance: Entrance
) -> None:
    text = "First a long word or two about what is going to be done, then the call. "
    bedrock = serve(Answer([text, READ]))
    message = entrance(tooled(bedrock, 19), "Read.")
    assert message.text == text
    assert [call["args"] for call in message.tool_calls] == [{"path": "b.md"}]
    assert len(continuation(message)["segments"]) > 1
    assert ending(message)[0] == "model"

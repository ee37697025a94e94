"""No tool call that was cut reaches the caller as valid: any entrance, any cut."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.support.entrances import Entrance, by_invoke, by_stream

INPUT = {"path": "notes/a.md", "content": 'One "line"\nand {another}, 日本語。', "n": 7}
WRITE = CallTool("write_file", INPUT, tool_use_id="t1")
READ = CallTool("read_file", {"path": "b.md"}, tool_use_id="t2")
TOOLS: list[dict[str, Any]] = [
    {"name": name, "description": "d", "input_schema": {"type": "object"}}
    for name in ("write_file", "read_file")
]
# Takes a prefill, with tools too.
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
WHOLE = {"t1": INPUT, "t2": {"path": "b.md"}}
ANSWERS = {
    "one, cut to its keys": Answer(["I write. ", WRITE]),
    "one, cut to nothing": Answer(["I write. ", WRITE], truncated_tool_input="empty"),
    "one, cut anywhere": Answer(["I write. ", WRITE], fine_grained=True),
    "two": Answer(["I do both. ", WRITE, READ]),
    "two, cut anywhere": Answer([WRITE, READ], fine_grained=True),
}


def tooled(bedrock: LocalBedrock, max_tokens: int, **kwargs: Any) -> Any:
    """Make a model that gives a cut call back as it is."""
    settings = {"model": MODEL, "tool_call_recovery": "return", **kwargs}
    return model(bedrock, max_tokens=max_tokens, **settings).bind_tools(TOOLS)


@pytest.mark.parametrize("kind", ANSWERS)
def test_at_every_cut_a_call_is_whole_or_invalid(
    serve: Serve, entrance: Entrance, kind: str
) -> None:
    bedrock = serve(ANSWERS[kind])
    outcomes = set()
    for max_tokens in range(1, 60):
        version = f"v{max_tokens % 2}"
        llm = tooled(bedrock, max_tokens, output_version=version)
        message = entrance(llm, "Write it.")
        summary = message.response_metadata["continuation"]
        for call in message.tool_calls:
            assert call["args"] == WHOLE[call["id"] or ""], f"cut at {max_tokens}"
        for block in message.content_blocks:
            if block["type"] == "tool_call":
                assert block["args"] == WHOLE[block["id"] or ""]
        if message.invalid_tool_calls:
            assert message.tool_calls == []
            assert (summary["ended_by"], summary["complete"]) == ("tool_call", False)
        outcomes.add(summary["ended_by"])
    # A segment of one token may bring no more than a blank.
    assert outcomes - {"no_progress"} == {"tool_call", "model"}
    assert len(message.tool_calls) == (1 if kind.startswith("one") else 2)


def test_chat_bedrock_converse_gives_the_same_cut_call_out_as_valid(
    serve: Serve, entrance: Entrance
) -> None:
    # What this package is for: if this fails, langchain-aws has mended it.
    bedrock = serve(ANSWERS["one, cut anywhere"])
    message = entrance(plain_model(bedrock, max_tokens=20).bind_tools(TOOLS), "Write.")
    assert message.response_metadata["stopReason"] == "max_tokens"
    (call,) = message.tool_calls
    assert call["args"] != INPUT


def test_an_invalid_call_says_why_and_keeps_the_raw_text(serve: Serve) -> None:
    bedrock = serve(ANSWERS["one, cut anywhere"])
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
    assert "Cut at max_tokens" in block["error"]
    message = by_invoke(llm, "Write.")
    (invalid,) = message.invalid_tool_calls
    assert "Cut at max_tokens" in (invalid["error"] or "")
    assert (invalid["name"], invalid["id"]) == ("write_file", "t1")


def test_text_before_a_cut_call_is_kept(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(ANSWERS["one, cut to its keys"])
    message = entrance(tooled(bedrock, 20), "Write.")
    assert message.text == "I write. "


def test_no_chunk_shows_half_a_call(serve: Serve) -> None:
    bedrock = serve(ANSWERS["two, cut anywhere"])
    for max_tokens in range(5, 60, 3):
        llm = tooled(bedrock, max_tokens)
        seen = None
        for chunk in llm.stream("Write."):
            seen = chunk if seen is None else seen + chunk
            *before, _last = seen.tool_calls or [None]
            for call in before:
                assert call is None or call["args"] == WHOLE[call["id"] or ""]


def test_text_that_was_cut_goes_on_to_a_whole_call(
    serve: Serve, entrance: Entrance
) -> None:
    text = "First a long word or two about what is going to be done, then the call. "
    bedrock = serve(Answer([text, READ]))
    message = entrance(tooled(bedrock, 19), "Read.")
    assert message.text == text
    assert [call["args"] for call in message.tool_calls] == [{"path": "b.md"}]
    summary = message.response_metadata["continuation"]
    assert len(summary["segments"]) > 1
    assert summary["ended_by"] == "model"


class City(BaseModel):
    """A city."""

    name: str
    people: int


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_structured_output_that_fits_is_what_chat_bedrock_converse_gives(
    serve: Serve, method: Any
) -> None:
    said: Any = {"name": "Oslo", "people": 700_000}
    by_method = {
        "function_calling": Answer([CallTool("City", said)]),
        "json_schema": Answer(json.dumps(said)),
    }
    bedrock = serve(by_method[method])
    settings = {"model": MODEL, "max_tokens": 500}
    for llm in (model(bedrock, **settings), plain_model(bedrock, **settings)):
        chain = llm.with_structured_output(City, method=method)
        assert chain.invoke("Which?") == City(name="Oslo", people=700_000)
    ours, theirs = bedrock.requests
    assert ours.body == theirs.body


def test_structured_output_by_prefill_goes_on_over_cuts(serve: Serve) -> None:
    said = '```json\n{\n  "name": "Oslo",\n  "people": 700000\n}\n```'
    bedrock = serve(said)
    llm = model(bedrock, model="us.amazon.nova-pro-v1:0", max_tokens=5)
    chain = llm.with_structured_output(City, method="prompt_prefill")
    assert chain.invoke("Which?") == City(name="Oslo", people=700_000)
    assert len(bedrock.requests) > 2


def test_a_cut_object_is_asked_for_again(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(Answer([CallTool("City", {"name": "Oslo", "people": 7})]))
    chain: Any = model(bedrock, max_tokens=4).with_structured_output(City)
    whole: Any = City(name="Oslo", people=7)
    assert entrance(chain, "Which?") == whole


def test_a_cut_object_is_no_object(serve: Serve) -> None:
    bedrock = serve(Answer([CallTool("City", {"name": "Oslo", "people": 7})]))
    llm = model(bedrock, max_tokens=4, max_tokens_ceiling=4)
    chain: Any = llm.with_structured_output(City, include_raw=True)
    given = chain.invoke("Which?")
    assert given["parsed"] is None
    assert len(given["raw"].invalid_tool_calls) == 1


@pytest.mark.parametrize("ceiling", [None, 5])
def test_a_document_that_a_schema_constrains_is_not_gone_on_from(
    serve: Serve, ceiling: int | None
) -> None:
    bedrock = serve(json.dumps({"name": "Oslo", "people": 700_000}))
    llm = model(bedrock, model=MODEL, max_tokens=5, max_tokens_ceiling=ceiling)
    chain: Any = llm.with_structured_output(
        City, method="json_schema", include_raw=True
    )
    given = chain.invoke("Which?")
    # Each request is the first one, with more room or not at all.
    assert {len(one.body["messages"]) for one in bedrock.requests} == {1}
    summary = given["raw"].response_metadata["continuation"]
    if ceiling is None:
        assert given["parsed"] == City(name="Oslo", people=700_000)
        assert (summary["ended_by"], summary["complete"]) == ("model", True)
        return
    assert given["parsed"] is None
    assert len(bedrock.requests) == 1
    assert (summary["ended_by"], summary["complete"]) == ("no_progress", False)

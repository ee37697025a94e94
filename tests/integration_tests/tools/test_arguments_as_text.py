"""`tool_call_recovery="resume"`: arguments above the ceiling are finished as text."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Say,
    Script,
)
from langchain_bedrock_continue.local.backend import Request
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_stream
from tests.support.messages import continuation, ending
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL, model
from tests.support.prompts import QUOTED

MODELS = [PREFILL_MODEL, REFUSING_MODEL]
ARGS: dict[str, Any] = {
    "path": "notes/a.md",
    "content": "\n".join(
        f'{n}. "Zitat" \\ {{x}} und 日本語 — said {n * n} times' for n in range(40)
    ),
    "mode": ["w", None, 1.5],
}
JSON = json.dumps(ARGS, ensure_ascii=False)
SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
    "required": ["path", "content"],
}
TOOL = {"name": "write_file", "description": "d", "input_schema": SCHEMA}
SAYS = "I will write it, all of it.\n\n"


def said_last(request: Request) -> str:
    return "".join(block.get("text", "") for block in request.messages[-1]["content"])


def answer(
    request: Request, told: str = JSON, *, fine_grained: bool = True, says: str = SAYS
) -> Answer:
    """Call the tool; asked for its arguments as text, write them."""
    text = said_last(request)
    if request.messages[-1]["role"] == "assistant" and "The arguments" in text:
        return Answer([Say(text.partition("{")[0] + told)])
    if "Your call of the tool" not in text:
        call = CallTool("write_file", ARGS, "t1")
        return Answer([*filter(None, [says]), call], fine_grained=fine_grained)
    quoted = QUOTED.search(text)
    at = told.rfind(quoted[2]) if quoted else 0
    return Answer([Say(told[max(0, at) :])])  # or from the top, where it knows nothing


def asking(bedrock: LocalBedrock, **settings: Any) -> Any:
    return model(
        bedrock,
        **{
            "max_tokens": 40,
            "max_tokens_ceiling": 160,
            "tool_call_recovery": "resume",
            **settings,
        },
    )


@pytest.mark.parametrize("says", [SAYS, ""])
@pytest.mark.parametrize("fine_grained", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_a_call_larger_than_the_ceiling_is_complete(
    serve: Serve, entrance: Entrance, name: str, fine_grained: bool, says: str
) -> None:
    bedrock = serve(
        Script(lambda request: answer(request, fine_grained=fine_grained, says=says))
    )
    message = entrance(asking(bedrock, model=name).bind_tools([TOOL]), "Write.")
    (call,) = message.tool_calls
    assert (call["id"], call["name"], call["args"]) == ("t1", "write_file", ARGS)
    assert (message.text, message.invalid_tool_calls) == (says, [])
    assert message.response_metadata["stopReason"] == "tool_use"
    assert ending(message) == ("model", True)
    strategies = [segment["strategy"] for segment in continuation(message)["segments"]]
    assert strategies[:2] == [None, "retry"]
    strategy = "prefill" if name == PREFILL_MODEL else "user_turn"
    assert set(strategies[2:]) == {strategy}
    # The tools stay, so that the conversation is legal; none of them is forced.
    for request in bedrock.requests:
        assert request.body["toolConfig"]["tools"]
        assert "toolChoice" not in request.body["toolConfig"]


def test_a_forced_tool_is_not_forced_while_text_is_asked_for(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Script(lambda request: answer(request, says="")))
    llm = asking(bedrock, model=PREFILL_MODEL)
    message = entrance(llm.bind_tools([TOOL], tool_choice="write_file"), "Write.")
    assert [call["args"] for call in message.tool_calls] == [ARGS]
    forced = ["toolChoice" in one.body["toolConfig"] for one in bedrock.requests]
    assert forced[:3] == [True, True, False]
    assert not any(forced[2:])


TELLS: dict[str, Callable[[], str]] = {
    "another type": lambda: JSON.replace('"notes/a.md"', "17"),
    "a key too few": lambda: JSON.replace('"path"', '"paths"'),
    "no JSON": lambda: JSON.replace('", "mode"', '", and mode'),
    "twice the key": lambda: JSON.replace('"mode"', '"path"'),
    "nothing of it": lambda: '{"sorry": ' + json.dumps("I can't do that. " * 90) + "}",
}


@pytest.mark.parametrize("told", TELLS)
@pytest.mark.parametrize("name", MODELS)
def test_text_that_is_not_json_or_not_of_the_schema_is_an_invalid_call(
    serve: Serve, entrance: Entrance, name: str, told: str
) -> None:
    bedrock = serve(
        Script(lambda request: answer(request, TELLS[told](), fine_grained=False))
    )
    message = entrance(asking(bedrock, model=name).bind_tools([TOOL]), "Write.")
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    # LangChain parses a stream's call again from its chunks, and drops their error.
    assert "Truncated at max_tokens" in (invalid["error"] or "")
    assert message.text == SAYS
    assert ending(message) == ("tool_call", False)


@pytest.mark.parametrize("limit", [{"max_continuations": 3}, {"max_total_tokens": 500}])
def test_a_limit_ends_the_turn_with_an_invalid_call(
    serve: Serve, entrance: Entrance, limit: dict[str, int]
) -> None:
    bedrock = serve(Script(answer))
    message = entrance(asking(bedrock, **limit).bind_tools([TOOL]), "Write.")
    assert message.tool_calls == []
    assert len(message.invalid_tool_calls) == 1
    assert [ending(message)[0]] == list(limit)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("name", MODELS)
def test_a_stream_that_breaks_in_the_text_is_recovered(serve: Serve, name: str) -> None:
    for number, at in itertools.product(range(3, 7), (0, 4, 30)):
        count = itertools.count(1)

        def breaking(
            request: Request, number: int = number, at: int = at, count: Any = count
        ) -> Answer:
            told = answer(request)
            faults = [FaultAt(Fault("close"), at=at)] if next(count) == number else []
            return Answer(told.content, fine_grained=True, faults=faults)

        bedrock = serve(Script(breaking))
        message = by_stream(asking(bedrock, model=name).bind_tools([TOOL]), "Write.")
        broke = f"request {number} broke at {at}"
        assert [call["args"] for call in message.tool_calls] == [ARGS], broke
        assert message.text == SAYS

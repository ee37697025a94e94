"""A turn over InvokeModel is the turn over Converse: a table of turns, run by both.

What is compared is what a caller decides by: the text, the calls, the thinking, the
usage, the metadata of the turn and of each segment, the events, and the error with its
partial message.
"""

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from langchain_bedrock_continue import ChatBedrockContinuing, ContinuationError
from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock
from langchain_bedrock_continue.local import Think as Thought
from tests.support.answers import TIME, WEATHER, WEATHER_TOOLS
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL, arguments
from tests.support.scripts import continuing
from tests.support.texts import LONG

TOKENS = 12
THINKS = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
MUCH = " ".join(f"This is sentence {number}." for number in range(300))
STORY = CallTool("weather", {"city": "Oslo " * 20, "days": [1, 2]}, tool_use_id="t1")
NUMBERS = itertools.count(10_000)
"""For questions of one length that the endpoint has not cached."""


class City(BaseModel):
    """A city."""

    name: str


class TurnCase(NamedTuple):
    """A turn: what the model says, and how it is asked.

    Attributes:
        answer: What the model says.
        fields: Fields of ChatBedrockContinuing.
        model: The model's id.
        max_tokens: The size of a segment.
        thinks: Whether thinking is enabled.
        call: What is called on the model, in place of the model itself.
        arguments: Arguments of the call.
    """

    answer: Any
    fields: Mapping[str, Any] = MappingProxyType({})
    model: str = PREFILL_MODEL
    max_tokens: int = TOKENS
    thinks: bool = False
    call: Callable[[Any], Runnable[Any, Any]] = lambda llm: llm
    arguments: Mapping[str, Any] = MappingProxyType({})


def with_tools(llm: Any) -> Any:
    return llm.bind_tools(WEATHER_TOOLS)


def city(llm: Any) -> Any:
    return llm.with_structured_output(City)


CALLS = Answer(["I look. ", WEATHER, TIME], fine_grained=True)
ONE_CALL = Answer(["I look. ", STORY], fine_grained=True)
CITY = Answer([CallTool("City", {"name": "Oslo " * 12}, tool_use_id="t1")])
TURNS = {
    "not truncated": TurnCase(Answer("Hello."), max_tokens=1_000),
    "prefill": TurnCase(Answer(LONG)),
    "user turn": TurnCase(Answer(LONG), model=REFUSING_MODEL),
    "larger total": TurnCase(Answer(LONG), {"max_total_tokens": 40}),
    "one continuation": TurnCase(Answer(LONG), {"max_continuations": 1}),
    "limit raised": TurnCase(
        Answer(LONG), {"max_continuations": 1, "on_limit": "raise"}
    ),
    "cached": TurnCase(Answer(LONG), {"prompt_caching": "5m"}),
    "billed": TurnCase(Answer(LONG), {"message_usage": "billed"}),
    "stop sequence": TurnCase(Answer(LONG), arguments={"stop": [LONG[30:36]]}),
    "thinking": TurnCase(Answer([Thought("Hm."), MUCH]), max_tokens=1100, thinks=True),
    "calls": TurnCase(CALLS, call=with_tools),
    "call retried": TurnCase(ONE_CALL, call=with_tools),
    "call returned": TurnCase(
        ONE_CALL, {"tool_call_recovery": "return"}, call=with_tools
    ),
    "call raised": TurnCase(ONE_CALL, {"tool_call_recovery": "raise"}, call=with_tools),
    "structured": TurnCase(CITY, call=city),
}


def converse(bedrock: LocalBedrock, turn: TurnCase, **given: Any) -> Any:
    settings = {"additional_model_request_fields": THINKS} if turn.thinks else {}
    return ChatBedrockConverse(**arguments(bedrock, **given, **settings))


def invoke_model(bedrock: LocalBedrock, turn: TurnCase, **given: Any) -> Any:
    settings = {"model_kwargs": THINKS} if turn.thinks else {}
    return ChatBedrock(region="us-east-1", **arguments(bedrock, **given, **settings))


def segment_of(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "request_id"}


def usage_of(usage: Any) -> dict[str, Any]:
    """Return a usage without its details: langchain-aws has them in two forms.

    The entry of a segment has the tokens of the cache.
    """
    return {k: v for k, v in (usage or {}).items() if k != "input_token_details"}


def essence(result: Any) -> Any:
    """Return what both APIs have in common of a message."""
    if not isinstance(result, AIMessage):
        return result
    turn = dict(result.response_metadata["continuation"])
    turn["segments"] = [segment_of(entry) for entry in turn["segments"]]
    turn |= {key: usage_of(turn[key]) for key in ("billed", "response")}
    thoughts = [b for b in result.content_blocks if b["type"] == "reasoning"]
    return {
        "text": result.text,
        "thinking": [block.get("reasoning") for block in thoughts],
        "calls": [(call["name"], call["args"]) for call in result.tool_calls],
        "invalid": [
            (c["name"], c["args"], c["error"]) for c in result.invalid_tool_calls
        ],
        "usage": usage_of(result.usage_metadata),
        "turn": turn,
    }


def outcome(
    llm: ChatBedrockContinuing, turn: TurnCase, entrance: Entrance
) -> dict[str, Any]:
    """Return what a turn brings: the result or the error, the events, the bill."""
    seen = Recorder()
    config = {"callbacks": [seen]}
    asked = f"Question {next(NUMBERS)}"
    try:
        found = entrance(turn.call(llm), asked, config=config, **turn.arguments)
    except ContinuationError as error:
        partial = essence(error.partial)
        return {"error": (type(error).__name__, str(error)), "partial": partial}
    events = [
        {key: value for key, value in data.items() if key != "segment"}
        for name, data in seen.events
        if name == "bedrock_continuation"  # the other comes by the clock
    ]
    return {"result": essence(found), "events": events, "runs": len(seen.runs)}


@pytest.mark.parametrize("name", list(TURNS))
def test_a_turn_is_the_same_over_both_apis(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    turn, found = TURNS[name], []
    for make in (converse, invoke_model):
        bedrock = serve(continuing(turn.answer))
        inner = make(bedrock, turn, model=turn.model, max_tokens=turn.max_tokens)
        llm = ChatBedrockContinuing(llm=inner, **turn.fields)
        found.append({**outcome(llm, turn, entrance), "calls": len(bedrock.requests)})
    assert found[1] == found[0]

"""Cache points in the calls of boto3 (WIRE), judged by the local endpoint."""

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.decisions.cache_support import (
    MAX_CACHE_POINTS,
    cache_support,
)
from langchain_bedrock_continue._core.request.cache_points import CachePlan
from langchain_bedrock_continue._wrapped.cache_points import (
    CachePointsClient,
    with_anthropic_points,
    with_converse_points,
)
from langchain_bedrock_continue.local.rules import fields
from langchain_bedrock_continue.local.rules.models import rules_for
from langchain_bedrock_continue.local.rules.table import check, check_invoke
from langchain_bedrock_continue.local.wire.anthropic_request import converse_body
from langchain_bedrock_continue.local.wire.errors import ServiceError

Json = dict[str, Any]

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
OLDER = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"

EPHEMERAL = {"type": "ephemeral"}
HALF = 0.5


# Random requests -------------------------------------------------------------------

LIFETIMES = (None, None, None, None, None, "5m", "1h")
seeds = st.integers(0, 2**32).map(random.Random)
"""A request has hundreds of choices: drawing each would take seconds."""


def point(ttl: str) -> Json:
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl == "1h" else {})}}


def converse_blocks(chance: random.Random, block: Json, most: int = 3) -> list[Json]:
    """Return copies of a block, some with a cache point of the caller's after it."""
    blocks: list[Json] = []
    for _ in range(chance.randint(1, most)):
        blocks.append(copy.deepcopy(block))
        if ttl := chance.choice(LIFETIMES):
            blocks.append(point(ttl))
    return blocks


def converse_body_of(chance: random.Random) -> Json:
    """Return a conversation, with tools, a system prompt, a tool call, reasoning."""
    text = {"text": "word"}
    tool = {"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}
    messages: list[Json] = [
        {
            "role": ("user", "assistant")[number % 2],
            "content": converse_blocks(chance, text, chance.choice([1, 2, 25])),
        }
        for number in range(chance.randint(1, 6))
    ]
    body: Json = {"messages": messages}
    if chance.random() < HALF:
        body["system"] = converse_blocks(chance, text)
    if chance.random() < HALF:
        body["toolConfig"] = {"tools": converse_blocks(chance, tool)}
        if len(messages) > 2 and chance.random() < HALF:
            use = {"toolUseId": "t", "name": "f", "input": {}}
            result = {"toolUseId": "t", "content": [{"text": "1"}]}
            messages[1]["content"].append({"toolUse": use})
            messages[2]["content"].insert(0, {"toolResult": result})
    if chance.random() < HALF:
        reasoning = {"reasoningText": {"text": "hm", "signature": "s"}}
        for message in messages[1::2]:
            message["content"].insert(0, {"reasoningContent": reasoning})
    return body


def plan_for(chance: random.Random, model_id: str, messages: int) -> CachePlan:
    support = cache_support(model_id)
    assert support is not None
    answer = chance.choice([one for one in (0, 1, 2, 4) if one < messages])
    return CachePlan(
        support=support,
        lifetime=chance.choice(["5m", "1h"]) if support.has_hour else "5m",
        answer=answer,
        of_prompt=chance.random() < HALF,
        of_history=answer > 1,
        everywhere=chance.random() < HALF,
    )


def accepted_body_of(chance: random.Random, model_id: str) -> Json:
    """Return a conversation that both APIs accept for a model."""
    while True:
        body = converse_body_of(chance)
        in_both = model_id == NOVA or accepted(
            model_id, as_anthropic(body), invoke=True
        )
        if in_both and accepted(model_id, body):
            return body


def as_anthropic(body: Json) -> Json:
    """Return the same request in Anthropic's messages API."""
    changed: Json = {"anthropic_version": "", "max_tokens": 9, "messages": []}
    for message in body["messages"]:
        content = _anthropic_blocks(message["content"])
        changed["messages"].append({"role": message["role"], "content": content})
    if "system" in body:
        changed["system"] = _anthropic_blocks(body["system"])
    if "toolConfig" in body:
        changed["tools"] = _anthropic_blocks(body["toolConfig"]["tools"])
    return changed


def _anthropic_blocks(blocks: list[Json]) -> list[Json]:
    found: list[Json] = []
    for block in blocks:
        match block:
            case {"cachePoint": control}:
                ttl = {"ttl": control["ttl"]} if "ttl" in control else {}
                found[-1]["cache_control"] = {**EPHEMERAL, **ttl}
            case {"text": text}:
                found.append({"type": "text", "text": text})
            case {"toolSpec": spec}:
                found.append({"name": spec["name"], "input_schema": {}})
            case {"toolUse": _}:
                found.append({"type": "tool_use", "id": "t", "name": "f", "input": {}})
            case {"toolResult": _}:
                result = {"type": "tool_result", "tool_use_id": "t", "content": "1"}
                found.append(result)
            case _:
                thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
                found.append(thought)
    return found


def accepted(model_id: str, body: Json, *, invoke: bool = False) -> bool:
    model = rules_for(model_id)
    assert model is not None
    try:
        if invoke:
            check_invoke(converse_body(body), model)
        else:
            check(body, model)
    except ServiceError:
        return False
    return True


def own_points(body: Json) -> list[Json]:
    return [value for _, value in fields.cache_points(body)]


@pytest.mark.parametrize("model_id", [CLAUDE, OLDER, NOVA])
@given(chance=seeds)
def test_what_converse_accepts_it_accepts_with_points(
    model_id: str, chance: random.Random
) -> None:
    """POINT-3, POINT-4, POINT-5, WIRE-2."""
    body = accepted_body_of(chance, model_id)
    before = copy.deepcopy(body)
    plan = plan_for(chance, model_id, len(body["messages"]))
    changed = with_converse_points(body, plan)
    assert body == before
    assert accepted(model_id, changed)
    assert without_points(changed) == without_points(before)
    assert len(own_points(before)) <= len(own_points(changed)) <= MAX_CACHE_POINTS
    assert with_converse_points(changed, plan) == changed  # nothing is doubled


@pytest.mark.parametrize("model_id", [CLAUDE, OLDER])
@given(chance=seeds)
def test_what_invoke_model_accepts_it_accepts_with_points(
    model_id: str, chance: random.Random
) -> None:
    """POINT-3, POINT-4, POINT-5, WIRE-1, WIRE-2: the same points as in Converse."""
    converse = accepted_body_of(chance, model_id)
    body = as_anthropic(converse)
    before = copy.deepcopy(body)
    plan = plan_for(chance, model_id, len(body["messages"]))
    changed = with_anthropic_points(body, plan)
    assert body == before
    assert accepted(model_id, changed, invoke=True)
    if _no_point_twice(converse):
        assert changed == as_anthropic(with_converse_points(converse, plan))


def _no_point_twice(body: Json) -> bool:
    """Return True if no block is followed by two points: Anthropic's has one field."""
    return len(own_points(body)) == len(own_points(converse_body(as_anthropic(body))))


def without_points(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_points(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_points(one) for one in value if "cachePoint" not in one]
    return value


# Cases -----------------------------------------------------------------------------


def plan_of(model_id: str = CLAUDE, **kwargs: Any) -> CachePlan:
    support = cache_support(model_id)
    assert support is not None
    return CachePlan(support, **kwargs)


def test_texts_become_blocks() -> None:
    """WIRE-1."""
    body = {"system": "s", "messages": [{"role": "user", "content": "u"}]}
    changed = with_anthropic_points(body, plan_of(lifetime="1h", everywhere=True))
    control = {**EPHEMERAL, "ttl": "1h"}
    assert changed == {
        "system": [{"type": "text", "text": "s", "cache_control": control}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "u", "cache_control": control}],
            }
        ],
    }


def test_a_control_inside_a_tool_result_counts() -> None:
    """POINT-3."""
    inner = [{"type": "text", "text": "1", "cache_control": EPHEMERAL}]
    result = {"type": "tool_result", "tool_use_id": "t", "content": inner}
    body = {"messages": [{"role": "user", "content": [result]}]}
    assert with_anthropic_points(body, plan_of()) == body


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_point_after_an_empty_text(text: str) -> None:
    """POINT-5."""
    body = {"messages": [{"role": "user", "content": [{"text": text}]}]}
    assert with_converse_points(body, plan_of()) == body


def test_no_point_after_a_tool_that_is_not_in_the_prompt() -> None:
    """POINT-5."""
    tools = [{"name": "f", "input_schema": {}, "defer_loading": True}]
    body = {"tools": tools, "messages": [{"role": "user", "content": "u"}]}
    assert with_anthropic_points(body, plan_of(everywhere=True))["tools"] == tools


class Client:
    """Stands for a client of boto3; `name` is one of its attributes."""

    name = "client"

    def __getattr__(self, operation: str) -> Any:
        return lambda **call: (operation, call)


def test_each_operation_is_called_with_points() -> None:
    """WIRE-3."""
    client: Any = CachePointsClient(Client(), plan_of())
    messages = [{"role": "user", "content": [{"text": "u"}]}]
    for operation in ("converse", "converse_stream"):
        called, call = getattr(client, operation)(modelId="m", messages=messages)
        assert (called, call["modelId"]) == (operation, "m")
        assert call["messages"][0]["content"][1:] == [point("5m")]
    body = json.dumps({"messages": [{"role": "user", "content": "u"}]})
    for operation in ("invoke_model", "invoke_model_with_response_stream"):
        called, call = getattr(client, operation)(modelId="m", body=body)
        assert (called, call["modelId"]) == (operation, "m")
        assert json.loads(call["body"])["messages"][0]["content"][0]["cache_control"]
    assert client.name == "client"

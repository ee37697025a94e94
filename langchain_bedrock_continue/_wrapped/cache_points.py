"""Puts cache points into the requests that langchain-aws makes, in both APIs.

The core decides where (`_core.request.cache_points`). Here its choice is carried out in
the arguments of boto3's calls, after langchain-aws has formed them: only there all
blocks and the caller's own points are in their final places, and ChatBedrock takes no
lifetime from a content block.

WIRE-1. In Converse a cache point is a block of its own. In Anthropic's messages API it
    is the field `cache_control` of a block.
WIRE-2. What langchain-aws passed is never changed: it may be the caller's own.
WIRE-3. Everything else of the client is the client's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from langchain_bedrock_continue._core.request.cache_points import (
    Place,
    chosen_places,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_bedrock_continue._core.decisions.cache_support import Lifetime
    from langchain_bedrock_continue._core.request.cache_points import (
        CachePlan,
        Section,
    )

_Json: TypeAlias = dict[str, Any]


class CachePointsClient:
    """A client of the Bedrock runtime whose requests get cache points."""

    def __init__(self, client: Any, plan: CachePlan) -> None:
        """Wrap a client for one call.

        Args:
            client: A boto3 client of the Bedrock runtime. Never changed.
            plan: What cache points the call gets.
        """
        self._client = client
        self._plan = plan

    def converse(self, **call: Any) -> Any:
        """Call Converse."""
        return self._client.converse(**with_converse_points(call, self._plan))

    def converse_stream(self, **call: Any) -> Any:
        """Call ConverseStream."""
        return self._client.converse_stream(**with_converse_points(call, self._plan))

    def invoke_model(self, **call: Any) -> Any:
        """Call InvokeModel, with Anthropic's messages API."""
        return self._client.invoke_model(**_with_body_points(call, self._plan))

    def invoke_model_with_response_stream(self, **call: Any) -> Any:
        """Call InvokeModelWithResponseStream, with Anthropic's messages API."""
        points = _with_body_points(call, self._plan)
        return self._client.invoke_model_with_response_stream(**points)

    def __getattr__(self, name: str) -> Any:
        """Return what the client has (WIRE-3)."""
        return getattr(self._client, name)


class _Part(NamedTuple):
    """A list of blocks in a request.

    Attributes:
        section: The section that it is, or is in.
        message: The number of its message; 0 outside of messages.
        role: The role of its message.
        blocks: The blocks.
    """

    section: Section
    message: int
    role: str
    blocks: list[_Json]


# Converse -------------------------------------------------------------------------


def with_converse_points(call: _Json, plan: CachePlan) -> _Json:
    """Return the arguments of Converse with cache points.

    Args:
        call: The arguments. Never changed.
        plan: What cache points the call gets.
    """
    tools = (call.get("toolConfig") or {}).get("tools") or []
    parts = _parts(tools, call.get("system") or [], call["messages"])
    points = _points(parts, plan, _converse_lifetime, _converse_allows(plan))
    new = [
        _with_point_blocks(part.blocks, points.get(i)) for i, part in enumerate(parts)
    ]
    changed = {**call, "messages": _with_content(call["messages"], new[2:])}
    if 1 in points:
        changed["system"] = new[1]
    if 0 in points:
        changed["toolConfig"] = {**call["toolConfig"], "tools": new[0]}
    return changed


def _converse_lifetime(blocks: list[_Json], at: int) -> str | None:
    after = blocks[at + 1] if at + 1 < len(blocks) else {}
    return after["cachePoint"].get("ttl") or "5m" if "cachePoint" in after else None


def _converse_allows(plan: CachePlan) -> Callable[[list[_Json], int], bool]:
    def allows(blocks: list[_Json], at: int) -> bool:
        tools = any("toolUse" in one or "toolResult" in one for one in blocks)
        beside_tools = plan.support.beside_tools or not tools
        return beside_tools and _may_be_cached(blocks[at])

    return allows


def _with_point_blocks(
    blocks: list[_Json], points: dict[int, Lifetime] | None
) -> list[_Json]:
    if not points:
        return blocks
    new: list[_Json] = []
    for at, block in enumerate(blocks):
        new.append(block)
        if at in points:
            lifetime = {} if points[at] == "5m" else {"ttl": points[at]}
            new.append({"cachePoint": {"type": "default", **lifetime}})
    return new


# InvokeModel ----------------------------------------------------------------------


def _with_body_points(call: _Json, plan: CachePlan) -> _Json:
    body = json.loads(call["body"])
    return {**call, "body": json.dumps(with_anthropic_points(body, plan))}


def with_anthropic_points(body: _Json, plan: CachePlan) -> _Json:
    """Return a body of Anthropic's messages API with cache points.

    Args:
        body: The body. Never changed.
        plan: What cache points the call gets.
    """
    system = _as_blocks(body.get("system") or [])
    parts = _parts(body.get("tools") or [], system, body["messages"])
    points = _points(parts, plan, _anthropic_lifetime, _anthropic_allows)
    new = [
        _with_controls(part.blocks, points[i]) if i in points else None
        for i, part in enumerate(parts)
    ]
    changed = {**body, "messages": _with_content(body["messages"], new[2:])}
    if 1 in points:
        changed["system"] = new[1]
    if 0 in points:
        changed["tools"] = new[0]
    return changed


def _anthropic_lifetime(blocks: list[_Json], at: int) -> str | None:
    controls = [blocks[at].get("cache_control")]
    if isinstance(inner := blocks[at].get("content"), list):  # of a tool result
        controls += [one.get("cache_control") for one in inner if isinstance(one, dict)]
    found = [control.get("ttl") or "5m" for control in controls if control]
    return found[-1] if found else None


def _anthropic_allows(blocks: list[_Json], at: int) -> bool:
    return _may_be_cached(blocks[at])


def _with_controls(blocks: list[_Json], points: dict[int, Lifetime]) -> list[_Json]:
    new = list(blocks)
    for at, lifetime in points.items():
        ttl = {} if lifetime == "5m" else {"ttl": lifetime}
        new[at] = {**new[at], "cache_control": {"type": "ephemeral", **ttl}}
    return new


# Both -----------------------------------------------------------------------------


def _parts(
    tools: list[_Json], system: list[_Json], messages: list[_Json]
) -> list[_Part]:
    """Return the lists of blocks in the order in which Bedrock reads them."""
    return [
        _Part("tools", 0, "", tools),
        _Part("system", 0, "", system),
        *(
            _Part("messages", i, one["role"], _as_blocks(one["content"]))
            for i, one in enumerate(messages)
        ),
    ]


def _points(
    parts: list[_Part],
    plan: CachePlan,
    lifetime_after: Callable[[list[_Json], int], str | None],
    allows: Callable[[list[_Json], int], bool],
) -> dict[int, dict[int, Lifetime]]:
    """Return the points that the core chose, by part and by block."""
    slots = [*_slots(parts)]
    places = [
        Place(
            section=parts[part].section,
            message=parts[part].message,
            role=parts[part].role,
            lifetime=lifetime_after(parts[part].blocks, at),
            allowed=allows(parts[part].blocks, at),
        )
        for part, at in slots
    ]
    points: dict[int, dict[int, Lifetime]] = {}
    for place, lifetime in chosen_places(places, plan).items():
        part, at = slots[place]
        points.setdefault(part, {})[at] = lifetime
    return points


def _slots(parts: list[_Part]) -> Iterator[tuple[int, int]]:
    for number, part in enumerate(parts):
        blocks: list[Any] = part.blocks
        for at, block in enumerate(blocks):
            if isinstance(block, dict) and "cachePoint" not in block:
                yield number, at


def _as_blocks(content: Any) -> list[_Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _with_content(messages: list[_Json], new: list[Any]) -> list[_Json]:
    """Return the messages with the content that is new; None leaves one as it is."""
    pairs = zip(messages, new, strict=True)
    return [
        one if content is None else {**one, "content": content}
        for one, content in pairs
    ]


def _may_be_cached(block: _Json) -> bool:
    """Return False for empty text, and for tools that are not in the prompt.

    Anthropic refuses a point after a tool with `defer_loading`.
    """
    if block.get("defer_loading"):
        return False
    return bool(str(block.get("text", "x")).strip())

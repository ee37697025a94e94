"""Rules of the models' vendors for a Converse request.

A rule gets the body of `Converse` and the rules of the model. It returns the error text
if the request breaks the rule, else None. `table` names the sources of the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import fields
from langchain_bedrock_continue.local.wire.errors import VENDOR_PREFIX

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json
    from langchain_bedrock_continue.local.rules.models import ModelRules

MAX_CACHE_POINTS = 4
"""Number of cachePoints that a request may have."""


# Prompt caching.


def cache_points(body: Json, _model: ModelRules) -> str | None:
    """A request has at most four cachePoints."""
    found = sum(1 for _ in fields.cache_points(body))
    if found <= MAX_CACHE_POINTS:
        return None
    return (
        f"{VENDOR_PREFIX}A maximum of {MAX_CACHE_POINTS} blocks with cache_control may "
        f"be provided. Found {found}."
    )


def cache_places(body: Json, model: ModelRules) -> str | None:
    """A cachePoint for Nova is not after a tool, and in no message with tool blocks."""
    if not model.is_nova:
        return None
    found = [path for path, _ in fields.cache_points(body) if "tools" in path]
    for i, message in enumerate(fields.messages(body)):
        keys = [key for block in message["content"] for key in block]
        if "cachePoint" in keys and {"toolUse", "toolResult"} & {*keys}:
            found.append(f"messages.{i}.content.{keys.index('cachePoint')}")
    if not found:
        return None
    return (
        f"{VENDOR_PREFIX}Malformed input request: #/{found[0].replace('.', '/')}: "
        "extraneous key [cachePoint] is not permitted, please reformat your input and "
        "try again."
    )


def cache_lifetime(body: Json, model: ModelRules) -> str | None:
    """A cachePoint has a `ttl` of an hour only where the model allows one."""
    for path, point in fields.cache_points(body):
        if point.get("ttl", "5m") == "5m" or model.caches_an_hour:
            continue
        if not model.is_claude:
            return "Extended TTL prompt caching is only supported for Anthropic models"
        place = fields.cached_block(path)
        return (
            f"{VENDOR_PREFIX}{place}.cache_control.ttl: Extra inputs are not permitted"
        )
    return None


def cache_order(body: Json, _model: ModelRules) -> str | None:
    """In the order tools, system, messages the `ttl` of cachePoints does not grow."""
    shortest = "1h"
    for path, point in fields.cache_points(body):
        ttl = point.get("ttl", "5m")
        if ttl == "1h" and shortest == "5m":
            return (
                f"{VENDOR_PREFIX}{fields.cached_block(path)}.cache_control.ttl: a "
                "ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following "
                "order: `tools`, `system`, `messages`."
            )
        shortest = ttl
    return None


# Prefill.


def takes_prefill(body: Json, model: ModelRules) -> str | None:
    """A request with a prefill goes to a model that accepts prefill."""
    if model.takes_prefill or fields.prefill(body) is None:
        return None
    return model.prefill_refusal


def prefill_conflicts(body: Json, model: ModelRules) -> str | None:
    """A prefill excludes an output format, and on some models it excludes tools."""
    if fields.prefill(body) is None:
        return None
    if not model.prefill_with_tools and body.get("toolConfig"):
        return _CONFLICT.format("tools")
    if model.is_claude and (body.get("outputConfig") or {}).get("textFormat"):
        return _CONFLICT.format("output format")
    return None


_CONFLICT = (
    VENDOR_PREFIX + "Your API request included an `assistant` message in the final "
    "position, which would pre-fill the `assistant` response. When using {}, "
    "pre-filling the `assistant` response is not supported."
)


def trailing_whitespace(body: Json, model: ModelRules) -> str | None:
    """A prefill for a Claude does not end in whitespace."""
    prefill = fields.prefill(body)
    if prefill is None or not model.is_claude:
        return None
    texts = [block["text"] for block in prefill["content"] if "text" in block]
    if not texts or texts[-1] == texts[-1].rstrip():
        return None
    return (
        f"{VENDOR_PREFIX}messages: final assistant content cannot end with trailing "
        "whitespace"
    )


# Server tools.


def server_results(body: Json, model: ModelRules) -> str | None:
    """A server tool's call to a Claude has its result, except in a paused turn."""
    history = fields.messages(body)[: -1 if fields.paused(body) else None]
    for i, message in enumerate(history if model.is_claude else []):
        results = [r["toolUseId"] for r in fields.blocks_of("toolResult", message)]
        for use in fields.blocks_of("toolUse", message):
            if use.get("type") and use["toolUseId"] not in results:
                name, tool_use_id = use["name"], use["toolUseId"]
                return (
                    f"{VENDOR_PREFIX}messages.{i}: `{name}` tool use with id "
                    f"`{tool_use_id}` was found without a corresponding "
                    f"`{name}_tool_result` block"
                )
    return None


# Texts, sampling.


def whitespace_text(body: Json, model: ModelRules) -> str | None:
    """A text block for a Claude is not whitespace only."""
    if not model.is_claude or all(
        b.get("text", "x").strip() for _, b in fields.blocks(body)
    ):
        return None
    return (
        f"{VENDOR_PREFIX}messages: text content blocks must contain non-whitespace text"
    )


def whitespace_stops(body: Json, model: ModelRules) -> str | None:
    """A stop sequence for a Claude is not whitespace only."""
    stops = fields.inference(body).get("stopSequences") or []
    if not model.is_claude or all(stop.strip() for stop in stops):
        return None
    return (
        f"{VENDOR_PREFIX}stop_sequences: each stop sequence must contain non-whitespace"
    )


def one_sampler(body: Json, model: ModelRules) -> str | None:
    """From Claude 4.1 on, `temperature` and `topP` exclude each other."""
    both = {"temperature", "topP"} <= fields.inference(body).keys()
    if not (model.is_claude and model.version >= (4, 1) and both):
        return None
    return (
        f"{VENDOR_PREFIX}`temperature` and `top_p` cannot both be specified for this "
        "model. Please use only one."
    )

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
    tools = (body.get("toolConfig") or {}).get("tools") or []
    blocks = [*tools, *(body.get("system") or []), *(b for _, b in fields.blocks(body))]
    found = sum("cachePoint" in block for block in blocks)
    if found <= MAX_CACHE_POINTS:
        return None
    return (
        f"{VENDOR_PREFIX}A maximum of {MAX_CACHE_POINTS} blocks with cache_control may "
        f"be provided. Found {found}."
    )


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

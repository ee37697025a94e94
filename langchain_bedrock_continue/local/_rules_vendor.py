"""What the models' vendors check besides; each rule gives its text, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local import _rules_view as look
from langchain_bedrock_continue.local._errors import VENDOR_PREFIX

if TYPE_CHECKING:
    from langchain_bedrock_continue.local._models import ModelRules
    from langchain_bedrock_continue.local._rules_view import Json

MAX_CACHE_POINTS = 4
_THINKING_GUIDE = (
    "Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)


# Prompt caching.


def cache_points(body: Json, _model: ModelRules) -> str | None:
    """There are four cachePoints at most."""
    tools = (body.get("toolConfig") or {}).get("tools") or []
    blocks = [*tools, *(body.get("system") or []), *(b for _, b in look.blocks(body))]
    found = sum("cachePoint" in block for block in blocks)
    if found <= MAX_CACHE_POINTS:
        return None
    return (
        f"{VENDOR_PREFIX}A maximum of {MAX_CACHE_POINTS} blocks with cache_control may "
        f"be provided. Found {found}."
    )


# Prefill.


def takes_prefill(body: Json, model: ModelRules) -> str | None:
    """A final assistant message goes to a model that takes one."""
    if model.takes_prefill or look.prefill(body) is None:
        return None
    return model.prefill_refusal


def reasoning_alone(body: Json, model: ModelRules) -> str | None:
    """Newer Claudes take a turn of reasoning alone for a prefill, wherever it is."""
    alone = any(
        m["role"] == "assistant" and all("reasoningContent" in b for b in m["content"])
        for m in look.messages(body)
    )
    refused = model.is_claude and not model.takes_prefill and alone
    return model.prefill_refusal if refused else None


def prefill_beside(body: Json, model: ModelRules) -> str | None:
    """A prefill goes without an output format, and without tools on some models."""
    if look.prefill(body) is None:
        return None
    if not model.prefill_with_tools and body.get("toolConfig"):
        return _BESIDE.format("tools")
    if model.is_claude and (body.get("outputConfig") or {}).get("textFormat"):
        return _BESIDE.format("output format")
    return None


_BESIDE = (
    VENDOR_PREFIX + "Your API request included an `assistant` message in the final "
    "position, which would pre-fill the `assistant` response. When using {}, "
    "pre-filling the `assistant` response is not supported."
)


def prefill_reasoning(body: Json, model: ModelRules) -> str | None:
    """A Claude's prefill is no reasoning, and goes without thinking."""
    prefill = look.prefill(body)
    if prefill is None or not model.is_claude:
        return None
    where, content = f"messages.{len(look.messages(body)) - 1}", prefill["content"]
    if "reasoningContent" in content[-1]:
        return (
            f"{VENDOR_PREFIX}{where}: The final block in an assistant message cannot "
            "be `thinking`."
        )
    if not look.thinking(body):
        return None
    if "reasoningContent" in content[0]:
        # Refused too, but with which of Anthropic's texts is not known.
        return (
            f"{VENDOR_PREFIX}Prefilling assistant messages is not supported for this "
            "model."
        )
    return (
        f"{VENDOR_PREFIX}{where}.content.0.type: Expected `thinking` or "
        "`redacted_thinking`, but found `text`. When `thinking` is enabled, a final "
        "`assistant` message must start with a thinking block (preceeding the lastmost "
        "set of `tool_use` and `tool_result` blocks). We recommend you include "
        "thinking blocks from previous turns. To avoid this requirement, disable "
        f"`thinking`. {_THINKING_GUIDE}"
    )


def trailing_whitespace(body: Json, model: ModelRules) -> str | None:
    """A Claude's prefill does not end in whitespace."""
    prefill = look.prefill(body)
    if prefill is None or not model.is_claude:
        return None
    texts = [block["text"] for block in prefill["content"] if "text" in block]
    if not texts or texts[-1] == texts[-1].rstrip():
        return None
    return (
        f"{VENDOR_PREFIX}messages: final assistant content cannot end with trailing "
        "whitespace"
    )


# Texts, reasoning, sampling.


def whitespace_text(body: Json, model: ModelRules) -> str | None:
    """A Claude is sent no text of whitespace alone."""
    if not model.is_claude or all(
        b.get("text", "x").strip() for _, b in look.blocks(body)
    ):
        return None
    return (
        f"{VENDOR_PREFIX}messages: text content blocks must contain non-whitespace text"
    )


def whitespace_stops(body: Json, model: ModelRules) -> str | None:
    """A Claude is sent no stop sequence of whitespace alone."""
    stops = look.inference(body).get("stopSequences") or []
    if not model.is_claude or all(stop.strip() for stop in stops):
        return None
    return (
        f"{VENDOR_PREFIX}stop_sequences: each stop sequence must contain non-whitespace"
    )


def signatures(body: Json, model: ModelRules) -> str | None:
    """A Claude gets its reasoning back with the signature."""
    if not model.is_claude:
        return None
    for where, block in look.blocks(body):
        text = (block.get("reasoningContent") or {}).get("reasoningText")
        if text is not None and not text.get("signature"):
            return f"{VENDOR_PREFIX}{where}.thinking.signature: Field required"
    return None


def thinking_budget(body: Json, model: ModelRules) -> str | None:
    """Thinking leaves some of `maxTokens` to the answer."""
    budget = look.thinking(body).get("budget_tokens")
    allowed = look.inference(body).get("maxTokens") or model.default_max_tokens
    if not model.is_claude or budget is None or budget < allowed:
        return None
    return (
        f"{VENDOR_PREFIX}`max_tokens` must be greater than `thinking.budget_tokens`. "
        f"{_THINKING_GUIDE}#max-tokens-and-context-window-size"
    )


def thinking_temperature(body: Json, model: ModelRules) -> str | None:
    """Thinking goes with no temperature but 1."""
    temperature = look.inference(body).get("temperature")
    if not (model.is_claude and look.thinking(body)) or temperature in (None, 1):
        return None
    return (
        f"{VENDOR_PREFIX}`temperature` may only be set to 1 when thinking is enabled. "
        f"{_THINKING_GUIDE}#important-considerations-when-using-extended-thinking"
    )


def one_sampler(body: Json, model: ModelRules) -> str | None:
    """From Claude 4.1 on, temperature and top_p exclude each other."""
    both = {"temperature", "topP"} <= look.inference(body).keys()
    if not (model.is_claude and model.version >= (4, 1) and both):
        return None
    return (
        f"{VENDOR_PREFIX}`temperature` and `top_p` cannot both be specified for this "
        "model. Please use only one."
    )

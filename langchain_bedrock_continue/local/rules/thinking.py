"""What Anthropic checks of thinking; each rule gives its text, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import fields
from langchain_bedrock_continue.local.rules.thinking_binding import Binding
from langchain_bedrock_continue.local.wire.errors import VENDOR_PREFIX

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json
    from langchain_bedrock_continue.local.rules.models import ModelRules

GUIDE = (
    "Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)


def reasoning_alone(body: Json, model: ModelRules) -> str | None:
    """Newer Claudes take a turn of reasoning alone for a prefill, wherever it is."""
    alone = any(
        m["role"] == "assistant" and all("reasoningContent" in b for b in m["content"])
        for m in fields.messages(body)
    )
    refused = model.is_claude and not model.takes_prefill and alone
    return model.prefill_refusal if refused else None


def prefill_reasoning(body: Json, model: ModelRules) -> str | None:
    """A Claude's prefill is no reasoning, and goes without thinking."""
    prefill = fields.prefill(body)
    if prefill is None or not model.is_claude:
        return None
    where, content = f"messages.{len(fields.messages(body)) - 1}", prefill["content"]
    if "reasoningContent" in content[-1]:
        return (
            f"{VENDOR_PREFIX}{where}: The final block in an assistant message cannot "
            "be `thinking`."
        )
    if not fields.thinking(body):
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
        f"`thinking`. {GUIDE}"
    )


def signatures(body: Json, model: ModelRules) -> str | None:
    """A Claude gets its reasoning back with the signature; an empty one is none."""
    if not model.is_claude:
        return None
    for where, block in fields.blocks(body):
        text = (block.get("reasoningContent") or {}).get("reasoningText")
        if text is not None and not text.get("signature"):
            return f"{VENDOR_PREFIX}{where}.thinking.signature: Field required"
    return None


def bound(body: Json, model: ModelRules) -> str | None:
    """Newer Claudes get a thinking block back only behind what it was made behind.

    The caller may ask to have such blocks dropped instead; then they are accepted.
    """
    control = fields.thinking(body).get("block_binding") or {}
    dropped = control.get("prefix_mismatch_behavior") == "drop_block"
    if not model.binds_thinking:
        return None
    binding = Binding(body.get("system") or [], body.get("toolConfig"))
    for i, message in enumerate(fields.messages(body)):
        for j, block in enumerate(message["content"]):
            fits = _fits(binding, block)
            if fits is None or (fits is False and not dropped):
                where = f"{VENDOR_PREFIX}messages.{i}.content.{j}: "
                return where + (_INVALID if fits is None else _INVALID + _ELSEWHERE)
            binding.add(message["role"], block)
    return None


_INVALID = "Invalid `signature` in `thinking` block"
_ELSEWHERE = (
    ". The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)


def _fits(binding: Binding, block: Json) -> bool | None:
    thought = (block.get("reasoningContent") or {}).get("reasoningText")
    if thought is None:
        return True
    return binding.fits(thought.get("text", ""), thought["signature"])


def thinking_budget(body: Json, model: ModelRules) -> str | None:
    """Thinking leaves some of `maxTokens` to the answer."""
    budget = fields.thinking(body).get("budget_tokens")
    allowed = fields.inference(body).get("maxTokens") or model.default_max_tokens
    if not model.is_claude or budget is None or budget < allowed:
        return None
    return (
        f"{VENDOR_PREFIX}`max_tokens` must be greater than `thinking.budget_tokens`. "
        f"{GUIDE}#max-tokens-and-context-window-size"
    )


def thinking_temperature(body: Json, model: ModelRules) -> str | None:
    """Thinking goes with no temperature but 1."""
    temperature = fields.inference(body).get("temperature")
    if not (model.is_claude and fields.thinking(body)) or temperature in (None, 1):
        return None
    return (
        f"{VENDOR_PREFIX}`temperature` may only be set to 1 when thinking is enabled. "
        f"{GUIDE}#important-considerations-when-using-extended-thinking"
    )


def thinking_tool_choice(body: Json, model: ModelRules) -> str | None:
    """Thinking goes with no tool choice that forces a call."""
    choice = (body.get("toolConfig") or {}).get("toolChoice") or {}
    forced = "any" in choice or "tool" in choice
    if not (model.is_claude and fields.thinking(body) and forced):
        return None
    return (
        f"{VENDOR_PREFIX}Thinking may not be enabled when tool_choice forces tool use."
    )

"""Anthropic's rules on thinking for a Converse request.

A rule gets the body of `Converse` and the rules of the model. It returns the error text
if the request breaks the rule, else None. `table` names the sources of the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import fields
from langchain_bedrock_continue.local.rules.thinking_binding import Conversation
from langchain_bedrock_continue.local.wire.errors import VENDOR_PREFIX

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json
    from langchain_bedrock_continue.local.rules.models import ModelRules

_GUIDE = (
    "Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)


def reasoning_only_turn(body: Json, model: ModelRules) -> str | None:
    """No assistant message to a Claude without prefill is reasoning only.

    Newer Claudes treat such a message as a prefill, also where a user message follows.
    Source: third-party reports.
    """
    found = any(
        m["role"] == "assistant" and all("reasoningContent" in b for b in m["content"])
        for m in fields.messages(body)
    )
    refused = model.is_claude and not model.takes_prefill and found
    return model.prefill_refusal if refused else None


def prefill_reasoning(body: Json, model: ModelRules) -> str | None:
    """A prefill for a Claude does not end in reasoning, and thinking is off."""
    prefill = fields.prefill(body)
    if prefill is None or not model.is_claude:
        return None
    path, content = f"messages.{len(fields.messages(body)) - 1}", prefill["content"]
    if "reasoningContent" in content[-1]:
        return (
            f"{VENDOR_PREFIX}{path}: The final block in an assistant message cannot "
            "be `thinking`."
        )
    if not fields.thinking(body):
        return None
    if "reasoningContent" in content[0]:
        # It is refused, but which of Anthropic's texts it gets is not known.
        return (
            f"{VENDOR_PREFIX}Prefilling assistant messages is not supported for this "
            "model."
        )
    return (
        f"{VENDOR_PREFIX}{path}.content.0.type: Expected `thinking` or "
        "`redacted_thinking`, but found `text`. When `thinking` is enabled, a final "
        "`assistant` message must start with a thinking block (preceeding the lastmost "
        "set of `tool_use` and `tool_result` blocks). We recommend you include "
        "thinking blocks from previous turns. To avoid this requirement, disable "
        f"`thinking`. {_GUIDE}"
    )


def signatures(body: Json, model: ModelRules) -> str | None:
    """Reasoning that is sent back to a Claude has a signature that is not empty."""
    if not model.is_claude:
        return None
    for path, block in fields.blocks(body):
        text = (block.get("reasoningContent") or {}).get("reasoningText")
        if text is not None and not text.get("signature"):
            return f"{VENDOR_PREFIX}{path}.thinking.signature: Field required"
    return None


def binding(body: Json, model: ModelRules) -> str | None:
    """Thinking that is bound to its prefix is sent back after this prefix.

    With `block_binding.prefix_mismatch_behavior` set to `drop_block`, a block with
    another prefix is accepted. Source: Anthropic's documentation.
    """
    block_binding = fields.thinking(body).get("block_binding") or {}
    dropped = block_binding.get("prefix_mismatch_behavior") == "drop_block"
    if not model.binds_thinking:
        return None
    conversation = Conversation(body.get("system") or [], body.get("toolConfig"))
    for i, message in enumerate(fields.messages(body)):
        for j, block in enumerate(message["content"]):
            valid = _is_bound_here(conversation, block)
            if valid is None or (valid is False and not dropped):
                path = f"{VENDOR_PREFIX}messages.{i}.content.{j}: "
                return path + (_INVALID if valid is None else _INVALID + _ELSEWHERE)
            conversation.add(message["role"], block)
    return None


_INVALID = "Invalid `signature` in `thinking` block"
_ELSEWHERE = (
    ". The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)


def _is_bound_here(conversation: Conversation, block: Json) -> bool | None:
    reasoning = (block.get("reasoningContent") or {}).get("reasoningText")
    if reasoning is None:
        return True
    return conversation.accepts(reasoning.get("text", ""), reasoning["signature"])


def budget(body: Json, model: ModelRules) -> str | None:
    """The thinking budget of a Claude is below `maxTokens`."""
    tokens = fields.thinking(body).get("budget_tokens")
    allowed = fields.inference(body).get("maxTokens") or model.max_tokens_if_unset
    if not model.is_claude or tokens is None or tokens < allowed:
        return None
    return (
        f"{VENDOR_PREFIX}`max_tokens` must be greater than `thinking.budget_tokens`. "
        f"{_GUIDE}#max-tokens-and-context-window-size"
    )


def temperature(body: Json, model: ModelRules) -> str | None:
    """With thinking on, the temperature of a Claude is 1 or not set."""
    value = fields.inference(body).get("temperature")
    if not (model.is_claude and fields.thinking(body)) or value in (None, 1):
        return None
    return (
        f"{VENDOR_PREFIX}`temperature` may only be set to 1 when thinking is enabled. "
        f"{_GUIDE}#important-considerations-when-using-extended-thinking"
    )


def tool_choice(body: Json, model: ModelRules) -> str | None:
    """With thinking on, the tool choice of a Claude does not force a tool call."""
    choice = (body.get("toolConfig") or {}).get("toolChoice") or {}
    forced = "any" in choice or "tool" in choice
    if not (model.is_claude and fields.thinking(body) and forced):
        return None
    return (
        f"{VENDOR_PREFIX}Thinking may not be enabled when tool_choice forces tool use."
    )

"""Bedrock's rules for a Converse request, with its own words for each.

R1. The rules are one table, asked from top to bottom; the first that is broken speaks.
R2. Bedrock's own checks come before those of the model's vendor.
R3. A rule reads the request and changes nothing.

The texts are quoted from public reports of live calls; that on thinking of another
conversation from Anthropic's documents; those on the bounds of `maxTokens` and `topP`
follow the reported one on `temperature`. That `InvokeModel` refuses a `maxTokens` over
the limit in Converse's words is a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import bedrock, thinking, vendors
from langchain_bedrock_continue.local.wire.errors import VENDOR_PREFIX, invalid

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json, Rule
    from langchain_bedrock_continue.local.rules.models import ModelRules

UNKNOWN_MODEL = "The provided model identifier is invalid."

BEDROCK_RULES: tuple[Rule, ...] = (
    bedrock.in_range("maxTokens", 1, float("inf")),
    bedrock.in_range("temperature", 0, 1),
    bedrock.in_range("topP", 0, 1),
    bedrock.roles,
    bedrock.starts_with_user,
    bedrock.empty_content,
    bedrock.alternates,
    bedrock.blank_text,
    bedrock.max_tokens,
    bedrock.tool_config,
    bedrock.tool_results,
    bedrock.cache_point_after_reasoning,
)
VENDOR_RULES: tuple[Rule, ...] = (
    vendors.cache_points,
    vendors.takes_prefill,
    thinking.reasoning_alone,
    vendors.prefill_beside,
    thinking.prefill_reasoning,
    vendors.trailing_whitespace,
    vendors.whitespace_text,
    vendors.whitespace_stops,
    vendors.server_results,
    thinking.signatures,
    thinking.bound,
    thinking.thinking_budget,
    thinking.thinking_temperature,
    thinking.thinking_tool_choice,
    vendors.one_sampler,
)
INVOKE_RULES: tuple[Rule, ...] = (bedrock.max_tokens, *VENDOR_RULES)

RULES = BEDROCK_RULES + VENDOR_RULES


def check(body: Json, model: ModelRules) -> None:
    """Raise `ServiceError` with Bedrock's text for the first rule that is broken."""
    for rule in RULES:
        if (text := rule(body, model)) is not None:
            raise invalid(text)


def check_vendor(body: Json, model: ModelRules) -> None:
    """The same for `InvokeModel`: Bedrock hands the vendor's body on, nearly unread."""
    for rule in INVOKE_RULES:
        if (text := rule(body, model)) is not None:
            raise invalid(text.removeprefix(VENDOR_PREFIX))

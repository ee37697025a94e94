"""The table of rules for requests.

RULES-1. The rules are one table. They are checked from top to bottom, and the first
    broken rule is the error.
RULES-2. Bedrock's own rules come before those of the model's vendor.
RULES-3. A rule reads the request and does not change it.
RULES-4. A cachePoint to a model without a prompt cache is refused before all rules,
    with another exception.

Sources of the texts: public reports of live calls, with three exceptions. The text on
thinking of another conversation is from Anthropic's documentation. The texts on the
range of `maxTokens` and `topP` are modelled on the reported one on `temperature`; the
ranges are from botocore's service model. That `InvokeModel` refuses a `maxTokens` over
the limit with Converse's text is a guess. So is the path before `Extra inputs are not
permitted`, the text on a `ttl` that a model does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import bedrock, fields, thinking, vendors
from langchain_bedrock_continue.local.wire.errors import (
    VENDOR_PREFIX,
    ServiceError,
    validation_error,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json, Rule
    from langchain_bedrock_continue.local.rules.models import ModelRules

UNKNOWN_MODEL = "The provided model identifier is invalid."
"""Bedrock's text for an unknown model id. Source: public reports of live calls."""

NOT_CACHED = (
    "You invoked an unsupported model or your request did not allow prompt caching. "
    "See the documentation for more information."
)
"""Bedrock's text for a cachePoint to a model that has no prompt cache. It is not a
ValidationException. Source: public reports of live calls."""

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
    vendors.cache_places,
    vendors.cache_lifetime,
    vendors.cache_order,
    vendors.takes_prefill,
    thinking.reasoning_only_turn,
    vendors.prefill_conflicts,
    thinking.prefill_reasoning,
    vendors.trailing_whitespace,
    vendors.whitespace_text,
    vendors.whitespace_stops,
    vendors.server_results,
    thinking.signatures,
    thinking.binding,
    thinking.budget,
    thinking.temperature,
    thinking.tool_choice,
    vendors.one_sampler,
)
INVOKE_RULES: tuple[Rule, ...] = (bedrock.max_tokens, *VENDOR_RULES)
"""The rules for `InvokeModel`: Bedrock passes its body to the vendor almost unread."""

RULES = BEDROCK_RULES + VENDOR_RULES
"""The rules for `Converse` and `ConverseStream`."""


def check(body: Json, model: ModelRules) -> None:
    """Check a request of `Converse` or `ConverseStream`.

    Args:
        body: Body of `Converse`.
        model: Rules of the model.

    Raises:
        ServiceError: A rule is broken. The text is Bedrock's.
    """
    _check_cache_access(body, model)
    for rule in RULES:
        if (text := rule(body, model)) is not None:
            raise validation_error(text)


def check_invoke(body: Json, model: ModelRules) -> None:
    """Check a request of `InvokeModel`, translated to a body of `Converse`.

    Args:
        body: Body of `Converse`.
        model: Rules of the model.

    Raises:
        ServiceError: A rule is broken. The text is the vendor's, without
            `VENDOR_PREFIX`.
    """
    _check_cache_access(body, model)
    for rule in INVOKE_RULES:
        if (text := rule(body, model)) is not None:
            raise validation_error(text.removeprefix(VENDOR_PREFIX))


def _check_cache_access(body: Json, model: ModelRules) -> None:
    if not model.caches and any(fields.cache_points(body)):
        raise ServiceError("AccessDeniedException", NOT_CACHED)

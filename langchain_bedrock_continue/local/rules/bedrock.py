"""Bedrock's own rules for a Converse request.

A rule gets the body of `Converse` and the rules of the model. It returns the error text
if the request breaks the rule, else None. `table` names the sources of the texts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import fields

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json, Rule
    from langchain_bedrock_continue.local.rules.models import ModelRules


def in_range(field: str, low: float, high: float) -> Rule:
    """Return the rule that a number of `inferenceConfig` is in its range.

    Args:
        field: Name of the field.
        low: Smallest value that is accepted.
        high: Largest value that is accepted.
    """

    def rule(body: Json, _model: ModelRules) -> str | None:
        value = fields.inference(body).get(field)
        if value is None or low <= value <= high:
            return None
        bound = ("greater", low) if value < low else ("less", high)
        return (
            f"Value '{value}' at 'inferenceConfig.{field}' failed to satisfy "
            f"constraint: Member must have value {bound[0]} than or equal to "
            f"{bound[1]}"
        )

    return rule


def roles(body: Json, _model: ModelRules) -> str | None:
    """The roles are `user` and `assistant`; newer models also accept `system`."""
    for i, message in enumerate(fields.messages(body)):
        if message.get("role") not in ("user", "assistant", "system"):
            return (
                "1 validation error detected: Value "
                f"'{message.get('role')}' at 'messages.{i + 1}.member.role' "
                "failed to satisfy constraint: Member must satisfy enum value set: "
                "[user, assistant]"
            )
    return None


def empty_content(body: Json, _model: ModelRules) -> str | None:
    """A message has at least one content block."""
    for i, message in enumerate(fields.messages(body)):
        if not message.get("content"):
            return (
                f"The content field in the Message object at messages.{i} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
    return None


def _roles_without_system(body: Json) -> list[str]:
    return [m["role"] for m in fields.messages(body) if m["role"] != "system"]


def starts_with_user(body: Json, _model: ModelRules) -> str | None:
    """The first message is a user message."""
    if _roles_without_system(body)[:1] == ["user"]:
        return None
    return (
        "A conversation must start with a user message. Try again with a conversation "
        "that starts with a user message."
    )


def alternates(body: Json, _model: ModelRules) -> str | None:
    """User and assistant messages alternate."""
    if all(a != b for a, b in pairwise(_roles_without_system(body))):
        return None
    return (
        "A conversation must alternate between user and assistant roles. Make sure the "
        "conversation alternates between user and assistant roles and try again."
    )


def blank_text(body: Json, model: ModelRules) -> str | None:
    """A text block is not blank."""
    for path, block in fields.blocks(body):
        text = block.get("text", "x")
        # Bedrock passes whitespace on to a Claude, and Anthropic refuses it.
        if not text or (not text.strip() and not model.is_claude):
            return (
                f"The text field in the ContentBlock object at {path} is blank. Add "
                "text to the text field, and try again."
            )
    return None


def max_tokens(body: Json, model: ModelRules) -> str | None:
    """`maxTokens` is at most the model's limit, or below it."""
    limit, most = model.max_output_tokens, model.max_accepted
    requested = fields.inference(body).get("maxTokens")
    if most is None or requested is None or requested <= most:
        return None
    return (
        f"The maximum tokens you requested exceeds the model limit of {limit}. Try "
        f"again with a maximum tokens value that is lower than {limit}."
    )


# Tools.


def tool_config(body: Json, _model: ModelRules) -> str | None:
    """A request with tool blocks has a `toolConfig`."""
    uses = any("toolUse" in b or "toolResult" in b for _, b in fields.blocks(body))
    if body.get("toolConfig") or not uses:
        return None
    return (
        "The toolConfig field must be defined when using toolUse and toolResult "
        "content blocks."
    )


def tool_results(body: Json, _model: ModelRules) -> str | None:
    """A message has the results of all tool calls of the message before it, no others.

    The results of server tools, which have a `type`, are in the message of the call.
    """
    calls: list[str] = []
    for i, message in enumerate(fields.messages(body)):
        all_results = fields.blocks_of("toolResult", message)
        results = [r["toolUseId"] for r in all_results if not r.get("type")]
        if missing := [call for call in calls if call not in results]:
            return (
                f"Expected toolResult blocks at messages.{i}.content for the following "
                f"Ids: {', '.join(missing)}"
            )
        if len(results) > len(calls):
            return (
                f"The number of toolResult blocks at messages.{i}.content exceeds the "
                "number of toolUse blocks of previous turn."
            )
        uses = fields.blocks_of("toolUse", message)
        calls = [use["toolUseId"] for use in uses if not use.get("type")]
    return None


# Prompt caching.


def cache_point_after_reasoning(body: Json, _model: ModelRules) -> str | None:
    """A cachePoint does not follow a reasoning block directly."""
    for message in fields.messages(body):
        content = message["content"]
        for before, block in pairwise(content):
            if "cachePoint" in block and "reasoningContent" in before:
                return (
                    "Cache point cannot be inserted after reasoning block. Please "
                    "remove the invalid cache point and try again."
                )
    return None

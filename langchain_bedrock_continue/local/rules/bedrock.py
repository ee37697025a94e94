"""Bedrock's own checks of a Converse request; each rule gives its text, or None."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.rules import fields

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.rules.fields import Json, Rule
    from langchain_bedrock_continue.local.rules.models import ModelRules


def in_range(field: str, low: float, high: float) -> Rule:
    """Make the rule that an `inferenceConfig` number lies in its range."""

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
    """A role is a user's or an assistant's; newer models also take a system's."""
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
    """A message has content."""
    for i, message in enumerate(fields.messages(body)):
        if not message.get("content"):
            return (
                f"The content field in the Message object at messages.{i} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
    return None


def _turns(body: Json) -> list[str]:
    return [m["role"] for m in fields.messages(body) if m["role"] != "system"]


def starts_with_user(body: Json, _model: ModelRules) -> str | None:
    """The first message is the user's."""
    if _turns(body)[:1] == ["user"]:
        return None
    return (
        "A conversation must start with a user message. Try again with a conversation "
        "that starts with a user message."
    )


def alternates(body: Json, _model: ModelRules) -> str | None:
    """Roles alternate."""
    turns = _turns(body)
    if all(a != b for a, b in pairwise(turns)):
        return None
    return (
        "A conversation must alternate between user and assistant roles. Make sure the "
        "conversation alternates between user and assistant roles and try again."
    )


def blank_text(body: Json, model: ModelRules) -> str | None:
    """A text is not blank."""
    for where, block in fields.blocks(body):
        text = block.get("text", "x")
        # A Claude's blank that is not empty passes Bedrock; Anthropic refuses it.
        if not text or (not text.strip() and not model.is_claude):
            return (
                f"The text field in the ContentBlock object at {where} is blank. Add "
                "text to the text field, and try again."
            )
    return None


def max_tokens(body: Json, model: ModelRules) -> str | None:
    """`maxTokens` is within the model's limit."""
    limit, asked = model.max_output_tokens, fields.inference(body).get("maxTokens")
    if limit is None or asked is None or asked <= limit:
        return None
    return (
        f"The maximum tokens you requested exceeds the model limit of {limit}. Try "
        f"again with a maximum tokens value that is lower than {limit}."
    )


# Tools.


def tool_config(body: Json, _model: ModelRules) -> str | None:
    """Tool blocks come with a `toolConfig`."""
    uses = any("toolUse" in b or "toolResult" in b for _, b in fields.blocks(body))
    if body.get("toolConfig") or not uses:
        return None
    return (
        "The toolConfig field must be defined when using toolUse and toolResult "
        "content blocks."
    )


def tool_results(body: Json, _model: ModelRules) -> str | None:
    """Each turn's tool calls are answered in the next message, and no others.

    A server's tools (those with a `type`) are answered in the same message.
    """
    calls: list[str] = []
    for i, message in enumerate(fields.messages(body)):
        answers = fields.blocks_of("toolResult", message)
        results = [r["toolUseId"] for r in answers if not r.get("type")]
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
    """No cachePoint stands right behind reasoning."""
    for message in fields.messages(body):
        content = message["content"]
        for before, block in pairwise(content):
            if "cachePoint" in block and "reasoningContent" in before:
                return (
                    "Cache point cannot be inserted after reasoning block. Please "
                    "remove the invalid cache point and try again."
                )
    return None

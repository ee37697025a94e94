"""What the rules look at in a Converse request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_bedrock_continue.local.anthropic_server_tools import is_paused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_bedrock_continue.local.rules.models import ModelRules

Json: TypeAlias = dict[str, Any]
Rule: TypeAlias = "Callable[[Json, ModelRules], str | None]"


def messages(body: Json) -> list[Json]:
    """The conversation."""
    found: list[Json] = body.get("messages") or []
    return found


def blocks(body: Json) -> Iterator[tuple[str, Json]]:
    """Every content block of the conversation, with its place."""
    for i, message in enumerate(messages(body)):
        for j, block in enumerate(message.get("content") or []):
            yield f"messages.{i}.content.{j}", block


def blocks_of(kind: str, message: Json) -> list[Json]:
    """The blocks of one kind in a message."""
    return [block[kind] for block in message.get("content") or [] if kind in block]


def inference(body: Json) -> Json:
    """`inferenceConfig`."""
    return body.get("inferenceConfig") or {}


def thinking(body: Json) -> Json:
    """Anthropic's `thinking`, where it is on."""
    fields = body.get("additionalModelRequestFields") or {}
    found: Json = fields.get("thinking") or {}
    return found if found.get("type") in ("enabled", "adaptive") else {}


def paused(body: Json) -> bool:
    """Whether the final message is a paused turn, sent back to go on."""
    return is_paused((messages(body) or [{}])[-1])


def prefill(body: Json) -> Json | None:
    """The final message, where it is the assistant's, and no paused turn."""
    last = (messages(body) or [{}])[-1]
    theirs = last.get("role") == "assistant"
    return last if theirs and not is_paused(last) else None

"""The fields of a Converse body that the rules read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_bedrock_continue.local.anthropic_server_tools import is_paused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_bedrock_continue.local.rules.models import ModelRules

Json: TypeAlias = dict[str, Any]
"""A JSON object."""

Rule: TypeAlias = "Callable[[Json, ModelRules], str | None]"
"""Returns the error text for a body that breaks the rule, else None."""


def messages(body: Json) -> list[Json]:
    """Return `messages`.

    Args:
        body: Body of `Converse`.
    """
    found: list[Json] = body.get("messages") or []
    return found


def blocks(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield every content block of the messages, with its path.

    Args:
        body: Body of `Converse`.

    Yields:
        The path, such as `messages.0.content.1`, and the block.
    """
    for i, message in enumerate(messages(body)):
        for j, block in enumerate(message.get("content") or []):
            yield f"messages.{i}.content.{j}", block


def cache_points(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield every cachePoint in the order in which Bedrock reads them, with its path.

    Args:
        body: Body of `Converse`.

    Yields:
        The path, such as `system.1`, and the value of `cachePoint`.
    """
    tools = (body.get("toolConfig") or {}).get("tools") or []
    placed = [(f"toolConfig.tools.{i}", tool) for i, tool in enumerate(tools)]
    placed += [(f"system.{i}", b) for i, b in enumerate(body.get("system") or [])]
    for path, block in [*placed, *blocks(body)]:
        if "cachePoint" in block:
            yield path, block["cachePoint"]


def cached_block(path: str) -> str:
    """Return the path of the block before a cachePoint, as the vendor names it.

    For Anthropic a cachePoint is the `cache_control` of that block.

    Args:
        path: Path of a cachePoint.
    """
    place, _, number = path.removeprefix("toolConfig.").rpartition(".")
    return f"{place}.{max(int(number) - 1, 0)}"


def blocks_of(kind: str, message: Json) -> list[Json]:
    """Return the values of a message's blocks of one kind.

    Args:
        kind: Key of the block, such as `toolUse`.
        message: A message.
    """
    return [block[kind] for block in message.get("content") or [] if kind in block]


def inference(body: Json) -> Json:
    """Return `inferenceConfig`; `{}` if there is none.

    Args:
        body: Body of `Converse`.
    """
    return body.get("inferenceConfig") or {}


def thinking(body: Json) -> Json:
    """Return Anthropic's `thinking`; `{}` if it is off.

    Args:
        body: Body of `Converse`.
    """
    additional = body.get("additionalModelRequestFields") or {}
    found: Json = additional.get("thinking") or {}
    return found if found.get("type") in ("enabled", "adaptive") else {}


def paused(body: Json) -> bool:
    """Return True if the final message is a paused turn, sent back to be continued.

    Args:
        body: Body of `Converse`.
    """
    return is_paused((messages(body) or [{}])[-1])


def prefill(body: Json) -> Json | None:
    """Return the final message if it is a prefill, else None.

    Args:
        body: Body of `Converse`.
    """
    last = (messages(body) or [{}])[-1]
    from_assistant = last.get("role") == "assistant"
    return last if from_assistant and not is_paused(last) else None

"""The arguments of a call, as ChatBedrockConverse and ChatBedrock read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOOL_CHOICES = ("tool_choice", "toolChoice")


def max_tokens_of(kwargs: Mapping[str, Any], default: int | None) -> int | None:
    """Return the `max_tokens` that ChatBedrockConverse sends for these arguments.

    Args:
        kwargs: The arguments of the call.
        default: The model's own `max_tokens`, or None.
    """
    config = kwargs.get("inference_config") or kwargs.get("inferenceConfig")
    if config:
        asked = config.get("maxTokens", config.get("max_tokens"))
    else:
        asked = kwargs.get("max_tokens") or kwargs.get("maxTokens") or default
    return asked if isinstance(asked, int) else None


def with_max_tokens(kwargs: Mapping[str, Any], tokens: int) -> dict[str, Any]:
    """Return a copy of the arguments with another `max_tokens`."""
    changed = {key: value for key, value in kwargs.items() if key != "maxTokens"}
    for key in ("inference_config", "inferenceConfig"):
        if changed.get(key):
            config = {k: v for k, v in changed[key].items() if k != "max_tokens"}
            changed[key] = {**config, "maxTokens": tokens}
            return changed
    return {**changed, "max_tokens": tokens}


def without_tool_choice(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the same tools, and no tool choice."""
    changed = {k: v for k, v in kwargs.items() if k not in _TOOL_CHOICES}
    for key in ("toolConfig", "tool_config"):
        if isinstance(changed.get(key), dict):
            config = changed[key].items()
            changed[key] = {k: v for k, v in config if k not in _TOOL_CHOICES}
    return changed

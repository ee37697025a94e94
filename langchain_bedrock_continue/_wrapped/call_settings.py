"""What the arguments of one call ask for, read as langchain-aws reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import BaseMessage


def check_call(messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]) -> None:
    """Refuse a call that ChatBedrockConverse would silently change, or fail on.

    Args:
        messages: The conversation.
        kwargs: The call's keyword arguments.

    Raises:
        ValueError: There is no message, or `max_tokens` is not an integer of at least
            1.
    """
    if not messages:
        raise ValueError(
            "messages: empty. Give at least one message, such as HumanMessage('...')."
        )
    for name in ("max_tokens", "maxTokens"):
        tokens = kwargs.get(name)
        if tokens is None:
            continue
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 1:
            raise ValueError(
                f"{name}: must be a whole number of at least 1, got {tokens!r}. It is "
                "the size of one segment. Omit it to use the model's own setting."
            )


def stop_sequences(kwargs: Mapping[str, Any]) -> list[str]:
    """Return the stop sequences among a call's arguments."""
    config = kwargs.get("inference_config") or kwargs.get("inferenceConfig") or {}
    names = ("stop_sequences", "stopSequences")
    found = [
        source[name] for source in (config, kwargs) for name in names if name in source
    ]
    return list(found[0] or []) if found else []


def is_constrained(kwargs: Mapping[str, Any]) -> bool:
    """Return True if a call constrains the output by a JSON schema."""
    names = ("output_config", "outputConfig", "response_format")
    return any(kwargs.get(name) for name in names)


def is_thinking(fields: Mapping[str, Any]) -> bool:
    """Return True if model-specific request fields turn reasoning on."""
    setting = fields.get("thinking") or fields.get("reasoningConfig")
    return isinstance(setting, dict) and setting.get("type") in {"enabled", "adaptive"}


def thinking_budget(fields: Mapping[str, Any]) -> int:
    """Return the thinking budget among model-specific request fields; 0 for none."""
    setting = fields.get("thinking") if is_thinking(fields) else None
    budget = setting.get("budget_tokens") if isinstance(setting, dict) else None
    return budget if isinstance(budget, int) else 0


def has_larger_window(fields: Mapping[str, Any]) -> bool:
    """Return True if a beta feature makes the context window larger than usual.

    Args:
        fields: The model-specific request fields. Anthropic's feature for Claude Sonnet
            4 and 4.5 is `context-1m-2025-08-07`.
    """
    features = fields.get("anthropic_beta") or ()
    return any("context-1m" in str(one) for one in features)


def has_tools(kwargs: Mapping[str, Any]) -> bool:
    """Return True if a call has tools."""
    return any(kwargs.get(name) for name in ("tools", "toolConfig", "tool_config"))

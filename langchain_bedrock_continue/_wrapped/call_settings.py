"""What a call asks for: the model's own fields and the call's arguments, read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._wrapped.reasoning_split import inline_thinking_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import BaseMessage

    from langchain_bedrock_continue.chat_models import ChatBedrockContinuing

SHARED = frozenset(
    {
        "continuation_prompt",
        "max_continuations",
        "max_seconds",
        "max_tokens_ceiling",
        "max_total_tokens",
        "on_limit",
        "strategy",
        "stream_recoveries",
        "tool_call_recovery",
        "usage_view",
    }
)
"""The model's fields that a Policy has under the same name."""


def policy_of(
    model: ChatBedrockContinuing, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> Policy:
    """Return what a call of a model may do and cost."""
    llm = model.llm
    constrained = is_constrained(kwargs) or bool(getattr(llm, "output_config", None))
    return Policy(
        **{name: getattr(model, name) for name in SHARED},
        guards_last_turn=getattr(llm, "guard_last_turn_only", False),
        thinks=is_thinking(_special_fields(llm, kwargs)),
        inline_thinking=inline_thinking_of(llm),
        model_id=llm._get_base_model(),  # noqa: SLF001 - resolves profiles
        stops=tuple(stop or stops_of(kwargs) or llm.stop_sequences or ()),
        constrained=constrained,
        max_tokens=llm.max_tokens,
        max_output_tokens=(llm.profile or {}).get("max_output_tokens"),
    )


def _special_fields(llm: object, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a call that only some models know."""
    name = "additional_model_request_fields"
    own = getattr(llm, name, None) or getattr(llm, "model_kwargs", None) or {}
    asked = {key: kwargs[key] for key in ("thinking",) if key in kwargs}
    return {**own, **(kwargs.get(name) or {}), **asked}


def check_call(messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]) -> None:
    """Refuse what ChatBedrockConverse would replace in silence, or not take at all.

    Raises:
        ValueError: There is no message, or `max_tokens` of this call is no whole
            number of at least 1.
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
                "the size of one segment; leave it out for the model's own setting."
            )


def stops_of(kwargs: Mapping[str, Any]) -> list[str]:
    """Return the stop sequences among a call's arguments."""
    config = kwargs.get("inference_config") or kwargs.get("inferenceConfig") or {}
    both = ("stop_sequences", "stopSequences")
    given = [
        source[name] for source in (config, kwargs) for name in both if name in source
    ]
    return list(given[0] or []) if given else []


def is_constrained(kwargs: Mapping[str, Any]) -> bool:
    """Tell whether a call holds the output to a JSON schema."""
    names = ("output_config", "outputConfig", "response_format")
    return any(kwargs.get(name) for name in names)


def is_thinking(fields: object) -> bool:
    """Tell whether a model's additional request fields ask for reasoning."""
    if not isinstance(fields, dict):
        return False
    asked = fields.get("thinking") or fields.get("reasoningConfig")
    return isinstance(asked, dict) and asked.get("type") in {"enabled", "adaptive"}

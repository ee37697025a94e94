"""Which models accept a prefill: the partial answer as the final assistant message.

PREFILL-1. Models are known by patterns, not by lists of ids: every public list is out
    of date. A region prefix or an ARN around an id changes nothing.
PREFILL-2. Claude accepts a prefill up to version 4.5 and refuses it from 4.6 on
    (Anthropic's migration guide). Amazon Nova accepts one (documented for version 1,
    observed for version 2).
PREFILL-3. Nothing is known of any other model, so the strategy is a user turn, which
    every model accepts.
PREFILL-4. What a service says takes precedence: a model that refused a prefill is not
    asked again in this process. If it refused one beside tools, it is not asked beside
    tools again. A refusal for another reason of the request is not remembered.
"""

from __future__ import annotations

import re

FIRST_CLAUDE_WITHOUT_PREFILL = (4, 6)

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?v?(\d{1,2})(?:[-.:](\d{1,2}))?(?!\d)")
_NOVA = re.compile(r"(?:^|[./])amazon\.nova-")

REFUSED_BY_MODEL = (
    # Claude from 4.6 on.
    "does not support assistant message prefill",
    # Bedrock itself, for Llama among others.
    "requires the last turn in the conversation to be a user message",
    # Other vendors.
    "prefilling assistant messages is not supported",
)
"""Parts of the error messages of models that never accept a prefill, in lower case."""

REFUSED_BESIDE_TOOLS = "when using tools, pre-filling the `assistant` response"
"""A part of the error message of Claude 3, in lower case."""

REFUSED_FOR_REQUEST = (
    # Claude with tools, or with an output format.
    "pre-filling the `assistant` response is not supported",
    # Claude while thinking is on.
    "a final `assistant` message must start with a thinking block",
    "the final block in an assistant message cannot be `thinking`",
    # Claude, if langchain-aws leaves out the reasoning after a text.
    "final assistant content cannot end with trailing whitespace",
)
"""Parts of the error messages for one request only, in lower case."""

_refusing_models: set[str] = set()
_refusing_beside_tools: set[str] = set()


def supports_prefill(model_id: str, *, has_tools: bool = False) -> bool:
    """Return True if the model is known to accept a prefill.

    Args:
        model_id: A model id, with or without a region prefix or an ARN around it.
        has_tools: The request has tools.
    """
    if refuses_prefill(model_id, has_tools=has_tools):
        return False
    return bool(_CLAUDE.search(model_id) or _NOVA.search(model_id))


def refuses_prefill(model_id: str, *, has_tools: bool = False) -> bool:
    """Return True if the model is known to refuse every prefill.

    Args:
        model_id: As for `supports_prefill`.
        has_tools: The request has tools.
    """
    if has_tools and model_id in _refusing_beside_tools:
        return True
    version = claude_version(model_id) or (0, 0)
    return model_id in _refusing_models or version >= FIRST_CLAUDE_WITHOUT_PREFILL


def claude_version(model_id: str) -> tuple[int, int] | None:
    """Return a Claude's version, major and minor; None for any other model.

    Args:
        model_id: As for `supports_prefill`.
    """
    claude = _CLAUDE.search(model_id)
    return (int(claude[1]), int(claude[2] or 0)) if claude else None


def starts_with_prefill(
    *,
    strategy: str,
    guards_last_turn: bool,
    thinks: bool,
    model_id: str,
    has_tools: bool = False,
) -> bool:
    """Return True if the first continuation of a turn is a prefill.

    Args:
        strategy: The caller's `strategy`.
        guards_last_turn: A guardrail examines the last user turn only. It would examine
            our words instead of the caller's, so there is no user turn.
        thinks: The request asks for reasoning, which excludes a prefill.
        model_id: The model's id.
        has_tools: The request has tools.
    """
    if guards_last_turn or strategy == "prefill":
        return True
    supported = supports_prefill(model_id, has_tools=has_tools)
    return strategy == "auto" and not thinks and supported


def can_continue(
    *,
    strategy: str,
    guards_last_turn: bool,
    thinks: bool,
    model_id: str,
    has_tools: bool = False,
) -> bool:
    """Return False if it is known that no strategy can continue a text.

    The arguments are those of `starts_with_prefill`. Without a user turn there is only
    the prefill. A caller who asks for prefills gets the service's error.
    """
    if not guards_last_turn or strategy == "prefill":
        return True
    return not (thinks or refuses_prefill(model_id, has_tools=has_tools))


def is_prefill_refusal(error: BaseException) -> bool:
    """Return True if the service's error says that it accepts no prefill."""
    return _contains(error, REFUSED_BY_MODEL + REFUSED_FOR_REQUEST)


def remember_refusal(model_id: str, error: BaseException) -> None:
    """Remember what a model refuses, in this process (PREFILL-4)."""
    if _contains(error, REFUSED_BY_MODEL):
        _refusing_models.add(model_id)
    if _contains(error, (REFUSED_BESIDE_TOOLS,)):
        _refusing_beside_tools.add(model_id)


def forget_refusals() -> None:
    """Forget the models that refused a prefill. Tests call it."""
    _refusing_models.clear()
    _refusing_beside_tools.clear()


def _contains(error: BaseException, parts: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(part in text for part in parts)

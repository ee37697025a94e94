"""Splits a caller's arguments between the wrapper and the model that it wraps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel

from langchain_bedrock_continue._wrapped.adapters import adapter_for
from langchain_bedrock_continue._wrapped.converse import ConverseAdapter

if TYPE_CHECKING:
    from collections.abc import Collection

INHERITED = frozenset(BaseChatModel.model_fields)
"""The fields of every LangChain model. Their defaults come from the wrapped model."""


def with_wrapped_model(values: dict[str, Any], own: Collection[str]) -> dict[str, Any]:
    """Return the wrapper's arguments, with the wrapped model among them.

    Args:
        values: The caller's arguments: the wrapper's own, and either `llm` or those of
            a ChatBedrockConverse.
        own: The names of the wrapper's own fields, without LangChain's.

    Returns:
        The wrapper's arguments. `llm` is the wrapped model.

    Raises:
        ValueError: No model is given or two are, an argument is unknown, or the model
            is not supported.
    """
    mine = {name: value for name, value in values.items() if name in own}
    theirs = {name: value for name, value in values.items() if name not in own}
    if "llm" in values:
        _refuse_beside_llm(theirs)
        mine |= theirs
    else:
        connections = values.get("max_concurrency")
        mine["llm"] = ConverseAdapter.from_arguments(theirs, own, connections)
    adapter_for(mine["llm"]).check()
    return {**{name: getattr(mine["llm"], name) for name in INHERITED}, **mine}


def _refuse_beside_llm(theirs: dict[str, Any]) -> None:
    """Refuse arguments of the wrapped model beside `llm`; allow LangChain's own."""
    if extra := sorted(theirs.keys() - INHERITED):
        raise ValueError(
            f"llm= already is a model, so {', '.join(extra)} can't be given beside it. "
            "Set it on that model, or omit llm= and give all of the model's arguments."
        )

"""The adapters of all supported classes.

To support another class: write its adapter, and add it to ADAPTERS. For type checkers,
add the class to WrappedModel too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_aws import ChatBedrock, ChatBedrockConverse

from langchain_bedrock_continue._wrapped.converse import ConverseAdapter
from langchain_bedrock_continue._wrapped.invoke_model import InvokeModelAdapter

if TYPE_CHECKING:
    from langchain_bedrock_continue._wrapped.adapter import Adapter

WrappedModel: TypeAlias = ChatBedrockConverse | ChatBedrock
"""The type of a wrapped model."""

ADAPTERS: tuple[type[Adapter[Any]], ...] = (ConverseAdapter, InvokeModelAdapter)
"""One adapter per supported class; a subclass must come before its parent."""


def adapter_for(llm: object) -> Adapter[Any]:
    """Return the adapter of a model.

    Raises:
        ValueError: The model's class is not supported. The text lists those that are.
    """
    for adapter in ADAPTERS:
        # Not isinstance: it is also True for a ChatBedrockContinuing (DELEGATE-4).
        if issubclass(type(llm), adapter.model_class):
            return adapter.of(llm)
    names = [f"a {adapter.model_class.__name__}" for adapter in ADAPTERS]
    supported = " or ".join([", ".join(names[:-1]), names[-1]])
    raise ValueError(
        f"llm: must be {supported}, got {type(llm).__name__}. A bound model "
        "(.bind_tools, .bind) is not accepted: wrap the model itself, and call "
        ".bind_tools on the ChatBedrockContinuing."
    )


def is_stand_in(llm: object, other: object) -> bool:
    """Return True if a model puts `other` in its place in the chains that it builds."""
    return any(
        issubclass(type(llm), adapter.model_class) and adapter.is_stand_in(llm, other)
        for adapter in ADAPTERS
    )

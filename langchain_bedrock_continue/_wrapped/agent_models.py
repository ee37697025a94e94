"""The models that an agent may have, with each Bedrock model in them continued.

An agent's model is a chat model, or what LangChain has put around one:

    model                                       becomes
    ------------------------------------------  --------------------------------------
    ChatBedrockContinuing                       itself
    ChatBedrockConverse, ChatBedrock            wrapped
    `bind`, `bind_tools`, `with_config`         the same around the continued model
    `with_fallbacks`                            the same, with each model continued
    `configurable_fields`,                      the model that the run's config
    `configurable_alternatives`                 selects, continued
    `init_chat_model(configurable_fields=...)`  the same
    anything else                               what `otherwise` returns
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import ensure_config
from langchain_core.runnables.configurable import (
    DynamicRunnable,
    RunnableConfigurableFields,
)

from langchain_bedrock_continue._wrapped.adapters import ADAPTERS
from langchain_bedrock_continue._wrapped.delegation import DelegatingChatModel

if TYPE_CHECKING:
    from collections.abc import Callable

SUPPORTED = ", ".join(adapter.model_class.__name__ for adapter in ADAPTERS)
"""The names of the classes that can be continued."""


def continued(
    model: Any, wrap: Callable[[Any], Any], otherwise: Callable[[Any], Any]
) -> Any:
    """Return an agent's model with each Bedrock model in it wrapped.

    Args:
        model: The model; never changed.
        wrap: Wraps a ChatBedrockConverse or a ChatBedrock.
        otherwise: Called with each model that can't be wrapped. Its result takes the
            place of the model.
    """
    kind = type(model)  # not isinstance: see DELEGATE-4

    def recursively(inner: Any) -> Any:
        return continued(inner, wrap, otherwise)

    if issubclass(kind, DelegatingChatModel):
        return model
    if is_supported(model):
        return wrap(model)
    if issubclass(kind, RunnableBindingBase):
        return model.model_copy(update={"bound": recursively(model.bound)})
    if issubclass(kind, RunnableWithFallbacks):
        fallbacks = [recursively(one) for one in model.fallbacks]
        update = {"runnable": recursively(model.runnable), "fallbacks": fallbacks}
        return model.model_copy(update=update)
    if issubclass(kind, RunnableConfigurableFields) and is_supported(model.default):
        return _selected(_configurable_like(model, wrap(model.default)))
    selected = _selected(model)
    return otherwise(model) if selected is None else recursively(selected)


def is_supported(model: Any) -> bool:
    """Return True for an instance of a class that has an adapter."""
    return any(issubclass(type(model), adapter.model_class) for adapter in ADAPTERS)


def is_continuing(model: Any) -> bool:
    """Return True if every model in an agent's model is a continuing one."""
    if isinstance(model, RunnableBindingBase):
        return is_continuing(model.bound)
    if isinstance(model, RunnableWithFallbacks):
        return all(map(is_continuing, model.runnables))
    return issubclass(type(model), DelegatingChatModel)


def _configurable_like(configurable: Any, model: Any) -> Any:
    """Return a model with the same configurable fields as another.

    A ChatBedrockConverse can't be created from its own fields, as LangChain does it.
    """
    return model.configurable_fields(**configurable.fields).with_config(
        configurable.config or {}
    )


def _selected(model: Any) -> Any:
    """Return the model that the run's config selects, or None if it selects none."""
    if isinstance(model, DynamicRunnable):
        runnable, _ = model.prepare(ensure_config())
        return runnable
    if isinstance(model, BaseChatModel) or not isinstance(model, Runnable):
        return None
    given = ensure_config().get("configurable", {})
    values = {key: given[key] for key in given if not key.startswith("__")}
    # The result of `init_chat_model` makes its model when it needs it, and has the
    # attributes of the model.
    try:
        configured: Any = model.with_config({"configurable": values})
        made = configured.model_copy()
    except AttributeError:
        return None
    return None if isinstance(made, type(model)) else made

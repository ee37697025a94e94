"""A chat model that wraps another and delegates all but the continuation to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from pydantic import ConfigDict, SkipValidation, model_validator

from langchain_bedrock_continue._core.content.tool_calls import restore_invalid_calls
from langchain_bedrock_continue._resume import PARTIAL, ResumeMixin, ResumingBinding
from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.adapters import WrappedModel, adapter_for
from langchain_bedrock_continue._wrapped.chain_rebinding import rebind
from langchain_bedrock_continue._wrapped.complete_only_cache import CompleteOnlyCache
from langchain_bedrock_continue._wrapped.complete_only_parsers import complete_only
from langchain_bedrock_continue._wrapped.construction import (
    INHERITED,
    with_wrapped_model,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatResult
    from langchain_core.runnables import Runnable
    from pydantic import BaseModel


class WrappingChatModel(ResumeMixin, BaseChatModel):
    """A chat model that wraps another: a given one, or one made from the arguments."""

    llm: SkipValidation[WrappedModel]
    """The wrapped model. Default: a ChatBedrockConverse made from the arguments."""

    # An error about an argument must not show the keys among the others.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _create_wrapped_model(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return with_wrapped_model(values, cls.model_fields.keys() - INHERITED)

    def bind_tools(
        self,
        tools: Sequence[Any],
        *,
        tool_choice: dict[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> ResumingBinding:
        """Bind tools, as ChatBedrockConverse does.

        Args:
            tools: Functions, pydantic classes, LangChain tools or Bedrock's own.
            tool_choice: `"auto"`, `"any"`, or the name of a tool. Default: None, the
                model decides.
            **kwargs: `strict` and other arguments of ChatBedrockConverse.

        Returns:
            This model with the tools. It has `resume`, too.
        """
        chain = self.llm.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        bound: Any = rebind(chain, self.llm, self)
        return self.bind(**bound.kwargs)

    def bind(self, **kwargs: Any) -> ResumingBinding:
        """Bind arguments to each call, as any Runnable does.

        Args:
            **kwargs: Arguments of each call.

        Returns:
            This model with the arguments. It has `resume`, too.
        """
        return ResumingBinding(bound=self, kwargs=kwargs, config={})

    def with_structured_output(
        self, schema: dict[str, Any] | type, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Ask for an object that matches a schema, as ChatBedrockConverse does.

        Args:
            schema: A pydantic class, a TypedDict or a JSON schema.
            **kwargs: `method`, `include_raw`, `strict` and other arguments of
                ChatBedrockConverse.

        Returns:
            A chain that returns the parsed object.

        Raises:
            OutputParserException: Raised by the chain if the object is incomplete: a
                JSON document that does not end, or a truncated tool call. LangChain's
                parsers would return a smaller object, or None. The text names the
                limit. With `include_raw`, it is in `parsing_error` instead.
        """
        chain = self.llm.with_structured_output(schema, **kwargs)
        return complete_only(rebind(chain, self.llm, self))

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Count input tokens, as ChatBedrockConverse does."""
        return self.llm.get_num_tokens_from_messages(messages, tools)

    # LangChain's cache --------------------------------------------------------------

    def _generate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        model = self._with_complete_only_cache()
        result = private_names.generate_with_cache(model, *args, **kwargs)
        return _with_invalid_calls(result)

    async def _agenerate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        model = self._with_complete_only_cache()
        result = await private_names.agenerate_with_cache(model, *args, **kwargs)
        return _with_invalid_calls(result)

    def _with_complete_only_cache(self) -> BaseChatModel:
        """Return this model, with a cache that stores complete turns only."""
        cache = self._cache_in_use()
        if cache is None:
            return self
        return self.model_copy(update={"cache": CompleteOnlyCache(cache)})

    def _cache_in_use(self) -> BaseCache | None:
        if isinstance(self.cache, BaseCache):
            return self.cache
        return None if self.cache is False else get_llm_cache()

    def _check_cache(self) -> None:
        """Check that a cache in use can be kept free of incomplete turns.

        Raises:
            UnsupportedVersionError: This version of langchain-core does not allow it.
        """
        if self._cache_in_use() is not None:
            private_names.check_cache_hooks()

    # What tracers see ---------------------------------------------------------------

    @property
    def model(self) -> str:
        """The Bedrock model id of the wrapped model."""
        return adapter_for(self.llm).model_id

    @property
    def model_id(self) -> str:
        """The Bedrock model id of the wrapped model."""
        return adapter_for(self.llm).model_id

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        given = {name: kwargs[name] for name in kwargs if name != PARTIAL}
        return private_names.invocation_params(self.llm, stop, given)

    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        return private_names.ls_params(self.llm, stop, kwargs)


def _with_invalid_calls(result: ChatResult) -> ChatResult:
    """Restore what LangChain dropped of invalid calls when it built a result."""
    for generation in result.generations:
        if isinstance(generation.message, AIMessage):
            restore_invalid_calls(generation.message)
    return result

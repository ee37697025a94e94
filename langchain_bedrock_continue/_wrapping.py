"""The wrapped model, and what it knows better: everything but going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from pydantic import ConfigDict, SkipValidation, model_validator

from langchain_bedrock_continue._construction import INHERITED, with_wrapped_model
from langchain_bedrock_continue._rebind import rebind
from langchain_bedrock_continue._resume import PARTIAL, Resumes, ResumingBinding
from langchain_bedrock_continue._whole_cache import WholeTurns
from langchain_bedrock_continue._whole_only import whole_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatResult
    from langchain_core.runnables import Runnable
    from pydantic import BaseModel


class WrappingChatModel(Resumes, BaseChatModel):
    """A chat model round another: made from its arguments, or given it."""

    llm: SkipValidation[ChatBedrockConverse | ChatBedrock]
    """The wrapped model: made from the arguments where it is not given."""

    # An error about the arguments must not show the keys among them.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, values: Any) -> Any:
        """Make the wrapped model from the arguments that are its."""
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
            tool_choice: `"auto"`, `"any"`, or the name of a tool.
            **kwargs: `strict` and whatever else ChatBedrockConverse takes.

        Returns:
            This model, with the tools; it can `resume`, too.
        """
        chain = self.llm.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        bound: Any = rebind(chain, self.llm, self)
        return self.bind(**bound.kwargs)

    def bind(self, **kwargs: Any) -> ResumingBinding:
        """Bind arguments to each call, as any Runnable does.

        Args:
            **kwargs: Arguments of a call.

        Returns:
            This model with the arguments; it can `resume`, too.
        """
        return ResumingBinding(bound=self, kwargs=kwargs, config={})

    def with_structured_output(
        self, schema: dict[str, Any] | type, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Ask for an object of a schema, as ChatBedrockConverse does.

        Args:
            schema: A pydantic class, a TypedDict or a JSON schema.
            **kwargs: `method`, `include_raw`, `strict` and whatever else
                ChatBedrockConverse takes.

        Returns:
            A chain that ends in the parsed object.

        Raises:
            OutputParserException: By the chain, where the answer is not whole, for
                LangChain would parse what came of it. With `include_raw`, it is in
                `parsing_error`.
        """
        chain = self.llm.with_structured_output(schema, **kwargs)
        return whole_only(rebind(chain, self.llm, self))

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Count input tokens, as ChatBedrockConverse does."""
        return self.llm.get_num_tokens_from_messages(messages, tools)

    def _generate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        whole = self._storing_whole()
        return BaseChatModel._generate_with_cache(whole, *args, **kwargs)  # noqa: SLF001 - LangChain has no other place for it

    async def _agenerate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        whole = self._storing_whole()
        return await BaseChatModel._agenerate_with_cache(whole, *args, **kwargs)  # noqa: SLF001 - as above

    def _storing_whole(self) -> Self:
        """Return this model, with a cache that stores whole turns alone."""
        cache = self.cache if isinstance(self.cache, BaseCache) else get_llm_cache()
        if cache is None or self.cache is False:
            return self
        return self.model_copy(update={"cache": WholeTurns(cache)})

    @property
    def model(self) -> str:
        """The Bedrock model id of the wrapped model."""
        return self.llm.model_id

    @property
    def model_id(self) -> str:
        """The Bedrock model id of the wrapped model."""
        return self.llm.model_id

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        given = {name: kwargs[name] for name in kwargs if name != PARTIAL}
        return self.llm._get_invocation_params(stop=stop, **given)  # noqa: SLF001 - LangChain's hook

    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        return self.llm._get_ls_params(stop=stop, **kwargs)  # noqa: SLF001 - LangChain's hook

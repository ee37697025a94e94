"""A chat model that wraps another and delegates all but the continuation to it."""

from __future__ import annotations

# LangChain reads the types of public methods at run time, behind `with_fallbacks`.
from collections.abc import AsyncIterator, Iterator, Sequence  # noqa: TC003
from typing import TYPE_CHECKING, Any, Self

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import LanguageModelInput  # noqa: TC002
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig  # noqa: TC002
from langchain_core.utils.uuid import uuid7
from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator

from langchain_bedrock_continue import _events
from langchain_bedrock_continue._core.content.tool_calls import restore_invalid_calls
from langchain_bedrock_continue._events import Events
from langchain_bedrock_continue._resume import PARTIAL, ResumeMixin, ResumingBinding
from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.chain_rebinding import rebind
from langchain_bedrock_continue._wrapped.complete_only_cache import CompleteOnlyCache
from langchain_bedrock_continue._wrapped.complete_only_parsers import complete_only
from langchain_bedrock_continue._wrapped.construction import (
    INHERITED,
    refuse_positional,
    with_wrapped_model,
)
from langchain_bedrock_continue._wrapped.delegation import DelegatingChatModel
from langchain_bedrock_continue._wrapped.field_values import validated
from langchain_bedrock_continue._wrapped.short_repr import shown_fields
from langchain_bedrock_continue._wrapped.signature import (
    ConstructorSignature,
    StructuredOutputMethod,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from langchain_core.callbacks.manager import BaseRunManager
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.outputs import ChatResult

    from langchain_bedrock_continue._events import Listeners

OF_THE_MODEL = frozenset({"llm", "max_concurrency"})
"""Fields that more than one call depends on."""


class WrappingChatModel(ResumeMixin, DelegatingChatModel):
    """A chat model that wraps another: a given one, or one made from the arguments."""

    _listeners: Any = PrivateAttr(default=None)
    """Returns the Listeners of the run that this copy is for, if it is for one."""

    # An error about an argument must not show the keys among the others.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    if not TYPE_CHECKING:  # the subclass has the signature for type checkers

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            """Take keyword arguments; see the fields."""
            refuse_positional(args)
            super().__init__(**kwargs)
            self._listeners = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Show the arguments of the wrapped model in the signature, too."""
        super().__pydantic_init_subclass__(**kwargs)
        of_fields = vars(cls)["__signature__"]
        cls.__signature__ = ConstructorSignature(of_fields)  # type: ignore[assignment]

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Return what `repr` shows; pydantic's hook."""
        if "llm" not in vars(self):  # made by `model_construct`
            return iter(())
        return shown_fields(self, self.llm)

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
        strict: bool | None = None,
        **kwargs: Any,
    ) -> ResumingBinding:
        """Bind tools, as ChatBedrockConverse does.

        Args:
            tools: Functions, pydantic classes, LangChain tools or Bedrock's own.
            tool_choice: `"auto"`, `"any"`, or the name of a tool. Default: None, the
                model decides.
            strict: Whether the calls of a tool have to match its schema. Default: None,
                the wrapped model's default.
            **kwargs: Other arguments of the wrapped model.

        Returns:
            This model with the tools. It has `resume`, too.
        """
        if strict is not None:
            kwargs["strict"] = strict
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
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: StructuredOutputMethod | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Ask for an object that matches a schema, as ChatBedrockConverse does.

        Args:
            schema: A pydantic class, a TypedDict or a JSON schema.
            include_raw: Whether the chain returns a dict of the `raw` message, the
                `parsed` object and the `parsing_error`. Default: False, the object.
            method: How the model is asked. Default: None, the wrapped model's default:
                `"function_calling"`.
            strict: Whether the calls of a tool have to match its schema. Default: None,
                the wrapped model's default.
            **kwargs: Other arguments of the wrapped model.

        Returns:
            A chain that returns the parsed object.

        Raises:
            OutputParserException: Raised by the chain if the object is incomplete: a
                JSON document that does not end, or a truncated tool call. LangChain's
                parsers would return a smaller object, or None. The text names the
                limit. With `include_raw`, it is in `parsing_error` instead.
        """
        optional: dict[str, Any] = {"method": method, "strict": strict}
        given = {name: value for name, value in optional.items() if value is not None}
        chain = self.llm.with_structured_output(
            schema, include_raw=include_raw, **given, **kwargs
        )
        return complete_only(rebind(chain, self.llm, self))

    def get_num_tokens(self, text: str) -> int:
        """Count the tokens of a text, as the wrapped model does."""
        return self.llm.get_num_tokens(text)

    def get_token_ids(self, text: str) -> list[int]:
        """Return the token ids of a text, as the wrapped model does."""
        return self.llm.get_token_ids(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Count input tokens, as ChatBedrockConverse does."""
        return self.llm.get_num_tokens_from_messages(messages, tools)

    # Runs and LangChain's cache -----------------------------------------------------

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Stream the answer, as ChatBedrockConverse does."""
        config = _with_run_id(config)
        model = self._listened_to(_events.of_stream(self, config))
        return super(WrappingChatModel, model).stream(
            input, config, stop=stop, **kwargs
        )

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream the answer, as ChatBedrockConverse does."""
        config = _with_run_id(config)
        model = self._listened_to(_events.of_stream(self, config))
        return super(WrappingChatModel, model).astream(
            input, config, stop=stop, **kwargs
        )

    def _generate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        model = self._for_run(kwargs.get("run_manager"))
        result = private_names.generate_with_cache(model, *args, **kwargs)
        return _with_invalid_calls(result)

    async def _agenerate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        model = self._for_run(kwargs.get("run_manager"))
        result = await private_names.agenerate_with_cache(model, *args, **kwargs)
        return _with_invalid_calls(result)

    def _for_run(self, run: BaseRunManager | None) -> Self:
        """Return a copy for a run that is not started by `stream`.

        Its cache stores complete turns only. It knows the run: if the run streams,
        LangChain does not hand it on.
        """
        model = self if run is None else self._listened_to(_events.of_run(run))
        cache = self._cache_in_use()
        if cache is None:
            return model
        return model.model_copy(update={"cache": CompleteOnlyCache(cache)})

    def _listened_to(self, listeners: Callable[[], Listeners]) -> Self:
        """Return a copy for a run, which knows who listens to it."""
        private_names.describe(self)
        copied = self.model_copy()
        copied._listeners = listeners  # noqa: SLF001 - a copy of self
        return copied

    def _events_of(
        self,
        run: BaseRunManager | None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> Events:
        """Return what sends the events of a turn.

        Args:
            run: The turn's run, if LangChain handed it on.
            loop: The event loop of an async caller.
        """
        return Events(self._listeners if run is None else _events.of_run(run), loop)

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

    # Fields for one call ------------------------------------------------------------

    def _for_call(self, kwargs: Mapping[str, Any]) -> tuple[Self, dict[str, Any]]:
        """Return this model with the fields that a call sets, and the other arguments.

        Args:
            kwargs: The call's keyword arguments.

        Raises:
            ValidationError: A field's value is not valid.
            ValueError: A field cannot be set for one call.
        """
        own = type(self).model_fields.keys() - INHERITED
        given = {name: kwargs[name] for name in kwargs if name in own}
        if not given:
            return self, dict(kwargs)
        for name in given.keys() & OF_THE_MODEL:
            raise ValueError(
                f"{name}: can't be given for one call. Give it to the constructor."
            )
        rest = {name: kwargs[name] for name in kwargs if name not in given}
        return self.model_copy(update=validated(type(self), given)), rest

    # What callbacks and tracers see -------------------------------------------------

    @property
    def model(self) -> str:
        """The Bedrock model id of the wrapped model, as ChatBedrockConverse has it."""
        return str(self.llm.model_id)

    def _combine_llm_outputs(
        self, llm_outputs: list[dict[str, Any] | None], /
    ) -> dict[str, Any]:
        return private_names.combine_llm_outputs(self.llm, llm_outputs)

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        given = {name: kwargs[name] for name in kwargs if name != PARTIAL}
        return private_names.invocation_params(self.llm, stop, given)

    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        return private_names.ls_params(self.llm, stop, kwargs)


def _with_run_id(config: RunnableConfig | None) -> RunnableConfig:
    """Return a config that decides the id of its run, as LangChain would do later."""
    given: RunnableConfig = {} if config is None else config
    return {**given, "run_id": given.get("run_id") or uuid7()}


def _with_invalid_calls(result: ChatResult) -> ChatResult:
    """Restore what LangChain dropped of invalid calls when it built a result."""
    for generation in result.generations:
        if isinstance(generation.message, AIMessage):
            restore_invalid_calls(generation.message)
    return result

"""What the package asks of a wrapped model: one method per question.

An adapter knows one class of langchain-aws. The methods here are what the supported
classes have in common; an adapter overrides what its class does differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypedDict, TypeVar, cast

from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_bedrock_continue._core.policy import InlineThinking
from langchain_bedrock_continue._core.request.call_arguments import max_tokens_of
from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.cache_points import CachePointsClient
from langchain_bedrock_continue._wrapped.call_settings import (
    has_larger_window,
    has_tools,
    is_constrained,
    is_thinking,
    stop_sequences,
    thinking_budget,
)
from langchain_bedrock_continue._wrapped.model_limits import context_window, model_limit
from langchain_bedrock_continue._wrapped.read_timeout import warn_if_short
from langchain_bedrock_continue._wrapped.refused_calls import with_answered_calls
from langchain_bedrock_continue._wrapped.truncated_reasoning import (
    without_truncated_reasoning,
)
from langchain_bedrock_continue._wrapped.v1_messages import from_v1

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_core.outputs import ChatGenerationChunk

    from langchain_bedrock_continue._core.request.composer import SegmentRequest

Model = TypeVar("Model", bound="BaseChatModel")

FIELDS_KEYWORD = "additional_model_request_fields"
"""The keyword of a call that holds fields of the request only some models know."""


class CallSettings(TypedDict):
    """What a turn's Policy takes from the wrapped model and the call's arguments."""

    constrained: bool
    context_window: int | None
    guarded: bool
    guards_last_turn: bool
    inline_thinking: InlineThinking | None
    max_output_tokens: int | None
    max_tokens: int | None
    model_id: str
    reasoning_in_order: bool
    stops: tuple[str, ...]
    thinking_budget: int
    thinks: bool


class Adapter(Generic[Model]):
    """One wrapped model, seen through the questions that the package asks of it.

    Attributes:
        model_class: The class of langchain-aws that the adapter knows.
        llm: The model.
        signed_only: Its API accepts signed reasoning only.
    """

    model_class: ClassVar[type[BaseChatModel]]
    signed_only: ClassVar[bool] = False

    def __init__(self, llm: Model) -> None:
        """Create an adapter for a model of `model_class`."""
        self.llm: Any = llm

    @classmethod
    def of(cls, llm: Any) -> Adapter[Any]:
        """Return the adapter for a model of `model_class`."""
        return cls(llm)

    @classmethod
    def is_stand_in(cls, llm: Any, other: object) -> bool:  # noqa: ARG003 - of others
        """Return True if a model puts `other` in its place in the chains it builds."""
        return False

    # Construction -------------------------------------------------------------------

    def check(self) -> None:
        """Refuse a model whose answers cannot be continued.

        An adapter extends this with what its class cannot do.

        Raises:
            ValueError: `max_tokens` is less than 1.
            UnsupportedVersionError: Its class cannot be called as it must be.
        """
        private_names.check_calls(self.llm)
        if self.llm.max_tokens is not None and self.llm.max_tokens < 1:
            raise ValueError(
                f"max_tokens: must be at least 1, got {self.llm.max_tokens}. It is the "
                "size of one segment. Omit it to use the service's default."
            )

    # Settings of a call -------------------------------------------------------------

    def settings(
        self, stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> CallSettings:
        """Return what a call does, by the model's fields and the call's arguments.

        Args:
            stop: The call's `stop`, as LangChain passes it.
            kwargs: The call's other keyword arguments.
        """
        profile = self.llm.profile or {}
        fields = self._request_fields(kwargs)
        ids = self.llm.base_model_id, self.llm.model_id
        window = profile.get("max_input_tokens") or context_window(*ids)
        return CallSettings(
            constrained=is_constrained(kwargs) or self.always_constrained(),
            context_window=None if has_larger_window(fields) else window,
            guarded=self.has_guardrail(kwargs),
            guards_last_turn=self.guards_last_turn(),
            inline_thinking=self.inline_thinking(),
            max_output_tokens=profile.get("max_output_tokens") or model_limit(*ids),
            max_tokens=self.max_tokens(kwargs),
            model_id=private_names.base_model_id(self.llm),
            reasoning_in_order=self.reasoning_in_order(),
            stops=tuple(
                stop or stop_sequences(kwargs) or self.llm.stop_sequences or ()
            ),
            thinking_budget=thinking_budget(fields),
            thinks=is_thinking(fields),
        )

    def max_tokens(self, kwargs: Mapping[str, Any]) -> int | None:
        """Return the `max_tokens` that a call sends, or None if it sends none.

        Args:
            kwargs: The call's keyword arguments.
        """
        return max_tokens_of(kwargs, self.llm.max_tokens)

    def request_fields(self) -> Mapping[str, Any]:
        """Return the model-specific request fields that the model itself sets."""
        return {}

    def always_constrained(self) -> bool:
        """Return True if the model constrains every output by a JSON schema."""
        return False

    def has_guardrail(self, kwargs: Mapping[str, Any]) -> bool:  # noqa: ARG002 - of others
        """Return True if a call's request has a guardrail.

        Args:
            kwargs: The call's keyword arguments.
        """
        return False

    def guards_last_turn(self) -> bool:
        """Return True if a guardrail sees the last user message only."""
        return False

    def inline_thinking(self) -> InlineThinking | None:
        """Return how the class splits thinking out of the text, or None."""
        return None

    def reasoning_in_order(self) -> bool:
        """Return True if reasoning is returned where the model wrote it."""
        return True

    def _request_fields(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model-specific request fields of one call."""
        of_call = kwargs.get(FIELDS_KEYWORD) or {}
        thinking = {key: kwargs[key] for key in ("thinking",) if key in kwargs}
        return {**self.request_fields(), **of_call, **thinking}

    # Calls --------------------------------------------------------------------------

    @property
    def client(self) -> Any:
        """The boto3 client that the model calls."""
        return getattr(self.llm, "client", None)

    def for_turn(self, prepare_client: Callable[[Any], Any]) -> Adapter[Model]:
        """Return an adapter of a shallow copy, for the calls of one turn.

        The caller's model is never changed.

        Args:
            prepare_client: Returns the client that the copy calls, given the model's.
        """
        client = prepare_client(self.client)
        return type(self)(self.llm.model_copy(update={"client": client}))

    def arguments(self, request: SegmentRequest) -> dict[str, Any]:
        """Return the keyword arguments of one call.

        The core has put the segment's `max_tokens` among them, where
        ChatBedrockConverse reads it. An adapter whose class reads it elsewhere
        overrides this method. Cache points of ours take the place of those that
        langchain-aws adds (POINT-7).
        """
        if request.cache is None:
            return request.kwargs
        kwargs = request.kwargs.items()
        return {name: value for name, value in kwargs if name != "cache_control"}

    def messages(self, request: SegmentRequest) -> list[BaseMessage]:
        """Return the messages of one call.

        An adapter whose API does not accept all of the answer so far overrides this
        method.
        """
        return request.messages

    def model_for(self, request: SegmentRequest) -> Any:
        """Return the model that makes the call, with the request's cache points.

        An adapter whose class prefers a field of its own to the call's `max_tokens`
        extends this method.
        """
        if request.cache is None:
            return self.llm
        client = CachePointsClient(self.llm.client, request.cache)
        return self.llm.model_copy(update={"client": client})

    def generate(
        self,
        request: SegmentRequest,
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - of others
    ) -> AIMessage:
        """Make a blocking call and return its message, with all of its metadata.

        Args:
            request: The segment's request.
            stop: The call's `stop`, as LangChain passes it.
            run_manager: The turn's run, for what the class itself reports to it.
        """
        return self._generated(self.model_for(request), request, stop)

    def _generated(
        self, model: Any, request: SegmentRequest, stop: list[str] | None
    ) -> AIMessage:
        """Return the message of a blocking call.

        Args:
            model: The model that makes it, as `model_for` returned it.
            request: The segment's request.
            stop: The call's `stop`, as LangChain passes it.
        """
        result = private_names.generate(
            model, self.messages(request), stop, **self.arguments(request)
        )
        return self.complete_message(result)

    def stream(
        self,
        request: SegmentRequest,
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - of others
    ) -> Generator[ChatGenerationChunk, None, None]:
        """Make a streaming call and return its chunks. Close it to end the call.

        Args:
            request: As for `generate`.
            stop: As for `generate`.
            run_manager: As for `generate`.
        """
        return private_names.stream(
            self.model_for(request),
            self.messages(request),
            stop,
            **self.arguments(request),
        )

    def check_read_timeout(self, request: SegmentRequest) -> None:
        """Warn if a blocking call can take longer than the client waits for it."""
        max_tokens = request.max_tokens or self.max_tokens(request.kwargs)
        client = getattr(self.llm, "client", None)
        warn_if_short(client, max_tokens, private_names.base_model_id(self.llm))

    # Messages -----------------------------------------------------------------------

    def sendable(
        self, messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]
    ) -> Sequence[BaseMessage]:
        """Return the conversation as Bedrock accepts it.

        See `refused_calls` and `truncated_reasoning`.

        Args:
            messages: The caller's conversation; never changed.
            kwargs: The call's keyword arguments.
        """
        kept = without_truncated_reasoning(messages, signed_only=self.signed_only)
        return with_answered_calls(kept, has_tools=has_tools(kwargs))

    def complete_message(self, result: ChatResult) -> AIMessage:
        """Return a response's message with the metadata that LangChain adds later."""
        message = cast("AIMessage", result.generations[0].message)
        message.response_metadata = {
            **(result.llm_output or {}),
            **message.response_metadata,
        }
        return message

    def result(self, message: AIMessage) -> ChatResult:
        """Return the result of a turn as the class returns that of a call.

        Args:
            message: The turn's message.
        """
        return ChatResult(generations=[ChatGeneration(message=message)])

    def own_form(self, message: AIMessage) -> AIMessage:
        """Return a message with the content blocks that the class itself returns.

        Args:
            message: Any message, such as one with `output_version="v1"`. Never changed.

        Raises:
            UnsupportedVersionError: langchain-aws has no conversion from v1.
        """
        return from_v1(message, self.blocks_from_v1)

    def blocks_from_v1(self, blocks: list[Any]) -> list[dict[str, Any]]:
        """Convert v1 content blocks, by default to those of the Converse API."""
        return private_names.v1_to_converse(blocks)

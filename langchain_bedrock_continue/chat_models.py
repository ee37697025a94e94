"""ChatBedrockContinuing: the shell round a Turn. It makes the calls, decides nothing.

There are two loops, `_generate` and `_stream`; the async forms run them on threads.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.callbacks import dispatch_custom_event
from langchain_core.language_models import BaseChatModel
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
)
from pydantic import ConfigDict, Field, SkipValidation, model_validator

from langchain_bedrock_continue import _threads
from langchain_bedrock_continue._construction import INHERITED, with_wrapped_model
from langchain_bedrock_continue._rebind import rebind
from langchain_bedrock_continue._requests import check_max_tokens
from langchain_bedrock_continue._turn import Policy, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Sequence

    from langchain_core.callbacks import (
        AsyncCallbackManagerForLLMRun,
        CallbackManagerForLLMRun,
    )
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
    from langchain_core.runnables import Runnable
    from pydantic import BaseModel

    from langchain_bedrock_continue._requests import SegmentRequest


class ChatBedrockContinuing(BaseChatModel):
    """ChatBedrockConverse that goes on where Bedrock cut its answer at `max_tokens`.

    It takes every argument of ChatBedrockConverse, or wraps one:

        llm = ChatBedrockContinuing(model="us.anthropic.claude-...", max_tokens=2048)
        llm = ChatBedrockContinuing(llm=ChatBedrockConverse(...))

    An answer that was cut is sent back as the final assistant message (a prefill), and
    the model goes on from there, as often as it takes; the caller sees one message. How
    it came about is in `response_metadata["continuation"]`. An answer that was not cut
    costs nothing extra.

    A tool call that was cut never reaches `tool_calls`. The price: in a stream, tool
    calls come at the end of the response, when it is known that they are whole.

    Raises:
        ValueError: An argument is missing, unknown or out of range.
        TurnLimitError: A limit ended the turn and `on_limit="raise"`.
        SegmentError: A call after the first failed; `.partial` has what arrived.
    """

    llm: SkipValidation[ChatBedrockConverse | ChatBedrock]
    """The wrapped model: made from the arguments where it is not given."""

    max_continuations: int = Field(default=16, ge=0)
    """Calls after the first; 0 turns continuation off."""

    max_total_tokens: int | None = Field(default=None, ge=1)
    """Output tokens over all segments; the last segment's `max_tokens` is shrunk to
    fit. None: no such limit."""

    on_limit: Literal["return", "raise"] = "return"
    """What happens when a limit ends the turn. `"return"`: the message, its stop reason
    still `max_tokens`, and a logged warning. `"raise"`: TurnLimitError."""

    usage_view: Literal["billed", "response"] = "billed"
    """What `usage_metadata` holds: the sum over the calls, or the size of one uncut
    response. The other one is in `response_metadata["continuation"]`."""

    max_concurrency: int = Field(default=64, ge=1)
    """Async calls at once: threads, and connections of a client made here."""

    model_config = ConfigDict(extra="forbid")

    if TYPE_CHECKING:

        def __init__(  # noqa: PLR0913 - the fields
            self,
            *,
            llm: ChatBedrockConverse | ChatBedrock = ...,
            max_continuations: int = ...,
            max_total_tokens: int | None = ...,
            on_limit: Literal["return", "raise"] = ...,
            usage_view: Literal["billed", "response"] = ...,
            max_concurrency: int = ...,
            **model_arguments: Any,
        ) -> None:
            """Take `llm`, or ChatBedrockConverse's arguments."""

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, values: Any) -> Any:
        """Make the wrapped model from the arguments that are its."""
        if not isinstance(values, dict):
            return values
        return with_wrapped_model(values, cls.model_fields.keys() - INHERITED)

    # The two loops ------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the run's tokens come all at once
        **kwargs: Any,
    ) -> ChatResult:
        turn = self._begin(messages, kwargs)
        for request in turn.requests():
            try:
                self._before(request)
                result = self.llm._generate(request.messages, stop, **request.kwargs)  # noqa: SLF001 - a child run would count tokens twice
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                turn.abandon()
                turn.fail(error)
            turn.receive(_whole_message(result))
            turn.end_segment()
        turn.settle()
        return ChatResult(generations=[ChatGeneration(message=turn.message())])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk, None, None]:
        turn = self._begin(messages, kwargs)
        with closing(self._pieces(turn, stop)) as pieces:
            for piece in pieces:
                chunk = ChatGenerationChunk(message=piece)
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    def _pieces(
        self, turn: Turn, stop: list[str] | None
    ) -> Generator[AIMessageChunk, None, None]:
        for request in turn.requests():
            try:
                self._before(request)
                stream = self.llm._stream(request.messages, stop, **request.kwargs)  # noqa: SLF001 - as above
                with closing(cast("Generator[ChatGenerationChunk]", stream)) as chunks:
                    for chunk in chunks:
                        yield from turn.receive(cast("AIMessageChunk", chunk.message))
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                yield from turn.abandon()
                turn.fail(error)
            yield from turn.end_segment()
        yield turn.closing()
        turn.settle()

    def _begin(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> Turn:
        check_max_tokens(kwargs)
        profile = self.llm.profile or {}
        policy = Policy(
            max_continuations=self.max_continuations,
            max_total_tokens=self.max_total_tokens,
            on_limit=self.on_limit,
            usage_view=self.usage_view,
            max_tokens=self.llm.max_tokens,
            max_output_tokens=profile.get("max_output_tokens"),
        )
        return Turn(messages, kwargs, policy)

    def _before(self, request: SegmentRequest) -> None:
        """Ask the rate limiter again, and tell listeners of the seam."""
        if request.event is None:
            return
        if self.rate_limiter is not None:
            self.rate_limiter.acquire(blocking=True)
        callbacks = get_callback_manager_for_config(ensure_config())
        if callbacks.parent_run_id is not None:
            dispatch_custom_event("bedrock_continuation", request.event)

    # Async: the same two loops, on threads ------------------------------------

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        threads = _threads.executor(self.max_concurrency)
        sync = run_manager.get_sync() if run_manager else None
        return await _threads.call(
            threads, self._generate, messages, stop, sync, **kwargs
        )

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        threads = _threads.executor(self.max_concurrency)
        sync = run_manager.get_sync() if run_manager else None
        chunks = self._stream(messages, stop, sync, **kwargs)
        async with aclosing(_threads.iterate(threads, chunks)) as arriving:
            async for chunk in arriving:
                yield chunk

    # What the wrapped model knows ----------------------------------------------

    def bind_tools(
        self,
        tools: Sequence[Any],
        *,
        tool_choice: dict[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools, as ChatBedrockConverse does.

        Args:
            tools: Functions, pydantic classes, LangChain tools or Bedrock's own.
            tool_choice: `"auto"`, `"any"`, or the name of a tool.
            **kwargs: `strict` and whatever else ChatBedrockConverse takes.

        Returns:
            This model, with the tools.
        """
        chain = self.llm.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        return rebind(chain, self.llm, self)

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
        """
        chain = self.llm.with_structured_output(schema, **kwargs)
        return rebind(chain, self.llm, self)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Count input tokens, as ChatBedrockConverse does."""
        return self.llm.get_num_tokens_from_messages(messages, tools)

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
        return self.llm._get_invocation_params(stop=stop, **kwargs)  # noqa: SLF001 - LangChain's hook

    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        return self.llm._get_ls_params(stop=stop, **kwargs)  # noqa: SLF001 - LangChain's hook

    @property
    def _llm_type(self) -> str:
        return "amazon_bedrock_continuing_chat"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Tell LangChain that the model can be saved: its keys are left out."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return where LangChain finds the class again."""
        return ["langchain_bedrock_continue", "chat_models"]


def _whole_message(result: ChatResult) -> AIMessage:
    """Return a response's message with the metadata that LangChain adds later."""
    message = cast("AIMessage", result.generations[0].message)
    message.response_metadata = {
        **(result.llm_output or {}),
        **message.response_metadata,
    }
    return message

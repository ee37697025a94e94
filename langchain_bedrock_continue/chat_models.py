"""ChatBedrockContinuing: the shell round a Turn. It makes the calls, decides nothing.

There are two loops, `_generate` and `_stream`; the async forms run them on threads.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.callbacks import dispatch_custom_event
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
)
from pydantic import Field, field_validator

from langchain_bedrock_continue import _threads
from langchain_bedrock_continue._policy import Policy
from langchain_bedrock_continue._quote import DEFAULT_PROMPT, check_template
from langchain_bedrock_continue._requests import (
    check_call,
    is_constrained,
    stops_of,
)
from langchain_bedrock_continue._turn import Turn
from langchain_bedrock_continue._wrapping import WrappingChatModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Sequence

    from langchain_aws import ChatBedrock, ChatBedrockConverse
    from langchain_core.callbacks import (
        AsyncCallbackManagerForLLMRun,
        CallbackManagerForLLMRun,
    )
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

    from langchain_bedrock_continue._requests import SegmentRequest


class ChatBedrockContinuing(WrappingChatModel):
    """ChatBedrockConverse that goes on where Bedrock cut its answer at `max_tokens`.

    It takes every argument of ChatBedrockConverse, or wraps one:

        llm = ChatBedrockContinuing(model="us.anthropic.claude-...", max_tokens=2048)
        llm = ChatBedrockContinuing(llm=ChatBedrockConverse(...))

    An answer that was cut is sent back, and the model goes on from there, as often as
    it takes; the caller sees one message. How it came about is in
    `response_metadata["continuation"]`. An answer that was not cut costs nothing extra.

    A tool call that was cut never reaches `tool_calls`. The price: in a stream, tool
    calls come at the end of the response, when it is known that they are whole.

    Raises:
        ValueError: An argument is missing, unknown or out of range.
        TurnLimitError: A limit ended the turn and `on_limit="raise"`.
        SegmentError: A call failed after something arrived; it is in `.partial`.
    """

    max_continuations: int = Field(default=16, ge=0)
    """Calls after the first; 0 turns continuation off."""

    max_total_tokens: int | None = Field(default=None, ge=1)
    """Output tokens over all segments; the last segment's `max_tokens` is shrunk to
    fit. None: no such limit."""

    on_limit: Literal["return", "raise"] = "return"
    """What happens when a limit ends the turn. `"return"`: the message, its stop reason
    still `max_tokens`, and a logged warning. `"raise"`: TurnLimitError."""

    strategy: Literal["auto", "prefill", "user_turn"] = "auto"
    """How to go on. `"prefill"`: the partial answer as the final assistant message.
    `"user_turn"`: a user message behind it asks to go on and to repeat the end of the
    text first, which is then found in the answer. `"auto"`: a prefill where the model
    is known to take one, or else a user turn; where a prefill is refused, the same call
    goes on with a user turn, and the model is remembered in this process."""

    continuation_prompt: str = DEFAULT_PROMPT
    """The user turn's text; the end of the answer is put in the place of `{tail}`."""

    usage_view: Literal["billed", "response"] = "billed"
    """What `usage_metadata` holds: the sum over the calls, or the size of one uncut
    response. The other one is in `response_metadata["continuation"]`."""

    max_concurrency: int = Field(default=64, ge=1)
    """Async calls at once: threads, and connections of a client made here."""

    if TYPE_CHECKING:

        def __init__(  # noqa: PLR0913 - the fields
            self,
            *,
            llm: ChatBedrockConverse | ChatBedrock = ...,
            max_continuations: int = ...,
            max_total_tokens: int | None = ...,
            on_limit: Literal["return", "raise"] = ...,
            strategy: Literal["auto", "prefill", "user_turn"] = ...,
            continuation_prompt: str = ...,
            usage_view: Literal["billed", "response"] = ...,
            max_concurrency: int = ...,
            **model_arguments: Any,
        ) -> None:
            """Take `llm`, or ChatBedrockConverse's arguments."""

    @field_validator("continuation_prompt")
    @classmethod
    def _has_a_place_for_the_tail(cls, template: str) -> str:
        return check_template(template)

    # The two loops ------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the run's tokens come all at once
        **kwargs: Any,
    ) -> ChatResult:
        turn = self._begin(messages, stop, kwargs)
        for request in turn.requests():
            try:
                self._before(request)
                result = self.llm._generate(request.messages, stop, **request.kwargs)  # noqa: SLF001 - a child run would count tokens twice
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                list(turn.fail(error))
            else:
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
        turn = self._begin(messages, stop, kwargs)
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
                yield from turn.fail(error)
            else:
                yield from turn.end_segment()
        yield turn.closing()
        turn.settle()

    def _begin(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> Turn:
        check_call(messages, kwargs)
        profile = self.llm.profile or {}
        policy = Policy(
            max_continuations=self.max_continuations,
            max_total_tokens=self.max_total_tokens,
            on_limit=self.on_limit,
            usage_view=self.usage_view,
            strategy=self.strategy,
            guards_last_turn=getattr(self.llm, "guard_last_turn_only", False),
            continuation_prompt=self.continuation_prompt,
            model_id=self.llm._get_base_model(),  # noqa: SLF001 - resolves profiles
            stops=tuple(stop or stops_of(kwargs) or self.llm.stop_sequences or ()),
            constrained=is_constrained(kwargs)
            or bool(getattr(self.llm, "output_config", None)),
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

"""ChatBedrockContinuing: the shell round a Turn. It makes the calls, decides nothing.

There are two loops, `_generate` and `_stream`; the async forms run them on threads.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.callbacks import dispatch_custom_event
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
)

from langchain_bedrock_continue._core.decisions.after_error import DeadlinePassedError
from langchain_bedrock_continue._core.turn import Turn
from langchain_bedrock_continue._fields import ContinuationFields
from langchain_bedrock_continue._resume import PARTIAL, name_of, naming
from langchain_bedrock_continue._transport import threads as _threads
from langchain_bedrock_continue._transport.backoff import waiting_time
from langchain_bedrock_continue._transport.cancellable_client import calling_copy
from langchain_bedrock_continue._transport.cancellation import Line
from langchain_bedrock_continue._wrapped.call_settings import check_call, policy_of
from langchain_bedrock_continue._wrapped.v1_messages import in_converse_form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Sequence

    from langchain_aws import ChatBedrock, ChatBedrockConverse
    from langchain_core.callbacks import (
        AsyncCallbackManagerForLLMRun,
        CallbackManagerForLLMRun,
    )
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

    from langchain_bedrock_continue._core.request.messages import SegmentRequest


class ChatBedrockContinuing(ContinuationFields):
    """ChatBedrockConverse that goes on where Bedrock cut its answer at `max_tokens`.

    It takes every argument of ChatBedrockConverse, or wraps one:

        llm = ChatBedrockContinuing(model="us.anthropic.claude-...", max_tokens=2048)
        llm = ChatBedrockContinuing(llm=ChatBedrockConverse(...))

    An answer that was cut is sent back, and the model goes on from there, as often as
    it takes; the caller sees one message. How it came about is in
    `response_metadata["continuation"]`. An answer that was not cut costs nothing extra.

    A tool call that was cut never reaches `tool_calls`. The price: in a stream, tool
    calls come at the end of their response, when it is known that they are whole;
    reasoning when the text behind it begins; and a document that is held to a JSON
    schema when it is whole.

    Raises:
        ValueError: An argument is missing, unknown or out of range.
        TurnLimitError: A limit ended the turn and `on_limit="raise"`.
        TruncatedToolCallError: A tool call was cut and `tool_call_recovery="raise"`.
        SegmentError: A call failed after something arrived; it is in `.partial`, and
            can be taken up by `resume`.
    """

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
            tool_call_recovery: Literal["retry", "resume", "return", "raise"] = ...,
            max_tokens_ceiling: int | None = ...,
            max_seconds: float | None = ...,
            stream_recoveries: int = ...,
            usage_view: Literal["billed", "response"] = ...,
            max_concurrency: int = ...,
            **model_arguments: Any,
        ) -> None:
            """Take `llm`, or ChatBedrockConverse's arguments."""

    # The two loops ------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with naming(lambda: name_of(run_manager)):
            return self._whole(Line(), messages, stop, kwargs)

    def _whole(
        self,
        line: Line,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> ChatResult:
        turn, llm = self._begin(messages, stop, kwargs), calling_copy(self.llm, line)
        for request in turn.requests():
            try:
                self._before(request, line)
                result = llm._generate(request.messages, stop, **request.kwargs)  # noqa: SLF001 - a child run would count tokens twice
                turn.receive(_whole_message(result))
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                list(turn.fail(error))
            else:
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
        return self._chunks(Line(), messages, stop, run_manager, kwargs)

    def _chunks(
        self,
        line: Line,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None,
        kwargs: dict[str, Any],
    ) -> Generator[ChatGenerationChunk, None, None]:
        turn = self._begin(messages, stop, kwargs)
        pieces = self._pieces(turn, stop, line)
        last: deque[AIMessageChunk] = deque(maxlen=1)
        # LangChain passes no run to a stream, and names the chunks that it gets.
        with closing(pieces), naming(lambda: last[0].id if last else None):
            for piece in pieces:
                last.append(piece)
                chunk = ChatGenerationChunk(message=piece)
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    def _pieces(
        self, turn: Turn, stop: list[str] | None, line: Line
    ) -> Generator[AIMessageChunk, None, None]:
        llm = calling_copy(self.llm, line)
        yield from turn.opening()
        for request in turn.requests():
            try:
                with line.hang_up_after(request.seconds) as deadline:
                    self._before(request, line)
                    yield from self._arriving(llm, request, stop, turn)
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                yield from turn.fail(error)
            else:
                yield from turn.end_segment(deadline_passed=deadline.passed)
        yield turn.closing()
        turn.settle()

    def _arriving(
        self,
        llm: ChatBedrockConverse | ChatBedrock,
        request: SegmentRequest,
        stop: list[str] | None,
        turn: Turn,
    ) -> Generator[AIMessageChunk, None, None]:
        stream = llm._stream(request.messages, stop, **request.kwargs)  # noqa: SLF001 - as above
        with closing(cast("Generator[ChatGenerationChunk]", stream)) as chunks:
            for chunk in chunks:
                yield from turn.receive(cast("AIMessageChunk", chunk.message))
        turn.check_end()

    def _begin(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> Turn:
        given = {name: kwargs[name] for name in kwargs if name != PARTIAL}
        check_call(messages, given)
        policy = policy_of(self, stop, given)
        partial = kwargs.get(PARTIAL)
        partial = None if partial is None else in_converse_form(partial)
        return Turn(messages, given, policy, partial=partial, clock=time.monotonic)

    def _before(self, request: SegmentRequest, line: Line) -> None:
        """Wait, ask the rate limiter again, and tell listeners of the seam."""
        if request.event is None:
            return
        began = time.monotonic()
        line.sleep(waiting_time(request.wait))
        if self.rate_limiter is not None and not request.is_first:
            line.acquire(self.rate_limiter)
        callbacks = get_callback_manager_for_config(ensure_config())
        if callbacks.parent_run_id is not None:
            dispatch_custom_event("bedrock_continuation", request.event)
        if request.seconds is not None and time.monotonic() - began >= request.seconds:
            raise DeadlinePassedError

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        threads = _threads.executor(self.max_concurrency)
        line = Line()
        with naming(lambda: name_of(run_manager)):
            return await _threads.call(
                threads, line.hang_up, self._whole, line, messages, stop, kwargs
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
        line = Line()
        chunks = self._chunks(line, messages, stop, sync, kwargs)
        async with aclosing(
            _threads.iterate(threads, line.hang_up, chunks)
        ) as arriving:
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

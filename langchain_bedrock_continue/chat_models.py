"""ChatBedrockContinuing: makes the calls of a turn. The Turn decides what to call.

There are two loops, for `_generate` and for `_stream`. Both are synchronous and take a
Cancellation. The async methods run them through `_transport`, on the event loop.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from langchain_bedrock_continue import _transport
from langchain_bedrock_continue._core.decisions.growth import check_growth
from langchain_bedrock_continue._core.decisions.limits import DeadlinePassedError
from langchain_bedrock_continue._core.policy import Policy, PromptCaching
from langchain_bedrock_continue._core.request.prompts import (
    DEFAULT_PROMPT,
    check_template,
)
from langchain_bedrock_continue._core.turn import Turn
from langchain_bedrock_continue._events import TOOL_CALL
from langchain_bedrock_continue._resume import PARTIAL, message_id_of, partial_with_id
from langchain_bedrock_continue._returned_usage import ReturnedUsageMixin
from langchain_bedrock_continue._transport import Cancellation
from langchain_bedrock_continue._wrapped.adapters import adapter_for
from langchain_bedrock_continue._wrapped.call_settings import check_call
from langchain_bedrock_continue._wrapped.construction import MAX_CONCURRENCY
from langchain_bedrock_continue._wrapped.linear_sum import LinearSumChunk
from langchain_bedrock_continue._wrapped.wrapping_model import WrappingChatModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping, Sequence

    from langchain_core.callbacks import (
        AsyncCallbackManagerForLLMRun,
        CallbackManagerForLLMRun,
    )
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.outputs import ChatGenerationChunk, ChatResult
    from pydantic import SecretStr

    from langchain_bedrock_continue._core.request.composer import SegmentRequest
    from langchain_bedrock_continue._events import Events
    from langchain_bedrock_continue._wrapped.adapter import Adapter
    from langchain_bedrock_continue._wrapped.adapters import WrappedModel
    from langchain_bedrock_continue._wrapped.signature import (
        ReasoningEffort,
        ServiceTier,
        ToolChoice,
    )


class _Call(NamedTuple):
    """A call of `_generate` or `_stream`.

    Attributes:
        messages: The conversation.
        stop: The caller's `stop`.
        kwargs: The call's other arguments.
        run: The turn's run, if LangChain handed it on: a manager for sync or async.
        events: Sends the turn's events.
    """

    messages: Sequence[BaseMessage]
    stop: list[str] | None
    kwargs: dict[str, Any]
    run: Any
    events: Events


class ChatBedrockContinuing(ReturnedUsageMixin, WrappingChatModel):
    """ChatBedrockConverse that continues an answer truncated at `max_tokens`.

    It takes every argument of ChatBedrockConverse, or wraps an existing model:

        llm = ChatBedrockContinuing(model="us.anthropic.claude-...", max_tokens=2048)
        llm = ChatBedrockContinuing(llm=ChatBedrockConverse(...))

    A truncated answer is sent back and the model continues it, as often as necessary.
    The caller gets one message. Its `response_metadata["continuation"]` lists the
    Bedrock responses. An answer that is not truncated costs nothing extra.

    A truncated tool call is never in `tool_calls`. In a stream, this delays two kinds
    of content: tool calls come at the end of their response, and a document constrained
    by a JSON schema comes when it is complete. Meanwhile the stream has empty chunks.

    The model can be pickled, for Ray, Dask, Spark, Celery and other processes, and
    deep-copied. Its boto3 client is not pickled: the other process makes it anew, with
    the same region, endpoint, timeouts and connection pool. The pickle has the keys
    that were given as arguments, in clear text. It has none that come from the
    environment, from files or from a role: each process finds its own. If the client
    was made by the caller, with credentials that the model does not have, pickling
    raises PicklingError. A deep copy shares the client.

    Raises:
        ValueError: An argument is missing, unknown or out of range. (When the model is
            created, pydantic reports it as ValidationError, a ValueError.)
        TurnLimitError: A limit ended the turn and `on_limit="raise"`.
        TruncatedToolCallError: A tool call was truncated and
            `tool_call_recovery="raise"`.
        SegmentError: A call failed after content had arrived. The content is in
            `.partial`, and `resume` can continue it.
    """

    max_continuations: int = Field(default=16, ge=0)
    """Maximum number of calls after the first. 0 disables continuation. Default: 16."""

    max_total_tokens: int | None = Field(default=None, ge=1)
    """Maximum number of output tokens over all segments. `max_tokens` of the last
    segment is reduced to fit. Default: None, no limit."""

    on_limit: Literal["return", "raise"] = "return"
    """What happens when a limit ends the turn. `"return"` (the default) returns the
    message with the last segment's stop reason, in most cases `max_tokens`, and logs a
    warning. `"raise"` raises TurnLimitError."""

    strategy: Literal["auto", "prefill", "user_turn"] = "auto"
    """How an answer is continued. `"prefill"` sends the partial answer as the final
    assistant message. `"user_turn"` adds a user message after it. That message asks the
    model to repeat the end of the text and to continue; the repetition is removed.
    `"auto"` (the default) uses a prefill for models known to accept one and a user turn
    for all others. If the model rejects a prefill, the same call continues in a user
    turn. If it says that it never accepts one, no prefill is sent to it again in this
    process."""

    continuation_prompt: Annotated[str, AfterValidator(check_template)] = DEFAULT_PROMPT
    """The first text of the user turn. `{tail}` is replaced by the end of the answer,
    as it is. It is required; without it, the model is not created (ValidationError). If
    the answer to it does not continue the text, the built-in texts are tried."""

    tool_call_recovery: Literal["retry", "resume", "return", "raise"] = "retry"
    """What happens to a truncated tool call. `"retry"` (the default) retries the
    segment with four times its `max_tokens`, up to `max_tokens_ceiling`; text before
    the call is kept from the first attempt. `"resume"` does the same; if the call
    exceeds the ceiling, it asks the model to write the rest of the JSON arguments as
    text, which is parsed strictly and checked against the tool's schema. `"return"`
    puts the call into `invalid_tool_calls`, as the others do when they fail. `"raise"`
    raises TruncatedToolCallError. Parallel calls in the same response are treated like
    the truncated one."""

    max_tokens_ceiling: int | None = Field(default=None, ge=1)
    """Maximum `max_tokens` of a retry, and of a continuation that `max_tokens_growth`
    enlarges, in tokens. Default: None, the limit in the
    model's profile, or 16,384 if it is unknown. A limit that the service reports takes
    precedence over both."""

    max_tokens_growth: Annotated[float, AfterValidator(check_growth)] = 1.0
    """By what factor `max_tokens` grows with each continuation, up to
    `max_tokens_ceiling` and within `max_total_tokens`. With 2, a call asks for twice
    what the one before did: a short answer reserves little of the quota, and a long one
    takes fewer calls. At least 1. Default: 1, no growth."""

    max_seconds: float | None = Field(default=None, gt=0)
    """Wall-clock limit of a turn, in seconds. After it no segment starts, and a stream
    ends with what has arrived; its stop reason is then `max_seconds`. A blocking call
    in progress is not interrupted. Default: None, no limit."""

    stream_recoveries: int = Field(default=2, ge=0)
    """How many times a turn is resumed after a stream that broke. Any other error is
    raised at once: a call that got no response was already retried by botocore, as the
    client's `retries` say. Before each attempt the turn waits, for at most 0.5, 1, 2,
    ... seconds. Default: 2."""

    usage_view: Literal["billed", "response"] = "billed"
    """What callbacks and tracers see as the usage of a run: `"billed"` (the default),
    the sum over all calls, or `"response"`, as in `message_usage`."""

    message_usage: Literal["response", "billed"] = "response"
    """The `usage_metadata` of the returned message, and of a stream's last chunk.
    `"response"` (the default) is the size of one response of the same content, which
    context management needs: the input of the first call, the output of all segments
    except those that a retry replaced. `"billed"` is the sum over all calls. Both are
    in `response_metadata["continuation"]`."""

    prompt_caching: PromptCaching = "auto"
    """Which requests get cache points, so that a continuation reads the prompt from
    Bedrock's cache: at 0.025 to 0.25 of the input price, by model. `"auto"` (the
    default): the continuations; the first request is not changed. If exactly one
    continuation follows, the input costs up to 1.125 of what it costs without; from two
    on it costs less. `"5m"`, or True: the first request, too. A prompt that is cached
    and not continued costs 1.25. `"1h"`: the same with a lifetime of an hour, at twice
    the input price for what is cached; five minutes where the model has no other.
    False: none. Models without a prompt cache, and prompts too small for it, get none.
    Cache points of your own, and `cache_control`, are kept."""

    max_concurrency: int = Field(default=MAX_CONCURRENCY, ge=1)
    """Maximum number of concurrent async calls on one event loop; on threads, where a
    call cannot be awaited, in the process. Between two chunks of a stream, its call
    does not count. It is also the size of the connection pool of a client that is
    created here, unless `config` sets `max_pool_connections`. A model given as `llm`
    keeps its client, whose pool keeps botocore's 10 connections by default. Each call
    needs a connection, so a file descriptor. Default: 64."""

    if TYPE_CHECKING:

        def __init__(  # noqa: PLR0913 - the fields, and those of the wrapped model
            self,
            *,
            model: str = ...,
            max_tokens: int | None = ...,
            temperature: float | None = ...,
            top_p: float | None = ...,
            stop: list[str] | None = ...,
            system: list[str | dict[str, Any]] | None = ...,
            streaming: bool = ...,
            reasoning_effort: ReasoningEffort | None = ...,
            region_name: str | None = ...,
            credentials_profile_name: str | None = ...,
            aws_access_key_id: str | SecretStr | None = ...,
            aws_secret_access_key: str | SecretStr | None = ...,
            aws_session_token: str | SecretStr | None = ...,
            api_key: str | SecretStr | None = ...,
            base_url: str | None = ...,
            config: Any = ...,
            timeout: int | None = ...,
            max_retries: int | None = ...,
            default_headers: Mapping[str, str] | None = ...,
            client: Any = ...,
            bedrock_client: Any = ...,
            base_model: str | None = ...,
            provider: str = ...,
            guardrails: dict[str, Any] | None = ...,
            guard_last_turn_only: bool = ...,
            additional_model_request_fields: dict[str, Any] | None = ...,
            additional_model_response_field_paths: list[str] | None = ...,
            supports_tool_choice_values: Sequence[ToolChoice] | None = ...,
            performance_config: Mapping[str, Any] | None = ...,
            service_tier: ServiceTier | None = ...,
            output_config: dict[str, Any] | None = ...,
            request_metadata: dict[str, str] | None = ...,
            llm: WrappedModel = ...,
            max_continuations: int = ...,
            max_total_tokens: int | None = ...,
            on_limit: Literal["return", "raise"] = ...,
            strategy: Literal["auto", "prefill", "user_turn"] = ...,
            continuation_prompt: str = ...,
            tool_call_recovery: Literal["retry", "resume", "return", "raise"] = ...,
            max_tokens_ceiling: int | None = ...,
            max_tokens_growth: float = ...,
            max_seconds: float | None = ...,
            stream_recoveries: int = ...,
            usage_view: Literal["billed", "response"] = ...,
            message_usage: Literal["response", "billed"] = ...,
            prompt_caching: PromptCaching = ...,
            max_concurrency: int = ...,
            **model_arguments: Any,
        ) -> None:
            """Take `llm`, or the arguments of ChatBedrockConverse."""

    # The two loops ------------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        events = self._events_of(run_manager)
        call = _Call(messages, stop, kwargs, run_manager, events)
        with partial_with_id(lambda: message_id_of(run_manager)):
            return self._generate_turn(Cancellation(), call)

    def _generate_turn(self, cancellation: Cancellation, call: _Call) -> ChatResult:
        """Run a turn by blocking calls."""
        turn, wrapped = self._begin(cancellation, call)
        run = cancellation.own_run(call.run)
        for request in turn.requests():
            try:
                self._before_call(request, cancellation, call.events)
                wrapped.check_read_timeout(request)
                turn.receive(wrapped.generate(request, call.stop, run))
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                list(turn.fail(error))
            else:
                turn.end_segment()
        turn.raise_or_warn()
        return wrapped.result(turn.message())

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Generator[ChatGenerationChunk, None, None]:
        events = self._events_of(run_manager)
        call = _Call(messages, stop, kwargs, run_manager, events)
        return self._stream_turn(Cancellation(), call)

    def _stream_turn(
        self, cancellation: Cancellation, call: _Call
    ) -> Generator[ChatGenerationChunk, None, None]:
        """Run a turn by streaming calls, and report its chunks to callbacks."""
        turn, wrapped = self._begin(cancellation, call)
        call = call._replace(run=cancellation.own_run(call.run))
        chunks = self._turn_chunks(turn, wrapped, call, cancellation)
        run, chunk = call.run, None
        # LangChain passes no run to a stream; it sets the id of the chunks it gets.
        with closing(chunks), partial_with_id(lambda: chunk and chunk.message.id):
            for chunk in chunks:
                if run:
                    run.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    def _turn_chunks(
        self,
        turn: Turn,
        wrapped: Adapter[Any],
        call: _Call,
        cancellation: Cancellation,
    ) -> Generator[ChatGenerationChunk, None, None]:
        yield from map(_generation, turn.resumed_chunks())
        for request in turn.requests():
            try:
                with cancellation.deadline(request.seconds) as deadline:
                    self._before_call(request, cancellation, call.events)
                    response = wrapped.stream(request, call.stop, call.run)
                    with closing(response) as chunks:
                        for chunk in chunks:
                            message: Any = chunk.message
                            text = turn.pass_on(message)
                            if text is not None:
                                if text != chunk.text:
                                    chunk.text = text
                                yield chunk
                                continue
                            yield from map(_generation, turn.receive(message))
                            if event := turn.tool_call_event():
                                call.events.send(event, cancellation, TOOL_CALL)
                            if turn.is_rejected:
                                break  # the connection is closed: nothing is lost
                        else:
                            turn.check_end()
            except Exception as error:  # noqa: BLE001 - the turn keeps what arrived
                yield from map(_generation, turn.fail(error))
            else:
                ended = turn.end_segment(deadline_passed=deadline.passed)
                yield from map(_generation, ended)
        yield _generation(turn.last_chunk())
        turn.raise_or_warn()

    def _begin(
        self, cancellation: Cancellation, call: _Call
    ) -> tuple[Turn, Adapter[Any]]:
        """Return a new turn, and the copy of the wrapped model that it calls."""
        model, given = self._for_call(call.kwargs)
        partial = given.pop(PARTIAL, None)
        check_call(call.messages, given)
        self._check_cache()
        wrapped = adapter_for(self.llm)
        turn = Turn(
            wrapped.sendable(call.messages, given),
            given,
            policy_of(model, wrapped, call.stop, given),
            partial=None if partial is None else wrapped.own_form(partial),
            clock=time.monotonic,
        )
        return turn, wrapped.for_turn(cancellation.prepare_client)

    def _before_call(
        self, request: SegmentRequest, cancellation: Cancellation, events: Events
    ) -> None:
        """Wait, ask the rate limiter again, and send the continuation's event.

        Raises:
            DeadlinePassedError: The waiting took until the turn's deadline.
        """
        if request.event is None:
            return
        began = time.monotonic()
        cancellation.sleep(waiting_time(request.wait))
        if self.rate_limiter is not None and not request.is_first:
            cancellation.acquire(self.rate_limiter)
        events.send(request.event, cancellation)
        if request.seconds is not None and time.monotonic() - began >= request.seconds:
            raise DeadlinePassedError

    # Async --------------------------------------------------------------------------

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._async_call(messages, stop, kwargs, run_manager)
        with partial_with_id(lambda: message_id_of(run_manager)):
            return await _transport.run(
                self._generate_turn, self._client(), self.max_concurrency, call
            )

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        call = self._async_call(messages, stop, kwargs, run_manager)
        return _transport.iterate(
            self._stream_turn, self._client(), self.max_concurrency, call
        )

    def _async_call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        run_manager: AsyncCallbackManagerForLLMRun | None,
    ) -> _Call:
        events = self._events_of(run_manager, asyncio.get_running_loop())
        return _Call(messages, stop, kwargs, run_manager, events)

    def _client(self) -> Any:
        return adapter_for(self.llm).client

    # LangChain's hooks --------------------------------------------------------------

    @property
    def _llm_type(self) -> str:
        return "amazon_bedrock_continuing_chat"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return True: LangChain can save the model. Its keys are not saved."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the module from which LangChain loads the class."""
        return ["langchain_bedrock_continue", "chat_models"]


def waiting_time(most: float) -> float:
    """Return a random wait, of half to all of `most` seconds."""
    return random.uniform(most / 2, most)  # noqa: S311 - not a secret


def policy_of(
    model: ChatBedrockContinuing,
    wrapped: Adapter[Any],
    stop: list[str] | None,
    kwargs: dict[str, Any],
) -> Policy:
    """Return what a call allows its turn.

    Args:
        model: The model, with the fields that the call sets.
        wrapped: The wrapped model.
        stop: The call's `stop`.
        kwargs: The call's arguments for the wrapped model.
    """
    return Policy(
        continuation_prompt=model.continuation_prompt,
        max_continuations=model.max_continuations,
        max_seconds=model.max_seconds,
        max_tokens_ceiling=model.max_tokens_ceiling,
        max_tokens_growth=model.max_tokens_growth,
        max_total_tokens=model.max_total_tokens,
        on_limit=model.on_limit,
        prompt_caching=model.prompt_caching,
        strategy=model.strategy,
        stream_recoveries=model.stream_recoveries,
        tool_call_recovery=model.tool_call_recovery,
        usage_view=model.usage_view,
        **wrapped.settings(stop, kwargs),
    )


def _generation(message: AIMessageChunk) -> ChatGenerationChunk:
    """Return a chunk of the turn's own; the first of a stream is always one."""
    return LinearSumChunk(message=message)

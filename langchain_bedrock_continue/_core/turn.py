"""The turn: one answer over many segments. It decides what happens next; no I/O.

Theory of operation. A turn yields requests until it is over. The caller,
`chat_models.py`, makes each call, hands in what arrives, whole or chunk by chunk, and
says how the call ended:

    state      event            next state
    ---------  ---------------  ------------------------------------------------------
    segment    receive()        segment
    segment    end_segment()    what `after_response` says: a segment that continues
                                this one, a retry of it, or over
    segment    fail()           what `after_error` says: a segment that continues what
                                arrived, a retry, over, or the error is raised

Once it is over, `last_chunk()` or `message()` returns the result, and `raise_or_warn()`
reports an answer that is incomplete.

The turn is the only decider. `turn_state` collects the facts, the tables in `decisions`
say what happens, and the turn carries it out. `content` is the answer. `writing` is
what the current segment writes to: the answer, or the arguments of a truncated tool
call while they are completed as text. Text is *released* when the caller gets it, as a
chunk or in the message.

TURN-1. The text of the turn is the text of its segments, joined as `healed_cut` and
    `echo_join` say.
TURN-2. The message contains exactly what was released.
TURN-3. The metadata is that of the last segment, plus `continuation`. In a stream, only
    the last chunk has it.
TURN-4. Usage is counted once per segment.
TURN-5. Every turn ends, even if the caller sets no limit. Each segment after the first
    continues new text, or retries with more room up to the ceiling, or is one of a
    limited number of recoveries, resends and retries of malformed output.
TURN-6. An error before anything arrived is the caller's own error, unchanged. Only a
    stream that breaks (NEXT-7), a size that we chose (NEXT-10) and a tool call that
    overflowed (NEXT-11) are recovered from first.
TURN-7. A request that the service refused is not a segment: nothing arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import Response
from langchain_bedrock_continue._core.decisions import (
    context_window,
    limits,
    prefill_support,
    service_errors,
)
from langchain_bedrock_continue._core.decisions.next_action import (
    AfterResponse,
    NextCall,
    after_error,
    after_response,
)
from langchain_bedrock_continue._core.decisions.stop_reasons import (
    MAY_REPLACE_TEXT,
    OUT_OF_TIME,
    meaning_of,
)
from langchain_bedrock_continue._core.decisions.vocabulary import (
    CONTINUES,
    Action,
    Ending,
    Strategy,
)
from langchain_bedrock_continue._core.record import message
from langchain_bedrock_continue._core.record.event import event_of
from langchain_bedrock_continue._core.record.pulse import Pulse
from langchain_bedrock_continue._core.record.segment import Segment
from langchain_bedrock_continue._core.record.turn_errors import (
    raise_or_warn,
    segment_error,
)
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.tool_json.schema import schema_of
from langchain_bedrock_continue._core.tool_json.tool_arguments import ToolArguments
from langchain_bedrock_continue._core.turn_state import TurnState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langchain_core.messages import AIMessage, BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Chunks
    from langchain_bedrock_continue._core.decisions.stop_reasons import StopMeaning
    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.record.event import ToolCallEvent
    from langchain_bedrock_continue._core.record.partial import ResumedState

MAX_TOKENS, STOP_SEQUENCE, TOOL_USE = "max_tokens", "stop_sequence", "tool_use"
"""Stop reasons."""


class Turn(TurnState):
    """One answer, over as many segments as it takes."""

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: dict[str, Any],
        policy: Policy,
        *,
        partial: AIMessage | None = None,
        clock: Callable[[], float] = limits.stopped_clock,
    ) -> None:
        """Begin a turn; see `TurnState` for the arguments."""
        super().__init__(messages, kwargs, policy, partial=partial, clock=clock)
        self._pulse = Pulse(clock)
        self._reported_call: int | None = None  # the number of its block
        self._resumed_chunks = self._resume(self._record.resumed)

    # What the shell calls ----------------------------------------------------------

    def resumed_chunks(self) -> Chunks:
        """Return what was there before the turn, for a stream to begin with."""
        return self._show(self._resumed_chunks)

    def requests(self) -> Iterator[SegmentRequest]:
        """Yield the requests, one after the other, until the turn is over."""
        while self._record.ending is None:
            yield self._next_request()

    def pass_on(self, received: AIMessage) -> str | None:
        """Take a chunk of text that the caller gets in the same chunk (FAST-1).

        Returns:
            The chunk's text, as the caller gets it. None if `receive` has to take it.
        """
        path = self._fast_path or self._open_fast_path()
        text = None if path is None else path.take(received)
        if text is not None:
            self._pulse.is_due(has_shown=True)
        return text

    def receive(self, received: AIMessage) -> Chunks:
        """Take a response or a chunk of one; return what the caller may see."""
        if self.pass_on(received) is not None:
            return [cast("AIMessageChunk", received)]
        self._close_fast_path()
        response = self._record.segments[-1].response
        incoming = response.receive(received)
        chunks = self.writing.receive(incoming)
        if response.stop_reason is not None:
            by_service = response.stop_reason in MAY_REPLACE_TEXT
            chunks = chunks + self.content.end_start(by_service=by_service)
        is_first, self._has_begun = not self._has_begun, True
        if is_first and not (chunks or received.content) and self.content.is_empty:
            return [AIMessageChunk(content=received.content)]
        if self._pulse.is_due(has_shown=bool(chunks)):
            self._reported_call = None
            chunks = [AIMessageChunk(content="")]
        return self._show(chunks)

    @property
    def is_rejected(self) -> bool:
        """Whether nothing of the response is used, so that its stream can be closed.

        Where the request has tools, a call may still follow the text.
        """
        return self.writing.rejected is not None and not self._has_tools

    def tool_call_event(self) -> ToolCallEvent | None:
        """Return the event of a tool call that has begun, or grown.

        It has grown if the stream has shown a sign of life since (PULSE-1).
        """
        call = self.content.arriving_call
        if call is None or call.index == self._reported_call:
            return None
        self._reported_call = call.index
        size = len(call.json_text)
        return {"name": call.name, "id": call.call_id, "characters": size}

    def check_end(self) -> None:
        """Check that a stream which ended was not broken off.

        Raises:
            ConnectionError: It has neither a stop reason nor what comes last.
                langchain-aws raises it itself for Converse, but not for InvokeModel.
        """
        segment = self._record.last
        if segment.stop_reason is None and not segment.has_last_event:
            raise ConnectionError("The stream ended without a stop reason.")

    def end_segment(self, *, deadline_passed: bool = False) -> Chunks:
        """Decide what follows the segment that is over.

        Args:
            deadline_passed: Whether the deadline ended its stream.

        Returns:
            What the caller may see.
        """
        self._close_fast_path()
        segment = self._record.last
        out_of_time = deadline_passed and segment.stop_reason is None
        rejected = self.writing.rejected is not None
        segment.closed = rejected and segment.stop_reason is None
        reason = MAX_TOKENS if segment.closed else segment.stop_reason
        stop = OUT_OF_TIME if out_of_time else meaning_of(reason)
        if out_of_time:
            segment.corrected_stop_reason = Ending.MAX_SECONDS.value
        # A stop sequence may end a message in the middle of its echo.
        is_cut = stop.truncated or reason == STOP_SEQUENCE
        chunks = self._end_text(truncated=is_cut)
        stop = self._at_stop_sequence() or stop
        if isinstance(self.writing, ToolArguments) and not out_of_time:
            stop, facts = self._facts_of_arguments(self.writing, stop)
        else:
            facts = self._facts_of_response(stop)
        action, ending = after_response(facts)
        if action is Action.END:
            return self._show(chunks + self._end(self._at_end(stop, facts), ending))
        return self._show(chunks + self._after_response(action))

    def fail(self, error: Exception) -> Iterator[AIMessageChunk]:
        """Recover from a failed call, or release what is held and raise.

        Args:
            error: What the call raised.

        Yields:
            What the caller may see.

        Raises:
            Exception: The error itself, if nothing arrived before it (TURN-6); if the
                call was made again, the first error.
            SegmentError: From the error, with all that arrived.
        """
        self._close_fast_path()
        facts = self._facts_of_error(error)
        action, ending = after_error(facts)
        if action is not Action.RAISE:
            yield from self._show(self._after_error(action, ending, error))
            return
        self._record.last.error = service_errors.describe(error)
        self._record.ending = service_errors.ending_of(error)
        self.content.abandon_retry()
        yield from self._show(self._finish(last_block_complete=False, truncated=True))
        if self.content.is_empty and not self._record.answered:
            raise self._first_error or error
        raise segment_error(
            error, self._record, self.message(), refused=facts.prefill_refused
        ) from error

    def last_chunk(self) -> AIMessageChunk:
        """Return the last chunk of a stream: metadata, usage, no content (TURN-3)."""
        return message.last_chunk(self._record, self.content, self._policy)

    def message(self) -> AIMessage:
        """Return the turn as one message."""
        return message.whole_message(self._record, self.content, self._policy)

    def raise_or_warn(self) -> None:
        """Report once what ended a turn that is not complete.

        Raises:
            TurnLimitError: A limit ended it, and `on_limit` is `"raise"`.
            TruncatedToolCallError: A truncated tool call ended it, and
                `tool_call_recovery` is `"raise"`.
        """
        if not self._record.complete:
            raise_or_warn(self._record, self._policy, self.message)

    # The next call -----------------------------------------------------------------

    def _next_request(self) -> SegmentRequest:
        record, call = self._record, self._next
        wait, call.wait = call.wait, 0.0
        max_tokens, changed = self._max_tokens.of_next_call(record.output_tokens)
        event = event_of(record, call.action, len(self.content))
        cache = self._composer.cache_plan(record.last.response.usage)
        if call.strategy is not Strategy.RETRY:
            self.writing.begin_segment()
        response = Response(keeps_text=self._composer.in_user_turn)
        record.begin_segment(
            Segment(
                max_tokens=max_tokens,
                strategy=call.strategy,
                form=self._forms.current if self._composer.in_user_turn else None,
                response=response,
                reasoning_before=self.content.reasoning,
            )
        )
        return SegmentRequest(
            messages=self._composer.messages(),
            kwargs=self._composer.kwargs(changed),
            max_tokens=changed,
            cache=cache,
            event=event,
            is_first=len(record.segments) == 1,
            wait=wait,
            seconds=self._deadline.left(),
        )

    def _continue(self, action: Action) -> Chunks:
        """End the segment so that the next one continues its text."""
        self._max_tokens.begin_continuation(self._record.last.size, action)
        has_reasoning = self._policy.may_fall_back and self.content.reasoning > 0
        if self._uses_prefill and not has_reasoning:
            self._next = NextCall(action, Strategy.PREFILL)
            self._max_tokens.echo = 0
            chunks = self.writing.end_for_prefill()
            self._composer.continue_in_prefill(self.writing.sendable())
            return chunks
        spoken = self._begin_user_turn(action)
        wording, expected = self._expected_echo()
        chunks = self.writing.end_for_user_turn(expected)
        self._composer.continue_in_user_turn(
            self.writing.sendable, spoken, wording, expected.quote
        )
        return chunks

    def _ask_again(self) -> Chunks:
        """Ask for the continuation in the next form (NEXT-8)."""
        problem = self._record.last.problem
        if problem is not None:
            self._forms.use_next(problem)
        if problem in CONTINUES:
            return self._continue(Action.ASK_AGAIN)
        return self._repeat_user_turn(Action.ASK_AGAIN)

    def _repeat_user_turn(self, action: Action) -> Chunks:
        """Ask for the rejected segment again, in the current form."""
        self._next = NextCall(action, Strategy.USER_TURN)
        wording, expected = self._expected_echo()
        self.content.begin_again(expected)
        self._composer.ask_again(wording, expected.quote)
        return []

    def _retry(self, action: Action) -> Chunks:
        """End the segment so that it is requested again."""
        self._next = NextCall(action, Strategy.RETRY)
        return self.writing.begin_retry()

    def _resend(self) -> Chunks:
        """End the segment so that what it wrote is sent back as it is."""
        self._next = NextCall(Action.RESEND, Strategy.RESEND)
        chunks = self.content.end_for_resend()
        self._composer.continue_in_prefill(self.content.sendable())
        return chunks

    def _resume(self, resumed: ResumedState) -> Chunks:
        """Begin with what a partial message has; return it."""
        if not resumed.blocks or self._policy.constrained:
            return []  # a truncated document is replaced by a new one
        chunks = self.content.resume(resumed.blocks, resumed.seams)
        can_continue = self._can_continue and self.content.has_progress()
        if resumed.continues_text and can_continue:
            return chunks + self._continue(Action.RESUME)
        return chunks + self._retry(Action.RESUME)

    # After a response --------------------------------------------------------------

    def _facts_of_arguments(
        self, arguments: ToolArguments, stop: StopMeaning
    ) -> tuple[StopMeaning, AfterResponse]:
        """Return what the segment means for a tool call that it completes as text."""
        truncated = stop.action is Action.CONTINUE
        call = self.content.truncated_call()
        args = arguments.parsed(truncated=truncated)
        state: Literal["complete", "continuable", "broken"] = "broken"
        if call is not None and args is not None:
            self.content.complete_call(call, args)
            self._record.last.corrected_stop_reason = TOOL_USE
            state = "complete"
        elif truncated and arguments.can_continue():
            state = "continuable"
        stop = meaning_of(TOOL_USE if state == "complete" else MAX_TOKENS)
        return stop, AfterResponse(stop, arguments=state, limit=self._limit())

    def _end_text(self, *, truncated: bool) -> Chunks:
        """End the text of the segment, and record how it was joined."""
        chunks = self.writing.end_text(truncated=truncated)
        self._record.last.join = self.writing.join_result
        return chunks

    def _at_stop_sequence(self) -> StopMeaning | None:
        """End the text at a stop sequence, if one ended the segment."""
        segment = self._record.last
        if self.writing.stopped:
            segment.corrected_stop_reason = STOP_SEQUENCE
        if segment.stop_reason != STOP_SEQUENCE:
            return None
        self.writing.end_at_stop_sequence()
        return meaning_of(STOP_SEQUENCE)

    def _after_response(self, action: Action) -> Chunks:
        """Carry out an action that makes another call."""
        carry_out = {
            Action.RESEND: self._resend,
            Action.COMPLETE_TOOL_CALL: self._complete_tool_call,
            Action.CONTINUE: lambda: self._continue(Action.CONTINUE),
            Action.ASK_AGAIN: self._ask_again,
            Action.RETRY_LARGER: self._retry_larger,
            Action.RETRY: self._retry_output,
        }
        return carry_out[action]()

    def _retry_output(self) -> Chunks:
        """Request malformed output again."""
        self._retried_output = True
        return self._retry(Action.RETRY)

    def _retry_larger(self) -> Chunks:
        """Request the segment again, with more room (LIMIT-2)."""
        last = self._record.last
        if last.problem is None:
            self._max_tokens.grow(last.size)
            return self._retry(Action.RETRY_LARGER)
        self._max_tokens.grow(last.size, self._record.tokens_of_restart)
        self._forms.note_failure()
        return self._repeat_user_turn(Action.RETRY_LARGER)

    def _complete_tool_call(self) -> Chunks:
        """Continue the arguments of the truncated tool call as text."""
        call = self.content.truncated_call()
        if self.writing is self.content and call is not None:
            name = call.name or ""
            self._composer.start_arguments(name, self.content.sendable())
            self.writing = ToolArguments(call, schema_of(self._kwargs, name))
        return self._continue(Action.COMPLETE_TOOL_CALL)

    # After an error ----------------------------------------------------------------

    def _after_error(self, action: Action, ending: Ending, error: Exception) -> Chunks:
        """Carry out what an error leads to, unless it is raised."""
        without_segment: dict[Action, Callable[[], Chunks]] = {
            Action.FALL_BACK: lambda: self._fall_back(error),
            Action.GIVE_UP_RETRY: self._give_up_retry,
            Action.RETRY_AT_LIMIT: lambda: self._retry_at_limit(error),
            Action.RETRY_UNCACHED: lambda: self._send_without_cache_points(error),
            Action.END: lambda: self._end_without_call(ending, error),
        }
        if action in without_segment:
            return without_segment[action]()
        self._record.last.error = service_errors.describe(error)
        if action is Action.END_SEGMENT:
            return self.end_segment()
        self._first_error = self._first_error or error
        return self._recover() if action is Action.RECOVER else self._retry_overflowed()

    def _fall_back(self, error: Exception) -> Chunks:
        """Continue in a user turn where a prefill was refused (TURN-7)."""
        prefill_support.remember_refusal(self._policy.model_id, error)
        self._record.drop_last()
        self._uses_prefill = False
        self.writing.undo_cut()
        return self._continue(Action.FALL_BACK)

    def _end_without_call(self, ending: Ending, error: Exception) -> Chunks:
        """End the turn at the segment before: the last call came to nothing."""
        if ending is Ending.TOOL_CALL:
            ending = self._limit() or ending  # NEXT-11: the call was generated
            self._record.end_truncated(service_errors.describe(error))
        else:
            self._record.drop_last()
        self.content.abandon_retry()
        if ending is Ending.MAX_SECONDS:
            return self._end(OUT_OF_TIME, ending)
        if ending is Ending.GUARD_LAST_TURN_ONLY:
            prefill_support.remember_refusal(self._policy.model_id, error)
            self.writing.undo_cut()
        reason = self._record.last.stop_reason or MAX_TOKENS
        return self._end(meaning_of(reason), ending)

    def _retry_at_limit(self, error: Exception) -> Chunks:
        """Ask for another size, or end the retry or the turn without (NEXT-10)."""
        refusal, refused = self._size_refusal(error), self._record.drop_last()
        model_id, window = self._policy.model_id, self._policy.context_window
        context_window.remember_window(model_id, window, error)
        last = self._record.last.size if refused.strategy is Strategy.RETRY else None
        ending = refusal and self._max_tokens.refuse(refusal, refused.max_tokens, last)
        if ending is None:
            return []
        self.content.abandon_retry()
        if last is not None:
            return self.end_segment()
        if refused.strategy is Strategy.PREFILL:
            self.writing.undo_cut()
        return self._end(
            meaning_of(self._record.last.stop_reason or MAX_TOKENS), ending
        )

    def _send_without_cache_points(self, error: Exception) -> Chunks:
        """Send the refused request again, without cache points (NEXT-12)."""
        self._composer.caching.stop(error)
        self._record.drop_last()
        return []

    def _give_up_retry(self) -> Chunks:
        """Go on without the larger size (NEXT-13)."""
        if self._record.drop_last().strategy is not Strategy.RETRY:
            self._max_tokens.growth.shrink()
            return []
        self._max_tokens.give_up()
        self.content.abandon_retry()
        return self.end_segment()

    def _retry_overflowed(self) -> Chunks:
        """Retry a segment whose tool call did not fit, with more room (NEXT-11)."""
        chunks = self._end_broken()
        self._max_tokens.grow(self._record.last.size)
        return chunks + self._retry(Action.RETRY_LARGER)

    def _recover(self) -> Chunks:
        """Continue what arrived before a failure, or retry the segment."""
        wait = limits.recovery_wait(self._recoveries)
        self._recoveries += 1
        must_retry = self.writing.is_replaying or self._policy.constrained
        chunks = self._end_broken()
        may_continue = self._can_continue and not must_retry
        continues = may_continue and self.writing.has_progress()
        next_step = self._continue if continues else self._retry
        chunks = chunks + next_step(Action.RECOVER)
        self._next.wait = wait
        return chunks

    def _end_broken(self) -> Chunks:
        """End what arrived of a segment that failed."""
        if self.writing.is_replaying:
            self.writing.abandon_retry()
            return []
        return self._end_text(truncated=True)

    # The end, and what the caller sees ---------------------------------------------

    def _end(self, stop: StopMeaning, ending: Ending) -> Chunks:
        self._record.ending = ending
        self._record.complete = stop.complete and ending is Ending.MODEL
        return self._finish(
            last_block_complete=stop.last_block_complete, truncated=stop.truncated
        )

    def _finish(self, *, last_block_complete: bool, truncated: bool) -> Chunks:
        reason = self._record.last.stop_reason or "a broken response"
        is_answer = self.writing is self.content
        return self.content.finish(
            reason=reason if is_answer else MAX_TOKENS,
            last_block_complete=last_block_complete,
            truncated=truncated,
        )

    def _show(self, chunks: Chunks) -> Chunks:
        """Give chunks the id and the provider that LangChain expects."""
        if chunks:
            segments, resumed = self._record.segments, self._record.resumed
            metadata = segments[-1].response.metadata if segments else {}
            provider = metadata.get("model_provider", resumed.provider)
            for chunk in chunks:
                if provider is not None:
                    chunk.response_metadata["model_provider"] = provider
                chunk.id = resumed.id
        return chunks

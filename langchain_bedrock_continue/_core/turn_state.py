"""The state of a turn, and the facts that its tables decide by.

`Turn` adds the acts. Nothing here makes a call or says what happens next.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.content.content import Content
from langchain_bedrock_continue._core.decisions import (
    limits,
    prefill_support,
    service_errors,
    size_refusals,
)
from langchain_bedrock_continue._core.decisions.context_window import (
    ContextWindow,
    known_window,
)
from langchain_bedrock_continue._core.decisions.forms import Forms
from langchain_bedrock_continue._core.decisions.growth import Growth
from langchain_bedrock_continue._core.decisions.next_action import (
    AfterError,
    AfterResponse,
    NextCall,
)
from langchain_bedrock_continue._core.decisions.stop_reasons import meaning_of
from langchain_bedrock_continue._core.decisions.vocabulary import (
    Action,
    Problem,
    Strategy,
)
from langchain_bedrock_continue._core.record.partial import ResumedState, read_partial
from langchain_bedrock_continue._core.record.record import Record
from langchain_bedrock_continue._core.request.composer import Composer
from langchain_bedrock_continue._core.request.prompts import (
    is_callers,
    opening_of,
    wording_of,
)
from langchain_bedrock_continue._core.text.continuation_join import ExpectedEcho
from langchain_bedrock_continue._core.text.open_end import is_plainly_open
from langchain_bedrock_continue._core.text.quote import extra_tokens
from langchain_bedrock_continue._core.text.repetition import TAIL, find_cycle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_core.messages import AIMessage, BaseMessage

    from langchain_bedrock_continue._core.content.fast_path import FastPath
    from langchain_bedrock_continue._core.decisions.size_refusals import SizeRefusal
    from langchain_bedrock_continue._core.decisions.stop_reasons import StopMeaning
    from langchain_bedrock_continue._core.decisions.vocabulary import Ending
    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.request.prompts import Wording
    from langchain_bedrock_continue._core.tool_json.tool_arguments import ToolArguments

END_TURN = "end_turn"
"""The stop reason of an answer that the model ended."""


class TurnState:
    """What a turn is made of, and where it stands.

    Attributes:
        content: The answer.
        writing: What the current segment writes: the answer, or the arguments of a
            truncated tool call.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: dict[str, Any],
        policy: Policy,
        *,
        partial: AIMessage | None = None,
        clock: Callable[[], float] = limits.stopped_clock,
    ) -> None:
        """Begin with nothing received.

        Args:
            messages: The caller's conversation; never changed.
            kwargs: The caller's arguments of each call; never changed.
            policy: What the turn may do and cost.
            partial: What an earlier turn left of the answer, in the wrapped model's own
                form.
            clock: Returns the time in seconds, from any origin; by default no time
                passes.
        """
        self._policy = policy
        self._kwargs = kwargs
        self._has_tools = bool(kwargs.get("tools"))
        in_order = policy.reasoning_in_order
        resumed = (
            ResumedState()
            if partial is None
            else read_partial(partial, reasoning_in_order=in_order)
        )
        self._record = Record(resumed)
        self.content = Content(
            policy.stops,
            withholds=policy.constrained,
            inline_thinking=policy.inline_thinking,
            reasoning_in_order=in_order,
            guarded=policy.guarded,
        )
        self.writing: Content | ToolArguments = self.content
        self._composer = Composer(messages, kwargs, policy)
        callers = is_callers(policy.continuation_prompt)
        self._forms = Forms(policy.model_id, callers=callers)
        self._max_tokens = limits.MaxTokens(
            requested=policy.max_tokens,
            total=policy.max_total_tokens,
            ceiling=policy.max_tokens_ceiling,
            model_limit=policy.max_output_tokens,
            thinking_budget=policy.thinking_budget,
            growth=Growth(policy.max_tokens_growth),
            window=ContextWindow(known_window(policy.model_id, policy.context_window)),
        )
        self._deadline = limits.Deadline(policy.max_seconds, clock, clock())
        self._next = NextCall()
        self._uses_prefill = prefill_support.starts_with_prefill(
            strategy=policy.strategy,
            guards_last_turn=policy.guards_last_turn,
            thinks=policy.thinks,
            model_id=policy.model_id,
            has_tools=self._has_tools,
        )
        self._can_continue = prefill_support.can_continue(
            strategy=policy.strategy,
            guards_last_turn=policy.guards_last_turn,
            thinks=policy.thinks,
            model_id=policy.model_id,
            has_tools=self._has_tools,
        )
        self._has_begun = False  # something arrived
        self._recoveries = 0
        self._first_error: Exception | None = None  # that was recovered from
        self._retried_output = False
        self._doubts_line_break = False  # an end was left out before the seam
        self._fast_path: FastPath | None = None

    # The fast path -----------------------------------------------------------------

    def _open_fast_path(self) -> FastPath | None:
        """Open the path for text, if nothing else decides what is released (FAST-2).

        The chunks of a resumed message get its id, so they are new ones.
        """
        is_answer = self.writing is self.content and not self._record.resumed.id
        if is_answer and self._record.last.response.streamed:
            self._fast_path = self.content.fast_path()
        return self._fast_path

    def _close_fast_path(self) -> None:
        """Take the text that has passed: something else follows it."""
        path, self._fast_path = self._fast_path, None
        if path is not None and (text := path.received):
            self._record.last.response.receive_passed(text)
            self.content.add_passed(path)

    # The facts ----------------------------------------------------------------------

    def _facts_of_response(self, stop: StopMeaning) -> AfterResponse:
        content, sizes = self.content, self._max_tokens
        size, used = self._record.last.size, self._record.output_tokens
        sizes.note_usage(self._record.last.response.usage)
        truncated = stop.action is Action.CONTINUE
        is_open = self._is_plainly_open()
        problem = self._problem(is_open=is_open)
        if problem is None and self._in_user_turn and content.has_progress():
            joined = content.join_result
            self._forms.note_success(proven=joined is not None and joined.is_proven)
        self._record.last.problem = problem
        return AfterResponse(
            stop=stop,
            problem=problem,
            may_be_over=self._may_be_over,
            is_larger=self._next.action is Action.RETRY_LARGER,
            is_open=is_open,
            has_next_form=self._forms.has_next,
            has_tool_call=content.has_tool_call,
            has_progress=content.has_progress(),
            can_be_resent=content.can_be_resent(),
            constrained=self._policy.constrained,
            repeats=truncated and find_cycle(content.last_text(TAIL)) is not None,
            can_grow=sizes.can_grow(size),
            fits=sizes.fits(size, used),
            window_full=sizes.is_window_full(size),
            no_headroom=sizes.lacks_headroom(),
            can_complete_call=content.truncated_call() is not None,
            can_continue=self._can_continue,
            retried_output=self._retried_output,
            recovery=self._policy.tool_call_recovery,
            limit=self._limit(),
        )

    @property
    def _in_user_turn(self) -> bool:
        """Whether the segment answers a user turn that continues the answer's text."""
        return self._composer.in_user_turn and not self._policy.constrained

    @property
    def _ended_itself(self) -> bool:
        """Whether the model ended the segment, or the code in it."""
        return self._record.last.stop_reason == END_TURN or self.content.gave_up

    def _is_plainly_open(self) -> bool:
        """Return True if the model ended a continued text that isn't complete.

        It takes the complete text. So it is not asked of a truncated segment.
        """
        may_be = self._in_user_turn and self._ended_itself
        return may_be and is_plainly_open(self.content.open_text)

    def _problem(self, *, is_open: bool) -> Problem | None:
        """Return why the segment does not continue the text, or None."""
        content = self.content
        if not self._in_user_turn or content.has_tool_call or content.has_shown_other:
            return None
        if content.rejected is not None:
            return Problem(content.rejected.value)
        if not self._ended_itself:
            return None
        if not content.has_progress():
            return Problem.NOTHING_NEW
        if is_open or content.gave_up:
            return Problem.ENDED_EARLY
        is_clear = self._forms.may_end_in_line or not self._ends_in_line()
        return None if is_clear else Problem.ENDED_IN_LINE

    def _ends_in_line(self) -> bool:
        """Return True if the segment's new text is no more than the rest of a line."""
        join, text = self._record.last.join, self._record.last.response.text
        return "\n" not in text[join.dropped if join else 0 :].strip()

    def _facts_of_error(self, error: Exception) -> AfterError:
        segment, left = self._record.last, self._deadline.left()
        response = segment.response
        in_time = left is None or left > limits.recovery_wait(self._recoveries)
        in_bounds = self._recoveries < self._policy.stream_recoveries
        is_allowed, used = self._limit() is None, self._record.output_tokens
        return AfterError(
            deadline_passed=isinstance(error, limits.DeadlinePassedError),
            refused=prefill_support.is_prefill_refusal(error),
            cache_refused=self._composer.caching.is_refused(error),
            strategy=segment.strategy,
            may_fall_back=self._policy.may_fall_back,
            is_last_strategy=self._policy.has_prefill_only,
            has_text=response.has_text,
            size_refused=self._size_refusal(error) is not None,
            call_overflowed=size_refusals.is_overflowed_call(
                error, self._policy.model_id, has_tools=self._has_tools
            ),
            recovery=self._policy.tool_call_recovery,
            has_room=is_allowed and self._max_tokens.has_room(segment.size, used),
            answered=self._record.answered,
            has_stop_reason=segment.stop_reason is not None,
            has_content=response.has_content or bool(response.reasoning_blocks),
            has_usage=segment.has_last_event,
            in_stream=service_errors.is_stream_error(error),
            timed_out=service_errors.is_timeout(error),
            is_larger=self._is_larger(segment.strategy),
            retryable=service_errors.is_retryable(error),
            may_recover=in_time and in_bounds and is_allowed,
        )

    def _is_larger(self, strategy: Strategy | None) -> bool:
        """Return True if the call asks for more than the one before it, by our choice.

        Args:
            strategy: How its segment was asked for.
        """
        if strategy is Strategy.RETRY:
            return self._next.action is Action.RETRY_LARGER
        return strategy is not None and self._max_tokens.growth.may_shrink

    def _size_refusal(self, error: Exception) -> SizeRefusal | None:
        """Return why the service refused a size, or a length, that we chose."""
        sizes = self._max_tokens
        return size_refusals.refusal_of(error, self._record.sent_call(sizes))

    def _limit(self) -> Ending | None:
        """Return the limit that is reached, or None."""
        return limits.reached_limit(
            calls=len(self._record.segments),
            max_continuations=self._policy.max_continuations,
            tokens_left=self._max_tokens.left(self._record.output_tokens),
            seconds_left=self._deadline.left(),
        )

    @property
    def _may_be_over(self) -> bool:
        """Whether the model ended its answer, and was asked for more (FORM-7)."""
        before = [one for one in self._record.segments[:-1] if one.error is None]
        return bool(before) and before[-1].problem is Problem.ENDED_IN_LINE

    def _at_end(self, stop: StopMeaning, facts: AfterResponse) -> StopMeaning:
        """Return the meaning of the stop reason of a turn that ends here.

        If the model ended its answer before, a repetition of it may be truncated.
        """
        if stop.complete or not facts.may_be_complete:
            return stop
        self._record.last.corrected_stop_reason = END_TURN
        return meaning_of(END_TURN)

    # The next user turn --------------------------------------------------------------

    def _begin_user_turn(self, action: Action) -> str | None:
        """Begin to ask for the continuation in a user turn.

        Returns:
            What the segment said, to be sent as it is; None if it can't be.
        """
        self._next = NextCall(action, Strategy.USER_TURN)
        if action is not Action.ASK_AGAIN:
            self._forms.begin_seam()
        self._doubts_line_break = self.content.left_out
        if self.content.left_out:
            return None
        raw = self._record.last.response.text if self._record.segments else ""
        return self.writing.spoken(raw).rstrip()

    def _expected_echo(self) -> tuple[Wording, ExpectedEcho]:
        """Return the words of the current form, and what they ask the model for."""
        used, sizes = self._record.output_tokens, self._max_tokens
        tokens, room = sizes.expected(used), sizes.echo_room(used)
        wording = wording_of(self._forms.current, self._policy.continuation_prompt)
        kept = self._record.kept_tokens
        written = len(self.content) - self._record.resumed.characters
        size = written / kept if kept > 0 and written > 0 else limits.CHARACTERS_A_TOKEN
        asked = sizes.requested is not None
        quote = self.writing.choose_quote(tokens, wording.quote, room)
        sizes.echo = min(extra_tokens(quote, tokens), room)
        tokens += sizes.echo
        return wording, ExpectedEcho(
            quote=quote,
            opening=opening_of(wording),
            doubts_line_break=self._doubts_line_break,
            capacity=math.ceil(tokens * max(size, 1)) if asked else None,
            needs_echo=self._forms.needs_echo,
            is_last_try=not self._forms.has_next,
            is_asked_for=self._composer.is_asked_for,
        )

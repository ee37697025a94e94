"""The course of a turn: its segments so far, and how the next one begins.

The Turn decides what follows a segment; here is what that takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from langchain_bedrock_continue._core.content.content import Answer
from langchain_bedrock_continue._core.decisions.after_error import Failure
from langchain_bedrock_continue._core.decisions.limits import Budget
from langchain_bedrock_continue._core.decisions.next_action import Situation
from langchain_bedrock_continue._core.decisions.prefill_support import takes_prefill
from langchain_bedrock_continue._core.record.record import Record
from langchain_bedrock_continue._core.record.segment import Segment
from langchain_bedrock_continue._core.request.messages import (
    SegmentRequest,
    without_tool_choice,
)
from langchain_bedrock_continue._core.request.track import Track
from langchain_bedrock_continue._core.text.quote import DEFAULT_PROMPT
from langchain_bedrock_continue._core.text.repetition import cycle_of
from langchain_bedrock_continue._core.tool_json.schema import schema_of
from langchain_bedrock_continue._core.tool_json.tool_arguments import Finishing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_core.messages import BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Pieces
    from langchain_bedrock_continue._core.decisions.next_action import Step
    from langchain_bedrock_continue._core.decisions.stop_reasons import EndedBy, Verdict
    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.record.partial import Past

FIRST_SECONDS, MOST_SECONDS = 0.5, 8.0
"""How long the first recovery may wait; each further one twice as long, up to a most.
What broke was at work a moment ago, and botocore waited before it gave up a call."""


class Course:
    """What a turn has come to.

    Attributes:
        answer: What stands of the turn's answer.
        track: What is being written: the answer, or the arguments of a cut tool call.
        finishing: The latter, or None.
        record: The segments.
        budget: What the next call may write.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: dict[str, Any],
        policy: Policy,
        past: Past,
        clock: Callable[[], float],
    ) -> None:
        """Begin with no segment; see the Turn for the arguments."""
        self._messages = messages
        self._kwargs = kwargs
        self._policy = policy
        self.answer = Answer(
            policy.stops, withholds=policy.constrained, inline=policy.inline_thinking
        )
        prompt = policy.continuation_prompt or DEFAULT_PROMPT
        self.track = Track(messages, self.answer, prompt)
        self.finishing: Finishing | None = None
        self.record = Record(past)
        self.budget = Budget(policy, kwargs, self.record)
        self._recoveries = 0
        self._prefills = policy.prefills(supported=takes_prefill(policy.model_id))
        self._tried_again = False
        self._why = "begin"
        self._strategy: str | None = None
        self._wait = 0.0
        self._clock = clock
        self._began = clock()

    def take_up(self, past: Past) -> Pieces:
        """Begin with what stands of a partial message; return it."""
        if not past.blocks or self._policy.constrained:
            return []  # a document that was cut gives way to a new one
        pieces = self.answer.stand(past.blocks, past.seams)
        if past.goes_on and self.answer.advances():
            return pieces + self.go_on("resume")
        return pieces + self.again("resume")

    # The segment under way ----------------------------------------------------------

    def next_request(self) -> SegmentRequest:
        """Begin the next segment."""
        record, event, first = self.record, None, not self.record.segments
        kwargs, max_tokens = self.budget.arguments()
        if self._why != "begin":
            event = record.event(self._why, self.answer.offset)
        if self._strategy != "retry":
            self.track.answer.begin_segment()
        record.segments.append(Segment(max_tokens, self._strategy))
        if self.finishing is not None:
            kwargs = without_tool_choice(kwargs)
        wait, self._wait = self._wait, 0.0
        messages = self.track.conversation.now()
        left = self.seconds_left()
        return SegmentRequest(messages, kwargs, event, first, wait, left)

    def receive(self, message: AIMessage) -> Pieces:
        """Take a response or a chunk of one; return what the caller may see."""
        self.record.last.receive(message)
        return self.shown(self.track.receive(message))

    def end_text(self, *, cut: bool) -> Pieces:
        """End the segment's text."""
        return self.shown(self.track.end_text(cut=cut))

    def shown(self, pieces: Pieces) -> Pieces:
        """Return what the caller may see: of arguments that are finished, nothing."""
        return pieces if self.finishing is None else []

    # How the next one begins --------------------------------------------------------

    def follow(self, step: Step) -> Pieces:
        """Get the next call ready."""
        ways: dict[Step, Callable[[], Pieces]] = {
            "go_on": self.go_on,
            "resend": self._resend,
            "again": self._once_more,
            "larger": self._larger,
            "arguments": self._finish_arguments,
        }
        return ways[step]()

    def go_on(self, why: str = "seam") -> Pieces:
        """End the segment so that the next one goes on from its text."""
        if self._prefills and not self._thinks():
            self._why, self._strategy = why, "prefill"
            return self.shown(self.track.prefill())
        self._why, self._strategy = why, "user_turn"
        spoken = self.track.answer.spoken(self.record.text).rstrip()
        return self.shown(self.track.ask(AIMessage(spoken), self.budget.size))

    def again(self, why: str = "retry") -> Pieces:
        """End the segment so that it is asked for once more."""
        self._why, self._strategy = why, "retry"
        self.track.answer.begin_again()
        return []

    def ask_instead(self) -> Pieces:
        """Go on by a user turn where a prefill was refused: it was no segment."""
        self.record.segments.pop()
        self._prefills = False
        self.track.answer.restore()
        return self.go_on("prefill_refused")

    def recover(self) -> Pieces:
        """Take a segment that broke up again, from what arrived."""
        self._wait = self._next_wait()
        self._recoveries += 1
        answer = self.track.answer
        if answer.is_behind:
            answer.abandon()
            return self.again("recovery")
        pieces = self.end_text(cut=True)
        if self._policy.constrained or not answer.advances():
            return pieces + self.again("recovery")
        return pieces + self.go_on("recovery")

    def _resend(self) -> Pieces:
        self._why, self._strategy = "seam", "resend"
        return self.shown(self.track.resend())

    def _once_more(self) -> Pieces:
        self._tried_again = True
        return self.again()

    def _larger(self) -> Pieces:
        self.budget.raise_size()
        return self.again()

    def _finish_arguments(self) -> Pieces:
        call = self.answer.unfinished_call()
        if call is None:
            raise RuntimeError("there is no tool call to finish")
        schema = schema_of(self._kwargs, call.name or "")
        before = self.answer.sendable()
        self.track = self.finishing = Finishing(self._messages, before, call, schema)
        return self.go_on("arguments")

    def _thinks(self) -> bool:
        """Tell whether the answer has reasoning, which no prefill may follow."""
        return self._policy.falls_back() and self.answer.reasons

    # How things stand ---------------------------------------------------------------

    def situation(self, judged: Verdict) -> Situation:
        """Say how things stand when a segment is over."""
        answer, budget = self.answer, self.budget
        return Situation(
            judged=judged,
            has_calls=answer.has_calls,
            advances=answer.advances(),
            can_be_resent=answer.can_be_resent(),
            constrained=self._policy.constrained,
            repeats=cycle_of(answer.open_text) is not None,
            can_raise=budget.can_raise(),
            fits=budget.fits(),
            can_finish=answer.unfinished_call() is not None,
            tried_again=self._tried_again,
            recovery=self._policy.tool_call_recovery,
            limit=self.limit(),
        )

    def failure(self, error: Exception) -> Failure:
        """Say how things stand when a call fails."""
        left, last = self.seconds_left(), self.record.last
        in_time = left is None or left > self._next_wait()
        in_bounds = self._recoveries < self._policy.stream_recoveries
        return Failure(
            error=error,
            segment=last,
            falls_back=self._policy.falls_back(),
            may_learn=self.budget.may_learn,
            arrived=len(self.record.entries()) > 1 or last.started,
            may_recover=in_time and in_bounds and self.limit() is None,
        )

    def _next_wait(self) -> float:
        """Return the most seconds to wait before the next recovery."""
        return float(min(MOST_SECONDS, FIRST_SECONDS * 2**self._recoveries))

    def limit(self) -> EndedBy | None:
        """Return the limit that is reached, if any."""
        calls = len(self.record.segments)
        limits: tuple[tuple[EndedBy, bool], ...] = (
            ("max_continuations", calls > self._policy.max_continuations),
            ("max_total_tokens", self.budget.left() == 0),
            ("max_seconds", self.seconds_left() == 0),
        )
        return next((name for name, reached in limits if reached), None)

    def seconds_left(self) -> float | None:
        """Return what is left of `max_seconds`, or None."""
        if self._policy.max_seconds is None:
            return None
        return max(0.0, self._policy.max_seconds - (self._clock() - self._began))

"""The turn: one answer over many segments. It decides, and does no I/O.

Theory of operation. A turn asks for requests until it is over. The shell makes each
call, hands in what arrives, whole or chunk by chunk, and says when it is at its end:

    state      event            next state
    ---------  ---------------  ------------------------------------------------------
    segment    receive()        segment
    segment    end_segment()    what `steps` says: a segment that goes on from this
                                one, or the same once more, or over
    segment    fail()           what `ways` says: a segment that goes on from what
                                arrived, or the same once more, or over
    over       closing() or message(), then settle()

Invariants:

I1. The text of the turn is the text of its segments, joined as `seam` and `echo` say.
I2. Only what was released is in the message, and all of it.
I3. Metadata is the last segment's alone, plus `continuation`; it is given out once.
I4. Usage is counted once a segment.
I5. Every segment after the first goes on from new text, or has more room than the one
    that it repeats, or is one of a counted few: a turn is bounded by its text, its
    ceiling and its recoveries even where no limit is set.
I6. An error before anything arrived is the caller's own error, unchanged.
I7. A request that the service refused is no segment: nothing came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import has_reasoning, is_text
from langchain_bedrock_continue._core.content.inline_thinking import seams_behind, split
from langchain_bedrock_continue._core.course import Course
from langchain_bedrock_continue._core.decisions import prefill_support as models
from langchain_bedrock_continue._core.decisions import service_errors as failures
from langchain_bedrock_continue._core.decisions.after_error import way_out
from langchain_bedrock_continue._core.decisions.next_action import next_step
from langchain_bedrock_continue._core.decisions.stop_reasons import OUT_OF_TIME, verdict
from langchain_bedrock_continue._core.record.partial import Past, past_of
from langchain_bedrock_continue._core.record.turn_errors import failed, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langchain_core.messages import BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Pieces
    from langchain_bedrock_continue._core.decisions.after_error import Way
    from langchain_bedrock_continue._core.decisions.stop_reasons import EndedBy, Verdict
    from langchain_bedrock_continue._core.policy import Policy
    from langchain_bedrock_continue._core.request.messages import SegmentRequest

CUT, STOPPED, CALLS = "max_tokens", "stop_sequence", "tool_use"
"""Stop reasons."""


def stopped_clock() -> float:
    """Tell the time where none passes."""
    return 0.0


class Turn:
    """One answer, over as many segments as it takes."""

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: dict[str, Any],
        policy: Policy,
        *,
        partial: AIMessage | None = None,
        clock: Callable[[], float] = stopped_clock,
    ) -> None:
        """Begin a turn.

        Args:
            messages: The caller's conversation; never changed.
            kwargs: The caller's arguments for each call; never changed.
            policy: What the turn may cost.
            partial: What stands of the answer from an earlier turn.
            clock: Seconds, from any point on; by default no time passes.
        """
        self._policy = policy
        past = Past() if partial is None else past_of(partial)
        self._course = Course(messages, kwargs, policy, past, clock)
        self._answer = self._course.answer
        self._record = self._course.record
        self._streamed = False
        self._began = False
        self._opening = self._course.take_up(past)

    def opening(self) -> Pieces:
        """Return what stands from before the turn, for a stream to begin with."""
        return self._stamped(self._opening)

    def requests(self) -> Iterator[SegmentRequest]:
        """Give the requests, one after the other, until the turn is over."""
        while self._record.ended_by is None:
            yield self._course.next_request()

    def receive(self, message: AIMessage) -> Pieces:
        """Take a response or a chunk of one; return what the caller may see."""
        self._streamed = isinstance(message, AIMessageChunk)
        begins = self._answer.is_empty and not self._began
        self._began = True
        pieces = self._course.receive(message)
        if begins and not (pieces or message.content):
            return [AIMessageChunk(content=message.content)]
        return self._stamped(pieces)

    def check_end(self) -> None:
        """Check that a stream which came to its end says why.

        Raises:
            ConnectionError: It does not: it was broken off. Of Converse, langchain-aws
                says so itself; of InvokeModel, it does not.
        """
        if self._record.last.stop_reason is None:
            raise ConnectionError("The stream ended without a stop reason.")

    def end_segment(self, *, deadline_passed: bool = False) -> Pieces:
        """Judge the segment that is over; return what the caller may see.

        Args:
            deadline_passed: Whether its stream was ended by the deadline.
        """
        reason = self._record.last.stop_reason
        late = deadline_passed and reason is None
        judged = OUT_OF_TIME if late else verdict(reason)
        pieces = self._course.end_text(cut=judged.is_cut)
        judged = self._stopped() or judged
        if self._course.finishing is not None and not late:
            return self._stamped(pieces + self._end_arguments(judged))
        step, ended_by = next_step(self._course.situation(judged))
        ending = step == "end"
        after = self._end(judged, ended_by) if ending else self._course.follow(step)
        return self._stamped(pieces + after)

    def fail(self, error: Exception) -> Iterator[AIMessageChunk]:
        """Find a way to go on from what arrived, or give out what is held and raise.

        Raises:
            Exception: The error itself, where nothing arrived before it (I6).
            SegmentError: From the error, with all that arrived.
        """
        failure = self._course.failure(error)
        way = way_out(failure)
        if way is not None:
            yield from self._stamped(self._follow(way, error))
            return
        self._record.last.error = failures.name_of(error)
        self._record.ended_by = failures.ended_by(error)
        self._answer.abandon()
        yield from self._stamped(self._finish(vouches=False, cut=True))
        if len(self._record.segments) == 1 and self._answer.is_empty:
            raise error
        partial, refused = self.message(), failure.is_refusal
        raise failed(error, self._record, partial, refused=refused) from error

    def closing(self) -> AIMessageChunk:
        """Return the last chunk of a stream: metadata, usage, and no content (I3)."""
        return AIMessageChunk(
            id=self._record.past.id,
            content="",
            response_metadata=self._record.metadata(self._answer),
            additional_kwargs=self._record.last.additional_kwargs,
            usage_metadata=self._record.usage(self._policy.usage_view),
            chunk_position="last",
        )

    def message(self) -> AIMessage:
        """Return the whole turn as one message."""
        content, metadata = self._content(), self._record.metadata(self._answer)
        inline = None if self._streamed else self._policy.inline_thinking
        summary = metadata["continuation"]
        summary["seams"] = seams_behind(content, summary["seams"], inline)
        return AIMessage(
            id=self._record.past.id,
            content=split(content, inline),
            additional_kwargs=self._record.last.additional_kwargs,
            response_metadata=metadata,
            usage_metadata=self._record.usage(self._policy.usage_view),
            tool_calls=self._answer.valid_calls,
            invalid_tool_calls=self._answer.invalid_calls,
        )

    def settle(self) -> None:
        """Say once what ended a turn that is not whole.

        Raises:
            TurnLimitError: A limit ended it, and `on_limit` is `"raise"`.
            TruncatedToolCallError: A cut tool call ended it, and `tool_call_recovery`
                is `"raise"`.
        """
        if not self._record.complete:
            settle(self._record, self._policy, self.message)

    # What a segment's end leads to --------------------------------------------------

    def _stopped(self) -> Verdict | None:
        """Judge anew a segment that a stop sequence ended, split by its seam."""
        answer, last = self._course.track.answer, self._record.last
        if answer.stopped:
            last.stop_reason = STOPPED
        if last.stop_reason != STOPPED:
            return None
        answer.end_at_stop()
        return verdict(STOPPED)

    def _end_arguments(self, judged: Verdict) -> Pieces:
        """Give a cut call its arguments once they are whole, or go on with them."""
        course, cut = self._course, judged.then == "goes_on"
        finishing, call = course.finishing, self._answer.unfinished_call()
        args = finishing.arguments(cut=cut) if finishing else None
        if call is not None and args is not None:
            self._answer.complete(call, args)
            self._record.last.stop_reason = CALLS
            return self._end(verdict(CALLS), "model")
        limit = course.limit()
        if cut and limit is None and finishing and finishing.can_go_on():
            return course.go_on("arguments")
        return self._end(verdict(CUT), limit or "tool_call")

    def _end(self, judged: Verdict, ended_by: EndedBy) -> Pieces:
        self._record.ended_by, self._record.complete = ended_by, judged.complete
        return self._finish(vouches=judged.vouches, cut=judged.is_cut)

    def _finish(self, *, vouches: bool, cut: bool) -> Pieces:
        reason = self._record.last.stop_reason or "a broken response"
        reason = reason if self._course.finishing is None else CUT
        return self._answer.finish(reason=reason, vouches=vouches, cut=cut)

    # What a failure leads to --------------------------------------------------------

    def _follow(self, way: Way, error: Exception) -> Pieces:
        """Do what a failure leads to."""
        ways: dict[Way, Callable[[Exception], Pieces]] = {
            "ask_instead": self._ask_instead,
            "stay_paused": self._stay_paused,
            "take_limit": self._take_limit,
            "was_over": self._was_over,
            "recover": self._recover,
            "end_late": self._end_late,
        }
        return ways[way](error)

    def _ask_instead(self, error: Exception) -> Pieces:
        models.learn_refusal(self._policy.model_id, error)
        return self._course.ask_instead()

    def _stay_paused(self, _error: Exception) -> Pieces:
        self._record.segments.pop()
        return self._end(verdict(self._record.last.stop_reason), "no_progress")

    def _take_limit(self, error: Exception) -> Pieces:
        self._record.segments.pop()
        self._course.budget.learn(failures.limit_in(error) or 0)
        if self._course.budget.can_raise():
            return []
        self._answer.abandon()
        return self.end_segment()

    def _was_over(self, error: Exception) -> Pieces:
        self._record.last.error = failures.name_of(error)
        return self.end_segment()

    def _recover(self, error: Exception) -> Pieces:
        self._record.last.error = failures.name_of(error)
        return self._course.recover()

    def _end_late(self, _error: Exception) -> Pieces:
        self._record.segments.pop()
        self._answer.abandon()
        return self._end(OUT_OF_TIME, "max_seconds")

    # What the caller sees -----------------------------------------------------------

    def _stamped(self, pieces: Pieces) -> Pieces:
        provider = self._record.provider
        for piece in pieces:
            if provider is not None:
                piece.response_metadata["model_provider"] = provider
            piece.id = self._record.past.id
            for segment in self._record.segments[-1:]:
                segment.keeps_reasoning |= has_reasoning(piece)
        return pieces

    def _content(self) -> str | list[str | dict[str, Any]]:
        blocks = self._answer.blocks(numbered=self._streamed)
        is_plain = self._answer.is_plain or not self._streamed
        if is_plain and [*map(is_text, blocks)] == [True]:
            return str(blocks[0]["text"])
        return list(blocks)

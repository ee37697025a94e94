"""What happens next: one table for a response, one for an error.

The turn collects the facts, asks for the action, and carries it out. Each table is read
from the top: the first rule whose condition holds decides. To change what happens in a
situation, change, add or move a rule. How an action is carried out is in `turn`.

NEXT-1. A truncated segment is continued from its new text. Without new text, or where
    its end is not text, it is retried with a larger `max_tokens`, up to the ceiling.
NEXT-2. A segment with a tool call is never continued: the caller's
    `tool_call_recovery` says what happens.
NEXT-3. Output that is constrained by a JSON schema is never continued: the
    continuation would be a new document.
NEXT-4. A limit ends the turn before any action that makes a call, and is named.
NEXT-5. A prefill that was refused before any text arrived becomes a user turn, where
    the caller leaves the strategy to us.
NEXT-6. A stream that failed after its stop reason is complete; only its usage is
    unknown.
NEXT-7. A stream that a transient error breaks is recovered from, as often as the caller
    allows. A call that brought no stream is not: botocore has tried it as often as the
    client's settings say (ERROR-4), and each try may be a generation that is billed.
    The same holds for a stream that was silent until the timeout, before any content.
NEXT-8. An answer to a user turn that begins the text again, adds nothing, or ends where
    the text plainly isn't complete, is requested again in the next form. If it begins
    again in every form, a larger `max_tokens` lets it reach new text. It is never
    called complete, unless the text may be complete and the model has nothing to add.
    If it repeats the same passage in every form, the turn ends: `repetition`. If it
    ended before at this seam, where the text may be complete, that was its end.
NEXT-9. If a guardrail checks the last user turn only, there is no user turn of ours. A
    model that accepts no prefill is then not asked to continue, and the turn ends as
    one that a limit ended.
NEXT-10. A size that we chose, and the length that a continuation adds to the input,
    raise no error: another size is tried, or the turn ends as one that a limit ended.
NEXT-11. A tool call that Nova reports as an error, because it was truncated, is retried
    with a larger `max_tokens`. If the answer has begun, the error is a truncated call;
    else it is the caller's own, as with ChatBedrockConverse.
NEXT-12. A cache point that we chose is left out where the service refuses it.
NEXT-13. A retry whose larger `max_tokens` takes longer than the client waits is given
    up. The turn goes on with the response that it was to replace. A continuation whose
    `max_tokens` has grown asks for less then (GROWTH-3).
NEXT-14. A stream that ended after its usage, and without a stop reason, did not break:
    nothing is left to resume. It is an error, as it is for ChatBedrockConverse.
NEXT-15. Where the context window leaves too little for another segment, the turn ends
    without a call, which would fail (HEADROOM-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from langchain_bedrock_continue._core.decisions.vocabulary import (
    RESTARTS,
    Action,
    Ending,
    Problem,
    Strategy,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue._core.decisions.stop_reasons import StopMeaning


@dataclass
class NextCall:
    """How the next call comes about.

    Attributes:
        action: The action that makes it.
        strategy: How its segment is asked for; None for the first of a turn.
        wait: The longest wait before it, in seconds.
    """

    action: Action = Action.BEGIN
    strategy: Strategy | None = None
    wait: float = 0.0


ToolCallRecovery: TypeAlias = Literal["retry", "resume", "return", "raise"]

# After a response -----------------------------------------------------------------


@dataclass(frozen=True)
class AfterResponse:
    """The facts when a segment is over.

    Attributes:
        stop: What its stop reason means.
        has_tool_call: A tool call has begun in it.
        has_progress: It ends in new text, which the next segment can continue.
        can_be_resent: The answer so far can be sent back as it is.
        constrained: The output is constrained by a JSON schema.
        repeats: The text has run into a cycle.
        can_grow: The ceiling allows a larger `max_tokens` than the segment had.
        fits: `max_total_tokens` leaves room for more than the segment had.
        window_full: The segment had all that the context window leaves.
        no_headroom: The context window leaves too little for a continuation.
        can_complete_call: Exactly one tool call was truncated, in its arguments.
        can_continue: There is a strategy that may continue a text.
        retried_output: Malformed output was retried before.
        recovery: The caller's `tool_call_recovery`.
        problem: Why the segment, which answers a user turn, does not continue the text.
        may_be_over: The model ended its answer before, at the same seam.
        is_larger: The segment was retried with a larger `max_tokens`.
        is_open: The text plainly isn't complete: a code fence is open, for example.
        has_next_form: The user turn can be sent in another form.
        arguments: The state of a tool call's arguments that are written as text, or
            None while the answer itself is written.
        limit: The limit that is reached, or None.
    """

    stop: StopMeaning
    has_tool_call: bool = False
    has_progress: bool = True
    can_be_resent: bool = False
    constrained: bool = False
    repeats: bool = False
    can_grow: bool = True
    fits: bool = True
    window_full: bool = False
    no_headroom: bool = False
    can_complete_call: bool = False
    can_continue: bool = True
    retried_output: bool = False
    recovery: ToolCallRecovery = "retry"
    problem: Problem | None = None
    may_be_over: bool = False
    is_larger: bool = False
    is_open: bool = False
    has_next_form: bool = False
    arguments: Literal["complete", "continuable", "broken"] | None = None
    limit: Ending | None = None

    @property
    def truncated_call(self) -> bool:
        """Whether the segment was truncated at `max_tokens` with a tool call in it."""
        return self.stop.action is Action.CONTINUE and self.has_tool_call

    @property
    def may_be_complete(self) -> bool:
        """Whether the model has nothing to add to a text that may be complete."""
        ends = self.problem in {Problem.NOTHING_NEW, Problem.ENDED_IN_LINE}
        has_ended = self.problem is not None and self.may_be_over
        return (ends or has_ended) and not self.is_open

    @property
    def restarts(self) -> bool:
        """Whether a response was truncated because it began the answer again.

        If one with room for all of the answer did so, too, more room does not help.
        """
        truncated = self.stop.action is Action.CONTINUE
        return truncated and self.problem in RESTARTS and not self.is_larger

    @property
    def cannot_continue(self) -> bool:
        """Whether a truncated segment can't be continued, and has to be retried."""
        stuck = self.constrained or self.has_tool_call or not self.has_progress
        return self.stop.action is Action.CONTINUE and stuck


class _AfterResponseRule(NamedTuple):
    why: str
    when: Callable[[AfterResponse], bool]
    action: Action
    ending: Ending | None = None
    """What ended the turn; None: what the stop reason says."""


_Response = _AfterResponseRule

AFTER_RESPONSE: tuple[_AfterResponseRule, ...] = (
    # The arguments of a truncated tool call, written as text.
    _Response(
        "the arguments are complete: the tool can run",
        lambda now: now.arguments == "complete",
        Action.END,
        Ending.MODEL,
    ),
    _Response(
        "the arguments were truncated again, in a place that can be continued",
        lambda now: now.arguments == "continuable",
        Action.COMPLETE_TOOL_CALL,
    ),
    _Response(
        "the limit explains it better than the text that came",
        lambda now: now.arguments == "broken" and now.limit is not None,
        Action.COMPLETE_TOOL_CALL,
    ),
    _Response(
        "no further segment could complete these arguments",
        lambda now: now.arguments == "broken",
        Action.END,
        Ending.TOOL_CALL,
    ),
    # The answer to a user turn does not continue the text (NEXT-8).
    _Response(
        "another call is not allowed, and the model has nothing to add",
        lambda now: now.may_be_complete and now.limit is not None,
        Action.END,
        Ending.MODEL,
    ),
    _Response(
        "a model that failed in one form often works in another",
        lambda now: now.problem is not None and now.has_next_form,
        Action.ASK_AGAIN,
    ),
    _Response(
        "asked in every form, the model has nothing to add",
        lambda now: now.may_be_complete,
        Action.END,
        Ending.MODEL,
    ),
    _Response(
        "a model that begins again in every form reaches new text with more room",
        lambda now: now.restarts and now.can_grow and now.fits,
        Action.RETRY_LARGER,
    ),
    _Response(
        "in no form does the model leave the cycle",
        lambda now: now.problem is Problem.CYCLE,
        Action.END,
        Ending.REPETITION,
    ),
    _Response(
        "no form of the user turn brought new text",
        lambda now: now.problem is not None,
        Action.END,
        Ending.NO_PROGRESS,
    ),
    # The model or the service ended the segment.
    _Response(
        "the stop reason is final",
        lambda now: now.stop.action is Action.END,
        Action.END,
    ),
    _Response(
        "a paused model continues what it reads back",
        lambda now: (
            now.stop.action is Action.RESEND
            and now.can_be_resent
            and not now.constrained
        ),
        Action.RESEND,
    ),
    _Response(
        "there is nothing that could be sent back",
        lambda now: now.stop.action is Action.RESEND,
        Action.END,
        Ending.NO_PROGRESS,
    ),
    _Response(
        "malformed output may come well formed, once",
        lambda now: now.stop.action is Action.RETRY and not now.retried_output,
        Action.RETRY,
    ),
    _Response(
        "malformed output came twice",
        lambda now: now.stop.action is Action.RETRY,
        Action.END,
    ),
    # The segment was truncated at max_tokens.
    _Response(
        "the caller wants truncated tool calls back, not recovered",
        lambda now: now.truncated_call and now.recovery in {"return", "raise"},
        Action.END,
        Ending.TOOL_CALL,
    ),
    _Response(
        "the context window is full, and a longer input leaves less (NEXT-10)",
        lambda now: now.stop.action is Action.CONTINUE and now.window_full,
        Action.END,
        Ending.CONTEXT_WINDOW,
    ),
    _Response(
        "more room is the vendors' advice for a truncated tool call (NEXT-1 to NEXT-3)",
        lambda now: now.cannot_continue and now.can_grow and now.fits,
        Action.RETRY_LARGER,
    ),
    _Response(
        "the caller's total leaves no more room",
        lambda now: now.cannot_continue and now.can_grow,
        Action.END,
        Ending.MAX_TOTAL_TOKENS,
    ),
    _Response(
        "a call that exceeds the largest response is completed as text",
        lambda now: (
            now.truncated_call
            and now.recovery == "resume"
            and now.can_complete_call
            and now.can_continue
            and not now.constrained
        ),
        Action.COMPLETE_TOOL_CALL,
    ),
    _Response(
        "a truncated tool call can't be made complete",
        lambda now: now.truncated_call,
        Action.END,
        Ending.TOOL_CALL,
    ),
    _Response(
        "there is no new text, and no larger max_tokens to try",
        lambda now: now.cannot_continue,
        Action.END,
        Ending.NO_PROGRESS,
    ),
    _Response(
        "a model does not leave an exact cycle by itself",
        lambda now: now.repeats,
        Action.END,
        Ending.REPETITION,
    ),
    _Response(
        "no prefill is accepted, and a guardrail excludes a user turn (NEXT-9)",
        lambda now: not now.can_continue,
        Action.END,
        Ending.GUARD_LAST_TURN_ONLY,
    ),
    _Response(
        "the next call would not fit into the context window (NEXT-15)",
        lambda now: now.no_headroom,
        Action.END,
        Ending.CONTEXT_WINDOW,
    ),
    _Response(
        "the text was truncated, and ends in new text",
        lambda _now: True,
        Action.CONTINUE,
    ),
)


def after_response(now: AfterResponse) -> tuple[Action, Ending]:
    """Return what happens next, and what ended the turn if it is `END`."""
    rule = next(rule for rule in AFTER_RESPONSE if rule.when(now))
    if rule.action is not Action.END and now.limit is not None:
        return Action.END, now.limit  # NEXT-4
    return rule.action, rule.ending or now.stop.ending


# After an error -------------------------------------------------------------------


@dataclass(frozen=True)
class AfterError:
    """The facts when a call fails.

    Attributes:
        deadline_passed: The deadline left no time for the call, so it was not made.
        refused: The service refused the assistant message in the final position.
        cache_refused: The service refused a cache point of ours.
        strategy: How the failed segment was asked for.
        may_fall_back: The caller allows a user turn in place of a prefill.
        is_last_strategy: We chose the prefill, and no other strategy is possible.
        has_text: Text of the failed segment arrived.
        size_refused: The service refused a size that we chose, or the length that a
            continuation adds.
        call_overflowed: A truncated tool call is reported as an error.
        recovery: The caller's `tool_call_recovery`.
        has_room: A retry may have a larger `max_tokens`, and is allowed.
        answered: A response before it arrived to its end.
        has_stop_reason: The stop reason of the failed segment arrived.
        has_content: Content of the failed segment arrived, reasoning included.
        has_usage: What ends a stream arrived, its usage.
        in_stream: The error came while a stream was read, not before it opened.
        timed_out: The response did not come in time.
        is_larger: It asks for more than the call before, by our choice.
        retryable: The error is transient.
        may_recover: `stream_recoveries` and the limits allow another try.
    """

    deadline_passed: bool = False
    refused: bool = False
    cache_refused: bool = False
    strategy: Strategy | None = None
    may_fall_back: bool = False
    is_last_strategy: bool = False
    has_text: bool = False
    size_refused: bool = False
    call_overflowed: bool = False
    recovery: ToolCallRecovery = "retry"
    has_room: bool = False
    answered: bool = False
    has_stop_reason: bool = False
    has_content: bool = False
    has_usage: bool = False
    in_stream: bool = False
    timed_out: bool = False
    is_larger: bool = False
    retryable: bool = False
    may_recover: bool = False

    @property
    def may_retry_call(self) -> bool:
        """Whether a tool call that overflowed may be retried."""
        return self.call_overflowed and self.recovery in {"retry", "resume"}

    @property
    def retry_timed_out(self) -> bool:
        """Whether a larger size brought nothing in time (NEXT-13)."""
        return self.is_larger and self.timed_out and not self.has_content

    @property
    def stream_broke(self) -> bool:
        """Whether a stream broke that another call would not break again (NEXT-7)."""
        silent = self.timed_out and not self.has_content
        is_open = not (silent or self.has_usage)  # NEXT-14
        return self.in_stream and self.retryable and is_open

    @property
    def prefill_refused(self) -> bool:
        """Whether the service refused what this package placed last."""
        return self.refused and self.strategy in {Strategy.PREFILL, Strategy.RESEND}


class _AfterErrorRule(NamedTuple):
    why: str
    when: Callable[[AfterError], bool]
    action: Action
    ending: Ending = Ending.ERROR


_Error = _AfterErrorRule

AFTER_ERROR: tuple[_AfterErrorRule, ...] = (
    _Error(
        "no time was left for the call",
        lambda now: now.deadline_passed,
        Action.END,
        Ending.MAX_SECONDS,
    ),
    _Error(
        "the service does not take back what the paused model wrote",
        lambda now: now.prefill_refused and now.strategy is Strategy.RESEND,
        Action.END,
        Ending.NO_PROGRESS,
    ),
    _Error(
        "every model accepts a user turn (NEXT-5)",
        lambda now: now.prefill_refused and now.may_fall_back and not now.has_text,
        Action.FALL_BACK,
    ),
    _Error(
        "what arrived is all there can be (NEXT-9)",
        lambda now: now.prefill_refused and now.is_last_strategy and not now.has_text,
        Action.END,
        Ending.GUARD_LAST_TURN_ONLY,
    ),
    _Error(
        "the same request needs no cache points of ours (NEXT-12)",
        lambda now: now.cache_refused and not now.has_text,
        Action.RETRY_UNCACHED,
    ),
    _Error(
        "a size that we chose raises no error (NEXT-10)",
        lambda now: now.size_refused,
        Action.RETRY_AT_LIMIT,
    ),
    _Error(
        "a size that we chose takes longer than the client waits (NEXT-13)",
        lambda now: now.retry_timed_out,
        Action.GIVE_UP_RETRY,
    ),
    _Error(
        "all content had arrived (NEXT-6)",
        lambda now: now.has_stop_reason,
        Action.END_SEGMENT,
    ),
    _Error(
        "more room is the vendor's advice for a tool call that overflowed (NEXT-11)",
        lambda now: now.may_retry_call and now.has_room,
        Action.RETRY_LARGER,
    ),
    _Error(
        "an answer has begun, and its tool call does not fit (NEXT-11)",
        lambda now: now.call_overflowed and now.answered,
        Action.END,
        Ending.TOOL_CALL,
    ),
    _Error(
        "the same request would overflow again (NEXT-11)",
        lambda now: now.call_overflowed,
        Action.RAISE,
    ),
    _Error(
        "a stream that broke, which botocore never retries (NEXT-7)",
        lambda now: now.stream_broke and now.may_recover,
        Action.RECOVER,
    ),
    _Error("the caller has to see it", lambda _now: True, Action.RAISE),
)


def after_error(now: AfterError) -> tuple[Action, Ending]:
    """Return what happens next, and what ended the turn if nothing does."""
    rule = next(rule for rule in AFTER_ERROR if rule.when(now))
    return rule.action, rule.ending

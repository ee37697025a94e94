"""What follows a segment: one table.

N1. A segment that was cut goes on from its new text. Where there is none, or its end is
    no text, the same is asked for again with more room, while there is more.
N2. A segment with a tool call is never gone on from: the caller's `tool_call_recovery`
    says what becomes of it.
N3. Output that is held to a JSON schema is never gone on from: it would begin a new
    document.
N4. Whatever would follow, a limit ends the turn first, and is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.decisions.stop_reasons import EndedBy, Verdict

Recovery: TypeAlias = Literal["retry", "resume", "return", "raise"]

Step: TypeAlias = Literal[
    "end",
    "go_on",  # from the text, by a prefill or a user turn
    "resend",  # what the model wrote, as it is
    "again",  # the same request
    "larger",  # the same request, with more room
    "arguments",  # the arguments of a cut tool call, as text
]


@dataclass(frozen=True)
class Situation:
    """How things stand when a segment is over.

    Attributes:
        judged: What its stop reason means.
        has_calls: It has begun a tool call.
        advances: It ends in new text.
        can_be_resent: What stands of the answer can be sent back as it is.
        constrained: Its output is held to a JSON schema.
        repeats: Its text goes round in a cycle.
        can_raise: The ceiling leaves more room than it had.
        fits: `max_total_tokens` leaves more room than it had.
        can_finish: One tool call alone was cut, in its arguments.
        tried_again: Broken output was asked for once more before.
        recovery: What the caller wants of a cut tool call.
        limit: The limit that is reached, or None.
    """

    judged: Verdict
    has_calls: bool = False
    advances: bool = True
    can_be_resent: bool = False
    constrained: bool = False
    repeats: bool = False
    can_raise: bool = True
    fits: bool = True
    can_finish: bool = False
    tried_again: bool = False
    recovery: Recovery = "retry"
    limit: EndedBy | None = None


def next_step(now: Situation) -> tuple[Step, EndedBy]:
    """Say what follows, and what ends the turn where nothing does."""
    step, ended_by = _wanted(now)
    if step != "end" and now.limit is not None:
        return "end", now.limit  # N4
    return step, ended_by


def _wanted(now: Situation) -> tuple[Step, EndedBy]:
    then, ended_by = now.judged.then, now.judged.ended_by
    if then == "goes_on":
        return _after_a_cut(now)
    if then == "resends":
        return _resent(now)
    if then == "again" and not now.tried_again:
        return "again", ended_by
    return "end", ended_by


def _resent(now: Situation) -> tuple[Step, EndedBy]:
    if now.can_be_resent and not now.constrained:
        return "resend", "model"
    return "end", "no_progress"


def _after_a_cut(now: Situation) -> tuple[Step, EndedBy]:
    if now.has_calls:
        return _after_a_cut_call(now)
    if now.constrained or not now.advances:
        return _larger(now, otherwise=("end", "no_progress"))  # N1, N3
    return ("end", "repetition") if now.repeats else ("go_on", "model")


def _after_a_cut_call(now: Situation) -> tuple[Step, EndedBy]:
    if now.recovery in {"return", "raise"}:
        return "end", "tool_call"
    resumes = now.recovery == "resume" and now.can_finish and not now.constrained
    last: tuple[Step, EndedBy] = ("arguments" if resumes else "end", "tool_call")
    return _larger(now, otherwise=last)


def _larger(now: Situation, *, otherwise: tuple[Step, EndedBy]) -> tuple[Step, EndedBy]:
    if not now.can_raise:
        return otherwise
    return ("larger", "model") if now.fits else ("end", "max_total_tokens")

"""What a failed call leads to: one table, beside the one of `steps`.

W1. A prefill that was refused before anything of the answer came gives way to a user
    turn, where the caller leaves the choice. What a paused model wrote, and the service
    does not take back, stands as it is.
W2. A raised `max_tokens` that is over a limit gives way to the limit.
W3. A stream that broke behind its stop reason is over, and only its usage unknown.
W4. A call for which the deadline left no time was not made.
W5. What another try may mend is tried, as often as the caller allows, unless a limit is
    reached. Before anything arrived that is the caller's own affair, and botocore's,
    but for a stream: those botocore never tries again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_bedrock_continue._core.decisions import prefill_support as models
from langchain_bedrock_continue._core.decisions import service_errors as failures

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.record.segment import Segment

Way: TypeAlias = Literal[
    "ask_instead",  # go on by a user turn
    "stay_paused",  # end with what the paused model wrote
    "take_limit",  # ask for as much as the service allows
    "was_over",  # end the segment
    "recover",  # take the segment up again from what arrived
    "end_late",  # end without the call
]


class DeadlinePassedError(Exception):
    """The turn's deadline passed before its next call was made."""


@dataclass(frozen=True)
class Failure:
    """How things stand when a call fails.

    Attributes:
        error: What it raised.
        segment: The segment that it was for.
        falls_back: A user turn may stand in for a prefill.
        may_learn: The turn asks for more than the caller's calls do, and has not been
            told of a limit.
        arrived: Something of the answer stands, or of the segment.
        may_recover: The caller's recoveries and limits allow another try.
    """

    error: BaseException
    segment: Segment
    falls_back: bool
    may_learn: bool
    arrived: bool
    may_recover: bool

    @property
    def is_refusal(self) -> bool:
        """Whether the service refused a prefill."""
        sent = self.segment.strategy in {"prefill", "resend"}
        return sent and models.refuses_prefill(self.error)


def way_out(now: Failure) -> Way | None:
    """Say what to do about a failure; None where it ends the turn."""
    ways: tuple[tuple[Way, bool], ...] = (
        ("end_late", isinstance(now.error, DeadlinePassedError)),
        ("stay_paused", now.is_refusal and now.segment.strategy == "resend"),
        ("ask_instead", _gives_way(now)),
        ("take_limit", _is_over_limit(now)),
        ("was_over", now.segment.stop_reason is not None),
        ("recover", now.may_recover and _may_be_mended(now)),
    )
    return next((way for way, holds in ways if holds), None)


def _gives_way(now: Failure) -> bool:
    return now.is_refusal and now.falls_back and not now.segment.text


def _is_over_limit(now: Failure) -> bool:
    limit = failures.limit_in(now.error)
    asked = 0 if now.segment.started else now.segment.max_tokens or 0
    return now.may_learn and limit is not None and 0 < limit < asked


def _may_be_mended(now: Failure) -> bool:
    is_ours = now.arrived or failures.is_in_stream(now.error)
    return is_ours and failures.is_passing(now.error)

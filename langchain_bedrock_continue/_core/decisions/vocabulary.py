"""The words of a turn: what happens next, what ended it, how a segment was asked for.

There is one enum of each in the package, and the public words are their values: an
event's `type` follows from the action (`EVENT_TYPES`), `ended_by` is an `Ending`, and a
segment's `strategy` is a `Strategy`. Type checkers can't derive a Literal from an enum,
so `EndedBy` and `StrategyName` repeat the values for the public types, and a test
compares them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias


class Action(StrEnum):
    """What happens next in a turn, after a response or after an error."""

    BEGIN = "begin"
    """Make the first call."""

    CONTINUE = "continue"
    """Ask for the next segment: the text so far is sent, the model continues it."""

    RESEND = "resend"
    """Send what a paused model wrote back as it is."""

    RETRY = "retry"
    """Send the same request again."""

    RETRY_LARGER = "retry_larger"
    """Send the same request again with a larger `max_tokens`."""

    RETRY_AT_LIMIT = "retry_at_limit"
    """Send it again with the limit that the service reported."""

    COMPLETE_TOOL_CALL = "complete_tool_call"
    """Continue the arguments of a truncated tool call as text."""

    FALL_BACK = "fall_back"
    """Continue in a user turn, because the model refused the prefill."""

    RESUME = "resume"
    """Continue a partial message of an earlier turn."""

    RECOVER = "recover"
    """Continue after a failure, from what arrived before it."""

    END_SEGMENT = "end_segment"
    """Treat the segment as ended: it failed after its stop reason had arrived."""

    END = "end"
    """End the turn."""

    RAISE = "raise"
    """End the turn and raise the error."""


EVENT_TYPES: dict[Action, str] = {
    Action.CONTINUE: "seam",
    Action.RESEND: "seam",
    Action.RETRY: "retry",
    Action.RETRY_LARGER: "retry",
    Action.RETRY_AT_LIMIT: "retry",
    Action.COMPLETE_TOOL_CALL: "arguments",
    Action.FALL_BACK: "prefill_refused",
    Action.RESUME: "resume",
    Action.RECOVER: "recovery",
}
"""The `type` of the `bedrock_continuation` event before the call that an action makes.
The first call of a turn has no event: LangChain's own run announces it."""


class Ending(StrEnum):
    """What ended a turn: `continuation["ended_by"]`."""

    MODEL = "model"
    MAX_CONTINUATIONS = "max_continuations"
    MAX_TOTAL_TOKENS = "max_total_tokens"
    MAX_SECONDS = "max_seconds"
    NO_PROGRESS = "no_progress"
    REPETITION = "repetition"
    CONTEXT_WINDOW = "context_window"
    TOOL_CALL = "tool_call"
    ERROR = "error"


EndedBy: TypeAlias = Literal[
    "model",
    "max_continuations",
    "max_total_tokens",
    "max_seconds",
    "no_progress",
    "repetition",
    "context_window",
    "tool_call",
    "error",
]
"""The values of `Ending`."""


LIMITS = frozenset(
    {
        Ending.MAX_CONTINUATIONS,
        Ending.MAX_TOTAL_TOKENS,
        Ending.MAX_SECONDS,
        Ending.NO_PROGRESS,
        Ending.REPETITION,
        Ending.CONTEXT_WINDOW,
    }
)
"""The endings that the caller's `on_limit` applies to."""


class Strategy(StrEnum):
    """How a segment was asked for; None for the first one of a turn."""

    PREFILL = "prefill"
    USER_TURN = "user_turn"
    RESEND = "resend"
    RETRY = "retry"


StrategyName: TypeAlias = Literal["prefill", "user_turn", "resend", "retry"]
"""The values of `Strategy`."""

CONTINUING = (Strategy.PREFILL, Strategy.USER_TURN)
"""The strategies that continue a text: the public `continuation["strategy"]`."""

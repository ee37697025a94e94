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

    RETRY_UNCACHED = "retry_uncached"
    """Send it again without our cache points, which the service refused."""

    ASK_AGAIN = "ask_again"
    """Ask for the continuation in the next form of a user turn."""

    COMPLETE_TOOL_CALL = "complete_tool_call"
    """Continue the arguments of a truncated tool call as text."""

    FALL_BACK = "fall_back"
    """Continue in a user turn, because the model refused the prefill."""

    RESUME = "resume"
    """Continue a partial message of an earlier turn."""

    RECOVER = "recover"
    """Continue after a failure, from what arrived before it."""

    GIVE_UP_RETRY = "give_up_retry"
    """Go on as if the segment could not be retried with a larger `max_tokens`."""

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
    Action.RETRY_UNCACHED: "retry",
    Action.ASK_AGAIN: "asked_again",
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
    GUARD_LAST_TURN_ONLY = "guard_last_turn_only"
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
    "guard_last_turn_only",
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
        Ending.GUARD_LAST_TURN_ONLY,
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


class Form(StrEnum):
    """The form of a user turn: its words, and what it quotes."""

    CALLERS = "continuation_prompt"
    """The caller's own words."""

    COPY = "copy"
    """The last words, which the model copies before it continues."""

    LAST_LINE = "last_line"
    """The last line from its beginning, which the model writes again."""

    WITHOUT_ECHO = "without_echo"
    """The last words, after which the model continues without repeating them."""


FormName: TypeAlias = Literal[
    "continuation_prompt", "copy", "last_line", "without_echo"
]
"""The values of `Form`."""


class Problem(StrEnum):
    """Why the answer to a user turn did not continue the text."""

    FIRST_LINE = "first_line"
    """It begins with the first line of the answer."""

    EARLIER_PLACE = "earlier_place"
    """It begins with an earlier line, or an earlier sentence."""

    LIST_NUMBER = "list_number"
    """It begins with list item 1, in the middle of a numbered list."""

    TABLE_HEADER = "table_header"
    """It begins with the header of the table in which the text ends."""

    NO_ECHO = "no_echo"
    """It does not repeat the quote, and does not plainly go on."""

    CYCLE = "cycle"
    """It repeats, word for word, what the text has just repeated."""

    NOTHING_NEW = "nothing_new"
    """It is empty, or repeats the end of the text and ends there."""

    ENDED_EARLY = "ended_early"
    """It continues the text, and ends where the text plainly isn't complete. Or it
    ends code there, and writes something else."""

    ENDED_IN_LINE = "ended_in_line"
    """It completes the line in which the text was truncated, and ends there. It answers
    a form that models often understand like that (FORM-7)."""


RESTARTS = frozenset(
    {
        Problem.FIRST_LINE,
        Problem.EARLIER_PLACE,
        Problem.LIST_NUMBER,
        Problem.TABLE_HEADER,
    }
)
"""The problems of an answer that begins the text again."""

CONTINUES = frozenset({None, Problem.ENDED_EARLY, Problem.ENDED_IN_LINE})
"""The problems of an answer whose text is kept, because it continues the text."""

ProblemName: TypeAlias = Literal[
    "first_line",
    "earlier_place",
    "list_number",
    "table_header",
    "no_echo",
    "cycle",
    "nothing_new",
    "ended_early",
    "ended_in_line",
]
"""The values of `Problem`."""

"""What a stop reason means for the turn.

V1. Only what was cut at `max_tokens` is gone on with: every other reason is the model's
    or the service's own end, or one that a longer prompt makes worse.
V2. A reason that is not in the table is final, as it is for ChatBedrockConverse.
V3. Unless the reason vouches for it, the last tool call of a segment may be cut.

Sources: Converse's enumeration in botocore's service model, and Anthropic's stop
reasons for InvokeModel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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

Then: TypeAlias = Literal[
    "ends",  # the turn is over
    "goes_on",  # the answer was cut: the next segment goes on with it
    "resends",  # the model waits to be called again with what it wrote
    "again",  # what came is broken: the segment is asked for once more
]


@dataclass(frozen=True)
class Verdict:
    """What a stop reason means.

    Attributes:
        then: What follows.
        ended_by: What ended the turn, where nothing follows.
        complete: Nothing is left to go on with.
        vouches: The model ended its last block itself, so a tool call is whole.
    """

    then: Then = "ends"
    ended_by: EndedBy = "model"
    complete: bool = True
    vouches: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether the last block was broken off, and not ended by the model."""
        return not (self.vouches or self.complete)


VERDICTS: dict[str, Verdict] = {
    # The model says that it is done.
    "end_turn": Verdict(vouches=True),
    # It waits for the tools' results: the caller's turn.
    "tool_use": Verdict(vouches=True),
    # The caller's own end. It may have matched inside a tool call's arguments.
    "stop_sequence": Verdict(),
    # The one reason to go on.
    "max_tokens": Verdict("goes_on", complete=False),
    # A decision of the service: going on would go round it.
    "guardrail_intervened": Verdict(),
    "content_filtered": Verdict(),
    "refusal": Verdict(),
    # A longer prompt has less room still.
    "model_context_window_exceeded": Verdict(ended_by="context_window", complete=False),
    # What came is broken, not cut: another try may bring it whole.
    "malformed_model_output": Verdict("again", ended_by="error", complete=False),
    "malformed_tool_use": Verdict("again", ended_by="error", complete=False),
    # InvokeModel with a server tool: the model waits to be called again.
    "pause_turn": Verdict("resends", complete=False, vouches=True),
}

UNKNOWN = Verdict()

OUT_OF_TIME = Verdict(ended_by="max_seconds", complete=False)
"""A stream that the deadline ended has no reason of its own."""


def verdict(stop_reason: object) -> Verdict:
    """Look a stop reason up; one that is not in the table is final (V2)."""
    return (
        VERDICTS.get(stop_reason, UNKNOWN) if isinstance(stop_reason, str) else UNKNOWN
    )

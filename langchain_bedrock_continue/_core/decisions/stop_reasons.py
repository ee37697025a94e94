"""What a stop reason means for the turn: one table.

STOP-1. Only an answer that was truncated at `max_tokens` is continued. Every other
    reason is the model's or the service's own end, or one that a longer prompt makes
    worse.
STOP-2. A reason that is not in the table is final, as it is for ChatBedrockConverse.
STOP-3. Unless the reason says that the last block is complete, a segment's last tool
    call may be truncated.
STOP-4. A response that arrived to its end, without a stop reason, is complete. Bedrock
    always sends one; a test double of the client may not. A stream that ends before its
    last event was broken off, and is not judged here.

Sources: the enumeration in botocore's service model for Converse, and Anthropic's
documented stop reasons for InvokeModel.
"""

from __future__ import annotations

from dataclasses import dataclass

from langchain_bedrock_continue._core.decisions.vocabulary import Action, Ending


@dataclass(frozen=True)
class StopMeaning:
    """What a stop reason means.

    Attributes:
        action: What follows if nothing else prevents it.
        ending: What ended the turn if nothing follows.
        complete: The answer is complete.
        last_block_complete: The model ended its last block itself, so a tool call at
            the end is complete.
    """

    action: Action = Action.END
    ending: Ending = Ending.MODEL
    complete: bool = True
    last_block_complete: bool = False

    @property
    def truncated(self) -> bool:
        """Whether the last block was broken off, and not ended by the model."""
        return not (self.last_block_complete or self.complete)


STOP_REASONS: dict[str, StopMeaning] = {
    # The model says that it is done.
    "end_turn": StopMeaning(last_block_complete=True),
    # It waits for tool results: the caller's turn.
    "tool_use": StopMeaning(last_block_complete=True),
    # The caller's own end. It may have matched inside a tool call's arguments.
    "stop_sequence": StopMeaning(),
    # The one reason to continue.
    "max_tokens": StopMeaning(Action.CONTINUE, complete=False),
    # A decision of the service: continuing would circumvent it.
    "guardrail_intervened": StopMeaning(),
    "content_filtered": StopMeaning(),
    "refusal": StopMeaning(),
    # A longer prompt has even less room.
    "model_context_window_exceeded": StopMeaning(
        ending=Ending.CONTEXT_WINDOW, complete=False
    ),
    # The output is malformed, not truncated: a retry may return it well formed.
    "malformed_model_output": StopMeaning(Action.RETRY, Ending.ERROR, complete=False),
    "malformed_tool_use": StopMeaning(Action.RETRY, Ending.ERROR, complete=False),
    # InvokeModel with a server tool: the model waits to be called again.
    "pause_turn": StopMeaning(Action.RESEND, complete=False, last_block_complete=True),
}

MAY_REPLACE_TEXT = frozenset({"guardrail_intervened", "content_filtered"})
"""The stop reasons with which the text may be the service's own, such as the message
that a guardrail is configured with."""

UNKNOWN = StopMeaning()

NOT_GIVEN = StopMeaning(last_block_complete=True)
"""A response without a stop reason (STOP-4)."""

OUT_OF_TIME = StopMeaning(ending=Ending.MAX_SECONDS, complete=False)
"""A stream that the deadline ended has no stop reason of its own."""


def meaning_of(stop_reason: object) -> StopMeaning:
    """Return what a stop reason means; one that is not in the table is final (STOP-2).

    Args:
        stop_reason: As the service returned it. None: it returned none (STOP-4).
            Anything but a known string is unknown.
    """
    if stop_reason is None:
        return NOT_GIVEN
    if not isinstance(stop_reason, str):
        return UNKNOWN
    return STOP_REASONS.get(stop_reason, UNKNOWN)

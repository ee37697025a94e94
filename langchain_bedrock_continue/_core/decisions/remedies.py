"""What the caller can change after a turn that is not complete: one table.

The errors of this package name the limit that ended a turn, and the field that raises
it. `ended_by` alone does not: `no_progress` and `tool_call` are no fields.
"""

from __future__ import annotations

from langchain_bedrock_continue._core.decisions.vocabulary import Ending

REMEDIES: dict[Ending, str] = {
    Ending.MAX_CONTINUATIONS: "Raise max_continuations or max_tokens.",
    Ending.MAX_TOTAL_TOKENS: (
        "Raise max_total_tokens. What is left of it must exceed the thinking budget."
    ),
    Ending.MAX_SECONDS: "Raise max_seconds.",
    # What can't be continued has to fit into one response.
    Ending.TOOL_CALL: (
        "The tool call has to fit into one response: raise max_tokens_ceiling, unless "
        "it is above the model's limit, or max_tokens where tool_call_recovery does "
        "not retry."
    ),
    Ending.NO_PROGRESS: "Raise max_tokens_ceiling or max_tokens.",
    Ending.REPETITION: "The model repeats itself: change the prompt.",
    Ending.GUARD_LAST_TURN_ONLY: (
        "The model accepts no prefill, and the guardrail would check the user turn of "
        "the continuation instead of the caller's: raise max_tokens."
    ),
    Ending.CONTEXT_WINDOW: (
        "The model's context window has no room for more: shorten the input."
    ),
}
"""By what ended the turn. The other endings have no remedy: they are no limit."""


def remedy_of(ended_by: str | None) -> str:
    """Return a sentence that says what to change; empty if nothing would help.

    Args:
        ended_by: The `ended_by` of a `Continuation`, of this version or another.
    """
    known: dict[str | None, str] = {
        ending.value: text for ending, text in REMEDIES.items()
    }
    return known.get(ended_by, "")

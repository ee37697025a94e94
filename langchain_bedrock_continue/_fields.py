"""The fields of ChatBedrockContinuing: what a turn may do and cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from langchain_bedrock_continue._core.request.prompts import (
    DEFAULT_PROMPT,
    check_template,
)
from langchain_bedrock_continue._wrapped.wrapping_model import WrappingChatModel


class ContinuationFields(WrappingChatModel):
    """A chat model round another, with what its turns may do and cost."""

    max_continuations: int = Field(default=16, ge=0)
    """Calls after the first; 0 turns continuation off."""

    max_total_tokens: int | None = Field(default=None, ge=1)
    """Output tokens over all segments; the last segment's `max_tokens` is shrunk to
    fit. None: no such limit."""

    on_limit: Literal["return", "raise"] = "return"
    """What happens when a limit ends the turn. `"return"`: the message, its stop reason
    still `max_tokens`, and a logged warning. `"raise"`: TurnLimitError."""

    strategy: Literal["auto", "prefill", "user_turn"] = "auto"
    """How to go on. `"prefill"`: the partial answer as the final assistant message.
    `"user_turn"`: a user message behind it asks to go on and to repeat the end of the
    text first, which is then found in the answer. `"auto"`: a prefill where the model
    is known to take one, or else a user turn; where a prefill is refused, the same call
    goes on with a user turn, and the model is remembered in this process."""

    continuation_prompt: str = DEFAULT_PROMPT
    """The user turn's text; the end of the answer is put in the place of `{tail}`."""

    tool_call_recovery: Literal["retry", "resume", "return", "raise"] = "retry"
    """What becomes of a tool call that was cut. `"retry"`: the segment is asked for
    again with four times its `max_tokens`, up to `max_tokens_ceiling`; text before the
    call stands as it came first. `"resume"`: the same, and a call that is larger than
    the ceiling is finished as text, parsed strictly and checked against the tool's
    schema. `"return"`: it comes in `invalid_tool_calls`, as it does where the others
    fail. `"raise"`: TruncatedToolCallError. The calls beside a cut one share its fate.
    """

    max_tokens_ceiling: int | None = Field(default=None, ge=1)
    """How far a retry may raise `max_tokens`. None: the model's limit, as its profile
    says it, and 16,384 where that is unknown; where the service names a lower limit,
    that one."""

    max_seconds: float | None = Field(default=None, gt=0)
    """Wall-clock deadline for the turn: no new segment starts after it, and a stream
    ends at it with what it has. None: no such limit."""

    stream_recoveries: int = Field(default=2, ge=0)
    """How often a turn is taken up again from what arrived, after a stream that broke
    or a call that failed for a passing reason; an error that would come again is raised
    at once. Up to 0.5, 1, 2... seconds pass before each."""

    usage_view: Literal["billed", "response"] = "billed"
    """What `usage_metadata` holds: the sum over the calls, or the size of one uncut
    response. The other one is in `response_metadata["continuation"]`."""

    max_concurrency: int = Field(default=64, ge=1)
    """Async calls at once: threads, and connections of a client made here."""

    @field_validator("continuation_prompt")
    @classmethod
    def _has_a_place_for_the_tail(cls, template: str) -> str:
        return check_template(template)

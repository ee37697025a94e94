"""A segment: one Bedrock response, and how it was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.content.incoming import Response
from langchain_bedrock_continue._core.decisions.limits import UNSET_MAX_TOKENS
from langchain_bedrock_continue._core.decisions.vocabulary import CONTINUES

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.decisions.vocabulary import (
        Form,
        Problem,
        Strategy,
    )
    from langchain_bedrock_continue._core.text.join_rules import JoinResult

FINISH_FIELDS = frozenset({"finish_reason", "normalized_finish_reason", "finish_state"})
"""How an integration says a stop reason in langchain-core's words (from 1.8.4 on). The
last segment's hold for the turn, unless its stop reason is corrected: the integration
alone knows the words."""


@dataclass
class Segment:
    """One Bedrock response of a turn.

    Attributes:
        max_tokens: What the call asked for; None for the service's default.
        strategy: How it was asked for; None for the first of a turn.
        response: What arrived.
        corrected_stop_reason: The stop reason that replaces the service's: a stop
            sequence that a seam split, a tool call that was completed as text, or
            `max_seconds` where the deadline ended the stream before one came.
        join: How its text was joined to the text before, or None.
        form: The form of the user turn that it answers, or None.
        problem: Why it does not continue the text, or None.
        closed: Its stream was closed, because nothing more of it would be used.
        error: What broke it, or None.
        reasoning_before: How much reasoning the caller had been shown before it.
    """

    max_tokens: int | None = None
    strategy: Strategy | None = None
    response: Response = field(default_factory=Response)
    corrected_stop_reason: str | None = None
    join: JoinResult | None = None
    form: Form | None = None
    problem: Problem | None = None
    closed: bool = False
    error: str | None = None
    reasoning_before: int = 0

    @property
    def stop_reason(self) -> str | None:
        """Why the segment ended; None while it has not."""
        return self.corrected_stop_reason or self.response.stop_reason

    @property
    def output_tokens(self) -> int | None:
        """The output tokens, or None if the service did not report them."""
        usage = self.response.usage
        return None if usage is None else usage["output_tokens"]

    @property
    def has_last_event(self) -> bool:
        """Whether the event that ends a stream arrived: it has the usage."""
        return self.response.usage is not None

    @property
    def counted_tokens(self) -> int:
        """The output tokens; all that it can have if they are unknown (LIMIT-5)."""
        if self.output_tokens is not None:
            return self.output_tokens
        if not self.closed:
            return self.max_tokens or 0
        arrived = len(self.response.text)  # a token has at least one character
        return arrived if self.max_tokens is None else min(self.max_tokens, arrived)

    @property
    def is_replaced(self) -> bool:
        """Whether the response was refused, and asked for in another form."""
        return self.problem not in CONTINUES

    @property
    def size(self) -> int:
        """The tokens that it could write, as far as is known (LIMIT-8)."""
        written = max(0, self.output_tokens or 0)
        if self.max_tokens or (written and self.stop_reason == "max_tokens"):
            return self.max_tokens or written
        return max(UNSET_MAX_TOKENS, written)

    @property
    def metadata(self) -> dict[str, Any]:
        """The `response_metadata`, with the stop reason that counts."""
        metadata = self.response.metadata
        if self.corrected_stop_reason is None:
            return metadata
        invoke_model = metadata.get("model_provider") == "bedrock"
        has_own_key = "stop_reason" in metadata or invoke_model
        key = "stop_reason" if has_own_key else "stopReason"
        kept = {name: metadata[name] for name in metadata if name not in FINISH_FIELDS}
        return {**kept, key: self.corrected_stop_reason}

    @property
    def reasoning_tokens(self) -> int | None:
        """The reasoning tokens, or None if they are unknown.

        They are what the service reports, or all output tokens of a response that is
        nothing but reasoning. The service reports them on request only
        (`additional_model_response_field_paths=["/usage"]`).
        """
        usage = self.response.usage
        details = {} if usage is None else usage.get("output_token_details")
        reported = (details or {}).get("reasoning")
        if isinstance(reported, int):
            return reported
        return None if self.response.has_content else self.output_tokens

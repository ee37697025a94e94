"""What the caller allows a turn to do and to cost. Ground: it imports none of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

PromptCaching: TypeAlias = bool | Literal["auto", "5m", "1h"]
"""The values of the field `prompt_caching`; True is `"5m"`."""


@dataclass(frozen=True)
class InlineThinking:
    """How a model marks thinking inside its text, and how to split it out.

    Attributes:
        tags: The opening and the closing tag.
        split: langchain-aws's own function. It takes a text and the two tags, and
            returns content blocks: the text, and the thinking as reasoning blocks.
    """

    tags: tuple[str, str]
    split: Callable[[str, str, str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Policy:
    """What the caller allows a turn; see the fields of ChatBedrockContinuing.

    Attributes:
        max_continuations: How many calls may follow the first.
        max_total_tokens: Output tokens over all segments, or None for no limit.
        on_limit: Whether a limit returns the message or raises.
        usage_view: Which sum `usage_metadata` holds.
        strategy: How to continue; `"auto"` by what is known of the model.
        guards_last_turn: A guardrail examines the last user turn only. It would examine
            our words instead of the caller's, so there is no user turn.
        guarded: The request has a guardrail.
        continuation_prompt: The user turn's text, with `{tail}`; None for the default.
        prompt_caching: Which requests get cache points, and with which lifetime.
        model_id: The model's own id; the ARN of a profile tells nothing of the model.
        tool_call_recovery: What happens with a truncated tool call.
        max_tokens_ceiling: How far a retry may raise `max_tokens`, or None.
        stream_recoveries: How many broken streams a turn may recover from.
        max_seconds: Seconds from the first call on, or None for no deadline.
        thinks: The calls ask for reasoning, which excludes a prefill.
        thinking_budget: The tokens that a call's `max_tokens` must exceed, or 0.
        inline_thinking: How the model marks thinking inside its text, or None.
        reasoning_in_order: The service returns reasoning where the model wrote it.
        stops: The stop sequences of each call.
        constrained: The output is constrained by a JSON schema. A continuation would be
            a new document, so a truncated segment is retried.
        max_tokens: What each call asks for, unless the turn changes it; None for the
            service's default.
        max_output_tokens: The model's own limit, or None if unknown.
        max_tokens_growth: By what `max_tokens` grows with each continuation.
        context_window: The model's context window in tokens, or None if unknown.
    """

    max_continuations: int = 16
    max_total_tokens: int | None = None
    on_limit: Literal["return", "raise"] = "return"
    usage_view: Literal["billed", "response"] = "billed"
    strategy: Literal["auto", "prefill", "user_turn"] = "auto"
    guards_last_turn: bool = False
    guarded: bool = False
    continuation_prompt: str | None = None
    prompt_caching: PromptCaching = "auto"
    model_id: str = ""
    tool_call_recovery: Literal["retry", "resume", "return", "raise"] = "retry"
    max_tokens_ceiling: int | None = None
    stream_recoveries: int = 2
    max_seconds: float | None = None
    thinks: bool = False
    thinking_budget: int = 0
    inline_thinking: InlineThinking | None = None
    reasoning_in_order: bool = True
    stops: tuple[str, ...] = ()
    constrained: bool = False
    max_tokens: int | None = None
    max_output_tokens: int | None = None
    max_tokens_growth: float = 1.0
    context_window: int | None = None

    @property
    def may_fall_back(self) -> bool:
        """Whether a user turn may replace a prefill that is refused."""
        return self.strategy == "auto" and not self.guards_last_turn

    @property
    def has_prefill_only(self) -> bool:
        """Whether a prefill is the only strategy, and not by the caller's choice."""
        return self.guards_last_turn and self.strategy != "prefill"

"""What a turn may do and cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue._core.decisions.next_action import Recovery


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
        max_continuations: Calls after the first.
        max_total_tokens: Output tokens over all segments, or None.
        on_limit: Whether a limit returns the message or raises.
        usage_view: Which sum `usage_metadata` holds.
        strategy: How to go on; `"auto"` by what is known of the model.
        guards_last_turn: A guardrail watches the last user turn alone. It would watch
            our words and not the caller's, so there is no user turn.
        continuation_prompt: The user turn's text, with `{tail}`; None for the default.
        model_id: The model's own id; a profile's ARN says nothing of it.
        tool_call_recovery: What becomes of a cut tool call.
        max_tokens_ceiling: How far `max_tokens` may be raised, or None.
        stream_recoveries: How often what broke is taken up again.
        max_seconds: Seconds from the first call on, or None.
        thinks: The calls ask for reasoning, which no prefill may follow.
        inline_thinking: How the model marks thinking inside its text, or None.
        stops: The stop sequences of each call.
        constrained: The output is held to a JSON schema. A continuation would begin a
            new document, so a cut one is asked for again.
        max_tokens: What the wrapped model asks for in each call, or None.
        max_output_tokens: The model's own limit, or None where unknown.
    """

    max_continuations: int = 16
    max_total_tokens: int | None = None
    on_limit: Literal["return", "raise"] = "return"
    usage_view: Literal["billed", "response"] = "billed"
    strategy: Literal["auto", "prefill", "user_turn"] = "auto"
    guards_last_turn: bool = False
    continuation_prompt: str | None = None
    model_id: str = ""
    tool_call_recovery: Recovery = "retry"
    max_tokens_ceiling: int | None = None
    stream_recoveries: int = 2
    max_seconds: float | None = None
    thinks: bool = False
    inline_thinking: InlineThinking | None = None
    stops: tuple[str, ...] = ()
    constrained: bool = False
    max_tokens: int | None = None
    max_output_tokens: int | None = None

    def prefills(self, *, supported: bool) -> bool:
        """Return True if the turn continues by prefill, as far as known before a call.

        Args:
            supported: Whether the model is known to accept a prefill.
        """
        if self.guards_last_turn or self.strategy == "prefill":
            return True
        return self.falls_back() and supported and not self.thinks

    def falls_back(self) -> bool:
        """Tell whether a user turn may stand in for a prefill that is refused."""
        return self.strategy == "auto" and not self.guards_last_turn

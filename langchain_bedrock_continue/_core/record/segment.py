"""What is known of one Bedrock response, besides its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages.ai import UsageMetadata, add_usage

from langchain_bedrock_continue._core.content.incoming import REASONING_TYPES, blocks_of

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage


@dataclass
class Segment:
    """One Bedrock response, as it arrives.

    Attributes:
        max_tokens: What was asked for; None where it was left to the service.
        strategy: How it goes on from the one before, or `"retry"`, where it is that one
            once more; None for the first.
        started: Something of it arrived.
        error: What broke it, or None.
        keeps_reasoning: Its reasoning is in the message.
        metadata: Its `response_metadata`.
        usage: None while unknown.
    """

    max_tokens: int | None
    strategy: str | None
    metadata: dict[str, Any] = field(default_factory=dict)
    additional_kwargs: dict[str, Any] = field(default_factory=dict)
    usage: UsageMetadata | None = None
    started: bool = False
    error: str | None = None
    keeps_reasoning: bool = False
    _reasoning: set[int] = field(default_factory=set)
    _says_more: bool = False
    _texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text of the response, as it came."""
        return "".join(self._texts)

    @property
    def stop_reason(self) -> str | None:
        """Converse's `stopReason`, or InvokeModel's `stop_reason`."""
        reason = self.metadata.get("stopReason") or self.metadata.get("stop_reason")
        return reason if isinstance(reason, str) else None

    @stop_reason.setter
    def stop_reason(self, reason: str) -> None:
        key = "stop_reason" if "stop_reason" in self.metadata else "stopReason"
        self.metadata[key] = reason

    @property
    def output_tokens(self) -> int | None:
        """Output tokens, or None where the service did not say."""
        return None if self.usage is None else self.usage["output_tokens"]

    @property
    def reasoning_blocks(self) -> int:
        """How many blocks of reasoning came."""
        return len(self._reasoning)

    @property
    def drops_reasoning(self) -> bool:
        """Whether reasoning came that is not in the message."""
        return bool(self._reasoning) and not self.keeps_reasoning

    @property
    def reasoning_tokens(self) -> int | None:
        """Tokens of reasoning: as the service says, or all where nothing else came.

        None where neither is so; the service says it only where it is asked to
        (`additional_model_response_field_paths=["/usage"]`).
        """
        details = {} if self.usage is None else self.usage.get("output_token_details")
        told = (details or {}).get("reasoning")
        if isinstance(told, int):
            return told
        return None if self._says_more else self.output_tokens

    def receive(self, message: AIMessage) -> None:
        """Take the metadata of a response, or of one of its chunks."""
        self.started = True
        self._texts.append(message.text)
        for number, block in blocks_of(message):
            reasons = block.get("type") in REASONING_TYPES
            self._says_more = self._says_more or not reasons
            if reasons:
                self._reasoning.add(number)
        self.metadata.update(message.response_metadata)
        self.additional_kwargs.update(message.additional_kwargs)
        if message.usage_metadata is not None:
            self.usage = add_usage(self.usage, message.usage_metadata)

    def entry(self) -> dict[str, Any]:
        """Return its line in `response_metadata["continuation"]["segments"]`."""
        http = self.metadata.get("ResponseMetadata")
        error = {} if self.error is None else {"error": self.error}
        return {
            "stop_reason": self.stop_reason,
            "input_tokens": None if self.usage is None else self.usage["input_tokens"],
            "output_tokens": self.output_tokens,
            "max_tokens": self.max_tokens,
            "request_id": http.get("RequestId") if isinstance(http, dict) else None,
            "strategy": self.strategy,
            **error,
        }

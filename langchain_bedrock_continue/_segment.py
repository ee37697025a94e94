"""What is known of one Bedrock response, besides its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata, add_usage


@dataclass
class Segment:
    """One Bedrock response, as it arrives.

    Attributes:
        max_tokens: What was asked for; None where it was left to the service.
        strategy: How it goes on from the one before; None for the first.
        metadata: Its `response_metadata`.
        usage: None while unknown.
    """

    max_tokens: int | None
    strategy: str | None
    metadata: dict[str, Any] = field(default_factory=dict)
    additional_kwargs: dict[str, Any] = field(default_factory=dict)
    usage: UsageMetadata | None = None
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

    def receive(self, message: AIMessage) -> None:
        """Take the metadata of a response, or of one of its chunks."""
        self._texts.append(message.text)
        self.metadata.update(message.response_metadata)
        self.additional_kwargs.update(message.additional_kwargs)
        if message.usage_metadata is not None:
            self.usage = add_usage(self.usage, message.usage_metadata)

    def spoken(self) -> AIMessage:
        """Return the response's text as the model's own message."""
        return AIMessage(content=self.text.rstrip())

    def entry(self) -> dict[str, Any]:
        """Return its line in `response_metadata["continuation"]["segments"]`."""
        http = self.metadata.get("ResponseMetadata")
        return {
            "stop_reason": self.stop_reason,
            "input_tokens": None if self.usage is None else self.usage["input_tokens"],
            "output_tokens": self.output_tokens,
            "max_tokens": self.max_tokens,
            "request_id": http.get("RequestId") if isinstance(http, dict) else None,
            "strategy": self.strategy,
        }

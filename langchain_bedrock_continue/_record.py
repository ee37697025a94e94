"""What a turn says of itself: `response_metadata["continuation"]`, usage, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue import _usage

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

    from langchain_bedrock_continue._segment import Segment
    from langchain_bedrock_continue._verdict import EndedBy


@dataclass
class Record:
    """The segments of a turn, and how it ended.

    Attributes:
        segments: One a response, the one under way last.
        ended_by: None while the turn is under way.
        complete: Nothing is left to go on with.
    """

    segments: list[Segment] = field(default_factory=list)
    ended_by: EndedBy | None = None
    complete: bool = False

    @property
    def last(self) -> Segment:
        """The segment under way, or the turn's last."""
        return self.segments[-1]

    def entries(self) -> list[dict[str, Any]]:
        """Return one line a segment."""
        return [segment.entry() for segment in self.segments]

    def output_tokens(self) -> int:
        """Count output tokens; a segment of unknown usage counts in full."""
        return sum(
            (segment.max_tokens or 0)
            if segment.output_tokens is None
            else segment.output_tokens
            for segment in self.segments
        )

    def usage(self, view: str) -> UsageMetadata | None:
        """Return the usage as the caller wants it: `billed` or `response`."""
        usage: UsageMetadata | None = self._usages()[view]
        return usage

    def metadata(self, seams: list[int]) -> dict[str, Any]:
        """Return the last segment's metadata, with the summary of the turn."""
        summary = {
            "complete": self.complete,
            "ended_by": self.ended_by,
            "strategy": self.last.strategy,
            "segments": self.entries(),
            "seams": list(seams),
            **self._usages(),
        }
        return {**self.last.metadata, "continuation": summary}

    def event(self, why: str, offset: int) -> dict[str, Any]:
        """Return what listeners are told before the next call."""
        return {"type": why, "offset": offset, "segment": self.last.entry()}

    def _usages(self) -> dict[str, Any]:
        known = [one.usage for one in self.segments if one.usage is not None]
        return {"billed": _usage.billed(known), "response": _usage.response(known)}

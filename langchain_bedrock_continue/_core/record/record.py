"""What a turn says of itself: `response_metadata["continuation"]`, usage, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.record.partial import Past
from langchain_bedrock_continue._core.record.usage import billed, response

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

    from langchain_bedrock_continue._core.content.content import Answer
    from langchain_bedrock_continue._core.decisions.stop_reasons import EndedBy
    from langchain_bedrock_continue._core.record.segment import Segment


STRATEGIES = ("prefill", "user_turn")


@dataclass
class Record:
    """The segments of a turn, and how it ended.

    Attributes:
        past: What there was before the turn.
        segments: One a response, the one under way last.
        ended_by: None while the turn is under way.
        complete: Nothing is left to go on with.
    """

    past: Past = field(default_factory=Past)
    segments: list[Segment] = field(default_factory=list)
    ended_by: EndedBy | None = None
    complete: bool = False

    @property
    def last(self) -> Segment:
        """The segment under way, or the turn's last."""
        return self.segments[-1]

    @property
    def provider(self) -> object:
        """What LangChain calls the service, by which it knows the blocks' form."""
        last = self.segments[-1].metadata if self.segments else {}
        return last.get("model_provider", self.past.provider)

    @property
    def text(self) -> str:
        """The last response's text, as it came."""
        return self.segments[-1].text if self.segments else ""

    def entries(self) -> list[dict[str, Any]]:
        """Return one line a segment."""
        return [*self.past.entries, *(segment.entry() for segment in self.segments)]

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
        known: UsageMetadata | None = self._usages()[view]
        return known

    def metadata(self, answer: Answer) -> dict[str, Any]:
        """Return the last segment's metadata, with the summary of the turn."""
        summary = {
            "complete": self.complete,
            "ended_by": self.ended_by,
            "strategy": self._strategy(),
            "segments": self.entries(),
            "seams": list(answer.seams),
            **self._usages(),
            **self._dropped_reasoning(),
        }
        return {**self.last.metadata, "continuation": summary}

    def _strategy(self) -> str | None:
        """Return how the answer went on last, where it did."""
        strategies = (entry.get("strategy") for entry in reversed(self.entries()))
        return next((str(one) for one in strategies if one in STRATEGIES), None)

    def event(self, why: str, offset: int) -> dict[str, Any]:
        """Return what listeners are told before the next call."""
        return {"type": why, "offset": offset, "segment": self.entries()[-1]}

    def _dropped_reasoning(self) -> dict[str, Any]:
        """Say what reasoning was paid for and is not in the message."""
        dropped = [one for one in self.segments if one.drops_reasoning]
        tokens = [one.reasoning_tokens for one in dropped]
        if not dropped:
            return {}
        return {
            "dropped_reasoning": {
                "blocks": sum(one.reasoning_blocks for one in dropped),
                "tokens": None if None in tokens else sum(filter(None, tokens)),
            }
        }

    def _usages(self) -> dict[str, Any]:
        paid = [self.past.billed, *(one.usage for one in self.segments)]
        kept = [self.past.response, *(one.usage for one in self._kept())]
        return {
            "billed": billed([usage for usage in paid if usage]),
            "response": response([usage for usage in kept if usage]),
        }

    def _kept(self) -> list[Segment]:
        """Return the segments that no other one was asked for in place of."""
        strategies = [one.strategy for one in self.segments[1:]]
        pairs = zip(self.segments, [*strategies, None], strict=True)
        return [one for one, behind in pairs if behind != "retry"]

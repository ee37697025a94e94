"""What is known of a turn: its segments, and how it ended. Only the turn writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.decisions.size_refusals import SentCall
from langchain_bedrock_continue._core.decisions.vocabulary import Ending
from langchain_bedrock_continue._core.record.partial import ResumedState
from langchain_bedrock_continue._core.record.segment import Segment

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.decisions.limits import MaxTokens


@dataclass
class Record:
    """The segments of a turn, and how it ended.

    Attributes:
        resumed: What there was before the turn.
        segments: One a response; the last one is under way.
        ending: What ended the turn; None while it is under way.
        complete: The answer is complete.
    """

    resumed: ResumedState = field(default_factory=ResumedState)
    segments: list[Segment] = field(default_factory=list)
    ending: Ending | None = None
    complete: bool = False
    _tokens_before_last: int = 0
    _kept_before_last: int = 0

    @property
    def last(self) -> Segment:
        """The segment under way, or the turn's last; an empty one if there is none."""
        return self.segments[-1] if self.segments else Segment()

    @property
    def answered(self) -> bool:
        """Whether a response before the segment under way arrived to its end."""
        before = (one for one in self.segments[:-1] if one.error is None)
        resumed = bool(self.resumed.entries)
        return resumed or any(one.response.started for one in before)

    @property
    def metadata(self) -> dict[str, Any]:
        """The last response's metadata; a failed call that had none adds nothing."""
        one = self.last
        if self.ending is not Ending.ERROR:
            started = (one for one in reversed(self.segments) if one.response.started)
            one = next(started, one)
        return one.metadata

    @property
    def streamed(self) -> bool:
        """Whether the responses arrive in chunks."""
        return any(segment.response.streamed for segment in self.segments)

    @property
    def output_tokens(self) -> int:
        """The output tokens of the turn; unknown ones count in full (LIMIT-5)."""
        last = self.segments[-1].counted_tokens if self.segments else 0
        return self._tokens_before_last + last

    @property
    def kept_tokens(self) -> int:
        """The output tokens of the turn's responses whose text was not rejected."""
        return self._kept_before_last + self._kept_of_last

    @property
    def tokens_of_restart(self) -> int:
        """How many tokens a response needs that begins the answer again, and goes on.

        It is rejected early where the repetition takes more than half of its tokens
        (JOIN-2).
        """
        return 2 * self.kept_tokens + self.last.size

    @property
    def _kept_of_last(self) -> int:
        if not self.segments or self.last.is_replaced:
            return 0
        return self.last.counted_tokens

    def sent_call(self, sizes: MaxTokens) -> SentCall:
        """Return the call under way, as the reading of a refusal needs it.

        Args:
            sizes: Knows which sizes are the caller's.
        """
        size, before = self.last.max_tokens, self.segments[-2:-1]
        return SentCall(
            self.last.strategy,
            chosen=sizes.is_chosen(size),
            differs=any(one.max_tokens != size for one in before),
            has_content=self.last.response.has_text or self.last.response.has_content,
        )

    def begin_segment(self, segment: Segment) -> None:
        """Add a segment, which is then under way."""
        self._tokens_before_last = self.output_tokens
        self._kept_before_last = self.kept_tokens
        self.segments.append(segment)

    def end_truncated(self, error: str) -> None:
        """End the segment under way, whose error says that it was truncated."""
        self.last.error, self.last.corrected_stop_reason = error, "max_tokens"

    def drop_last(self) -> Segment:
        """Remove the segment under way: its request was refused or not sent."""
        dropped = self.segments.pop()
        last = self.segments[-1].counted_tokens if self.segments else 0
        self._tokens_before_last -= last
        self._kept_before_last -= self._kept_of_last
        return dropped

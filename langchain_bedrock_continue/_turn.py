"""The turn: one answer over many segments. It decides, and does no I/O.

Theory of operation. A turn asks for requests until it is over. The shell makes each
call, hands in what arrives, whole or chunk by chunk, and says when it is at its end:

    state      event            next state
    ---------  ---------------  ------------------------------------------------------
    segment    receive()        segment
    segment    end_segment()    segment, where the verdict goes on and no limit holds;
                                over, otherwise
    segment    abandon()        over
    over       closing() or message(), then settle()

Invariants:

I1. The text of the turn is the text of its segments, joined as `_seam` says.
I2. Only what was released is in the message, and all of it.
I3. Metadata is the last segment's alone, plus `continuation`; it is given out once.
I4. Usage is counted once a segment.
I5. Every segment after the first goes on from new text: without progress the turn is
    over, so its segments are bounded by its text even where no limit is set.
I6. An error before anything arrived is the caller's own error, unchanged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import _usage
from langchain_bedrock_continue._blocks import Blocks
from langchain_bedrock_continue._models import refuses_prefill
from langchain_bedrock_continue._requests import (
    UNSET_MAX_TOKENS,
    SegmentRequest,
    max_tokens_of,
    own_copy,
    with_max_tokens,
    with_prefill,
)
from langchain_bedrock_continue._segment import Segment
from langchain_bedrock_continue._transcript import Transcript
from langchain_bedrock_continue._verdict import verdict
from langchain_bedrock_continue.errors import (
    PrefillRefusedError,
    SegmentError,
    TurnLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.messages import BaseMessage
    from langchain_core.messages.ai import UsageMetadata

    from langchain_bedrock_continue._blocks import Pieces
    from langchain_bedrock_continue._verdict import EndedBy, Verdict

logger = logging.getLogger(__name__)

LIMITS: frozenset[EndedBy] = frozenset(
    {"max_continuations", "max_total_tokens", "no_progress", "context_window"}
)
"""The ends that `on_limit` is about."""


@dataclass(frozen=True)
class Policy:
    """What the caller allows a turn; see the fields of ChatBedrockContinuing.

    Attributes:
        max_continuations: Calls after the first.
        max_total_tokens: Output tokens over all segments, or None.
        on_limit: Whether a limit returns the message or raises.
        usage_view: Which sum `usage_metadata` holds.
        max_tokens: What the wrapped model asks for in each call, or None.
        max_output_tokens: The model's own limit, or None where unknown.
    """

    max_continuations: int = 16
    max_total_tokens: int | None = None
    on_limit: Literal["return", "raise"] = "return"
    usage_view: Literal["billed", "response"] = "billed"
    max_tokens: int | None = None
    max_output_tokens: int | None = None


class Turn:
    """One answer, over as many segments as it takes."""

    def __init__(
        self, messages: Sequence[BaseMessage], kwargs: dict[str, Any], policy: Policy
    ) -> None:
        """Begin a turn.

        Args:
            messages: The caller's conversation; never changed.
            kwargs: The caller's arguments for each call; never changed.
            policy: What the turn may cost.
        """
        self._messages = messages
        self._kwargs = kwargs
        self._policy = policy
        self._blocks = Blocks()
        self._transcript = Transcript()
        self._segments: list[Segment] = []
        self._seams: list[int] = []
        self._ended_by: EndedBy | None = None
        self._complete = False
        self._streamed = False

    def requests(self) -> Iterator[SegmentRequest]:
        """Give the requests, one after the other, until the turn is over."""
        while self._ended_by is None:
            yield self._next_request()

    def receive(self, message: AIMessage) -> Pieces:
        """Take a response or a chunk of one; return what the caller may see."""
        self._streamed = isinstance(message, AIMessageChunk)
        self._segments[-1].receive(message)
        pieces = self._blocks.receive(message)
        if not (pieces or self._transcript or self._seams) and not message.content:
            return [AIMessageChunk(content=message.content)]
        return self._release(pieces)

    def end_segment(self) -> Pieces:
        """Judge the segment that is over; return what the caller may see."""
        judged = verdict(self._segments[-1].stop_reason)
        ended_by = self._why_over(judged)
        if ended_by is not None:
            self._ended_by, self._complete = ended_by, judged.complete
            return self._finish(vouches=judged.vouches, cut=judged.goes_on)
        pieces = self._release(self._blocks.cut())
        self._seams.append(self._blocks.text_length)
        return pieces

    def abandon(self) -> Pieces:
        """End the turn where a call failed; return what the caller has not seen."""
        self._ended_by = "error"
        return self._finish(vouches=False, cut=True)

    def fail(self, error: Exception) -> NoReturn:
        """Raise what the caller shall catch, with all that arrived (I6)."""
        if len(self._segments) == 1 and not self._transcript:
            raise error
        refused = refuses_prefill(error) and self._seams
        kind = PrefillRefusedError if refused else SegmentError
        what = "the model takes no prefilled answer" if refused else "a call failed"
        raise kind(
            f"The answer is not whole: {what} in segment {len(self._segments)} "
            f"({type(error).__name__}: {error}). What arrived is in .partial.",
            partial=self.message(),
            segments=self._entries(),
        ) from error

    def closing(self) -> AIMessageChunk:
        """Return the last chunk of a stream: metadata, usage, and no content (I3)."""
        return AIMessageChunk(
            content="",
            response_metadata=self._metadata(),
            additional_kwargs=self._segments[-1].additional_kwargs,
            usage_metadata=self._usage(),
            chunk_position="last",
        )

    def message(self) -> AIMessage:
        """Return the whole turn as one message."""
        return AIMessage(
            content=self._content(),
            additional_kwargs=self._segments[-1].additional_kwargs,
            response_metadata=self._metadata(),
            usage_metadata=self._usage(),
            tool_calls=self._blocks.calls.valid,
            invalid_tool_calls=self._blocks.calls.invalid,
        )

    def settle(self) -> None:
        """Say once what ended a turn that is not whole.

        Raises:
            TurnLimitError: A limit ended it, and `on_limit` is `"raise"`.
        """
        if self._complete:
            return
        text = (
            f"The answer is not whole: {self._ended_by} ended it "
            f"after {len(self._segments)} segments."
        )
        if self._ended_by in LIMITS and self._policy.on_limit == "raise":
            raise TurnLimitError(text, partial=self.message(), segments=self._entries())
        logger.warning(text)

    # Deciding ----------------------------------------------------------------

    def _next_request(self) -> SegmentRequest:
        kwargs, max_tokens = self._within_budget()
        first = not self._segments
        strategy = None if first else "prefill"
        self._segments.append(Segment(max_tokens=max_tokens, strategy=strategy))
        if first:
            return SegmentRequest(own_copy(self._messages), kwargs)
        answer = self._transcript.blocks(numbered=False)
        messages = with_prefill(self._messages, answer)
        return SegmentRequest(messages, kwargs, self._seam_event())

    def _why_over(self, judged: Verdict) -> EndedBy | None:
        """Return what ends the turn here, or None where it goes on."""
        if not judged.goes_on:
            return judged.ended_by
        limits: list[tuple[EndedBy, bool]] = [
            ("tool_call", bool(self._blocks.calls)),
            ("no_progress", not self._blocks.advances()),
            ("max_continuations", len(self._segments) > self._policy.max_continuations),
            ("max_total_tokens", self._tokens_left() == 0),
        ]
        return next((name for name, holds in limits if holds), None)

    def _tokens_left(self) -> int | None:
        """Return what is left of `max_total_tokens`; unknown usage counts in full."""
        if self._policy.max_total_tokens is None:
            return None
        used = sum(
            (segment.max_tokens or 0)
            if segment.output_tokens is None
            else segment.output_tokens
            for segment in self._segments
        )
        return max(0, self._policy.max_total_tokens - used)

    def _within_budget(self) -> tuple[dict[str, Any], int | None]:
        """Return the arguments, with `max_tokens` shrunk to what is left."""
        asked = max_tokens_of(self._kwargs, self._policy.max_tokens)
        left = self._tokens_left()
        most = asked or self._policy.max_output_tokens or UNSET_MAX_TOKENS
        if left is None or left >= most:
            return self._kwargs, asked
        return with_max_tokens(self._kwargs, left), left

    # Giving out ----------------------------------------------------------------

    def _finish(self, *, vouches: bool, cut: bool) -> Pieces:
        reason = self._segments[-1].stop_reason or "a broken response"
        return self._release(
            self._blocks.finish(reason=reason, vouches=vouches, cut=cut)
        )

    def _release(self, pieces: Pieces) -> Pieces:
        provider = self._segments[-1].metadata.get("model_provider")
        for piece in pieces:
            self._transcript.add(piece)
            if provider is not None:
                piece.response_metadata["model_provider"] = provider
        return pieces

    def _content(self) -> str | list[str | dict[str, Any]]:
        blocks = self._transcript.blocks(numbered=self._streamed)
        if not self._streamed and [block.get("type") for block in blocks] == ["text"]:
            return str(blocks[0]["text"])
        return list(blocks)

    def _metadata(self) -> dict[str, Any]:
        return {**self._segments[-1].metadata, "continuation": self._continuation()}

    def _usages(self) -> list[UsageMetadata]:
        return [s.usage for s in self._segments if s.usage is not None]

    def _usage(self) -> UsageMetadata | None:
        view = getattr(_usage, self._policy.usage_view)
        usage: UsageMetadata | None = view(self._usages())
        return usage

    def _entries(self) -> list[dict[str, Any]]:
        return [segment.entry() for segment in self._segments]

    def _continuation(self) -> dict[str, Any]:
        usages = self._usages()
        return {
            "complete": self._complete,
            "ended_by": self._ended_by,
            "strategy": self._segments[-1].strategy,
            "segments": self._entries(),
            "seams": list(self._seams),
            "billed": _usage.billed(usages),
            "response": _usage.response(usages),
        }

    def _seam_event(self) -> dict[str, Any]:
        return {
            "type": "seam",
            "offset": self._seams[-1],
            "segment": self._segments[-2].entry(),
        }

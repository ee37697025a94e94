"""The turn: one answer over many segments. It decides, and does no I/O.

Theory of operation. A turn asks for requests until it is over. The shell makes each
call, hands in what arrives, whole or chunk by chunk, and says when it is at its end:

    state      event            next state
    ---------  ---------------  ------------------------------------------------------
    segment    receive()        segment
    segment    end_segment()    segment, where the verdict goes on and no limit holds;
                                over, otherwise
    segment    fail()           segment, where a prefill was refused that a user turn
                                can stand in for; over, otherwise
    over       closing() or message(), then settle()

Invariants:

I1. The text of the turn is the text of its segments, joined as `_seam` and `_echo` say.
I2. Only what was released is in the message, and all of it.
I3. Metadata is the last segment's alone, plus `continuation`; it is given out once.
I4. Usage is counted once a segment.
I5. Every segment after the first goes on from new text: without progress the turn is
    over, so its segments are bounded by its text even where no limit is set.
I6. An error before anything arrived is the caller's own error, unchanged.
I7. A refused prefill is no segment: nothing came of it, and the turn goes on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import _models
from langchain_bedrock_continue._blocks import Blocks
from langchain_bedrock_continue._quote import (
    continuation_prompt,
    opening_of,
    quote_of,
)
from langchain_bedrock_continue._record import Record
from langchain_bedrock_continue._requests import (
    UNSET_MAX_TOKENS,
    SegmentRequest,
    max_tokens_of,
    own_copy,
    with_max_tokens,
    with_prefill,
    with_user_turn,
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

    from langchain_bedrock_continue._blocks import Pieces
    from langchain_bedrock_continue._policy import Policy
    from langchain_bedrock_continue._verdict import EndedBy, Verdict

logger = logging.getLogger(__name__)

LIMITS: frozenset[EndedBy] = frozenset(
    {"max_continuations", "max_total_tokens", "no_progress", "context_window"}
)
"""The ends that `on_limit` is about."""

STOPPED = "stop_sequence"


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
        self._blocks = Blocks(policy.stops)
        self._transcript = Transcript()
        self._record = Record()
        self._streamed = False
        self._history: list[BaseMessage] | None = None
        self._why_again = "seam"
        self._prefills = policy.prefills()

    def requests(self) -> Iterator[SegmentRequest]:
        """Give the requests, one after the other, until the turn is over."""
        while self._record.ended_by is None:
            yield self._next_request()

    def receive(self, message: AIMessage) -> Pieces:
        """Take a response or a chunk of one; return what the caller may see."""
        self._streamed = isinstance(message, AIMessageChunk)
        self._record.last.receive(message)
        pieces = self._blocks.receive(message)
        if not (pieces or self._transcript or self._blocks.seams or message.content):
            return [AIMessageChunk(content=message.content)]
        return self._release(pieces)

    def end_segment(self) -> Pieces:
        """Judge the segment that is over; return what the caller may see."""
        judged = verdict(self._record.last.stop_reason)
        pieces = self._release(self._blocks.end_text(cut=judged.goes_on))
        judged = self._stopped() or judged
        ended_by = self._why_over(judged)
        if ended_by is None:
            self._why_again = "seam"
            return pieces + self._go_on()
        self._record.ended_by, self._record.complete = ended_by, judged.complete
        return pieces + self._finish(vouches=judged.vouches, cut=judged.goes_on)

    def fail(self, error: Exception) -> Iterator[AIMessageChunk]:
        """Go on by a user turn, or give out what is held and raise.

        Raises:
            Exception: The error itself, where nothing arrived before it (I6).
            SegmentError: From the error, with all that arrived.
        """
        if self._stands_in(error):
            _models.learn_refusal(self._policy.model_id, error)
            self._record.segments.pop()
            self._prefills, self._why_again = False, "prefill_refused"
            self._blocks.restore()
            yield from self._go_on()
            return
        self._record.ended_by = "error"
        yield from self._finish(vouches=False, cut=True)
        if len(self._record.segments) == 1 and not self._transcript:
            raise error
        raise self._failure(error) from error

    def closing(self) -> AIMessageChunk:
        """Return the last chunk of a stream: metadata, usage, and no content (I3)."""
        return AIMessageChunk(
            content="",
            response_metadata=self._record.metadata(self._blocks.seams),
            additional_kwargs=self._record.last.additional_kwargs,
            usage_metadata=self._record.usage(self._policy.usage_view),
            chunk_position="last",
        )

    def message(self) -> AIMessage:
        """Return the whole turn as one message."""
        return AIMessage(
            content=self._content(),
            additional_kwargs=self._record.last.additional_kwargs,
            response_metadata=self._record.metadata(self._blocks.seams),
            usage_metadata=self._record.usage(self._policy.usage_view),
            tool_calls=self._blocks.calls.valid,
            invalid_tool_calls=self._blocks.calls.invalid,
        )

    def settle(self) -> None:
        """Say once what ended a turn that is not whole.

        Raises:
            TurnLimitError: A limit ended it, and `on_limit` is `"raise"`.
        """
        if self._record.complete:
            return
        text = (
            f"The answer is not whole: {self._record.ended_by} ended it "
            f"after {len(self._record.segments)} segments."
        )
        if self._record.ended_by in LIMITS and self._policy.on_limit == "raise":
            entries = self._record.entries()
            raise TurnLimitError(text, partial=self.message(), segments=entries)
        logger.warning(text)

    def _next_request(self) -> SegmentRequest:
        kwargs, max_tokens = self._within_budget()
        seams = self._blocks.seams
        strategy = None if not seams else "prefill" if self._prefills else "user_turn"
        event = self._record.event(self._why_again, seams[-1]) if seams else None
        self._record.segments.append(Segment(max_tokens, strategy))
        return SegmentRequest(self._conversation(), kwargs, event)

    def _conversation(self) -> list[BaseMessage]:
        if self._history is not None:
            return own_copy(self._history)
        if self._blocks.seams:
            return self._with_answer()
        return own_copy(self._messages)

    def _with_answer(self) -> list[BaseMessage]:
        """Return the conversation with the answer, also what of it is not released."""
        held = self._blocks.held_text.rstrip()
        answer = self._transcript.blocks(numbered=False, held=held)
        return with_prefill(self._messages, answer)

    def _go_on(self) -> Pieces:
        """End the segment so that the next one goes on from it."""
        if self._prefills:
            return self._release(self._blocks.cut())
        tokens = max_tokens_of(self._kwargs, self._policy.max_tokens)
        quote = quote_of(self._blocks.open_text, tokens or UNSET_MAX_TOKENS)
        pieces = self._release(self._blocks.pause(quote, opening_of(quote)))
        prompt = continuation_prompt(self._policy.continuation_prompt, quote)
        self._history = (
            with_user_turn(self._with_answer(), prompt)
            if self._history is None
            else with_user_turn([*self._history, self._record.last.spoken()], prompt)
        )
        return pieces

    def _stands_in(self, error: Exception) -> bool:
        """Tell whether a user turn can stand in for a prefill that was refused."""
        return (
            self._policy.falls_back()
            and self._prefills
            and bool(self._blocks.seams)
            and not self._record.last.text
            and _models.refuses_prefill(error)
        )

    def _stopped(self) -> Verdict | None:
        """Judge anew a segment that a stop sequence ended, split by its seam."""
        if self._blocks.stopped:
            self._record.last.stop_reason = STOPPED
        if self._record.last.stop_reason != STOPPED:
            return None
        self._blocks.end_at_stop()
        return verdict(STOPPED)

    def _why_over(self, judged: Verdict) -> EndedBy | None:
        """Return what ends the turn here, or None where it goes on."""
        if not judged.goes_on:
            return judged.ended_by
        calls = len(self._record.segments)
        limits: list[tuple[EndedBy, bool]] = [
            ("tool_call", bool(self._blocks.calls)),
            ("no_progress", self._policy.constrained or not self._blocks.advances()),
            ("max_continuations", calls > self._policy.max_continuations),
            ("max_total_tokens", self._tokens_left() == 0),
        ]
        return next((name for name, holds in limits if holds), None)

    def _tokens_left(self) -> int | None:
        """Return what is left of `max_total_tokens`; unknown usage counts in full."""
        if self._policy.max_total_tokens is None:
            return None
        return max(0, self._policy.max_total_tokens - self._record.output_tokens())

    def _within_budget(self) -> tuple[dict[str, Any], int | None]:
        """Return the arguments, with `max_tokens` shrunk to what is left."""
        asked = max_tokens_of(self._kwargs, self._policy.max_tokens)
        left = self._tokens_left()
        most = asked or self._policy.max_output_tokens or UNSET_MAX_TOKENS
        if left is None or left >= most:
            return self._kwargs, asked
        return with_max_tokens(self._kwargs, left), left

    def _finish(self, *, vouches: bool, cut: bool) -> Pieces:
        reason = self._record.last.stop_reason or "a broken response"
        pieces = self._blocks.finish(reason=reason, vouches=vouches, cut=cut)
        return self._release(pieces)

    def _release(self, pieces: Pieces) -> Pieces:
        provider = self._record.last.metadata.get("model_provider")
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

    def _failure(self, error: Exception) -> SegmentError:
        refused = bool(self._blocks.seams) and _models.refuses_prefill(error)
        kind = PrefillRefusedError if refused else SegmentError
        what = "the model takes no prefilled answer" if refused else "a call failed"
        return kind(
            f"The answer is not whole: {what} in segment {len(self._record.segments)} "
            f"({type(error).__name__}: {error}). What arrived is in .partial.",
            partial=self.message(),
            segments=self._record.entries(),
        )

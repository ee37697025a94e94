"""The content of a turn: what its segments, and their retries, add up to.

The rules CONTENT-1 to CONTENT-7, about the place of each block, are in `placement`.

CONTENT-8. The content is exactly what was released to the caller, in order.
CONTENT-9. A retry starts where the segment started that it retries. Text that the
    caller has seen of the first attempt is not withdrawn.
CONTENT-10. If the text of a retry differs from the text that was shown, and the retry
    has tool calls, the shown text is kept and the calls follow it. If it has none, its
    text is joined to the shown text: nothing that arrived is lost.
CONTENT-11. If the output is constrained by a JSON schema, nothing is released until the
    segment is over: a truncated document is dropped and written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.held_start import HeldStart
from langchain_bedrock_continue._core.content.incoming import (
    TEXT,
    is_truncated,
    read,
    text_only,
)
from langchain_bedrock_continue._core.content.placement import Placement
from langchain_bedrock_continue._core.content.released_blocks import (
    ReleasedBlocks,
    merged,
)
from langchain_bedrock_continue._core.content.retry_filter import Retry, RetryFilter
from langchain_bedrock_continue._core.text.continuation_join import ExpectedEcho
from langchain_bedrock_continue._core.text.quote import choose_quote_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import InvalidToolCall, ToolCall

    from langchain_bedrock_continue._core.content.fast_path import FastPath
    from langchain_bedrock_continue._core.content.incoming import (
        Block,
        Chunks,
        Incoming,
    )
    from langchain_bedrock_continue._core.content.tool_calls import Call
    from langchain_bedrock_continue._core.policy import InlineThinking
    from langchain_bedrock_continue._core.text.continuation_join import Rejection
    from langchain_bedrock_continue._core.text.join_rules import JoinResult
    from langchain_bedrock_continue._core.text.quote import QuoteKind


class Content:
    """The content of a turn's answer."""

    def __init__(
        self,
        stop_sequences: Sequence[str] = (),
        *,
        withholds: bool = False,
        inline_thinking: InlineThinking | None = None,
        reasoning_in_order: bool = True,
        guarded: bool = False,
    ) -> None:
        """Begin with nothing.

        Args:
            stop_sequences: The caller's stop sequences.
            withholds: Whether a segment shows nothing before it is over (CONTENT-11).
            inline_thinking: How the model marks thinking in its text, or None.
            reasoning_in_order: Whether reasoning comes where the model wrote it.
            guarded: Whether the request has a guardrail.
        """
        self._guarded = guarded
        self._quote = ""  # what the segment is asked to repeat
        self._held: HeldStart | None = None
        self._placement = Placement(
            stop_sequences, inline_thinking, reasoning_in_order=reasoning_in_order
        )
        self._start = self._placement.start()
        self._released = ReleasedBlocks()
        self._shown_from = self._released.mark()
        self._substance = 0  # of what was released before the segment
        self._withholds = withholds
        self._withheld: Chunks = []
        self._retry: Retry | None = None
        self._reworded = False  # the last segment is a retry that diverged

    # The state ---------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing was released yet."""
        return not (self._released or self._withheld)

    @property
    def seams(self) -> list[int]:
        """Where segments join: offsets in the text, in characters."""
        length = len(self)
        return [min(at, length) for at in self._placement.seams]

    def __len__(self) -> int:
        """Return the number of characters of the text."""
        return len(self._placement)

    @property
    def open_text(self) -> str:
        """The text of the block that a continuation continues."""
        return self._placement.open_text

    def last_text(self, count: int) -> str:
        """Return the last `count` characters of that text."""
        return self._placement.last_text(count)

    @property
    def plain(self) -> bool:
        """Whether the text comes without blocks."""
        return self._placement.plain

    @property
    def join_result(self) -> JoinResult | None:
        """How the segment's text was joined to the text before, or None."""
        return self._placement.join_result

    @property
    def has_tool_call(self) -> bool:
        """Whether the segment has begun a tool call."""
        return self._placement.calls.begun

    @property
    def arriving_call(self) -> Call | None:
        """The segment's last tool call, as far as it has arrived, or None."""
        return self._placement.calls.arriving

    @property
    def is_replaying(self) -> bool:
        """Whether a retry has not arrived as far as the first attempt."""
        return self._retry is not None and not self._retry.filter.replayed

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence that a seam split has ended the text."""
        return self._placement.stopped

    @property
    def reasoning(self) -> int:
        """How many reasoning blocks, or chunks of them, were released."""
        return self._released.reasoning

    @property
    def valid_calls(self) -> list[ToolCall]:
        """The tool calls that may run, once the turn is over."""
        return self._placement.calls.valid

    @property
    def invalid_calls(self) -> list[InvalidToolCall]:
        """The tool calls that must not run, once the turn is over."""
        return self._placement.calls.invalid

    @property
    def rejected(self) -> Rejection | None:
        """Why the segment's text does not continue the text before, or None."""
        return self._placement.rejected

    @property
    def gave_up(self) -> bool:
        """Whether the segment ended code where it isn't complete."""
        return self._placement.gave_up

    @property
    def left_out(self) -> bool:
        """Whether a part of the segment was left out, after its first new text."""
        return self._placement.left_out

    @property
    def has_shown_other(self) -> bool:
        """Whether the segment has shown something that does not continue the text."""
        has_shown = self._released.substance > self._substance
        return has_shown and not self.has_progress()

    def has_progress(self) -> bool:
        """Return True if the segment ends in new text, so the next can continue it."""
        return self._placement.has_progress()

    def truncated_call(self) -> Call | None:
        """Return the tool call that was truncated, if it is the only one."""
        return self._placement.calls.truncated()

    def complete_call(self, call: Call, args: dict[str, Any]) -> None:
        """Give a truncated call its complete arguments."""
        self._placement.calls.complete(call, args)

    def blocks(self, *, numbered: bool) -> list[Block]:
        """Return what was released, as content blocks."""
        blocks = self._released.blocks(numbered=numbered)
        if numbered:
            return blocks
        # Nobody has seen what a retry replaced.
        return [one for one in blocks if not is_truncated(one) or one is blocks[-1]]

    def can_be_resent(self) -> bool:
        """Return True if the content so far can be sent back as it is."""
        return not (self._released.is_blank or self.has_tool_call)

    def sendable(self) -> list[Block]:
        """Return the content so far, released or not, as the service accepts it."""
        placement, released = self._placement, self._released
        unreleased = placement.unreleased_text.rstrip()
        # A final assistant message can't end in reasoning (CONTENT-13).
        last = placement.next_index if placement.reasoning_follows else None
        blocks = released.blocks(numbered=False, unreleased=unreleased, last=last)
        return [block for block in blocks if not is_truncated(block)]

    def spoken(self, raw: str) -> str:
        """Return the last segment's text for the conversation.

        Args:
            raw: The text as it came. It counts, unless the segment is a retry that
                diverged: then what was shown counts.
        """
        if not self._reworded:
            return raw
        return self.open_text.removeprefix(self._text_before())

    def resume(self, blocks: list[Block], seams: list[int]) -> Chunks:
        """Begin with the content of a partial message; return it."""
        numbered: Any = [{**block, "index": i} for i, block in enumerate(blocks)]
        chunks = self.receive(read(AIMessageChunk(content=numbered)))
        self._placement.seams.extend(seams)
        return chunks

    # What arrives ------------------------------------------------------------------

    def begin_segment(self) -> None:
        """Begin a segment that is not a retry."""
        self._start = self._placement.start()
        self._shown_from = self._released.mark(self._placement.next_index)
        self._substance = self._released.substance
        self._retry, self._reworded = None, False
        continues = self._start.open is not None and self._start.continues_text
        held = HeldStart(self._quote, guarded=self._guarded)
        self._held = held if continues else None

    def begin_retry(self) -> Chunks:
        """Begin the segment again; what was withheld of it is dropped.

        Returns:
            The mark of reasoning that was truncated (CONTENT-6).
        """
        marks = self._released.mark_truncated_reasoning()
        shown = self._released.since(self._shown_from)
        filtered = RetryFilter([block for block in shown if not is_truncated(block)])
        substance = self._released.substance
        self._retry = Retry(self._placement, self._withheld, filtered, substance)
        self._placement = self._placement.restarted(self._start)
        if marks:
            self._placement.take_number(self._released.last)
        self._withheld = []
        return marks

    def fast_path(self) -> FastPath | None:
        """Return the path for text, if nothing else decides what is released."""
        if self._held or self._retry is not None or self._withholds:
            return None
        path = self._placement.fast_path()
        return path if path and self._released.has_text(path.index) else None

    def add_passed(self, path: FastPath) -> None:
        """Take the text that has passed on a path."""
        self._released.add_to_text(path.index, path.released)

    def receive(self, incoming: Incoming) -> Chunks:
        """Take what arrived; return what the caller may see."""
        if self._held is None:
            return self._receive(incoming)
        if self._held.take(incoming):
            return []
        return self.end_start(by_service=False)

    def end_start(self, *, by_service: bool) -> Chunks:
        """Decide whose words the start of the segment is, if that is open (HELD-4).

        Args:
            by_service: Whether the stop reason says that they may be the service's.
        """
        held, self._held = self._held, None
        if held is None:
            return []
        chunks: Chunks = []
        if by_service and held.may_be_services and not held.is_empty:
            chunks = self._release(self._placement.end_before_service())
        for incoming in held.release():
            chunks = chunks + self._receive(incoming)
        return chunks

    def _receive(self, incoming: Incoming) -> Chunks:
        if self._retry is not None:
            self._retry.texts += [
                block["text"] for _, kind, block in incoming.blocks if kind is TEXT
            ]
        return self._release(self._placement.receive(incoming))

    def _release(self, chunks: Chunks) -> Chunks:
        if self._retry is not None:
            chunks = self._retry.filter.new_in(chunks)
        if self._withholds:
            self._withheld += chunks
            return []
        for chunk in chunks:
            self._released.place_apart(chunk)
            self._released.add(chunk)
        return chunks

    # Where a segment ends ----------------------------------------------------------

    def end_text(self, *, truncated: bool) -> Chunks:
        """End a segment's text: an undecided join, and a retry, are decided."""
        chunks = self.end_start(by_service=False)
        chunks = chunks + self._release(self._placement.end_text(truncated=truncated))
        return chunks + self._end_retry(truncated=truncated)

    def end_at_stop_sequence(self) -> None:
        """End the open text where a stop sequence ended the segment."""
        self._placement.end_at_stop_sequence()

    def end_for_prefill(self) -> Chunks:
        """End a segment that a prefill continues."""
        self._quote = ""
        return self._release(self._placement.end_for_prefill())

    def choose_quote(self, tokens: int, kind: QuoteKind, room: int = 0) -> str:
        """Choose what the next user turn asks the model to repeat.

        Args:
            tokens: What the next segment may write.
            kind: What the quote is.
            room: How many tokens the echo may have on top of them.
        """
        return choose_quote_of(self.last_text, tokens, kind, room)

    def end_for_user_turn(self, expected: ExpectedEcho) -> Chunks:
        """End a segment that a user turn continues.

        Args:
            expected: What the model is asked to repeat, and how it may answer.
        """
        self._quote = expected.quote
        return self._release(self._placement.end_for_user_turn(expected))

    def begin_again(self, expected: ExpectedEcho) -> None:
        """Begin a rejected segment again; nothing of it was shown.

        Args:
            expected: As for `end_for_user_turn`.
        """
        self._placement = self._placement.restarted(self._start)
        self._placement.expect(expected)
        self._quote = expected.quote

    def end_for_resend(self) -> Chunks:
        """End a segment that is sent back as it is."""
        return self._release(self._placement.end_for_resend())

    def undo_cut(self) -> None:
        """Take the last cut back: its prefill was refused."""
        self._placement.undo_cut()

    def finish(
        self, *, reason: str, last_block_complete: bool, truncated: bool
    ) -> Chunks:
        """End the turn: release all that is held; truncated calls come out invalid.

        Args:
            reason: What ended the last segment, for the errors of invalid calls.
            last_block_complete: The model ended its last block itself.
            truncated: The last block was broken off.
        """
        chunks = self.end_text(truncated=truncated)
        may_mark = truncated and not self._placement.reasoning_follows
        ending = self._placement.finish(
            reason=reason, last_block_complete=last_block_complete, truncated=truncated
        )
        withheld, self._withheld, self._withholds = self._withheld, [], False
        held = withheld + ending
        chunks += self._release(
            merged(held) if withheld and not self.has_tool_call else held
        )
        return chunks + (self._released.mark_truncated_reasoning() if may_mark else [])

    def abandon_retry(self) -> None:
        """Discard the retry if it produced less than the first attempt."""
        retry, self._retry = self._retry, None
        if retry is None:
            return
        first, second = retry.first, self._placement
        is_longer = self._withholds and len(second) > len(first)
        has_shown = self._released.substance > retry.substance
        if not (retry.filter.replayed and (is_longer or has_shown)):
            self._placement, self._withheld = first, retry.withheld
        elif second.calls.count < first.calls.count:
            second.take_calls(first)

    def _end_retry(self, *, truncated: bool) -> Chunks:
        """Decide what of a retry that diverged is kept (CONTENT-10)."""
        retry, self._retry = self._retry, None
        self._reworded = retry is not None and not retry.filter.replayed
        if retry is None:
            return []
        if retry.filter.replayed:
            self._placement.place_calls_after(self._released.last)
            return []
        second, self._placement = self._placement, retry.first
        self._placement.take_calls(second)
        if second.calls.begun or not retry.filter.diverged:
            return []
        version = ExpectedEcho(may_reject=False)
        chunks = self._release(self._placement.end_for_user_turn(version))
        text = self._second_version(second, "".join(retry.texts))
        incoming = text_only(text, plain=self._placement.plain)
        chunks += self._release(self._placement.receive(incoming))
        return chunks + self._release(self._placement.end_text(truncated=truncated))

    def _second_version(self, second: Placement, raw: str) -> str:
        """Return the text of a retry, without the echo it began with."""
        before, text = self._text_before().rstrip(), second.open_text
        return text[len(before) :] if before and text.startswith(before) else raw

    def _text_before(self) -> str:
        """Return the open text where the segment began."""
        return self._placement.restarted(self._start).open_text

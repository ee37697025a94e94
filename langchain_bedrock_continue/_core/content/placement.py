"""Where the blocks of each segment are placed in the turn, and what may be released.

CONTENT-1. The blocks of the turn are numbered once, in order. The first segment keeps
    its own numbers; those of a later one follow, and its first text continues the open
    text block.
CONTENT-2. Text is released as `healed_cut` allows. A block that is complete is released
    in full before anything of the next one.
CONTENT-3. From a segment's first tool call on, everything is held back until the
    segment is over, so that no reader of chunks can run half a call.
CONTENT-4. A block of any other kind passes through as it came.
CONTENT-5. The reasoning of a later segment is dropped: a signed block is bound to the
    exact prefix before it, which the message does not have, unless the message was
    sent back as it is.
CONTENT-6. Reasoning is released as it comes. Reasoning that was truncated has no
    signature, so it is marked, is never sent back, and keeps its number: the reasoning
    of a retry follows it as a new block.
CONTENT-7. Citations belong to the text span that they came with: a text block that has
    citations is not continued.
CONTENT-12. A join sees all text blocks, on both sides: a model that begins again
    repeats those before the open one, too. What is dropped loses its citations.
CONTENT-13. A service may return reasoning after the text that the model wrote after it.
    Such reasoning keeps its place, and does not end the text.
CONTENT-14. Words of the service, such as a guardrail's message, do not continue the
    text: they are a block of their own, after an empty line. `held_start` tells them
    from the model's.
CONTENT-15. Text that was rejected is kept if a tool call follows it, as JOIN-7 allows:
    the call is used, so no other response would bring this text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.block_index import BlockIndex
from langchain_bedrock_continue._core.content.fast_path import FastPath
from langchain_bedrock_continue._core.content.incoming import (
    CALLS_WITHOUT_BLOCK,
    REASONING,
    TEXT,
    TOOL,
    extras_of,
)
from langchain_bedrock_continue._core.content.inline_thinking import ThinkingAwareJoin
from langchain_bedrock_continue._core.content.joined_blocks import kept_blocks
from langchain_bedrock_continue._core.content.segment_start import (
    OpenText,
    SegmentStart,
)
from langchain_bedrock_continue._core.content.tool_calls import HeldCalls
from langchain_bedrock_continue._core.content.turn_text import TurnText
from langchain_bedrock_continue._core.text.continuation_join import (
    ContinuationJoin,
    ExpectedEcho,
)
from langchain_bedrock_continue._core.text.healed_cut import TextBuffer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages.tool import ToolCallChunk

    from langchain_bedrock_continue._core.content.incoming import (
        Block,
        Chunks,
        Incoming,
    )
    from langchain_bedrock_continue._core.policy import InlineThinking
    from langchain_bedrock_continue._core.text.continuation_join import Rejection
    from langchain_bedrock_continue._core.text.join_rules import JoinResult


class Placement:
    """Places the blocks of each segment in the turn, and says what may be released.

    Attributes:
        calls: The tool calls of the segment.
        seams: Where segments join: offsets in the turn's text.
        plain: The text comes without blocks.
        join_result: How the segment's text was joined to the text before, or None.
        rejected: Why the segment's text does not continue the text before, or None.
        gave_up: The segment ended code where it isn't complete.
        left_out: A part of the segment was left out, after its first new text.
    """

    def __init__(
        self,
        stop_sequences: Sequence[str] = (),
        inline_thinking: InlineThinking | None = None,
        *,
        reasoning_in_order: bool = True,
    ) -> None:
        """Begin a turn, with its first segment; see `Content` for the arguments."""
        self._stops = stop_sequences
        self._inline_thinking = inline_thinking
        self._in_order = reasoning_in_order
        self._reasoning: set[int] = set()  # numbers of reasoning
        self.calls = HeldCalls()
        self.seams: list[int] = []
        self.plain = False
        self._index = BlockIndex()
        self._open: OpenText | None = None
        tags = None if inline_thinking is None else inline_thinking.tags
        self._text = TurnText(tags)
        self._joining: list[tuple[int, Block]] = []  # CONTENT-12
        self._continues_text = False  # the next text continues the open block
        self._drops_reasoning = False  # CONTENT-5
        self._join: ContinuationJoin | None = None  # undecided
        self.join_result: JoinResult | None = None
        self.rejected: Rejection | None = None
        self.gave_up = self.left_out = False

    # The state ---------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of characters of the turn's text."""
        return self._text.length + (len(self._open.buffer) if self._open else 0)

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence that a seam split has ended the text."""
        return self._open is not None and self._open.buffer.stopped

    @property
    def open_text(self) -> str:
        """The text of the block that a continuation continues, released or not."""
        return self._open.buffer.text if self._open else ""

    @property
    def unreleased_text(self) -> str:
        """What of that text is not yet released."""
        return self._open.buffer.unreleased if self._open else ""

    def last_text(self, count: int) -> str:
        """Return the last `count` characters of that text."""
        return self._open.buffer.last(count) if self._open else ""

    def has_progress(self) -> bool:
        """Return True if the segment ends in new text, which can be continued."""
        return (
            self._open is not None
            and not self.calls.begun
            and (self._open.index == self._index.last or self.reasoning_follows)
            and self._open.buffer.has_progress()
        )

    @property
    def reasoning_follows(self) -> bool:
        """Whether nothing but reasoning is after the open text (CONTENT-13)."""
        if self._in_order or self._open is None:
            return False
        after = set(range(self._open.index + 1, self._index.last + 1))
        return bool(after) and after <= self._reasoning

    @property
    def last_index(self) -> int:
        """The number of the turn's last block."""
        return self._index.last

    @property
    def next_index(self) -> int:
        """The number of the block that the next segment writes first."""
        return self._open.index if self._open else self._index.last + 1

    def start(self) -> SegmentStart:
        """Return the state at the start of a segment, for `restarted`.

        No tool call is held back there: whatever continues a segment has released it.
        """
        return SegmentStart(
            open=self._open,
            mark=self._open.buffer.mark() if self._open else None,
            cited=self._open is not None and self._open.cited,
            last_index=self._index.last,
            is_first=self._index.is_first,
            text=self._text.mark(),
            seams=len(self.seams),
            last_seam=self.seams[-1] if self.seams else 0,
            join=self._join,
            continues_text=self._continues_text,
            drops_reasoning=self._drops_reasoning,
            plain=self.plain,
        )

    def restarted(self, start: SegmentStart) -> Placement:
        """Return a new placement as this one was at the start of the segment."""
        fresh = Placement(
            self._stops, self._inline_thinking, reasoning_in_order=self._in_order
        )
        fresh._reasoning = set(self._reasoning)
        fresh._text = self._text.at(start.text)
        fresh.restore(start, self.seams[: start.seams])
        fresh.take_number(*self._index.taken)
        return fresh

    def take_number(self, *numbers: int) -> None:
        """Give no other block these numbers, which truncated reasoning has."""
        self._index.taken = tuple(sorted({*self._index.taken, *numbers}))

    def restore(self, start: SegmentStart, seams: list[int]) -> None:
        """Set the state to that at the start of a segment.

        Args:
            start: The state.
            seams: The seams up to there.
        """
        self.seams = [*seams[:-1], start.last_seam] if seams else []
        if start.open is not None and start.mark is not None:
            buffer = start.open.buffer.at(start.mark)
            self._open = OpenText(buffer, start.open.index, cited=start.cited)
        self._index = BlockIndex(start.last_index, is_first=start.is_first)
        self._join = start.join.fresh() if start.join else None
        self._continues_text = start.continues_text
        self._drops_reasoning = start.drops_reasoning
        self.plain = start.plain

    # What arrives ------------------------------------------------------------------

    def fast_path(self) -> FastPath | None:
        """Return the path for text of the open block, if nothing else decides."""
        text = self._open
        if text is None or text.number is None:
            return None
        if self._join is not None or self.calls.begun:
            return None
        return FastPath(text.buffer, text.number, text.index, plain=self.plain)

    def receive(self, incoming: Incoming) -> Chunks:
        """Place what arrived; return what may be released."""
        if self._open is not None and self._open.buffer.stopped:
            return []
        chunks: Chunks = []
        for number, kind, block in incoming.blocks:
            self.plain = incoming.plain
            if kind is TEXT:
                chunks += self._place_text(number, block)
            elif kind is REASONING:
                chunks += self._place_reasoning(number, block)
            elif kind is TOOL:
                calls = incoming.tool_chunks.pop(number, [])
                chunks += self._place_tool(number, block, calls)
            else:
                chunks += self._place_other(number, block)
        for number, calls in incoming.tool_chunks.items():
            chunks += self._place_tool(number, None, calls)
        for call in incoming.calls:
            chunks += self._begin_calls()
            index = self._index.of(CALLS_WITHOUT_BLOCK + self._index.last)
            self.calls.take_whole(index, call)
        return chunks

    def _place_text(self, number: int, block: Block) -> Chunks:
        if self.calls.begun:
            return self._place_other(number, block)
        if self._join is not None and self.join_result is None:
            return self._join_text(self._join, number, block)
        text, is_new = self._open, False
        released: Chunks = []
        if text is None or text.number != number:
            text, is_new = self._opened(number, released)
        chunks = self._write(text, block["text"])
        # A block that begins is released even while its text is held back.
        always = is_new and not chunks
        if (extras := extras_of(block)) or always:
            text = self._open or text
            chunks += text.chunks("", extras, plain=self.plain, always=always)
        return released + chunks if released else chunks

    def _opened(self, number: int, released: Chunks) -> tuple[OpenText, bool]:
        """Return the text block that a segment's block writes, and whether it is new.

        Args:
            number: The segment's block.
            released: What the end of the block before it releases is added here.
        """
        text = self._open
        if text is None or not self._continues_text:
            released += self._close_text()
            index = self._index.of(number)
            self._open = OpenText(TextBuffer(self._stops), index, number)
            self._continues_text = False
            return self._open, True
        if text.cited and self._join is None:
            text.buffer.forget_removed()
            released += self._close_text()
            text = self._open = self._new_text(text.index)
        self._index.continue_block(number, text.index)
        text.number, self._continues_text = number, False
        return text, False

    def _new_text(self, index: int) -> OpenText:
        """Begin a new block for what continues block `index` (CONTENT-7)."""
        new = self._index.move_to_new_block(index)
        return OpenText(TextBuffer(self._stops), new)

    def _write(self, text: OpenText, new: str) -> Chunks:
        """Take text of the open block, through the join while it is undecided."""
        if self._join is None:
            return self._text_chunks(text, text.buffer.feed(new))
        joined = self._join.feed(new)
        return [] if joined is None else self._joined(joined)

    def _join_text(self, join: ContinuationJoin, number: int, block: Block) -> Chunks:
        """Take text while the join is undecided (CONTENT-12)."""
        released: Chunks = []
        if self._continues_text:
            self._opened(number, released)
        self._joining.append((number, block))
        joined = join.feed(block["text"])
        self.rejected = join.rejected
        return released if joined is None else released + self._joined(joined)

    def _joined(self, new: str) -> Chunks:
        """Take what the join decided."""
        join, text = self._join, self._open
        if join is None or text is None:
            return []
        if join.rejected is not None:
            self.rejected, self.join_result = join.rejected, join.result
            return []
        self.gave_up, self.left_out = join.gave_up, join.left_out
        if join.is_over or text.cited:
            new += "" if join.is_over else join.finish()
            self._join = None
        if self.join_result is not None:
            return self._text_chunks(text, text.buffer.feed(new))
        self.join_result = join.result
        text.buffer.remove_whitespace(join.replaced)
        self.seams[-1] -= join.replaced
        return self._place_joined(text, new)

    def _place_joined(self, text: OpenText, new: str) -> Chunks:
        """Place the blocks of which the join kept the end (CONTENT-12)."""
        blocks, self._joining = self._joining, []
        chunks: Chunks = []
        kept = False
        for number, part, extras in kept_blocks(blocks, new, cited=text.cited):
            if part and not kept:
                text, kept = self._continued(text, number, chunks), True
            elif kept and number != text.number:
                text, _ = self._opened(number, chunks)
            chunks += self._text_chunks(text, text.buffer.feed(part), extras)
        return chunks

    def _continued(self, text: OpenText, number: int, chunks: Chunks) -> OpenText:
        """Return the text that a segment's block continues: the open one, or a new."""
        self._index.continue_block(number, text.index)
        if text.cited:
            chunks += self._close_text()
            text = self._open = self._new_text(text.index)
        text.number = number
        return text

    def _place_reasoning(self, number: int, block: Block) -> Chunks:
        if self._drops_reasoning:
            return []
        if self.calls.begun:
            return self._place_other(number, block)
        released = [] if self._keeps_text_open() else self._close_text()
        self._reasoning.add(self._index.of(number))
        return [*released, self._renumbered(number, block)]

    def _keeps_text_open(self) -> bool:
        """Return True if the reasoning that comes is that of the open text."""
        if self._in_order or self._open is None:
            return False
        return all(number > self._open.index for number in self._reasoning)

    def _place_tool(
        self, number: int, block: Block | None, calls: list[ToolCallChunk]
    ) -> Chunks:
        released = self._begin_calls()
        index = self._index.of(number)
        for call in calls:
            self.calls.take_chunk(index, call)
        if block is not None and not calls:
            self.calls.take_whole(index, block)
        content: Any = [] if block is None else [{**block, "index": index}]
        renumbered: Any = [{**call, "index": index} for call in calls]
        chunk = AIMessageChunk(content=content, tool_call_chunks=renumbered)
        self.calls.hold(index, chunk)
        return released

    def _begin_calls(self) -> Chunks:
        """End the text before a segment's first call."""
        if self.calls.begun:
            return []
        released = self.end_text(truncated=False) + self._keep_rejected()
        if self._open is not None and self.rejected is None:
            visible = self._open.buffer.end_before_call()
            released = released + self._text_chunks(self._open, visible)
        self.calls.begin(self._index.last)
        return released

    def _keep_rejected(self) -> Chunks:
        """Keep text that was rejected, because a call follows it (CONTENT-15)."""
        join, text = self._join, self._open
        if join is None or text is None or self.rejected is None:
            return []
        message = "".join(block["text"] for _, block in self._joining)
        accepted = join.accepted(message)
        if accepted is None:
            return []
        self._join = self.rejected = None
        self.join_result = accepted.result
        text.buffer.remove_whitespace(accepted.replaced)
        self.seams[-1] -= accepted.replaced
        return self._place_joined(text, accepted.new)

    def _place_other(self, number: int, block: Block) -> Chunks:
        if self.calls.begun:
            chunk = self._renumbered(number, block)
            self.calls.hold(self._index.of(number), chunk)
            return []
        return [*self._close_text(), self._renumbered(number, block)]

    def _renumbered(self, number: int, block: Block) -> AIMessageChunk:
        """Return a block as it came, with the turn's number."""
        return AIMessageChunk(content=[{**block, "index": self._index.of(number)}])

    # Where a segment ends ----------------------------------------------------------

    def end_text(self, *, truncated: bool) -> Chunks:
        """End a segment's text: an undecided join is decided."""
        if self._join is None or self._open is None:
            return []
        return self._joined(self._join.finish(truncated=truncated))

    def end_at_stop_sequence(self) -> None:
        """End the open text where a stop sequence ended the segment."""
        if self._open is not None:
            joined = self.join_result
            in_echo = joined is not None and joined.ended_in_repetition
            self._open.buffer.end_at_stop_sequence(in_echo=in_echo)

    def end_for_prefill(self) -> Chunks:
        """End a segment that a prefill continues; keep what the healed cut allows."""
        text, released = self._open, []
        if text is not None:
            released = self._text_chunks(text, text.buffer.end_for_prefill())
        self._begin_segment()
        return released

    def end_for_user_turn(self, expected: ExpectedEcho) -> Chunks:
        """End a segment that a user turn continues.

        Args:
            expected: What the model is asked to repeat, and how it may answer.
        """
        text, released = self._open, []
        if text is not None:
            released = self._text_chunks(text, text.buffer.end_for_user_turn())
        self._begin_segment()
        self.expect(expected)
        return released

    def expect(self, expected: ExpectedEcho) -> None:
        """Prepare to join the answer to a user turn."""
        if self._open is None:
            return
        text = self._text.before_seam(self._open.buffer, expected.capacity)
        join = ThinkingAwareJoin(
            text,
            expected.quote,
            opening=expected.opening,
            doubts_line_break=expected.doubts_line_break,
            thinking=self._inline_thinking,
        )
        self._join = ContinuationJoin(join, text, expected)

    def end_for_resend(self) -> Chunks:
        """End a segment that is sent back as it is: new blocks of any kind follow."""
        released = self._close_text()
        self._begin_segment()
        self._drops_reasoning = False
        return released

    def end_before_service(self) -> Chunks:
        """End the text, because the service's own words follow (CONTENT-14)."""
        if self._open is None or not self._continues_text:
            return []
        self._join = None
        self._open.buffer.undo_cut()
        released = self._text_chunks(self._open, self._open.buffer.feed("\n\n"))
        self.seams[-1] = len(self)
        return released + self._close_text(truncated=True)

    def undo_cut(self) -> None:
        """Take the last cut back: its prefill was refused."""
        self.seams.pop()
        if self._open is not None:
            self._open.buffer.undo_cut()

    def finish(
        self, *, reason: str, last_block_complete: bool, truncated: bool
    ) -> Chunks:
        """End the turn: release all that is held; truncated calls come out invalid."""
        released = self._close_text(truncated=truncated)
        last = None if truncated else self._index.last
        self.calls.judge(
            reason=reason, last_block_complete=last_block_complete, last_index=last
        )
        return released + self.calls.release()

    def place_calls_after(self, last: int) -> None:
        """Move the tool calls after a block that was shown in their place."""
        if self.calls.begun and self.calls.before(last) < last:
            self._index.last = self.calls.renumber(last + 1, self._index.last)

    def take_calls(self, other: Placement) -> None:
        """Adopt the tool calls of the same segment's retry."""
        last = self.calls.before(self._index.last)
        self.calls = other.calls
        self._index.last = self.calls.renumber(last + 1, other.last_index)

    def _begin_segment(self) -> None:
        length = len(self)
        self._text.end_segment(length - (self.seams[-1] if self.seams else 0))
        self.seams.append(length)
        if self.rejected is not None:
            self._join, self._joining = None, []  # nothing of it is used
        self.join_result = self.rejected = None
        self.gave_up = self.left_out = False
        self._index.begin_segment()
        self._continues_text = self._drops_reasoning = True
        if self._open is not None:
            self._open.number = None

    def _close_text(self, *, truncated: bool = False) -> Chunks:
        """End the open text block: the next block begins, or the turn is over."""
        released = self.end_text(truncated=truncated)
        text, self._open = self._open, None
        if text is None:
            return []
        end = text.buffer.finish(truncated=truncated)
        self._text.close(text.buffer.text)
        self._continues_text = False
        return released + self._text_chunks(text, end)

    def _text_chunks(
        self, text: OpenText, released: str, extras: Block | None = None
    ) -> Chunks:
        return text.chunks(released, extras, plain=self.plain)

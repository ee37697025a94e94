"""Content blocks over the segments of a turn: their number, their text, their tools.

B1. The blocks of the turn are numbered once, in order: the first segment keeps its own
    numbers, a later one's follow on, and its first text goes on in the open block.
B2. Text is released as `seam` allows; a block that is over is released whole before
    anything of the next one.
B3. From a segment's first tool call on, everything is held until the segment is over,
    so that no reader of chunks can run half a call.
B4. A block of any other kind passes through as it came.
B5. A later segment's reasoning is dropped: a signed block is bound to its own prefix,
    which the message does not have, unless the message was sent back as it is.
B6. Reasoning waits for what comes behind it: one that was cut has no signature.
B7. Citations belong to the span that they came with: a text block that has them is not
    gone on in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.block_index import Numbers
from langchain_bedrock_continue._core.content.incoming import (
    BESIDE,
    REASONING_TYPES,
    TOOL_TYPES,
    as_block,
    blocks_of,
    calls_beside,
    extras_of,
    is_plain,
    is_text,
    tool_chunks,
)
from langchain_bedrock_continue._core.content.inline_thinking import JoinBehindThinking
from langchain_bedrock_continue._core.content.tool_calls import HeldCalls
from langchain_bedrock_continue._core.text.healed_cut import TextRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import AIMessage
    from langchain_core.messages.tool import ToolCallChunk

    from langchain_bedrock_continue._core.content.incoming import Block, Pieces
    from langchain_bedrock_continue._core.policy import InlineThinking
    from langchain_bedrock_continue._core.text.echo_join import How


class Blocks:
    """Places the blocks of each segment in the turn, and says what to release."""

    def __init__(
        self, stops: Sequence[str] = (), inline: InlineThinking | None = None
    ) -> None:
        """Begin a turn, with its first segment; see the Answer for the arguments."""
        self._stops = stops
        self._inline = inline
        self.calls = HeldCalls()
        self.seams: list[int] = []
        self._numbers = Numbers()
        self._run: TextRun | None = None
        self._run_index = -1
        self._closed_text = 0
        self.is_plain = self._cited = self._joins = self._later = False
        self._join: JoinBehindThinking | None = None
        self.how: How | None = None
        self._reasoning: Pieces = []

    @property
    def text_length(self) -> int:
        """Count the characters of the turn's text, as they stand."""
        return self._closed_text + (0 if self._run is None else len(self._run))

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence that a seam split has ended the text."""
        return self._run is not None and self._run.stopped

    @property
    def open_text(self) -> str:
        """The text of the block that a continuation goes on in, as it stands."""
        return "" if self._run is None else self._run.text

    @property
    def held_text(self) -> str:
        """What stands of that text and is not yet released."""
        return "" if self._run is None else self._run.held

    def advances(self) -> bool:
        """Tell whether the segment can be gone on from: it ends in new text."""
        run = self._run
        return (
            run is not None
            and not (self.calls or self._reasoning)
            and self._run_index == self._numbers.last
            and run.advances()
        )

    def receive(self, message: AIMessage) -> Pieces:
        """Place what arrived; return what may be released."""
        if self.stopped:
            return []
        chunks = tool_chunks(message)
        pieces: Pieces = []
        for number, block in blocks_of(message):
            self.is_plain = is_plain(message)
            if block.get("type") in REASONING_TYPES:
                pieces += self._place_reasoning(number, block)
            elif is_text(block):
                pieces += self._place_text(number, block)
            elif block.get("type") in TOOL_TYPES:
                pieces += self._place_tool(number, block, chunks.pop(number, []))
            else:
                pieces += self._place_other(number, block)
        for number, orphans in chunks.items():
            pieces += self._place_tool(number, None, orphans)
        for call in calls_beside(message):
            pieces += self._begin_call()
            self.calls.take_whole(self._numbers.of(BESIDE + self._numbers.last), call)
        return pieces

    def end_text(self, *, cut: bool) -> Pieces:
        """End a segment's text: what a join still holds is decided."""
        if self._join is None or self._run is None:
            return []
        return self._settled(self._join.finish(cut=cut))

    def end_at_stop(self) -> None:
        """End the open text where a stop sequence ended the segment."""
        if self._run is not None:
            self._run.end_at_stop(in_echo=self.how not in {None, "echo"})

    def cut(self) -> Pieces:
        """End a segment that a prefill goes on from; keep what the seam allows."""
        kept = "" if self._run is None else self._run.cut()
        self._begin_segment()
        return self._text_pieces({}, kept)

    def pause(self, quote: str, opening: str) -> Pieces:
        """End a segment that a user turn goes on from, which asks to repeat `quote`."""
        text: Pieces = []
        if self._run is not None:
            text = self._text_pieces({}, self._run.pause())
            self._join = JoinBehindThinking(
                self._run.text, quote, opening=opening, inline=self._inline
            )
        self._begin_segment()
        return text

    def close(self) -> Pieces:
        """End a segment that is sent back as it is: new blocks follow, of any kind."""
        pieces = self._close_run() + self._released_reasoning()
        self._begin_segment()
        self._later = False
        return pieces

    def as_came(self, text: str) -> AIMessageChunk:
        """Return a text in the form that the last one came in."""
        return AIMessageChunk(content=text if self.is_plain else [as_block(text)])

    def restore(self) -> None:
        """Take the last cut back: nothing came after it."""
        self.seams.pop()
        if self._run is not None:
            self._run.restore()

    def finish(self, *, reason: str, vouches: bool, cut: bool) -> Pieces:
        """End the turn: release all that is held; cut calls come out as invalid."""
        pieces = self._close_run(cut=cut) + self._released_reasoning()
        last = None if cut else self._numbers.last
        self.calls.judge(reason=reason, vouches=vouches, last_index=last)
        return pieces + self.calls.release()

    def take_calls(self, other: Blocks) -> None:
        """Take the calls of the same segment, asked for again, for one's own."""
        last, self._reasoning = self.calls.before(self._numbers.last), []
        self.calls = other.calls
        self._numbers.last = self.calls.renumber(last + 1, other._numbers.last)

    def _begin_segment(self) -> None:
        self.seams.append(self.text_length)
        self._numbers.begin_segment()
        self._joins = self._later = True

    def _place_text(self, number: int, block: Block) -> Pieces:
        if self.calls:
            return self._place_other(number, block)
        pieces = self._released_reasoning()
        if self._joins and self._run is not None:
            if self._cited and self._join is None:  # B7
                self._run.let_go()
                pieces += self._begin_text()
            self._numbers.join(number, self._run_index)
        new = self._run is None or self._numbers.known(number) != self._run_index
        if self._run is None or new:
            pieces += self._close_run()
            self._run, self._run_index = TextRun(self._stops), self._numbers.of(number)
        self._joins = False
        fed = self._fed(block["text"])
        return pieces + fed + self._text_pieces(block, "", always=new and not fed)

    def _begin_text(self) -> Pieces:
        """Begin a new block of text behind the open one."""
        pieces = self._close_run()
        self._run = TextRun(self._stops)
        self._run_index = self._numbers.move_on(self._run_index)
        return pieces

    def _fed(self, text: str) -> Pieces:
        """Take text of the open block, by way of the join while it is undecided."""
        if self._run is None:
            return []
        if self._join is None:
            return self._text_pieces({}, self._run.feed(text))
        joined = self._join.feed(text)
        return [] if joined is None else self._settled(joined)

    def _settled(self, joined: str) -> Pieces:
        """Take what a join decided."""
        join, self._join = self._join, None
        if join is None or self._run is None:
            return []
        self.how = join.how
        self._run.rewind(join.back)
        self.seams[-1] -= join.back
        pieces = self._begin_text() if self._cited and joined else []
        return pieces + self._text_pieces({}, self._run.feed(joined))

    def _place_reasoning(self, number: int, block: Block) -> Pieces:
        if self._later:
            return []  # B5
        if self.calls:
            return self._place_other(number, block)
        pieces = self._close_run()
        self._reasoning.append(self._numbered(number, block))  # B6
        return pieces

    def _place_tool(
        self, number: int, block: Block | None, chunks: list[ToolCallChunk]
    ) -> Pieces:
        pieces = self._begin_call()
        index = self._numbers.of(number)
        for chunk in chunks:
            self.calls.take_chunk(index, chunk)
        if block is not None and not chunks:
            self.calls.take_whole(index, block)
        content: Any = [] if block is None else [{**block, "index": index}]
        renumbered: Any = [{**chunk, "index": index} for chunk in chunks]
        piece = AIMessageChunk(content=content, tool_call_chunks=renumbered)
        self.calls.hold(index, piece)
        return pieces

    def _begin_call(self) -> Pieces:
        """End the text before a segment's first call; reasoning waits with the call."""
        if self.calls:
            return []
        pieces = self.end_text(cut=False)
        self.calls.begin(self._numbers.last)
        for piece in self._reasoning:
            self.calls.hold(self._numbers.last, piece)
        self._reasoning = []
        return pieces

    def _place_other(self, number: int, block: Block) -> Pieces:
        if self.calls:
            self.calls.hold(self._numbers.of(number), self._numbered(number, block))
            return []
        pieces = self._released_reasoning() + self._close_run()
        return [*pieces, self._numbered(number, block)]

    def _numbered(self, number: int, block: Block) -> AIMessageChunk:
        """Return a block as it came, with the turn's number."""
        return AIMessageChunk(content=[{**block, "index": self._numbers.of(number)}])

    def _released_reasoning(self) -> Pieces:
        released, self._reasoning = self._reasoning, []
        return released

    def _close_run(self, *, cut: bool = False) -> Pieces:
        """End the open text block: the next block begins, or the turn is over."""
        if self._run is None:
            return []
        pieces = self.end_text(cut=cut)
        pieces += self._text_pieces({}, self._run.finish(cut=cut))
        self._closed_text += len(self._run)
        self._run, self._joins, self._cited = None, False, False
        return pieces

    def _text_pieces(self, block: Block, text: str, *, always: bool = False) -> Pieces:
        """Wrap released text as it came: a plain string, or a block with its extras."""
        extras = extras_of(block)
        self._cited = self._cited or bool(extras)
        if not (text or extras or always):
            return []
        content: Any = text
        if not self.is_plain:
            text_block = {"type": "text", "text": text, **extras}
            content = [{**text_block, "index": self._run_index}]
        return [AIMessageChunk(content=content)]

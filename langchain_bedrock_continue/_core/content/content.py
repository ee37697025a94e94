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

from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.base import merge_content

from langchain_bedrock_continue._core.content.incoming import (
    REASONING,
    TEXT,
    as_block,
    blocks_in,
    extras_of,
    is_text,
    kind_of,
    read,
    text_only,
)
from langchain_bedrock_continue._core.content.placement import Placement
from langchain_bedrock_continue._core.content.retry_filter import Retry, RetryFilter
from langchain_bedrock_continue._core.text.continuation_join import ExpectedEcho
from langchain_bedrock_continue._core.text.quote import choose_quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import InvalidToolCall, ToolCall

    from langchain_bedrock_continue._core.content.incoming import (
        Block,
        Chunks,
        Incoming,
    )
    from langchain_bedrock_continue._core.content.tool_calls import Call
    from langchain_bedrock_continue._core.policy import InlineThinking
    from langchain_bedrock_continue._core.text.continuation_join import NoEcho
    from langchain_bedrock_continue._core.text.join_rules import JoinResult
    from langchain_bedrock_continue._core.text.quote import QuoteKind
    from langchain_bedrock_continue._core.text.restart import Restart

_TEXT_ONLY = frozenset({"type", "text", "index"})


class ReleasedMark(NamedTuple):
    """A moment in the released content.

    Attributes:
        last: The number of the last block.
        sizes: The number of parts of each text that may be continued.
    """

    last: int
    sizes: dict[int, int]


class ReleasedBlocks:
    """The content that was released, by block. Adding to it takes constant time.

    Attributes:
        last: The number of the last block; -1 if there is none.
        substance: How many blocks were added that are more than an empty text.
        reasoning: How many of them were reasoning.
        is_blank: Nothing but whitespace was added.
    """

    def __init__(self) -> None:
        """Begin with nothing released."""
        self.substance = 0
        self.reasoning = 0
        self.is_blank = True
        self._parts: dict[int, list[str]] = {}
        self._blocks: dict[int, Block] = {}
        self.last = -1
        self._mark = ReleasedMark(-1, {})  # the last mark

    def __bool__(self) -> bool:
        """Return True if anything was released."""
        return bool(self._blocks)

    def add(self, chunk: AIMessageChunk) -> None:
        """Add a released chunk; its blocks continue those of the same number."""
        for block in blocks_in(chunk):
            kind = kind_of(block)
            if kind is TEXT:
                self._add_text(block)
                continue
            self.substance += 1
            self.reasoning += kind is REASONING
            self.is_blank = False
            self._merge(block)

    def _add_text(self, block: Block) -> None:
        index, text = block["index"], block["text"]
        if text:
            self.substance += 1
            self.is_blank = self.is_blank and text.isspace()
        parts = self._parts.get(index)
        if parts is None:
            parts = self._parts[index] = []
        parts.append(text)
        if index not in self._blocks or not block.keys() <= _TEXT_ONLY:
            self._merge({**block, "text": ""})

    def _merge(self, block: Block) -> None:
        index = block["index"]
        known = self._blocks.get(index)
        both: Any = [block] if known is None else merge_content([known], [block])
        self._blocks[index] = both[0]
        self.last = max(self.last, index)

    def mark(self, first: int = 0) -> ReleasedMark:
        """Return where the released content ends, for `since`.

        The parts of a text since the last mark become one, so that a text has one part
        for each segment.

        Args:
            first: The number of the first block that may be continued.
        """
        sizes: dict[int, int] = {}
        for index in range(max(first, 0), self.last + 1):
            parts, marked = self._parts.get(index, []), self._mark.sizes.get(index, 0)
            if parts[marked:]:
                parts[marked:] = ["".join(parts[marked:])]
            sizes[index] = len(parts)
        self._mark = ReleasedMark(self.last, sizes)
        return self._mark

    def since(self, mark: ReleasedMark) -> list[Block]:
        """Return the blocks that were released since a mark.

        A text that continues over the mark has the part after it, with its citations.
        """
        blocks: list[Block] = []
        for index in sorted(self._blocks):
            if index > mark.last:
                blocks.append(self._block(index))
                continue
            size = mark.sizes.get(index)
            parts = [] if size is None else self._parts.get(index, [])[size:]
            if parts:
                text = as_block("".join(parts), index)
                blocks.append({**text, **extras_of(self._blocks[index])})
        return blocks

    def blocks(self, *, numbered: bool, unreleased: str = "") -> list[Block]:
        """Return the blocks in order.

        Args:
            numbered: Whether each has its number, as the blocks of a stream do.
            unreleased: Text that follows the last block, and is not yet released.
        """
        blocks = [self._block(index) for index in sorted(self._blocks)]
        for block in [] if numbered else blocks:
            del block["index"]
        if unreleased and blocks and is_text(blocks[-1]):
            blocks[-1]["text"] += unreleased
        elif unreleased:
            blocks.append({"type": "text", "text": unreleased})
        return blocks

    def _block(self, index: int) -> Block:
        block = dict(self._blocks[index])
        if index in self._parts:
            block["text"] = "".join(self._parts[index])
        return block


def merged(chunks: Chunks) -> Chunks:
    """Return chunks as one: a reader parses a JSON document anew at each."""
    if not chunks or any(isinstance(chunk.content, str) for chunk in chunks):
        return chunks
    released = ReleasedBlocks()
    for chunk in chunks:
        released.add(chunk)
    content: Any = released.blocks(numbered=True)
    return [AIMessageChunk(content=content)]


class Content:
    """The content of a turn's answer."""

    def __init__(
        self,
        stop_sequences: Sequence[str] = (),
        *,
        withholds: bool = False,
        inline_thinking: InlineThinking | None = None,
    ) -> None:
        """Begin with nothing.

        Args:
            stop_sequences: The caller's stop sequences.
            withholds: Whether a segment shows nothing before it is over (CONTENT-11).
            inline_thinking: How the model marks thinking in its text, or None.
        """
        self._placement = Placement(stop_sequences, inline_thinking)
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
    def rejected(self) -> Restart | NoEcho | None:
        """Why the segment's text does not continue the text before, or None."""
        return self._placement.rejected

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
        return self._released.blocks(numbered=numbered)

    def can_be_resent(self) -> bool:
        """Return True if the content so far can be sent back as it is."""
        return not (self._released.is_blank or self.has_tool_call)

    def sendable(self) -> list[Block]:
        """Return the content so far, released or not, as the service accepts it."""
        unreleased = self._placement.unreleased_text.rstrip()
        return self._released.blocks(numbered=False, unreleased=unreleased)

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

    def begin_retry(self) -> None:
        """Begin the segment once more; what was withheld of it is dropped."""
        filtered = RetryFilter(self._released.since(self._shown_from))
        substance = self._released.substance
        self._retry = Retry(self._placement, self._withheld, filtered, substance)
        self._placement = self._placement.restarted(self._start)
        self._withheld = []

    def receive(self, incoming: Incoming) -> Chunks:
        """Take what arrived; return what the caller may see."""
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
            self._released.add(chunk)
        return chunks

    # Where a segment ends ----------------------------------------------------------

    def end_text(self, *, truncated: bool) -> Chunks:
        """End a segment's text: an undecided join, and a retry, are decided."""
        chunks = self._release(self._placement.end_text(truncated=truncated))
        return chunks + self._end_retry(truncated=truncated)

    def end_at_stop_sequence(self) -> None:
        """End the open text where a stop sequence ended the segment."""
        self._placement.end_at_stop_sequence()

    def end_for_prefill(self) -> Chunks:
        """End a segment that a prefill continues."""
        return self._release(self._placement.end_for_prefill())

    def choose_quote(self, tokens: int, kind: QuoteKind) -> str:
        """Choose what the next user turn asks the model to repeat.

        Args:
            tokens: What the next segment may write.
            kind: What the quote is.
        """
        return choose_quote(self.open_text, tokens, kind)

    def end_for_user_turn(self, expected: ExpectedEcho) -> Chunks:
        """End a segment that a user turn continues.

        Args:
            expected: What the model is asked to repeat, and how it may answer.
        """
        return self._release(self._placement.end_for_user_turn(expected))

    def begin_again(self, expected: ExpectedEcho) -> None:
        """Begin a rejected segment once more; nothing of it was shown.

        Args:
            expected: As for `end_for_user_turn`.
        """
        self._placement = self._placement.restarted(self._start)
        self._placement.expect(expected)

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
        ending = self._placement.finish(
            reason=reason, last_block_complete=last_block_complete, truncated=truncated
        )
        withheld, self._withheld, self._withholds = self._withheld, [], False
        if withheld and not self.has_tool_call:
            return chunks + self._release(merged(withheld + ending))
        return chunks + self._release(withheld + ending)

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

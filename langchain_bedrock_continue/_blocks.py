"""Content blocks over the segments of a turn: their number, their text, their tools.

B1. The blocks of the turn are numbered once, in order: the first segment keeps its own
    numbers, a later one's follow on, and its first text goes on in the open block.
B2. Text is released as `_seam` allows; a block that is over is released whole before
    anything of the next one.
B3. From a segment's first tool call on, everything is held until the segment is over,
    so that no reader of chunks can run half a call.
B4. A block of any other kind passes through as it came.
B5. A later segment's reasoning is dropped: a signed block is bound to its own prefix,
    which the message does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._echo import Join
from langchain_bedrock_continue._seam import TextRun
from langchain_bedrock_continue._tool_calls import HeldCalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.messages import AIMessage
    from langchain_core.messages.tool import ToolCallChunk

Block: TypeAlias = dict[str, Any]
Pieces: TypeAlias = list[AIMessageChunk]

TOOL_TYPES = ("tool_use", "input_json_delta")
REASONING_TYPES = ("reasoning_content", "thinking", "redacted_thinking")


class Blocks:
    """Places the blocks of each segment in the turn, and says what to release."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        """Begin a turn, with its first segment; `stops` are the caller's."""
        self._stops = stops
        self.calls = HeldCalls()
        self._indexes: dict[int, int] = {}
        self._last = -1
        self._run: TextRun | None = None
        self._run_index = -1
        self._joins = False
        self._closed_text = 0
        self._plain = False
        self._join: Join | None = None
        self._broken_echo = False
        self.seams: list[int] = []

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
        return run is not None and self._run_index == self._last and run.advances()

    def receive(self, message: AIMessage) -> Pieces:
        """Place what arrived; return what may be released."""
        if self.stopped:
            return []
        chunks = _tool_chunks(message)
        pieces: Pieces = []
        for number, block in _blocks_of(message):
            self._plain = isinstance(message.content, str)
            if self.seams and block.get("type") in REASONING_TYPES:
                continue  # B5
            if _is_text(block):
                pieces += self._place_text(number, block)
            elif block.get("type") in TOOL_TYPES:
                pieces += self._place_tool(number, block, chunks.pop(number, []))
            else:
                pieces += self._place_other(number, block)
        for number, orphans in chunks.items():
            pieces += self._place_tool(number, None, orphans)
        for call in _calls_beside(message):
            pieces += self._close_run()
            self.calls.take_whole(self._index(_BESIDE + self._last), call)
        return pieces

    def end_text(self, *, cut: bool) -> Pieces:
        """End a segment's text: what a join still holds is decided."""
        if self._join is None or self._run is None:
            return []
        return self._text_pieces({}, self._settled(self._join.finish(cut=cut)))

    def end_at_stop(self) -> None:
        """End the open text where a stop sequence ended the segment."""
        if self._run is not None:
            self._run.end_at_stop(in_echo=self._broken_echo)

    def cut(self) -> Pieces:
        """End a segment that a prefill goes on from; keep what the seam allows."""
        kept = "" if self._run is None else self._run.cut()
        self._begin_segment()
        return self._text_pieces({}, kept)

    def pause(self, quote: str, opening: str) -> Pieces:
        """End a segment that a user turn goes on from, which asks to repeat `quote`."""
        if self._run is None:
            return []
        text = self._text_pieces({}, self._run.pause())
        self._join = Join(self._run.text, quote, opening=opening)
        self._begin_segment()
        return text

    def restore(self) -> None:
        """Take the last cut back: nothing came after it."""
        self.seams.pop()
        if self._run is not None:
            self._run.restore()

    def _begin_segment(self) -> None:
        self.seams.append(self.text_length)
        self._indexes, self._joins = {}, True

    def finish(self, *, reason: str, vouches: bool, cut: bool) -> Pieces:
        """End the turn: release all that is held; cut calls come out as invalid."""
        pieces = self._close_run(cut=cut)
        self.calls.judge(reason=reason, vouches=vouches, last_index=self._last)
        return pieces + self.calls.release()

    def _place_text(self, number: int, block: Block) -> Pieces:
        pieces: Pieces = []
        if self._joins and self._run is not None:
            self._indexes[number] = self._last = self._run_index
        new = self._run is None or self._indexes.get(number) != self._run_index
        if self._run is None or new:
            pieces = self._close_run()
            self._run, self._run_index = TextRun(self._stops), self._index(number)
        self._joins = False
        released = self._fed(block["text"])
        return pieces + self._text_pieces(block, released, always=new)

    def _fed(self, text: str) -> str:
        """Take text of the open block, by way of the join while it is undecided."""
        if self._run is None:
            return ""
        if self._join is None:
            return self._run.feed(text)
        joined = self._join.feed(text)
        return "" if joined is None else self._settled(joined)

    def _settled(self, joined: str) -> str:
        """Take what a join decided."""
        join, self._join = self._join, None
        if join is None or self._run is None:
            return ""
        self._broken_echo = join.how != "echo"
        self._run.rewind(join.back)
        self.seams[-1] -= join.back
        return self._run.feed(joined)

    def _place_tool(
        self, number: int, block: Block | None, chunks: list[ToolCallChunk]
    ) -> Pieces:
        pieces = self._close_run()
        index = self._index(number)
        for chunk in chunks:
            self.calls.take_chunk(index, chunk)
        if block is not None and not chunks:
            self.calls.take_whole(index, block)
        content: Any = [] if block is None else [{**block, "index": index}]
        renumbered: Any = [{**chunk, "index": index} for chunk in chunks]
        piece = AIMessageChunk(content=content, tool_call_chunks=renumbered)
        return pieces + self._emit(index, piece)

    def _place_other(self, number: int, block: Block) -> Pieces:
        pieces = self._close_run()
        index = self._index(number)
        piece = AIMessageChunk(content=[{**block, "index": index}])
        return pieces + self._emit(index, piece)

    def _index(self, number: int) -> int:
        """Return the turn's number of a segment's block (B1)."""
        new = self._last + 1 if self.seams else number
        index = self._indexes.setdefault(number, new)
        self._last = max(self._last, index)
        return index

    def _close_run(self, *, cut: bool = False) -> Pieces:
        """End the open text block: the next block begins, or the turn is over."""
        if self._run is None:
            return []
        pieces = self.end_text(cut=cut)
        pieces += self._text_pieces({}, self._run.finish(cut=cut))
        self._closed_text += len(self._run)
        self._run, self._joins = None, False
        return pieces

    def _text_pieces(self, block: Block, text: str, *, always: bool = False) -> Pieces:
        """Wrap released text as it came: a plain string, or a block with its extras."""
        extras = {key: value for key, value in block.items() if key not in _TEXT_KEYS}
        if not (text or extras or always):
            return []
        content: Any = text
        if not self._plain:
            text_block = {"type": "text", "text": text, **extras}
            content = [{**text_block, "index": self._run_index}]
        return self._emit(self._run_index, AIMessageChunk(content=content))

    def _emit(self, index: int, piece: AIMessageChunk) -> Pieces:
        """Release a piece, or hold it behind a tool call (B3)."""
        if not self.calls:
            return [piece]
        self.calls.hold(index, piece)
        return []


_TEXT_KEYS = frozenset({"type", "text", "index"})

_BESIDE = 1000
"""Numbers for calls that have no block: behind all that have one."""


def _blocks_of(message: AIMessage) -> Iterator[tuple[int, Block]]:
    """Give the blocks of a message or chunk, each with its number."""
    content = message.content
    if isinstance(content, str):
        content = [content] if content else []
    for position, item in enumerate(content):
        block = item if isinstance(item, dict) else {"type": "text", "text": item}
        number = block.get("index")
        yield (number if isinstance(number, int) else position), block


def _is_text(block: Block) -> bool:
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def _tool_chunks(message: AIMessage) -> dict[int, list[ToolCallChunk]]:
    """Return a chunk's tool call chunks by the number of their block."""
    by_number: dict[int, list[ToolCallChunk]] = {}
    if isinstance(message, AIMessageChunk):
        for position, chunk in enumerate(message.tool_call_chunks):
            number = chunk.get("index")
            at = number if isinstance(number, int) else position
            by_number.setdefault(at, []).append(chunk)
    return by_number


def _calls_beside(message: AIMessage) -> list[Block]:
    """Return a whole response's calls that are in no block: ChatBedrock's, mostly."""
    if isinstance(message, AIMessageChunk):
        return []
    blocks = [block for _, block in _blocks_of(message)]
    in_blocks = [b.get("id") for b in blocks if b.get("type") in TOOL_TYPES]
    return [
        {"id": call["id"], "name": call["name"], "input": call["args"]}
        for call in message.tool_calls
        if call["id"] not in in_blocks
    ]

"""Content blocks over the segments of a turn: their number, their text, their tools.

B1. The blocks of the turn are numbered once, in order: the first segment keeps its own
    numbers, a later one's follow on, and its first text goes on in the open block.
B2. Text is released as `_seam` allows; a block that is over is released whole before
    anything of the next one.
B3. From a segment's first tool call on, everything is held until the segment is over,
    so that no reader of chunks can run half a call.
B4. A block of any other kind passes through as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._seam import TextRun
from langchain_bedrock_continue._tool_calls import HeldCalls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages import AIMessage
    from langchain_core.messages.tool import ToolCallChunk

Block: TypeAlias = dict[str, Any]
Pieces: TypeAlias = list[AIMessageChunk]

TOOL_TYPES = frozenset({"tool_use", "input_json_delta"})


class Blocks:
    """Places the blocks of each segment in the turn, and says what to release."""

    def __init__(self) -> None:
        """Begin a turn, with its first segment."""
        self.calls = HeldCalls()
        self._indexes: dict[int, int] = {}
        self._shift: int | None = None
        self._last = -1
        self._run: TextRun | None = None
        self._run_index = -1
        self._joins = False
        self._closed_text = 0
        self._plain = False

    @property
    def text_length(self) -> int:
        """Count the characters of the turn's text, as they stand."""
        return self._closed_text + (0 if self._run is None else len(self._run))

    def advances(self) -> bool:
        """Tell whether the segment can be gone on from: it ends in new text."""
        run = self._run
        return run is not None and self._run_index == self._last and run.advances()

    def receive(self, message: AIMessage) -> Pieces:
        """Place what arrived; return what may be released."""
        chunks = _tool_chunks(message)
        pieces: Pieces = []
        for number, block in _blocks_of(message):
            self._plain = isinstance(message.content, str)
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
            self.calls.take_whole(self._index(_BESIDE + len(self._indexes)), call)
        return pieces

    def cut(self) -> Pieces:
        """End a segment that the next one goes on from; keep what the seam allows."""
        kept = "" if self._run is None else self._run.cut()
        self._indexes, self._shift, self._joins = {}, self._last + 1, True
        return self._text_pieces({}, kept)

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
            self._run, self._run_index = TextRun(), self._index(number)
        self._joins = False
        released = self._run.feed(block["text"])
        return pieces + self._text_pieces(block, released, always=new)

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
        shift = number if self._shift is None else self._shift + len(self._indexes)
        index = self._indexes.setdefault(number, shift)
        self._last = max(self._last, index)
        return index

    def _close_run(self, *, cut: bool = False) -> Pieces:
        """End the open text block: the next block begins, or the turn is over."""
        if self._run is None:
            return []
        pieces = self._text_pieces({}, self._run.finish(cut=cut))
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
    in_blocks = {b.get("id") for b in blocks if b.get("type") in TOOL_TYPES}
    return [
        {"id": call["id"], "name": call["name"], "input": call["args"]}
        for call in message.tool_calls
        if call["id"] not in in_blocks
    ]

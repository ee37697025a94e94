"""Tool calls of a segment: held until it is over, then given out whole or invalid.

LangChain parses the arguments of streamed calls as *partial* JSON, and Converse gives
a cut call's `input` the keys that arrived: both make a cut call look valid, and an
agent runs it. Only the stop reason and the strict JSON tell.

T1. A call is whole if its arguments are a JSON object and it was not cut: the stop
    reason vouches for it, or it is not the last block of a segment that was not cut.
    Nothing else shows it: behind a call that is complete, another may have been cut.
    A call without a name, as a server's own tool may come, is none that can run.
T2. Where one call was cut, none of the segment's calls is given out as valid.
T3. An invalid call stays invalid when chunks are added: its `args` can't be parsed as
    an object, not even as partial JSON.
T4. From the first tool call on, whatever follows is held too: the order stays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk

if TYPE_CHECKING:
    from langchain_core.messages import InvalidToolCall, ToolCall
    from langchain_core.messages.tool import ToolCallChunk

CUT = "Cut at {reason}: the arguments of this tool call did not arrive whole."
BESIDE_CUT = (
    "Another tool call of this answer was cut at {reason}, "
    "and none is given out without the others."
)
NAMELESS = "This tool call has no name."
MALFORMED = "The arguments of this tool call are not a JSON object."


@dataclass
class Call:
    """One tool call as it arrives.

    Attributes:
        index: The number of its block in the turn.
        streamed: Its arguments come as JSON text, piece by piece.
        json_text: The arguments, as far as they arrived.
        error: Why it must not run; None while it is taken for whole.
    """

    index: int
    streamed: bool
    call_id: str | None = None
    name: str | None = None
    json_text: str = ""
    error: str | None = None

    @property
    def args(self) -> dict[str, Any] | None:
        """The arguments by strict JSON, or None."""
        try:
            args = json.loads(self.json_text or "{}")
        except ValueError:
            return None
        return args if isinstance(args, dict) else None

    @property
    def arrived_whole(self) -> bool:
        """Whether the arguments alone show that nothing is missing."""
        return self.streamed and self.json_text != "" and self.args is not None

    def moved(self, shift: int) -> Call:
        """Return the call with another number."""
        return replace(self, index=self.index + shift)

    def valid(self) -> ToolCall:
        """Return the call in LangChain's form."""
        return tool_call(name=self.name or "", args=self.args or {}, id=self.call_id)

    def invalid(self) -> InvalidToolCall:
        """Return the call as one that must not run: the raw text, and why."""
        return invalid_tool_call(
            name=self.name, args=self.json_text, id=self.call_id, error=self.error
        )

    def valid_piece(self) -> AIMessageChunk:
        """Return a chunk with the whole call."""
        block = {"type": "tool_use", "name": self.name, "id": self.call_id}
        given: Any = self.json_text if self.streamed else self.args
        content: Any = [{**block, "input": given, "index": self.index}]
        chunk = tool_call_chunk(
            name=self.name, args=self.json_text, id=self.call_id, index=self.index
        )
        return AIMessageChunk(content=content, tool_call_chunks=[chunk])

    def invalid_piece(self) -> AIMessageChunk:
        """Return a chunk that no addition turns into a valid call (T3)."""
        block = {**self.invalid(), "index": self.index}
        chunk = tool_call_chunk(
            name=self.name,
            args=f"[{self.error}] {self.json_text}",
            id=self.call_id,
            index=self.index,
        )
        return InvalidCallChunk(content=[block], tool_call_chunks=[chunk])


class InvalidCallChunk(AIMessageChunk):
    """A chunk whose block is already the one that LangChain has for an invalid call.

    Its translators know the blocks of Bedrock alone, and would call it non-standard.
    """

    @property
    def content_blocks(self) -> list[Any]:
        """The blocks in LangChain's form: as they are."""
        return list(self.content)


class HeldCalls:
    """What a segment brings from its first tool call on."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._calls: dict[int, Call] = {}
        self._pieces: list[tuple[int, AIMessageChunk]] = []
        self._behind: int | None = None

    def __bool__(self) -> bool:
        """Tell whether a tool call has begun."""
        return self._behind is not None

    def __len__(self) -> int:
        """Count the calls."""
        return len(self._calls)

    def begin(self, last: int) -> None:
        """Begin to hold, behind the turn's block of this number."""
        self._behind = last

    def before(self, last: int) -> int:
        """Return the number of the last block before the calls, or of the last."""
        return last if self._behind is None else self._behind

    def renumber(self, first: int, last: int) -> int:
        """Move the calls to numbers from `first` on, and drop reasoning before them.

        Returns:
            The new number of what was number `last`.
        """
        if self._behind is None:
            return first - 1
        behind, shift = self._behind, first - 1 - self._behind
        self._behind += shift
        self._calls = {i + shift: call.moved(shift) for i, call in self._calls.items()}
        moving = [(i, piece) for i, piece in self._pieces if i > behind]
        self._pieces = [(i + shift, _moved(piece, shift)) for i, piece in moving]
        return last + shift

    @property
    def valid(self) -> list[ToolCall]:
        """The calls that may run, once judged."""
        return [call.valid() for call in self._calls.values() if not call.error]

    @property
    def invalid(self) -> list[InvalidToolCall]:
        """The calls that must not, once judged."""
        return [call.invalid() for call in self._calls.values() if call.error]

    def take_whole(self, index: int, block: dict[str, Any]) -> None:
        """Take a call of a non-streaming response, whose input is an object."""
        self._calls[index] = Call(
            index=index,
            streamed=False,
            call_id=_string(block.get("id")),
            name=_string(block.get("name")),
            json_text=json.dumps(block.get("input"), ensure_ascii=False, default=str),
        )

    def take_chunk(self, index: int, chunk: ToolCallChunk) -> None:
        """Take some more of a streamed call."""
        call = self._calls.setdefault(index, Call(index, streamed=True))
        call.call_id = call.call_id or chunk.get("id")
        call.name = call.name or chunk.get("name")
        call.json_text += chunk.get("args") or ""

    def hold(self, index: int, piece: AIMessageChunk) -> None:
        """Keep a piece back until the calls are judged (T4)."""
        self._pieces.append((index, piece))

    def unfinished(self) -> Call | None:
        """Return the last call, if what came behind the others was cut in it."""
        calls = list(self._calls.values())
        broken = [call for call in calls if call is calls[-1] or call.args is None]
        behind = [i for i, _ in self._pieces if calls and i > calls[-1].index]
        if len(broken) != 1 or behind or broken[0].arrived_whole:
            return None
        return broken[0]

    def complete(self, call: Call, args: dict[str, Any]) -> None:
        """Give a call its whole arguments, in place of what came of it."""
        text = json.dumps(args, ensure_ascii=False)
        whole = replace(call, json_text=text, error=None)
        self._calls[call.index] = whole
        had_block = any(i == call.index for i, _ in self._pieces)
        self._pieces = [piece for piece in self._pieces if piece[0] != call.index]
        if had_block:
            self._pieces.append((call.index, whole.valid_piece()))

    def judge(self, *, reason: str, vouches: bool, last_index: int | None) -> None:
        """Mark the calls that must not run (T1, T2), once the segment is over.

        Args:
            reason: What ended it.
            vouches: Whether the model ended its last block itself.
            last_index: The number of that block; None where the segment was cut, so
                that more was to come behind whatever came.
        """
        calls = self._calls.values()
        at = max(self._calls, default=0) if last_index is None else last_index
        for call in calls:
            if not call.name:
                call.error = NAMELESS
            if call.args is None:
                call.error = MALFORMED
            if call.index == at and not vouches:
                call.error = CUT.format(reason=reason)
        if any(call.error for call in calls) and not vouches:
            for call in calls:
                call.error = call.error or BESIDE_CUT.format(reason=reason)

    def release(self) -> list[AIMessageChunk]:
        """Give out all that was held, in order; a call that must not run as invalid."""
        released: list[AIMessageChunk] = []
        marked: set[int] = set()
        for index, piece in self._pieces:
            call = self._calls.get(index)
            if call is None or not call.error:
                released.append(piece)
            elif index not in marked:
                released.append(call.invalid_piece())
                marked.add(index)
        self._pieces = []
        return released


def _moved(piece: AIMessageChunk, shift: int) -> AIMessageChunk:
    """Return a piece whose blocks and chunks have other numbers."""
    content: Any = [
        {**block, "index": block["index"] + shift} if isinstance(block, dict) else block
        for block in piece.content
    ]
    chunks: Any = [
        {**chunk, "index": (chunk["index"] or 0) + shift}
        for chunk in piece.tool_call_chunks
    ]
    return type(piece)(content=content, tool_call_chunks=chunks)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None

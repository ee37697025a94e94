"""Tool calls of a segment: held until it is over, then given out whole or invalid.

LangChain parses the arguments of streamed calls as *partial* JSON, and Converse gives
a cut call's `input` the keys that arrived: both make a cut call look valid, and an
agent runs it. Only the stop reason and the strict JSON tell.

T1. A call is whole if its arguments are a JSON object and it was not cut: it is not the
    segment's last block, or the stop reason vouches for it, or its arguments came as
    text (in a stream) and are complete.
T2. Where one call was cut, none of the segment's calls is given out as valid.
T3. An invalid call stays invalid when chunks are added: its `args` can't be parsed as
    an object, not even as partial JSON.
T4. From the first tool call on, whatever follows is held too: the order stays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
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

    def valid(self) -> ToolCall:
        """Return the call in LangChain's form."""
        return tool_call(name=self.name or "", args=self.args or {}, id=self.call_id)

    def invalid(self) -> InvalidToolCall:
        """Return the call as one that must not run: the raw text, and why."""
        return invalid_tool_call(
            name=self.name, args=self.json_text, id=self.call_id, error=self.error
        )

    def invalid_piece(self) -> AIMessageChunk:
        """Return a chunk that no addition turns into a valid call (T3)."""
        block = {**self.invalid(), "index": self.index}
        chunk = tool_call_chunk(
            name=self.name,
            args=f"[{self.error}] {self.json_text}",
            id=self.call_id,
            index=self.index,
        )
        return AIMessageChunk(content=[block], tool_call_chunks=[chunk])


class HeldCalls:
    """What a segment brings from its first tool call on."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._calls: dict[int, Call] = {}
        self._pieces: list[tuple[int, AIMessageChunk]] = []

    def __bool__(self) -> bool:
        """Tell whether a tool call has begun."""
        return bool(self._calls)

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

    def judge(self, *, reason: str, vouches: bool, last_index: int) -> None:
        """Mark the calls that must not run (T1, T2), once the segment is over."""
        calls = self._calls.values()
        for call in calls:
            if call.args is None:
                call.error = MALFORMED
            if call.index == last_index and not vouches and not call.arrived_whole:
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


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None

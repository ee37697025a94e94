"""The tool calls of a segment: held back until it is over, then valid or invalid.

LangChain parses the arguments of streamed calls as *partial* JSON, and Converse gives a
truncated call's `input` the keys that arrived. Both make a truncated call look valid,
and an agent runs it. Only the stop reason and the end of the JSON tell.

CALL-1. A call is complete if its arguments are a JSON object and it was not truncated:
    the stop reason says that the last block is complete, or the segment was not
    truncated at a limit and the call is not its last block, or its streamed arguments
    end. After a limit, nothing shows it: after a complete call, another one may have
    been truncated. A call without a name can't run; a server's own tool may arrive as
    one.
CALL-2. If one call was truncated, none of the segment's calls is valid.
CALL-3. An invalid call stays invalid when chunks are added: the `args` of its chunk
    begin with a mark that no JSON begins with. LangChain's sum of tool call chunks has
    no `error`, so the chunks that come with an invalid call restore it, and the
    arguments without the mark, in the sum.
CALL-4. From the first tool call on, everything that follows is held back, too, so that
    the order is kept.
CALL-5. A raw line break or another control character in a string is no sign of a cut:
    models write them, and LangChain accepts them. An object that was cut has no last
    brace, so it can't be parsed either way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk

if TYPE_CHECKING:
    from langchain_core.messages import InvalidToolCall, ToolCall
    from langchain_core.messages.tool import ToolCallChunk

TRUNCATED = "Truncated at {reason}: the arguments of this tool call are incomplete."
BESIDE_TRUNCATED = (
    "Another tool call of this answer was truncated at {reason}, "
    "and none is returned without the others."
)
NAMELESS = "This tool call has no name."
NO_JSON = "\ufeff"
"""What the arguments of an invalid call's chunk begin with: a byte order mark, which a
JSON text must not begin with (RFC 8259, section 8.1). It is invisible."""

INVALID_CALL = "invalid_tool_call"
"""LangChain's type of a block of an invalid call."""

MALFORMED = "The arguments of this tool call are not a JSON object."


@dataclass
class Call:
    """One tool call as it arrives.

    Attributes:
        index: The number of its block in the turn.
        streamed: Its arguments arrive as JSON text, in chunks.
        json_chunks: Its arguments as JSON, as far as they arrived.
        error: Why it must not run; None if it may.
    """

    index: int
    streamed: bool
    call_id: str | None = None
    name: str | None = None
    json_chunks: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def json_text(self) -> str:
        """The arguments as JSON, as far as they arrived."""
        return "".join(self.json_chunks)

    @property
    def args(self) -> dict[str, Any] | None:
        """The arguments as a JSON object, or None (CALL-5)."""
        try:
            args = json.loads(self.json_text or "{}", strict=False)
        except ValueError:
            return None
        return args if isinstance(args, dict) else None

    @property
    def is_complete_json(self) -> bool:
        """Whether the raw arguments are complete JSON."""
        return self.streamed and self.json_text != "" and self.args is not None

    def moved(self, shift: int) -> Call:
        """Return the call with another number."""
        return replace(self, index=self.index + shift)

    def valid(self) -> ToolCall:
        """Return the call as LangChain's `ToolCall`."""
        return tool_call(name=self.name or "", args=self.args or {}, id=self.call_id)

    def invalid(self) -> InvalidToolCall:
        """Return the call as one that must not run: the raw arguments, and why."""
        return invalid_tool_call(
            name=self.name, args=self.json_text, id=self.call_id, error=self.error
        )

    def valid_chunk(self) -> AIMessageChunk:
        """Return a chunk with the complete call."""
        block = {"type": "tool_use", "name": self.name, "id": self.call_id}
        given: Any = self.json_text if self.streamed else self.args
        content: Any = [{**block, "input": given, "index": self.index}]
        chunk = tool_call_chunk(
            name=self.name, args=self.json_text, id=self.call_id, index=self.index
        )
        return AIMessageChunk(content=content, tool_call_chunks=[chunk])

    def invalid_chunk(self) -> AIMessageChunk:
        """Return a chunk that no addition turns into a valid call (CALL-3)."""
        block = {**self.invalid(), "index": self.index}
        chunk = tool_call_chunk(
            name=self.name,
            args=NO_JSON + self.json_text,
            id=self.call_id,
            index=self.index,
        )
        made = InvalidCallChunk(content=[block], tool_call_chunks=[chunk])
        return restore_invalid_calls(made)


class InvalidCallChunk(AIMessageChunk):
    """A chunk of a stream that has an invalid call (CALL-3).

    Its block is LangChain's own block of an invalid call. LangChain's translators only
    know the blocks of Bedrock, and would make it a non-standard one.
    """

    @property
    def content_blocks(self) -> list[Any]:
        """The blocks as LangChain's standard blocks, which they are."""
        return list(self.content)

    def __add__(self, other: Any) -> Any:
        """Add chunks to this one; see `__radd__`."""
        return _as_plain(self) + other if _is_chunk(other) else super().__add__(other)

    def __radd__(self, other: Any) -> Any:
        """Add this chunk to a sum of chunks, and restore its invalid calls.

        Python tries it before the addition of the class that this one extends.
        """
        if not _is_chunk(other):
            return NotImplemented
        return restore_invalid_calls(_as_plain(other) + _as_plain(self))


def _is_chunk(other: object) -> bool:
    return isinstance(other, AIMessageChunk)


def _as_plain(chunk: AIMessageChunk) -> AIMessageChunk:
    """Return a chunk of LangChain's class."""
    if type(chunk) is AIMessageChunk:
        return chunk
    return AIMessageChunk(**dict(chunk))


Message = TypeVar("Message", bound=AIMessage)


def restore_invalid_calls(message: Message) -> Message:
    """Give invalid calls the reason and the arguments that their blocks have (CALL-3).

    LangChain's conversion to v1 blocks wraps the block of an invalid call as one that
    is not standard; it is, and is unwrapped.

    Args:
        message: What LangChain made of a stream or a response. It is changed.
    """
    if not message.invalid_tool_calls or isinstance(message.content, str):
        return message
    content: Any = [*map(unwrapped, message.content)]
    message.content = content
    blocks = {block.get("id"): block for block in content if is_invalid_call(block)}
    message.invalid_tool_calls = [
        _restored(call, blocks.get(call["id"])) for call in message.invalid_tool_calls
    ]
    return message


def is_invalid_call(block: object) -> bool:
    """Return True for LangChain's block of an invalid call."""
    return isinstance(block, dict) and block.get("type") == INVALID_CALL


def unwrapped(block: Any) -> Any:
    """Return the block of an invalid call that was wrapped as not standard."""
    if not isinstance(block, dict) or block.get("type") != "non_standard":
        return block
    value: Any = block.get("value")
    if not is_invalid_call(value):
        return block
    return {**value, "index": block["index"]} if "index" in block else value


def _restored(call: InvalidToolCall, block: Any) -> InvalidToolCall:
    known = call if block is None else block
    return invalid_tool_call(
        name=known["name"], args=known["args"], id=known["id"], error=known["error"]
    )


class HeldCalls:
    """What a segment brings from its first tool call on, held back (CALL-4).

    Attributes:
        begun: A tool call has begun.
    """

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._calls: dict[int, Call] = {}
        self._held: list[tuple[int, AIMessageChunk]] = []
        self._before = -1  # the number of the block before the calls
        self.begun = False

    @property
    def count(self) -> int:
        """The number of calls."""
        return len(self._calls)

    @property
    def arriving(self) -> Call | None:
        """The last call that has begun, or None."""
        return next(reversed(self._calls.values()), None)

    def begin(self, last: int) -> None:
        """Begin to hold back what follows the turn's block of this number."""
        self._before, self.begun = last, True

    def before(self, last: int) -> int:
        """Return the number of the block before the calls; `last` if there are none."""
        return self._before if self.begun else last

    def renumber(self, first: int, last: int) -> int:
        """Move the calls to the numbers from `first` on; drop reasoning before them.

        Returns:
            The new number of the block that was number `last`.
        """
        if not self.begun:
            return first - 1
        before = self._before
        shift = first - 1 - before
        self._before += shift
        self._calls = {i + shift: call.moved(shift) for i, call in self._calls.items()}
        moving = [(i, chunk) for i, chunk in self._held if i > before]
        self._held = [(i + shift, _moved(chunk, shift)) for i, chunk in moving]
        return last + shift

    @property
    def valid(self) -> list[ToolCall]:
        """The calls that may run, after `judge`."""
        return [call.valid() for call in self._calls.values() if not call.error]

    @property
    def invalid(self) -> list[InvalidToolCall]:
        """The calls that must not run, after `judge`."""
        return [call.invalid() for call in self._calls.values() if call.error]

    def take_whole(self, index: int, block: dict[str, Any]) -> None:
        """Take a call of a non-streaming response, whose input is an object."""
        self._calls[index] = Call(
            index=index,
            streamed=False,
            call_id=_string(block.get("id")),
            name=_string(block.get("name")),
            json_chunks=[
                json.dumps(block.get("input"), ensure_ascii=False, default=str)
            ],
        )

    def take_chunk(self, index: int, chunk: ToolCallChunk) -> None:
        """Take a chunk of a streamed call."""
        call = self._calls.setdefault(index, Call(index, streamed=True))
        call.call_id = call.call_id or chunk.get("id")
        call.name = call.name or chunk.get("name")
        call.json_chunks.append(chunk.get("args") or "")

    def hold(self, index: int, chunk: AIMessageChunk) -> None:
        """Hold a chunk back until the segment is over (CALL-4)."""
        self._held.append((index, chunk))

    def truncated(self) -> Call | None:
        """Return the last call, if it is truncated and all others are complete."""
        calls = list(self._calls.values())
        broken = [call for call in calls if call is calls[-1] or call.args is None]
        after = [i for i, _ in self._held if calls and i > calls[-1].index]
        if len(broken) != 1 or after or broken[0].is_complete_json:
            return None
        return broken[0]

    def complete(self, call: Call, args: dict[str, Any]) -> None:
        """Replace what arrived of a call's arguments by the complete ones."""
        text = json.dumps(args, ensure_ascii=False)
        completed = replace(call, json_chunks=[text], error=None)
        self._calls[call.index] = completed
        had_block = any(i == call.index for i, _ in self._held)
        self._held = [held for held in self._held if held[0] != call.index]
        if had_block:
            self._held.append((call.index, completed.valid_chunk()))

    def judge(
        self, *, reason: str, last_block_complete: bool, last_index: int | None
    ) -> None:
        """Mark the calls that must not run (CALL-1, CALL-2), once the segment is over.

        Args:
            reason: What ended it.
            last_block_complete: Whether the model ended its last block itself.
            last_index: The number of that block; None if the segment was truncated:
                whatever came last, more was to follow.
        """
        calls = self._calls.values()
        at = max(self._calls, default=0) if last_index is None else last_index
        for call in calls:
            if not call.name:
                call.error = NAMELESS
            if call.args is None:
                call.error = MALFORMED
            ended = last_index is not None and call.is_complete_json
            if call.index == at and not (last_block_complete or ended):
                call.error = TRUNCATED.format(reason=reason)
        if any(call.error for call in calls) and not last_block_complete:
            for call in calls:
                call.error = call.error or BESIDE_TRUNCATED.format(reason=reason)

    def release(self) -> list[AIMessageChunk]:
        """Return all that was held, in order; a call that must not run as invalid."""
        released: list[AIMessageChunk] = []
        marked: set[int] = set()
        for index, chunk in self._held:
            call = self._calls.get(index)
            if call is None or not call.error:
                released.append(chunk)
            elif index not in marked:
                released.append(call.invalid_chunk())
                marked.add(index)
        self._held = []
        return released


def _moved(chunk: AIMessageChunk, shift: int) -> AIMessageChunk:
    """Return a chunk with its blocks and tool call chunks renumbered."""
    content: Any = [
        {**block, "index": block["index"] + shift} if isinstance(block, dict) else block
        for block in chunk.content
    ]
    chunks: Any = [
        {**call, "index": (call["index"] or 0) + shift}
        for call in chunk.tool_call_chunks
    ]
    return type(chunk)(content=content, tool_call_chunks=chunks)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None

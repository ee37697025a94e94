"""What a response or a chunk holds, in one form whatever API and mode it came by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages.tool import ToolCallChunk

Block: TypeAlias = dict[str, Any]
Pieces: TypeAlias = list[AIMessageChunk]

TOOL_TYPES = ("tool_use", "input_json_delta")
REASONING_TYPES = ("reasoning_content", "thinking", "redacted_thinking")
"""The types that langchain-aws gives the reasoning of Converse and of InvokeModel."""

BESIDE = 1000
"""Numbers for calls that have no block: behind all that have one."""

_TEXT_KEYS = frozenset({"type", "text", "index"})


def blocks_of(message: AIMessage) -> Iterator[tuple[int, Block]]:
    """Give the blocks of a message or chunk, each with its number."""
    content = message.content
    if isinstance(content, str):
        content = [content] if content else []
    for position, item in enumerate(content):
        block = item if isinstance(item, dict) else {"type": "text", "text": item}
        number = block.get("index")
        yield (number if isinstance(number, int) else position), block


def is_text(block: Block) -> bool:
    """Tell whether a block is text."""
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def as_block(text: str) -> Block:
    """Return a text as the first block of a message."""
    return {"type": "text", "text": text, "index": 0}


def is_plain(message: AIMessage) -> bool:
    """Tell whether a chunk's text has no block: so are ChatBedrock's, mostly.

    A whole response that is one text has none either, but the others of its turn may
    have several.
    """
    return isinstance(message, AIMessageChunk) and isinstance(message.content, str)


def extras_of(block: Block) -> Block:
    """Return what a text block has beside its text: citations, mostly."""
    return {key: value for key, value in block.items() if key not in _TEXT_KEYS}


def tool_chunks(message: AIMessage) -> dict[int, list[ToolCallChunk]]:
    """Return a chunk's tool call chunks by the number of their block."""
    by_number: dict[int, list[ToolCallChunk]] = {}
    if isinstance(message, AIMessageChunk):
        for position, chunk in enumerate(message.tool_call_chunks):
            number = chunk.get("index")
            at = number if isinstance(number, int) else position
            by_number.setdefault(at, []).append(chunk)
    return by_number


def calls_beside(message: AIMessage) -> list[Block]:
    """Return a whole response's calls that are in no block: ChatBedrock's, mostly."""
    if isinstance(message, AIMessageChunk):
        return []
    blocks = [block for _, block in blocks_of(message)]
    in_blocks = [b.get("id") for b in blocks if b.get("type") in TOOL_TYPES]
    return [
        {"id": call["id"], "name": call["name"], "input": call["args"]}
        for call in message.tool_calls
        if call["id"] not in in_blocks
    ]


def has_reasoning(piece: AIMessageChunk) -> bool:
    """Tell whether a released piece brings reasoning."""
    return any(block.get("type") in REASONING_TYPES for _, block in blocks_of(piece))


def says_anything(piece: AIMessageChunk) -> bool:
    """Tell whether a released piece brings more than an empty text."""
    return any(not is_text(block) or block["text"] for _, block in blocks_of(piece))

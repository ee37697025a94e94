"""Answers of any content, and any beginning of them, for tests of the core."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.content import ReleasedBlocks
from tests.support.players import Block, chunks, whole

WORDS = st.sampled_from(
    ["one", "two ", " three", "\n", ".\n", "}", "日本", " ", "\n\n"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=8).map("".join)
ARGUMENTS = st.sampled_from([{}, {"path": "a.md"}, {"path": "b", "content": 'x"}\n'}])


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def thought(words: str) -> Block:
    inner = {"text": words, "signature": "s"}
    return {"type": "reasoning_content", "reasoning_content": inner}


def image(name: str) -> Block:
    return {"type": "image", "source": {"data": name}}


def call(name: str, args: dict[str, Any]) -> Block:
    return {"type": "tool_use", "id": name, "name": "write", "input": args}


@st.composite
def contents(draw: st.DrawFn, *, calls: int = 2) -> list[Block]:
    """The blocks of an answer: thinking, texts with something between them, calls."""
    blocks = [thought("hm")] if draw(st.booleans()) else []
    for at in range(draw(st.integers(0, 3))):
        blocks.append(text(draw(TEXTS)))
        if draw(st.booleans()):
            blocks.append(image(str(at)))
    many = range(draw(st.integers(0, calls)))
    return blocks + [call(f"id{at}", draw(ARGUMENTS)) for at in many]


def as_streamed(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with the calls' arguments as JSON text."""
    return [
        {**block, "input": json.dumps(block["input"])}
        if block["type"] == "tool_use"
        else block
        for block in blocks
    ]


def said(blocks: Sequence[Block], size: int, reason: str = "end_turn") -> list[Any]:
    """Return the answer as it arrives: in chunks of a size, or whole, for 0."""
    if size:
        return list(chunks(as_streamed(blocks), reason, size))
    return [whole(blocks, reason)]


def begun(blocks: Sequence[Block], at: int, size: int) -> list[Any]:
    """Return the beginning of the answer, cut after so many chunks or characters."""
    if size:
        *all_of_it, _stop = said(blocks, size)
        return [*all_of_it[:at], *chunks([], "max_tokens", size)]
    return [whole(list(_cut(blocks, at)), "max_tokens")]


def _cut(blocks: Sequence[Block], at: int) -> Iterator[Block]:
    """Cut a whole response: of a call that was cut, no argument came."""
    for block in blocks:
        size = len(block["text"]) if block["type"] == "text" else 1
        if at <= 0:
            return
        yield _part(block, at) if at < size or block["type"] == "tool_use" else block
        at -= size


def _part(block: Block, at: int) -> Block:
    if block["type"] == "text":
        return {**block, "text": block["text"][:at]}
    return {**block, "input": {}} if at == 1 else block


def released(pieces: Sequence[AIMessageChunk]) -> list[Block]:
    """Put together what was released."""
    transcript = ReleasedBlocks()
    for piece in pieces:
        transcript.add(piece)
    return transcript.blocks(numbered=False)


def shown_text(pieces: Sequence[AIMessage]) -> str:
    return "".join(piece.text for piece in pieces)

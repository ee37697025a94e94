"""Contents of answers, complete and truncated, as blocks and as they arrive."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.released_blocks import ReleasedBlocks
from tests.support.responses import Block, complete_message, streamed_chunks

WORDS = st.sampled_from(
    ["one", "two ", " three", "\n", ".\n", "}", "日本", " ", "\n\n"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=8).map("".join)
ARGUMENTS = st.sampled_from([{}, {"path": "a.md"}, {"path": "b", "content": 'x"}\n'}])

# Blocks ---------------------------------------------------------------------------


def text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def reasoning_block(text: str) -> Block:
    inner = {"text": text, "signature": "s"}
    return {"type": "reasoning_content", "reasoning_content": inner}


def image_block(data: str) -> Block:
    return {"type": "image", "source": {"data": data}}


def call_block(call_id: str, args: dict[str, Any]) -> Block:
    return {"type": "tool_use", "id": call_id, "name": "write", "input": args}


@st.composite
def contents(draw: st.DrawFn, *, max_calls: int = 2) -> list[Block]:
    """Draw the blocks of an answer: reasoning, texts with images between, calls."""
    blocks = [reasoning_block("hm")] if draw(st.booleans()) else []
    for number in range(draw(st.integers(0, 3))):
        blocks.append(text_block(draw(TEXTS)))
        if draw(st.booleans()):
            blocks.append(image_block(str(number)))
    numbers = range(draw(st.integers(0, max_calls)))
    return blocks + [call_block(f"id{number}", draw(ARGUMENTS)) for number in numbers]


# As they arrive -------------------------------------------------------------------


def complete_response(
    blocks: Sequence[Block], chunk_size: int, stop_reason: str = "end_turn"
) -> list[Any]:
    """Return the chunks of a response, or one message if `chunk_size` is 0."""
    if chunk_size:
        streamed = _with_json_input(blocks)
        return list(streamed_chunks(streamed, stop_reason, chunk_size))
    return [complete_message(blocks, stop_reason)]


def truncated_response(
    blocks: Sequence[Block], size: int, chunk_size: int
) -> list[Any]:
    """Return a response that was truncated at `max_tokens`.

    Args:
        blocks: The complete answer.
        size: How many chunks of it arrived; or, if it is not streamed, how many
            characters.
        chunk_size: The characters of a chunk; 0 for one message.
    """
    if chunk_size:
        *chunks, _last = complete_response(blocks, chunk_size)
        return [*chunks[:size], *streamed_chunks([], "max_tokens", chunk_size)]
    return [complete_message(list(_truncated(blocks, size)), "max_tokens")]


def _with_json_input(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with the arguments of tool calls as JSON text."""
    return [
        {**block, "input": json.dumps(block["input"])}
        if block["type"] == "tool_use"
        else block
        for block in blocks
    ]


def _truncated(blocks: Sequence[Block], left: int) -> Iterator[Block]:
    """Truncate a response that was not streamed: a truncated call has no arguments."""
    for block in blocks:
        size = len(block["text"]) if block["type"] == "text" else 1
        if left <= 0:
            return
        is_truncated = left < size or block["type"] == "tool_use"
        yield _truncated_block(block, left) if is_truncated else block
        left -= size


def _truncated_block(block: Block, left: int) -> Block:
    if block["type"] == "text":
        return {**block, "text": block["text"][:left]}
    return {**block, "input": {}} if left == 1 else block


# As they were released ------------------------------------------------------------


def released_blocks(chunks: Sequence[AIMessageChunk], *, numbered: bool = False) -> Any:
    """Return the blocks that released chunks add up to."""
    released = ReleasedBlocks()
    for chunk in chunks:
        released.add(chunk)
    return released.blocks(numbered=numbered)


def text_in(blocks: Sequence[Block]) -> str:
    """Return the text of all blocks."""
    return "".join(block.get("text", "") for block in blocks)

"""Responses in memory, in the form in which ChatBedrockConverse returns them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

Block: TypeAlias = dict[str, Any]

INPUT_TOKENS = 3
"""The input tokens of every response."""


def metadata_of(stop_reason: str | None) -> dict[str, Any]:
    """Return the `response_metadata` of a response."""
    return {} if stop_reason is None else {"stopReason": stop_reason}


def usage_of(output_tokens: int) -> Any:
    """Return the usage of a response."""
    return {
        "input_tokens": INPUT_TOKENS,
        "output_tokens": output_tokens,
        "total_tokens": INPUT_TOKENS + output_tokens,
    }


def complete_message(blocks: Sequence[Block], stop_reason: str | None) -> AIMessage:
    """Return blocks as a response that was not streamed; a single text is a string."""
    content: Any = [{**block} for block in blocks]
    if [block.keys() for block in content] == [{"type", "text"}]:
        content = content[0]["text"]
    calls = [
        {"id": block["id"], "name": block["name"], "args": block["input"]}
        for block in blocks
        if block["type"] == "tool_use"
    ]
    metadata = metadata_of(stop_reason)
    return AIMessage(content, tool_calls=calls, response_metadata=metadata)


def streamed_chunks(
    blocks: Sequence[Block], stop_reason: str | None, size: int
) -> Iterator[Any]:
    """Yield blocks as the chunks of a streamed response.

    Args:
        blocks: The blocks. A tool call's `input` is its JSON text, as far as it came.
        stop_reason: Why the response ended; None if it broke off.
        size: The characters of a chunk.
    """
    yield AIMessageChunk(content=[])
    for index, block in enumerate(blocks):
        yield from _chunks_of({**block, "index": index}, size)
        yield AIMessageChunk(content=[])
    yield AIMessageChunk(content="", response_metadata=metadata_of(stop_reason))


def text_of(messages: Iterable[AIMessage]) -> str:
    """Return the text of messages or chunks."""
    return "".join(message.text for message in messages)


def _chunks_of(block: Block, size: int) -> Iterator[AIMessageChunk]:
    if block["type"] == "text":
        for part in _parts(block["text"], size):
            yield AIMessageChunk(content=[{**block, "text": part}])
    elif block["type"] == "tool_use":
        first = {key: block[key] for key in ("type", "id", "name", "index")}
        start = tool_call_chunk(
            name=block["name"], id=block["id"], index=block["index"]
        )
        yield AIMessageChunk(content=[first], tool_call_chunks=[start])
        for part in _parts(block["input"], size):
            more = {"type": "input_json_delta", "input": part, "index": block["index"]}
            chunk = tool_call_chunk(args=part, index=block["index"])
            yield AIMessageChunk(content=[more], tool_call_chunks=[chunk])
    else:
        yield AIMessageChunk(content=[block])


def _parts(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]

"""What arrives of a response, read once, in one form for every API and mode.

ChatBedrockConverse and ChatBedrock return content as a string or as blocks, whole or
chunk by chunk, with tool calls in blocks or beside them. `Response` reads each message
or chunk once, keeps what belongs to the response (metadata, usage), and hands the
content on as `Incoming`. Nothing after it looks at LangChain's message again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata, add_usage

if TYPE_CHECKING:
    from langchain_core.messages.tool import ToolCallChunk

Block: TypeAlias = dict[str, Any]
Chunks: TypeAlias = list[AIMessageChunk]

TEXT, REASONING, TOOL, OTHER = "text", "reasoning", "tool", "other"
"""The kinds of content blocks."""

KINDS = {
    "text": TEXT,
    # langchain-aws's names for the reasoning of Converse and of InvokeModel.
    "reasoning_content": REASONING,
    "thinking": REASONING,
    "redacted_thinking": REASONING,
    # A tool call's block, and the blocks of its arguments in a stream.
    "tool_use": TOOL,
    "input_json_delta": TOOL,
}
"""The kind of a content block by its type; any other type is `OTHER`."""

TRUNCATED = "truncated"
"""The key of a reasoning block that was truncated. Its value is True."""

CALLS_WITHOUT_BLOCK = 1000
"""Block numbers for tool calls that have no block: after all that have one."""

_TEXT_KEYS = frozenset({"type", "text", "index"})


@dataclass(slots=True)
class Incoming:
    """The content of a response, or of a chunk of one.

    Attributes:
        blocks: Each content block with its number in the response and its kind.
        tool_chunks: A chunk's tool call chunks, by the number of their block.
        calls: The tool calls of a whole response that are in no block.
        plain: A chunk whose text has no block, as most of ChatBedrock's.
    """

    blocks: list[tuple[int, str, Block]]
    tool_chunks: dict[int, list[ToolCallChunk]]
    calls: list[Block]
    plain: bool = False


@dataclass
class Response:
    """One Bedrock response, as it arrives.

    Attributes:
        keeps_text: Whether `text` is needed: a user turn sends it back as it came.
        metadata: Its `response_metadata`.
        additional_kwargs: Its `additional_kwargs`.
        usage: Its usage, or None while unknown.
        started: Something of it arrived.
        streamed: It arrives in chunks.
        plain: Its content is a string, not a list of blocks.
        has_text: Text of it arrived.
        reasoning_blocks: The numbers of its reasoning blocks.
        other_characters: Of its reasoning and of the arguments of its tool calls.
        has_content: It has blocks that are not reasoning.
    """

    keeps_text: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    additional_kwargs: dict[str, Any] = field(default_factory=dict)
    usage: UsageMetadata | None = None
    started: bool = False
    streamed: bool = False
    plain: bool = False
    has_text: bool = False
    has_content: bool = False
    reasoning_blocks: set[int] = field(default_factory=set)
    other_characters: int = 0
    _texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the response, as it came, if `keeps_text`."""
        return "".join(self._texts)

    @property
    def stop_reason(self) -> str | None:
        """Converse's `stopReason`, or InvokeModel's `stop_reason`."""
        reason = self.metadata.get("stopReason") or self.metadata.get("stop_reason")
        return reason if isinstance(reason, str) else None

    def receive_passed(self, text: str) -> None:
        """Take text of chunks that have nothing else, after the first chunk."""
        self.has_text = self.has_content = True
        if self.keeps_text:
            self._texts.append(text)

    def receive(self, message: AIMessage) -> Incoming:
        """Take a response, or a chunk of one; return its content."""
        self.started = True
        incoming = read(message)
        self.streamed = isinstance(message, AIMessageChunk)
        self.plain = isinstance(message.content, str)
        for number, kind, block in incoming.blocks:
            if kind is REASONING:
                self.reasoning_blocks.add(number)
                self.other_characters += len(_reasoning_text(block))
                continue
            self.has_content = True
            if kind is TEXT and block["text"]:
                self.has_text = True
                if self.keeps_text:
                    self._texts.append(block["text"])
        self.other_characters += _arguments_size(message)
        if message.response_metadata:
            self.metadata.update(message.response_metadata)
        if message.additional_kwargs:
            self.additional_kwargs.update(message.additional_kwargs)
        if message.usage_metadata is not None:
            self.usage = add_usage(self.usage, message.usage_metadata)
        return incoming


def _reasoning_text(block: Block) -> str:
    inner = block.get("reasoning_content")
    text = inner.get("text") if isinstance(inner, dict) else block.get("thinking")
    return text if isinstance(text, str) else ""


def _arguments_size(message: AIMessage) -> int:
    """Return how many characters of JSON the arguments of the tool calls have."""
    if isinstance(message, AIMessageChunk):
        return sum(len(chunk["args"] or "") for chunk in message.tool_call_chunks)
    return sum(
        len(json.dumps(call["args"], default=str)) for call in message.tool_calls
    )


def read(message: AIMessage) -> Incoming:
    """Return the content of a message or a chunk."""
    content = message.content
    if isinstance(content, str):
        blocks = [(0, TEXT, as_block(content))] if content else []
    else:
        blocks = []
        for position, item in enumerate(content):
            block = item if isinstance(item, dict) else as_block(item, position)
            number = block.get("index")
            number = number if isinstance(number, int) else position
            blocks.append((number, kind_of(block), block))
    if isinstance(message, AIMessageChunk):
        chunks = message.tool_call_chunks
        plain = isinstance(content, str)
        return Incoming(blocks, _by_number(chunks) if chunks else {}, [], plain)
    calls = _calls_without_block(message, blocks) if message.tool_calls else []
    return Incoming(blocks, {}, calls)


def cached_tokens(usage: UsageMetadata) -> tuple[int, int]:
    """Return the input tokens that were read from the cache, and those written to it.

    langchain-aws reports the written ones by lifetime where Bedrock does, and then
    sets their sum to 0.
    """
    details: dict[str, Any] = {**(usage.get("input_token_details") or {})}
    by_lifetime = [key for key in details if key.startswith("ephemeral_")]
    written = ["cache_creation", *by_lifetime]
    return details.get("cache_read") or 0, sum(details.get(key) or 0 for key in written)


def as_block(text: str, index: int = 0) -> Block:
    """Return a text as a content block."""
    return {"type": "text", "text": text, "index": index}


def text_only(text: str, *, plain: bool = False) -> Incoming:
    """Return a text as the content of a response."""
    return Incoming([(0, TEXT, as_block(text))] if text else [], {}, [], plain)


def blocks_in(chunk: AIMessageChunk) -> list[Block]:
    """Return the blocks of a released chunk; a plain text is block 0."""
    content: Any = chunk.content
    return [as_block(content)] if isinstance(content, str) else content


def kind_of(block: Block) -> str:
    """Return the kind of a content block, which may hold anything."""
    type_ = block.get("type")
    kind = KINDS.get(type_, OTHER) if isinstance(type_, str) else OTHER
    return OTHER if kind is TEXT and not isinstance(block.get("text"), str) else kind


def is_text(block: Block) -> bool:
    """Return True if a block is text."""
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def is_truncated(block: object) -> bool:
    """Return True for reasoning that is marked as truncated (CONTENT-6).

    LangChain's conversion to v1 blocks moves the mark to the block's extras.
    """
    if not isinstance(block, dict):
        return False
    extras = block.get("extras")
    marks = extras if isinstance(extras, dict) else block
    return block.get(TRUNCATED) is True or marks.get(TRUNCATED) is True


def lacks_signature(block: Block) -> bool:
    """Return True for reasoning without a signature, which comes at its end."""
    if kind_of(block) is not REASONING or block.get("type") == "redacted_thinking":
        return False
    inner = block.get("reasoning_content")
    fields = inner if isinstance(inner, dict) else block
    signed = ("signature", "redacted_content", "redactedContent")
    return not any(fields.get(key) for key in signed)


def extras_of(block: Block) -> Block:
    """Return what a text block has besides its text: mostly citations."""
    if len(block) <= len(_TEXT_KEYS) and block.keys() <= _TEXT_KEYS:
        return {}
    return {key: value for key, value in block.items() if key not in _TEXT_KEYS}


def _by_number(chunks: list[ToolCallChunk]) -> dict[int, list[ToolCallChunk]]:
    by_number: dict[int, list[ToolCallChunk]] = {}
    for position, chunk in enumerate(chunks):
        number = chunk.get("index")
        at = number if isinstance(number, int) else position
        by_number.setdefault(at, []).append(chunk)
    return by_number


def _calls_without_block(
    message: AIMessage, blocks: list[tuple[int, str, Block]]
) -> list[Block]:
    """Return a whole response's calls that are in no block: mostly ChatBedrock's."""
    in_blocks = [block.get("id") for _, kind, block in blocks if kind is TOOL]
    return [
        {"id": call["id"], "name": call["name"], "input": call["args"]}
        for call in message.tool_calls
        if call["id"] not in in_blocks
    ]

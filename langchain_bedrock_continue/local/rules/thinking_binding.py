"""Signed thinking that is bound to its prefix.

BINDING-1. A signature is bound to the text of its thinking block, to the block's prefix
    (system, tools and every block before it), and to the signed thinking block before
    it.
BINDING-2. cachePoints are not a part of the prefix. Neither is thinking: the oldest
    thinking blocks may be left out, but none between two others.
BINDING-3. A signature that is not bound, or is bound to another text, is invalid.

Source: Anthropic's documentation of "preserved thinking". Redacted thinking, which is
bound there too, is not checked here.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, b64encode
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from langchain_bedrock_continue.local.anthropic_server_tools import to_converse
from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Reasoning,
    ServerBlock,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.wire.converse import complete_members

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from langchain_bedrock_continue.local.backend import Json, Piece, Request


class Conversation:
    """The prefix of a conversation, block by block.

    Args:
        system: Blocks of `system`.
        tool_config: `toolConfig`, or None.
    """

    def __init__(self, system: Sequence[Json], tool_config: Json | None) -> None:
        """Start before the first message; see the class."""
        self._prefix = hashlib.sha256()
        self._last_signature = ""
        tools = (tool_config or {}).get("tools") or []
        for block in (*tools, *system):
            self.add("", block)

    def add(self, role: str, block: Json) -> None:
        """Add a block to the prefix (BINDING-2).

        Args:
            role: Role of the block's message; empty for system and tools.
            block: The block in Converse's shape.
        """
        if "cachePoint" in block:
            return
        if "reasoningContent" in block:
            reasoning = block["reasoningContent"].get("reasoningText") or {}
            self._last_signature = reasoning.get("signature") or self._last_signature
            return
        raw = json.dumps([role, _without_citations(block)], sort_keys=True)
        self._prefix.update(raw.encode() + b"\0")

    def bind(self, text: str, signature: str) -> str:
        """Return the bound signature of a thinking block at this place (BINDING-1).

        Args:
            text: Text of the thinking block.
            signature: The backend's signature.
        """
        bound_to = [
            _digest(text),
            self._prefix.hexdigest(),
            _digest(self._last_signature),
        ]
        return b64encode(json.dumps([signature, *bound_to]).encode()).decode()

    def accepts(self, text: str, signature: str) -> bool | None:
        """Return True if a thinking block is bound to this place, False if to another.

        Args:
            text: Text of the thinking block.
            signature: Signature of the thinking block.

        Returns:
            None if the signature is invalid (BINDING-3).
        """
        try:
            _, bound_text, prefix, before = json.loads(b64decode(signature))
        except (binascii.Error, ValueError, TypeError):
            return None
        if bound_text != _digest(text):
            return None
        # Without thinking before it, the oldest blocks were left out (BINDING-2).
        last = self._last_signature
        follows = not last or before == _digest(last)
        return bool(prefix == self._prefix.hexdigest() and follows)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _without_citations(block: Json) -> Json:
    """Return a cited text as text: clients send citations back in other shapes."""
    if cited := block.get("citationsContent"):
        return {"text": "".join(c.get("text", "") for c in cited.get("content") or [])}
    return block


def _conversation(request: Request) -> Conversation:
    conversation = Conversation(request.system, request.tool_config)
    for message in request.messages:
        for block in message["content"]:
            conversation.add(message["role"], block)
    return conversation


async def bind_signatures(
    pieces: AsyncIterator[Piece], request: Request
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer with their signatures bound (BINDING-1).

    Args:
        pieces: The pieces of the answer.
        request: The request that is answered.
    """
    conversation, block = _conversation(request), _Block()
    async with aclosing(cast("AsyncGenerator[Piece, None]", pieces)) as answer:
        async for piece in answer:
            if isinstance(piece, Reasoning) and piece.signature:
                signature = conversation.bind(block.text + piece.text, piece.signature)
                yield Reasoning(piece.text, signature, piece.redacted)
                block.signature = signature
                continue
            if isinstance(piece, BlockEnd):
                conversation.add("assistant", block.content())
                block = _Block()
            else:
                block.add(piece)
            yield piece


class _Block:
    """One block of an answer, in the shape in which a client sends it back."""

    def __init__(self) -> None:
        self.text = ""
        self.signature = ""
        self._first: Piece | None = None

    def add(self, piece: Piece) -> None:
        if isinstance(piece, Text | Reasoning):
            self.text += piece.text
        elif isinstance(piece, ToolInput):
            self.text += piece.json_text
        if self._first is None:
            self._first = piece

    def content(self) -> Json:
        first = self._first
        if isinstance(first, ServerBlock):
            return to_converse(first.block)
        if isinstance(first, ToolStart):
            call = {"toolUseId": first.tool_use_id, "name": first.name}
            return {"toolUse": {**call, "input": complete_members(self.text)}}
        if isinstance(first, Text):
            return {"text": self.text}
        return {"reasoningContent": {"reasoningText": {"signature": self.signature}}}

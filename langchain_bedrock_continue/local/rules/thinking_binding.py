"""Signed thinking that is bound to all that came before it.

K1. A seal is a signature that knows its thinking block's text, its prefix (system,
    tools, and every block before it), and the signed thinking block before it.
K2. cachePoints are no part of a prefix; neither is thinking, so the oldest blocks of
    thinking may be left out, but none between two others.
K3. A signature that is no seal, or belongs to another text, is invalid.

That is what Anthropic documents for "preserved thinking". Redacted thinking, which is
bound there too, passes here unchecked.
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
from langchain_bedrock_continue.local.wire.converse import whole_keys

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from langchain_bedrock_continue.local.backend import Json, Piece, Request


class Binding:
    """A conversation, read block by block.

    Args:
        system: System blocks.
        tool_config: `toolConfig`, or None.
    """

    def __init__(self, system: Sequence[Json], tool_config: Json | None) -> None:
        """Begin before the first message."""
        self._prefix = hashlib.sha256()
        self._before = ""
        tools = (tool_config or {}).get("tools") or []
        for block in (*tools, *system):
            self.add("", block)

    def add(self, role: str, block: Json) -> None:
        """Go past a block; its thinking and its cachePoint are no prefix (K2)."""
        if "cachePoint" in block:
            return
        if "reasoningContent" in block:
            thought = block["reasoningContent"].get("reasoningText") or {}
            self._before = thought.get("signature") or self._before
            return
        raw = json.dumps([role, _plain(block)], sort_keys=True)
        self._prefix.update(raw.encode() + b"\0")

    def seal(self, text: str, signature: str) -> str:
        """Make the signature of a thinking block that stands here (K1)."""
        parts = [_digest(text), self._prefix.hexdigest(), _digest(self._before)]
        return b64encode(json.dumps([signature, *parts]).encode()).decode()

    def fits(self, text: str, signature: str) -> bool | None:
        """Whether a block may stand here; None where it was never sealed so (K3)."""
        try:
            _, sealed_text, prefix, before = json.loads(b64decode(signature))
        except (binascii.Error, ValueError, TypeError):
            return None
        if sealed_text != _digest(text):
            return None
        # With no thinking before it, the oldest ones were left out (K2).
        follows = not self._before or before == _digest(self._before)
        return bool(prefix == self._prefix.hexdigest() and follows)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(block: Json) -> Json:
    """A cited text is its text: clients give its citations back in other shapes."""
    if cited := block.get("citationsContent"):
        return {"text": "".join(c.get("text", "") for c in cited.get("content") or [])}
    return block


def read(request: Request) -> Binding:
    """Read all that was asked."""
    binding = Binding(request.system, request.tool_config)
    for message in request.messages:
        for block in message["content"]:
            binding.add(message["role"], block)
    return binding


async def sealed(
    pieces: AsyncIterator[Piece], request: Request
) -> AsyncGenerator[Piece, None]:
    """Pass an answer on, its thinking signed for the place where it stands (K1)."""
    binding, block = read(request), _Block()
    async with aclosing(cast("AsyncGenerator[Piece, None]", pieces)) as answer:
        async for piece in answer:
            if isinstance(piece, Reasoning) and piece.signature:
                signature = binding.seal(block.text + piece.text, piece.signature)
                yield Reasoning(piece.text, signature, piece.redacted)
                block.signature = signature
                continue
            if isinstance(piece, BlockEnd):
                binding.add("assistant", block.content())
                block = _Block()
            else:
                block.take(piece)
            yield piece


class _Block:
    """One block of an answer, as it will come back."""

    def __init__(self) -> None:
        self.text = ""
        self.signature = ""
        self._kind: Piece | None = None

    def take(self, piece: Piece) -> None:
        if isinstance(piece, Text | Reasoning):
            self.text += piece.text
        elif isinstance(piece, ToolInput):
            self.text += piece.json_text
        if self._kind is None:
            self._kind = piece

    def content(self) -> Json:
        kind = self._kind
        if isinstance(kind, ServerBlock):
            return to_converse(kind.block)
        if isinstance(kind, ToolStart):
            call = {"toolUseId": kind.tool_use_id, "name": kind.name}
            return {"toolUse": {**call, "input": whole_keys(self.text)}}
        if isinstance(kind, Text):
            return {"text": self.text}
        return {"reasoningContent": {"reasoningText": {"signature": self.signature}}}

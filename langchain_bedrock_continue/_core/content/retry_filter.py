"""What is new in a retried segment.

A response that was truncated where it can't be continued is requested again, with more
room. What the caller has seen of the first attempt stays, and arrives a second time.

RETRY-1. What was shown is never shown twice, and never taken back.
RETRY-2. While the text equals the text that was shown, it is replayed and dropped; what
    comes after it is new.
RETRY-3. Once it diverges from what was shown, nothing is shown: it is a second version
    of the same answer.
RETRY-4. Reasoning is dropped until all that was shown has been replayed: what was shown
    has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import (
    REASONING,
    TEXT,
    as_block,
    blocks_in,
    extras_of,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue._core.content.incoming import Block, Chunks
    from langchain_bedrock_continue._core.content.placement import Placement


class RetryFilter:
    """Drops what was shown, and lets the rest through.

    Attributes:
        diverged: The text is not the text that was shown (RETRY-3).
    """

    def __init__(self, shown: Sequence[Block]) -> None:
        """Begin the retry of a segment.

        Args:
            shown: The blocks that the first attempt released, with their numbers.
        """
        self.diverged = False
        self._kinds = {block["index"]: kind_of(block) for block in shown}
        texts = [block for block in shown if kind_of(block) is TEXT]
        self._texts = {block["index"]: block["text"] for block in texts}
        self._cited = {block["index"] for block in texts if extras_of(block)}
        shown_kinds = self._kinds.items()
        self._others = {i for i, kind in shown_kinds if kind not in {TEXT, REASONING}}
        self._is_empty = len(texts) == len(shown) and not any(self._texts.values())

    @property
    def replayed(self) -> bool:
        """Whether all that was shown has arrived again, so that the rest is new."""
        return not (self.diverged or any(self._texts.values()) or self._others)

    def new_in(self, chunks: Chunks) -> Chunks:
        """Return what of the released chunks is new."""
        return [new for chunk in chunks for new in self._new(chunk)]

    def _new(self, chunk: AIMessageChunk) -> Chunks:
        if self._is_empty:
            return [chunk]
        if isinstance(chunk.content, str):
            text = self._after_replay(0, chunk.content)
            return [AIMessageChunk(content=text)] if text else []
        return [new for block in blocks_in(chunk) for new in self._new_block(block)]

    def _new_block(self, block: Block) -> Chunks:
        index, kind = block["index"], kind_of(block)
        shown = self._kinds.get(index)
        self.diverged = self.diverged or _class(shown) not in {None, _class(kind)}
        if kind is REASONING:
            dropped = shown is REASONING or not self.replayed
            return [] if dropped else [AIMessageChunk(content=[block])]  # RETRY-4
        if kind is not TEXT:
            return self._new_other(block)
        text = self._after_replay(index, block["text"])
        extras = {} if index in self._cited else extras_of(block)
        known = index in self._texts and not (text or extras)
        if self.diverged or known:
            return []
        return [AIMessageChunk(content=[{**as_block(text, index), **extras}])]

    def _new_other(self, block: Block) -> Chunks:
        if block["index"] in self._others:
            self._others.discard(block["index"])
            return []
        self.diverged = not self.replayed
        return [] if self.diverged else [AIMessageChunk(content=[block])]

    def _after_replay(self, index: int, text: str) -> str:
        """Return what of a text comes after the text that was shown (RETRY-2)."""
        if self.diverged:
            return ""
        shown = self._texts.get(index, "")
        if shown.startswith(text):
            self._texts[index] = shown[len(text) :]
            return ""
        if text.startswith(shown) and not self._waits_for_another(index):
            self._texts[index] = ""
            return text[len(shown) :]
        self.diverged = True
        return ""

    def _waits_for_another(self, index: int) -> bool:
        """Return True if something shown before this block has not arrived again."""
        texts = (text for at, text in self._texts.items() if at != index)
        return any(texts) or bool(self._others)


@dataclass
class Retry:
    """A retry that is under way.

    Attributes:
        first: The placement of the first attempt.
        withheld: What was withheld of it.
        filter: Lets through what is new in the retry.
        substance: How much was released before the retry.
        texts: The text of the retry, as it came.
    """

    first: Placement
    withheld: Chunks
    filter: RetryFilter
    substance: int
    texts: list[str] = field(default_factory=list)


def _class(kind: str | None) -> str | None:
    """Return what matters of a kind here: tool calls are like any other block."""
    return kind if kind in {None, TEXT, REASONING} else "other"

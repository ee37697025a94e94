"""What is new in a segment that was asked for again.

A response that was cut where it can't be gone on from is asked for again, with more
room. What of it the caller has seen stands, and comes a second time.

A1. What was shown is never shown twice, and never taken back.
A2. While the text is the one that was shown, it is passed over; what comes behind it is
    new.
A3. What differs from what was shown is held: another wording of the same.
A4. Reasoning is passed over until all that was shown came again: what was shown has its
    own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import (
    REASONING_TYPES,
    extras_of,
    is_text,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.incoming import Block, Pieces


class Again:
    """Passes over what was shown, and lets the rest through.

    Attributes:
        differs: The text is not the one that was shown (A3).
    """

    def __init__(self, shown: Pieces) -> None:
        """Begin anew a segment of which `shown` was released."""
        self.differs = False
        self._kinds: dict[int, str] = {}
        self._texts: dict[int, str] = {}
        self._others: set[int] = set()
        self._cited: set[int] = set()
        self._anything = False
        for piece in shown:
            for block in _blocks(piece):
                self._know(block)

    def _know(self, block: Block) -> None:
        index = block["index"]
        self._kinds[index] = _kind(block)
        if is_text(block):
            self._texts[index] = self._texts.get(index, "") + block["text"]
            self._anything = self._anything or bool(block["text"])
            if extras_of(block):
                self._cited.add(index)
            return
        self._anything = True
        if self._kinds[index] == "other":
            self._others.add(index)

    @property
    def caught_up(self) -> bool:
        """Whether all that was shown came again, so that the rest is new."""
        return not (self.differs or any(self._texts.values()) or self._others)

    def new_in(self, pieces: Pieces) -> Pieces:
        """Return what of the released pieces is new."""
        return [new for piece in pieces for new in self._new(piece)]

    def _new(self, piece: AIMessageChunk) -> Pieces:
        if not self._anything:
            return [piece]
        if isinstance(piece.content, str):
            text = self._behind(0, piece.content)
            return [AIMessageChunk(content=text)] if text else []
        return [new for block in _blocks(piece) for new in self._new_block(block)]

    def _new_block(self, block: Block) -> Pieces:
        index, kind = block["index"], _kind(block)
        shown = self._kinds.get(index)
        self.differs = self.differs or shown not in {None, kind}
        if kind == "reasoning":
            passed = shown == kind or not self.caught_up
            return [] if passed else [AIMessageChunk(content=[block])]  # A4
        if kind == "other":
            return self._new_other(block)
        text = self._behind(index, block["text"])
        extras = {} if index in self._cited else extras_of(block)
        known = index in self._texts and not (text or extras)
        if self.differs or known:
            return []
        new = {"type": "text", "text": text, **extras, "index": index}
        return [AIMessageChunk(content=[new])]

    def _new_other(self, block: Block) -> Pieces:
        if block["index"] in self._others:
            self._others.discard(block["index"])
            return []
        self.differs = not self.caught_up
        return [] if self.differs else [AIMessageChunk(content=[block])]

    def _behind(self, index: int, text: str) -> str:
        """Return what of a text lies behind the one that was shown (A2, A3)."""
        if self.differs:
            return ""
        shown = self._texts.get(index, "")
        if shown.startswith(text):
            self._texts[index] = shown[len(text) :]
            return ""
        if text.startswith(shown) and not self._waits_elsewhere(index):
            self._texts[index] = ""
            return text[len(shown) :]
        self.differs = True
        return ""

    def _waits_elsewhere(self, index: int) -> bool:
        """Tell whether something that was shown before this block has not come."""
        texts = (text for at, text in self._texts.items() if at != index)
        return any(texts) or bool(self._others)


def _kind(block: Block) -> str:
    """Return what a block is, as far as it matters here."""
    reasons = block.get("type") in REASONING_TYPES
    return "reasoning" if reasons else "text" if is_text(block) else "other"


def _blocks(piece: AIMessageChunk) -> list[dict[str, Any]]:
    """Return a released piece's blocks; a plain text is block 0."""
    if isinstance(piece.content, str):
        return [{"type": "text", "text": piece.content, "index": 0}]
    return [block for block in piece.content if isinstance(block, dict)]

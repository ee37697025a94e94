"""The stream of a resumed message, without what its caller has already.

A resumed stream begins with the content of the partial message. A caller that still
shows that message needs the rest only. The two meet at the end of the partial text, or
before it: a cut before a line break is healed, so that the model writes the end of the
text again, and it may write it in another way.

NEW-1. Text that the partial message has at the same place is left out, up to the first
    difference. What follows is new, whatever it is.
NEW-2. `response_metadata["resumed_at"]` of one chunk, the first with something new or
    the last one, is the number of characters left out: the partial text up to there and
    the new text are the complete text.
NEW-3. A block of another kind is left out if the partial message has the same.
NEW-4. A chunk of which nothing is left is left out. The last one never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk

RESUMED_AT = "resumed_at"
"""The key in `response_metadata`; see NEW-2."""


class AfterPartial:
    """Leaves a partial message out of the stream that resumes it."""

    def __init__(self, partial: AIMessage) -> None:
        """Begin with all of the partial message to be left out."""
        self._left = str(partial.text)
        self._at = 0
        self._is_reported = False
        content = partial.content if isinstance(partial.content, list) else []
        self._blocks = [_unnumbered(one) for one in content if isinstance(one, dict)]

    def take(self, chunk: AIMessageChunk) -> AIMessageChunk | None:
        """Return what is new in a chunk, or None if that is nothing."""
        is_last = chunk.chunk_position == "last"
        content = self._new_in(chunk.content)
        has_content = bool(content or chunk.tool_call_chunks)
        if chunk.content and not (has_content or is_last):
            return None
        update: dict[str, Any] = {"content": content}
        if (has_content or is_last) and not self._is_reported:
            self._is_reported = True
            metadata = {**chunk.response_metadata, RESUMED_AT: self._at}
            update["response_metadata"] = metadata
        return chunk.model_copy(update=update)

    def _new_in(self, content: Any) -> Any:
        if isinstance(content, str):
            return self._new_text(content)
        new = []
        for block in content:
            if not isinstance(block, dict) or block.get("type") != "text":
                if not self._is_known(block):
                    new.append(block)
            elif text := self._new_text(block["text"]):
                new.append({**block, "text": text})
        return new

    def _new_text(self, text: str) -> str:
        """Return what of a text is new (NEW-1)."""
        same = _common_length(self._left, text)
        self._at += same
        self._left = self._left[same:] if same == len(text) else ""
        return text[same:]

    def _is_known(self, block: Any) -> bool:
        """Return True if the partial message has a block (NEW-3)."""
        known = isinstance(block, dict) and _unnumbered(block) in self._blocks
        if known:
            self._blocks.remove(_unnumbered(block))
        return known


def _unnumbered(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "index"}


def _common_length(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start."""
    size = min(len(one), len(other))
    return next((at for at in range(size) if one[at] != other[at]), size)

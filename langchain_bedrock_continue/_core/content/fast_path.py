"""The fast path of a stream: text in the middle of a block passes on in its own chunk.

Most chunks of a stream are such text. The caller gets the very chunk that langchain-aws
made. What is held back of its text is cut from it, and comes first in the next one.

FAST-1. A path does what `Content.receive` would do: the caller gets the same text at
    the same moment.
FAST-2. What else decides what is released (a retry, an undecided join, a tool call, the
    start of a segment) cannot change while text of one block comes. So it is checked
    once, when the path opens. Whatever else happens in the turn closes the path, and
    then the content takes the text that has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

    from langchain_bedrock_continue._core.text.healed_cut import TextBuffer

_TEXT_KEYS = 3
"""How many keys a block has that has nothing but text: `type`, `text`, `index`."""


class FastPath:
    """Takes the text that passes on, while the path is open.

    Attributes:
        index: The number of the open text block in the turn.
    """

    def __init__(
        self, buffer: TextBuffer, number: int, index: int, *, plain: bool
    ) -> None:
        """Open the path.

        Args:
            buffer: The open block's text. Only the path writes it while it is open.
            number: The block's number in the response.
            index: Its number in the turn.
            plain: Whether the text comes without blocks.
        """
        self.index = index
        self._feed = buffer.feed_released
        self._number = number
        self._plain = plain
        self._received: list[str] = []
        self._released: list[str] = []

    @property
    def received(self) -> str:
        """The text of the chunks that it took, as it came."""
        return "".join(self._received)

    @property
    def released(self) -> str:
        """The text that the caller got of them."""
        return "".join(self._released)

    def take(self, message: AIMessage) -> str | None:
        """Take a chunk that passes on. Its block gets its number in the turn.

        Returns:
            The chunk's text, as the caller gets it. None if `Content.receive` has to
            take the chunk: it is not text of the open block, it has more than text, or
            all of it is held back.
        """
        block = text = self._text_in(message)
        if block is not None and not self._plain:
            text = block["text"]
        if text is None or not (released := self._feed(text)):
            return None
        if not self._plain:
            block["text"], block["index"] = released, self.index
        elif released != text:
            message.content = released
        self._received.append(text)
        self._released.append(released)
        return released

    def _text_in(self, message: AIMessage) -> Any:
        """Return the text of a chunk, or its block, if it has nothing else."""
        content: Any = message.content
        if not isinstance(message, AIMessageChunk) or message.usage_metadata:
            return None
        metadata = message.response_metadata
        if len(metadata) > 1 or (metadata and "model_provider" not in metadata):
            return None
        if message.tool_call_chunks or message.additional_kwargs:
            return None
        if self._plain:
            return content if isinstance(content, str) else None
        if len(content) != 1 or not isinstance(block := content[0], dict):
            return None
        is_own = len(block) == _TEXT_KEYS and block.get("index") == self._number
        is_text = block.get("type") == "text" and isinstance(block.get("text"), str)
        return block if is_own and is_text else None

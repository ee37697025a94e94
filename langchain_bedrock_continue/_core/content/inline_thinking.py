"""Thinking that a model writes in its text: Amazon Nova's `<thinking>...</thinking>`.

langchain-aws splits it out of a whole response, and leaves it in a stream. A response
that was truncated inside its thinking has no closing tag, and a response that was split
is no longer what the model wrote. So the calls of a turn do not split, and the turn is
split once it is over.

THINK-1. A turn's text is split as langchain-aws splits a response that was not
    truncated: by its own function and its own tags. Both are in the policy
    (`InlineThinking`); where it has none, nothing is split.
THINK-2. What is not text of the answer, or has no complete pair of tags, is not
    changed.
THINK-3. A continuation in a user turn may begin with new thinking. It is dropped, like
    the reasoning of any later segment, with the whitespace around it. Where the text
    was truncated inside its own thinking, nothing is dropped.
THINK-4. What is dropped depends on the message alone, not on its chunks.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from langchain_bedrock_continue._core.content.incoming import is_text
from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.text_before import TextBefore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_bedrock_continue._core.content.incoming import Block
    from langchain_bedrock_continue._core.policy import InlineThinking

MessageContent: TypeAlias = str | list[str | dict[str, Any]]

# The split of a whole turn --------------------------------------------------------


def split(content: MessageContent, thinking: InlineThinking | None) -> MessageContent:
    """Split the thinking out of a turn's text, as langchain-aws would.

    Args:
        content: The content of a whole turn; never changed.
        thinking: How the model marks thinking, or None.

    Returns:
        The content in langchain-aws's form: a string if it is a single text.
    """
    if thinking is None:
        return content
    blocks = [content] if isinstance(content, str) else content
    expanded = [part for block in blocks for part in _parts(block, thinking)]
    single = len(expanded) == 1 and is_text(expanded[0])
    return str(expanded[0]["text"]) if single else cast("MessageContent", expanded)


def _parts(item: str | Block, thinking: InlineThinking) -> list[Block]:
    block = {"type": "text", "text": item} if isinstance(item, str) else item
    if not is_text(block):
        return [block]
    parts = thinking.split(block["text"], *thinking.tags)
    unsplit = len(parts) == 1 and parts[0].get("text") == block["text"]
    return [block] if unsplit else parts


def seams_after_split(
    content: MessageContent, seams: list[int], thinking: InlineThinking | None
) -> list[int]:
    """Return where the seams are in the text that `split` leaves.

    Args:
        content: The content before the split.
        seams: Offsets in its text, in characters.
        thinking: How the model marks thinking, or None.

    Returns:
        Offsets in the text after the split. A seam inside what is split out is where
        that was.
    """
    if thinking is None:
        return seams
    blocks = [content] if isinstance(content, str) else content
    kept = list(_kept_ranges(blocks, thinking.tags))
    return [sum(max(0, min(at, end) - start) for start, end in kept) for at in seams]


def _kept_ranges(blocks: list[Any], tags: tuple[str, str]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of the whole text that a split keeps."""
    pair = re.compile(f"{re.escape(tags[0])}.*?{re.escape(tags[1])}", re.DOTALL)
    begin = 0
    for block in blocks:
        text = block if isinstance(block, str) else block.get("text")
        if not isinstance(text, str):
            continue
        pairs = [match.span() for match in pair.finditer(text)]
        edges = [0, *(edge for span in pairs for edge in span), len(text)]
        for at, to in list(pairwise(edges))[::2]:
            if not pairs or text[at:to].strip():
                yield begin + at, begin + to
        begin += len(text)


# A later segment's thinking -------------------------------------------------------


class ThinkingAwareJoin(EchoJoin):
    """A join of a reply that may begin with new thinking (THINK-3, THINK-4)."""

    def __init__(
        self,
        text: str | TextBefore,
        quote: str,
        *,
        opening: str = "",
        doubts_line_break: bool = False,
        thinking: InlineThinking | None = None,
    ) -> None:
        """Begin a join.

        Args:
            text: See `EchoJoin`; with the model's own tags.
            quote: See `EchoJoin`.
            opening: See `EchoJoin`.
            doubts_line_break: See `EchoJoin`.
            thinking: How the model marks thinking; None makes it an `EchoJoin`.
        """
        self._tags = ("", "") if thinking is None else thinking.tags
        in_thinking = TextBefore.of(text).ends_inside(self._tags)
        self._skips = thinking is not None and not in_thinking
        super().__init__(
            text, quote, opening=opening, doubts_line_break=doubts_line_break
        )

    def begin(self) -> None:
        """Begin with nothing received."""
        super().begin()
        self._past_thinking = not self._skips
        self._head = ""
        self._has_thought = False

    def feed(self, chunk: str) -> str | None:
        """Take more of the reply; see `EchoJoin.feed`."""
        if self._past_thinking:
            return super().feed(chunk)
        self._head = self._after_thinking(self._head + chunk)
        begun = self._head.lstrip()[: len(self._tags[0])]
        return None if self._tags[0].startswith(begun) else self._hand_on()

    def finish(self, *, truncated: bool = False) -> str:
        """Decide with what came, now that the reply is over; see `EchoJoin.finish`."""
        thinks = self._head.lstrip().startswith(self._tags[0])
        if truncated and thinks and not self._past_thinking:
            self._head = ""
        return (self._hand_on() or "") + super().finish(truncated=truncated)

    def _after_thinking(self, head: str) -> str:
        """Drop complete thinking, and the whitespace after it."""
        opening, closing = self._tags
        solid = head.lstrip()
        while solid.startswith(opening) and closing in solid:
            solid = solid.partition(closing)[2].lstrip()
            self._has_thought = True
        return solid if self._has_thought else head

    def _hand_on(self) -> str | None:
        """Hand in what came; nothing after it is thinking."""
        head, self._past_thinking, self._head = self._head, True, ""
        return super().feed(head)

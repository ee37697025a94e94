"""Thinking that a model writes in its text: Amazon Nova's `<thinking>...</thinking>`.

langchain-aws splits it out of a whole response, and leaves it in a stream. A response
that was cut inside it has no closing tag, and one that was split is no longer what the
model wrote. So the calls of a turn do not split (`_wrapped`), and the turn is split
when it is over.

K1. A turn's text is split as langchain-aws splits an uncut response, by its own
    function and its own tags, which the policy holds (`InlineThinking`); where it has
    none, nothing is split here.
K2. What is no text of the answer, or has no whole pair of tags, stays as it is.
K3. A continuation that was asked for in a user turn may think anew first: that thinking
    is dropped, like that of any later segment, and the blanks round it. Where the text
    was cut inside its own thinking, nothing is.
K4. What is dropped depends on the message alone, not on its chunks.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from langchain_bedrock_continue._core.content.incoming import is_text
from langchain_bedrock_continue._core.text.echo_join import Join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_bedrock_continue._core.content.incoming import Block
    from langchain_bedrock_continue._core.policy import InlineThinking

Content: TypeAlias = str | list[str | dict[str, Any]]

# The split of a whole turn --------------------------------------------------------


def split(content: Content, inline: InlineThinking | None) -> Content:
    """Split the thinking out of a turn's text, as langchain-aws would.

    Args:
        content: Of the message of a whole turn; never changed.
        inline: The model's, or None.

    Returns:
        The content in langchain-aws's shape: a string, where it is one text.
    """
    if inline is None:
        return content
    blocks = [content] if isinstance(content, str) else content
    expanded = [part for block in blocks for part in _parts(block, inline)]
    single = len(expanded) == 1 and is_text(expanded[0])
    return str(expanded[0]["text"]) if single else cast("Content", expanded)


def _parts(item: str | Block, inline: InlineThinking) -> list[Block]:
    block = {"type": "text", "text": item} if isinstance(item, str) else item
    if not is_text(block):
        return [block]
    parts = inline.split(block["text"], *inline.tags)
    unsplit = len(parts) == 1 and parts[0].get("text") == block["text"]
    return [block] if unsplit else parts


def seams_behind(
    content: Content, seams: list[int], inline: InlineThinking | None
) -> list[int]:
    """Say where seams are in the text once it is split.

    Args:
        content: As it was before the split.
        seams: Offsets in its text.
        inline: The model's, or None.

    Returns:
        Offsets in the text that `split` leaves. A seam within what is split out is
        where that was.
    """
    if inline is None:
        return seams
    blocks = [content] if isinstance(content, str) else content
    kept = list(_kept(blocks, inline.tags))
    return [sum(max(0, min(at, end) - start) for start, end in kept) for at in seams]


def _kept(blocks: list[Any], tags: tuple[str, str]) -> Iterator[tuple[int, int]]:
    """Give the stretches of the whole text that a split leaves."""
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


class JoinBehindThinking(Join):
    """A join of a message that may think anew before it goes on (K3, K4)."""

    def __init__(
        self,
        text: str,
        quote: str,
        *,
        opening: str = "",
        inline: InlineThinking | None = None,
    ) -> None:
        """Begin a join.

        Args:
            text: See `Join`; with the model's own tags.
            quote: See `Join`.
            opening: See `Join`.
            inline: The model's, or None; None makes it a `Join`, and no more.
        """
        super().__init__(text, quote, opening=opening)
        self._tags = ("", "") if inline is None else inline.tags
        thinks = text.rfind(self._tags[0]) > text.rfind(self._tags[1])
        self._passed = inline is None or thinks
        self._head = ""
        self._thought = False

    def feed(self, chunk: str) -> str | None:
        """Take more of the message; see `Join.feed`."""
        if self._passed:
            return super().feed(chunk)
        self._head = self._behind_thoughts(self._head + chunk)
        begun = self._head.lstrip()[: len(self._tags[0])]
        return None if self._tags[0].startswith(begun) else self._pass()

    def finish(self, *, cut: bool = False) -> str:
        """Decide with what came, now that the message is over; see `Join.finish`."""
        thinks = self._head.lstrip().startswith(self._tags[0])
        if cut and thinks and not self._passed:
            self._head = ""
        return (self._pass() or "") + super().finish(cut=cut)

    def _behind_thoughts(self, head: str) -> str:
        """Drop the thoughts that are over, and the blanks behind them."""
        opening, closing = self._tags
        solid = head.lstrip()
        while solid.startswith(opening) and closing in solid:
            solid = solid.partition(closing)[2].lstrip()
            self._thought = True
        return solid if self._thought else head

    def _pass(self) -> str | None:
        """Hand in what came; nothing further is a thought."""
        head, self._passed, self._head = self._head, True, ""
        return super().feed(head)

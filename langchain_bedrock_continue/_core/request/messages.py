"""The messages of the next request: the caller's, with the answer so far.

MESSAGE-1. The first request is the caller's own: the same messages, the same arguments.
MESSAGE-2. Every later request has all of them, too; only the answer so far is added.
MESSAGE-3. The caller's objects are never changed: what langchain-aws changes in place
    is a copy.
MESSAGE-4. langchain-aws would join two assistant messages in a row with a line
    break. So if the caller's last message is an assistant message, the answer so far
    continues it. System messages don't count: langchain-aws sends them apart, so an
    assistant message before them is the last.
MESSAGE-5. In a user turn the history only grows: what was sent once is sent again
    unchanged, so that prompt caches hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    SystemMessage,
)

from langchain_bedrock_continue._core.content.incoming import is_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue._core.content.incoming import Block


def own_copy(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return the messages, with a copy of the final assistant message (MESSAGE-3)."""
    copied = list(messages)
    if copied and isinstance(copied[-1], AIMessage):
        copied[-1] = copied[-1].model_copy(deep=True)
    return copied


def with_prefill(
    messages: Sequence[BaseMessage], answer: list[Block]
) -> list[BaseMessage]:
    """Add the answer so far as the final assistant message (MESSAGE-2, MESSAGE-4)."""
    copied, answer = own_copy(messages), _with_leading_whitespace(answer)
    at = _last_sent(copied)
    if at is None or not isinstance(copied[at], AIMessage):
        return [*copied, AIMessage(content=_simplest(answer))]
    begun = _blocks(copied[at].content)
    if at == len(copied) - 1:
        begun = [_stripped_block(block) for block in begun]
    copied[at] = copied[at].model_copy(
        update={"content": _simplest(_merged(begun, answer))}
    )
    return copied


def contain_line(messages: Sequence[BaseMessage], line: str) -> bool:
    """Return True if messages contain a line; case, marks and blanks do not count."""
    letters = _letters(line)
    found = (letters in _letters(str(message.content)) for message in messages)
    return bool(letters) and any(found)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _last_sent(messages: Sequence[BaseMessage]) -> int | None:
    """Return the place of the message that is sent last (MESSAGE-4), or None."""
    numbered = reversed([*enumerate(messages)])
    sent = (at for at, one in numbered if not isinstance(one, SystemMessage))
    return next(sent, None)


def _with_leading_whitespace(answer: list[Block]) -> list[Block]:
    """Move whitespace at a text's end to the text after it: langchain-aws strips it."""
    moved: list[Block] = []
    for block in answer:
        moved += _placed_after(moved.pop(), block) if moved else [block]
    return [block for block in moved if not is_text(block) or block["text"]]


def _placed_after(before: Block, block: Block) -> list[Block]:
    if not (is_text(before) and is_text(block)):
        return [before, block]
    kept = before["text"].rstrip()
    whitespace = before["text"][len(kept) :]
    return [{**before, "text": kept}, {**block, "text": whitespace + block["text"]}]


def _blocks(content: str | list[Any]) -> list[Block]:
    """Return the content of the caller's prefill as blocks."""
    blocks = [content] if isinstance(content, str) else content
    return [
        {"type": "text", "text": block} if isinstance(block, str) else block
        for block in blocks
    ]


def _stripped_block(block: Block) -> Block:
    """Return a block as it was sent: langchain-aws strips those of the last message."""
    if block.get("type") == "text" and isinstance(block.get("text"), str):
        return {**block, "text": block["text"].rstrip()}
    return block


def _merged(begun: list[Block], answer: list[Block]) -> list[Block]:
    """Join the answer's first text to the last one before it."""
    if not begun or not answer:
        return begun + answer
    last, first = begun[-1], answer[0]
    if not (is_text(last) and is_text(first)):
        return begun + answer
    joined = {**last, "text": last["text"] + first["text"]}
    return [*begun[:-1], joined, *answer[1:]]


def _simplest(blocks: list[Block]) -> str | list[str | dict[str, Any]]:
    """Return a single text as a string: the form of a caller's own message."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return str(blocks[0]["text"])
    return list(blocks)

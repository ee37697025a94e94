"""What to send next: the conversation with the partial answer, and how many tokens.

R1. The first request is the caller's own: the same messages, the same arguments.
R2. Every later one has all of them too; only the partial answer is added.
R3. The caller's objects are never changed: what langchain-aws changes in place is a
    copy.
R4. Two assistant messages in a row would be joined with a line break by langchain-aws:
    the partial answer goes on in the caller's own last message.
R5. In a user turn the history only grows: what was sent once is sent again as it was,
    so that caches hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_bedrock_continue._core.content.incoming import is_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_bedrock_continue._core.content.incoming import Block

UNSET_MAX_TOKENS = 4096
"""What Converse gives Claude where `maxTokens` is unset (reported by several users)."""


@dataclass(frozen=True)
class SegmentRequest:
    """One call to make.

    Attributes:
        messages: The conversation.
        kwargs: The caller's arguments, with what this segment changes.
        event: What happened before it, for listeners: `bedrock_continuation`.
        is_first: It is the turn's first call, which LangChain's run has announced.
        wait: Up to so many seconds pass before it, as chance has it: the call before
            it failed.
        seconds: Until the turn's deadline, or None.
    """

    messages: list[BaseMessage]
    kwargs: dict[str, Any] = field(default_factory=dict)
    event: dict[str, Any] | None = None
    is_first: bool = False
    wait: float = 0.0
    seconds: float | None = None


def own_copy(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Copy what langchain-aws changes in place (R3): the final assistant message."""
    copied = list(messages)
    if copied and isinstance(copied[-1], AIMessage):
        copied[-1] = copied[-1].model_copy(deep=True)
    return copied


def with_prefill(
    messages: Sequence[BaseMessage], answer: list[Block]
) -> list[BaseMessage]:
    """Add the partial answer as the final assistant message (R2, R4)."""
    copied, answer = own_copy(messages), _with_blanks_in_front(answer)
    if not (copied and isinstance(copied[-1], AIMessage)):
        return [*copied, AIMessage(content=_simplest(answer))]
    begun = _stripped(copied[-1].content)
    copied[-1] = copied[-1].model_copy(
        update={"content": _simplest(_merged(begun, answer))}
    )
    return copied


def with_user_turn(
    conversation: Sequence[BaseMessage], prompt: str
) -> list[BaseMessage]:
    """Add a user message that asks to go on (R5)."""
    return [*conversation, HumanMessage(content=prompt)]


def _with_blanks_in_front(answer: list[Block]) -> list[Block]:
    """Move blanks at a text's end to the text behind it: langchain-aws strips them."""
    moved: list[Block] = []
    for block in answer:
        moved += _behind(moved.pop(), block) if moved else [block]
    return [block for block in moved if not is_text(block) or block["text"]]


def _behind(before: Block, block: Block) -> list[Block]:
    if not (is_text(before) and is_text(block)):
        return [before, block]
    kept = before["text"].rstrip()
    blanks = before["text"][len(kept) :]
    return [{**before, "text": kept}, {**block, "text": blanks + block["text"]}]


def _stripped(content: str | list[Any]) -> list[Block]:
    """Return a caller's prefill as it was sent: langchain-aws strips its texts."""
    blocks = [content] if isinstance(content, str) else content
    return [_stripped_block(block) for block in blocks]


def _stripped_block(block: str | Block) -> Block:
    if isinstance(block, str):
        return {"type": "text", "text": block.rstrip()}
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
    """Return one text as a string: the form that a caller's own message has."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return str(blocks[0]["text"])
    return list(blocks)


def max_tokens_of(kwargs: Mapping[str, Any], default: int | None) -> int | None:
    """Return the `max_tokens` that ChatBedrockConverse sends for these arguments."""
    config = kwargs.get("inference_config") or kwargs.get("inferenceConfig")
    if config:
        asked = config.get("maxTokens", config.get("max_tokens"))
    else:
        asked = kwargs.get("max_tokens") or kwargs.get("maxTokens") or default
    return asked if isinstance(asked, int) else None


def with_max_tokens(kwargs: Mapping[str, Any], tokens: int) -> dict[str, Any]:
    """Return the arguments with another `max_tokens`."""
    changed = {key: value for key, value in kwargs.items() if key != "maxTokens"}
    for key in ("inference_config", "inferenceConfig"):
        if changed.get(key):
            config = {k: v for k, v in changed[key].items() if k != "max_tokens"}
            changed[key] = {**config, "maxTokens": tokens}
            return changed
    return {**changed, "max_tokens": tokens}


def without_tool_choice(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the same tools, and none of them forced."""
    changed = {k: v for k, v in kwargs.items() if k not in _TOOL_CHOICES}
    for key in ("toolConfig", "tool_config"):
        if isinstance(changed.get(key), dict):
            config = changed[key].items()
            changed[key] = {k: v for k, v in config if k not in _TOOL_CHOICES}
    return changed


_TOOL_CHOICES = ("tool_choice", "toolChoice")

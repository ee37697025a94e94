"""Truncated reasoning in the conversation of a later request: it is left out.

It has no signature, and Claude rejects a thinking block without one. langchain-aws
leaves it out of Converse requests to Claude, but not to all models, and not of
InvokeModel's.

LEFT-OUT-1. A reasoning block that is marked as truncated is not sent (CONTENT-6).
LEFT-OUT-2. With `signed_only`, no unsigned reasoning is sent: LangChain's v1 blocks
    lack the mark.
LEFT-OUT-3. The caller's messages are never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from langchain_bedrock_continue._core.content.incoming import (
    is_truncated,
    lacks_signature,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage


def without_truncated_reasoning(
    messages: Sequence[BaseMessage], *, signed_only: bool
) -> Sequence[BaseMessage]:
    """Return the conversation without truncated reasoning.

    Args:
        messages: The caller's conversation; never changed.
        signed_only: Whether the API accepts signed reasoning only.
    """

    def is_left_out(block: Any) -> bool:
        return is_truncated(block) or (signed_only and _is_unsigned(block))

    found = False
    sent: list[BaseMessage] = []
    for message in messages:
        content: Any = message.content
        if (
            isinstance(message, AIMessage)
            and isinstance(content, list)
            and any(map(is_left_out, content))
        ):
            kept = [block for block in content if not is_left_out(block)]
            sent.append(message.model_copy(update={"content": kept}))
            found = True
        else:
            sent.append(message)
    return sent if found else messages


def _is_unsigned(block: Any) -> bool:
    """Return True for unsigned reasoning, in the wrapped model's form or in v1."""
    if not isinstance(block, dict):
        return False
    if block.get("type") == "reasoning":
        return not (block.get("extras") or {}).get("signature")
    return lacks_signature(block)

"""What the service is told: the caller's messages, and the answer so far.

The rules R1 to R5 are those of `requests`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.request.messages import (
    own_copy,
    with_prefill,
    with_user_turn,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import AIMessage, BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Block


class Conversation:
    """The messages of the next call."""

    def __init__(self, messages: Sequence[BaseMessage]) -> None:
        """Begin with the caller's messages, which are never changed."""
        self._messages = messages
        self._now = list(messages)
        self._has_asked = False

    def now(self) -> list[BaseMessage]:
        """Return the messages to send, which langchain-aws may change (R3)."""
        return own_copy(self._now)

    def prefill(self, answer: list[Block]) -> None:
        """Put the answer so far into the model's mouth."""
        self._now, self._has_asked = with_prefill(self._messages, answer), False

    def ask(self, answer: list[Block], spoken: AIMessage, prompt: str) -> None:
        """Ask to go on behind the answer so far.

        Args:
            answer: All of it.
            spoken: The last response, as the model said it; what it said before is in
                the conversation, if it was asked to go on before (R5).
            prompt: What to ask.
        """
        before = (
            [*self._now, spoken]
            if self._has_asked
            else with_prefill(self._messages, answer)
        )
        self._now, self._has_asked = with_user_turn(before, prompt), True

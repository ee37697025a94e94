"""A text that is written over many segments: what stands of it, and how it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.request.conversation import Conversation
from langchain_bedrock_continue._core.request.prompts import continuation_prompt
from langchain_bedrock_continue._core.text.quote import choose_quote, opening_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import AIMessage, BaseMessage

    from langchain_bedrock_continue._core.content.content import Answer
    from langchain_bedrock_continue._core.content.incoming import Block, Pieces


class Track:
    """The answer of a turn, or the arguments of one of its tool calls.

    Attributes:
        answer: What stands of it.
        conversation: What the service is told.
    """

    def __init__(
        self, messages: Sequence[BaseMessage], answer: Answer, template: str | None
    ) -> None:
        """Begin a track.

        Args:
            messages: The conversation before it.
            answer: Where it is written.
            template: The user turn's text, with `{tail}`; None is the default wording.
        """
        self.answer = answer
        self.conversation = Conversation(messages)
        self._template = template

    def receive(self, message: AIMessage) -> Pieces:
        """Take a response or a chunk of one; return what may be released."""
        return self.answer.receive(message)

    def end_text(self, *, cut: bool) -> Pieces:
        """End a segment's text."""
        return self.answer.end_text(cut=cut)

    def prefill(self) -> Pieces:
        """End the segment so that a prefill goes on from it."""
        pieces = self.answer.cut()
        self.conversation.prefill(self._sendable())
        return pieces

    def ask(self, spoken: AIMessage, tokens: int) -> Pieces:
        """End the segment so that a user turn goes on from it.

        Args:
            spoken: The last response, as the model said it.
            tokens: What the next one may write.
        """
        quote = choose_quote(self._quotable(), tokens)
        pieces = self.answer.pause(quote, opening_tag(quote))
        self.conversation.ask(self._sendable(), spoken, self._prompt(quote))
        return pieces

    def resend(self) -> Pieces:
        """End the segment so that what it wrote is sent back as it is."""
        pieces = self.answer.close()
        self.conversation.prefill(self._sendable())
        return pieces

    def _quotable(self) -> str:
        """Return the text whose end is quoted."""
        return self.answer.open_text

    def _prompt(self, quote: str) -> str:
        return continuation_prompt(self._template, quote)

    def _sendable(self) -> list[Block]:
        return self.answer.sendable()

"""The arguments of a cut tool call, written on as text.

The call itself can't be sent back: half of it is no legal tool call. So its JSON stands
as text behind what the answer says before it, and the model goes on with the text. What
is asked, and when the text is arguments, `arguments` says.

K1. The JSON is joined by itself: what leads it in is sent, and not joined to.
K2. A continuation in a user turn counts only where the end of the JSON was found in it.
    For arguments, a join that nothing proves is worse than none.
K3. Where nothing but `{` is known, nothing is joined: the whole is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.content import Answer
from langchain_bedrock_continue._core.content.incoming import as_block
from langchain_bedrock_continue._core.request.prompts import (
    arguments_lead_in,
    arguments_prompt,
)
from langchain_bedrock_continue._core.request.track import Track
from langchain_bedrock_continue._core.text.join_rules import JoinRule
from langchain_bedrock_continue._core.text.quote import choose_quote
from langchain_bedrock_continue._core.tool_json.json_text import (
    object_in_reply,
    parse_complete,
    resumable_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage

    from langchain_bedrock_continue._core.content.incoming import Block, Pieces
    from langchain_bedrock_continue._core.content.tool_calls import Call

NOTHING = "{"
"""The beginning of arguments of which nothing is known."""

UNPROVEN = frozenset({JoinRule.AS_IS, JoinRule.OVERLAP})
"""Joins that did not find what the model was asked to repeat."""


class Finishing(Track):
    """The track on which a call's arguments are finished."""

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        before: list[Block],
        call: Call,
        schema: dict[str, Any] | None,
    ) -> None:
        """Begin with what came of a call.

        Args:
            messages: The caller's conversation.
            before: What the answer says before the call.
            call: The call that was cut.
            schema: What its arguments must fit; None where it is unknown.
        """
        super().__init__(messages, Answer(), "")
        self._name = call.name or ""
        self._schema = schema
        self._before = before
        self._lead = arguments_lead_in(self._name)
        self._asked_whole = False
        self._quote = ""
        self._proven = True
        self._message: list[str] = []
        self._begin(resumable_prefix(call.json_text, streamed=call.streamed))

    @property
    def text(self) -> str:
        """The arguments' JSON, as it stands."""
        text = self.answer.open_text
        return (object_in_reply(text) or "") if self._asked_whole else text

    def receive(self, message: AIMessage) -> Pieces:
        """Take a response or a chunk of one: it counts when the segment is over."""
        self._message.append(message.text)
        return []

    def end_text(self, *, cut: bool) -> Pieces:
        """Join the segment's text to the JSON."""
        said, self._message = "".join(self._message), []
        said = said.removeprefix(self._lead.rstrip()).removeprefix("\n\n")
        self._place(said)
        self.answer.end_text(cut=cut)
        if self._quote and self.answer.advances():
            found = self._quote in said and self.answer.how not in UNPROVEN
            self._proven = found  # K2
        return []

    def arguments(self, *, cut: bool) -> dict[str, Any] | None:
        """Return the arguments, if all of them are there.

        Args:
            cut: Whether the last segment was cut.
        """
        if not self._proven:
            return None
        return parse_complete(self.text, self._schema, truncated=cut)

    def can_go_on(self) -> bool:
        """Tell whether another segment could finish them."""
        kept = resumable_prefix(self.text, streamed=True)  # less an escape that was cut
        gets_on = kept != NOTHING or self.text.strip() == NOTHING
        return self._proven and gets_on and self.answer.advances()

    def prefill(self) -> Pieces:
        """End the segment so that a prefill goes on from it."""
        self._quote = ""
        self._begin(resumable_prefix(self.text, streamed=True))
        return super().prefill()

    def ask(self, spoken: AIMessage, tokens: int) -> Pieces:
        """End the segment so that a user turn goes on from it."""
        self._begin(resumable_prefix(self.text, streamed=True))
        if self.text == NOTHING:
            return self._ask_for_all(spoken)
        self._quote = choose_quote(self.text, tokens)
        return super().ask(spoken, tokens)

    def _ask_for_all(self, spoken: AIMessage) -> Pieces:
        """Ask for the whole object, which then begins in the message itself (K3)."""
        self._quote = ""
        self.conversation.ask(
            self._sendable(), spoken, arguments_prompt(self._name, "")
        )
        self._asked_whole, self.answer = True, Answer()
        return []

    def _begin(self, text: str) -> None:
        """Begin an answer of its own with this text."""
        self.answer, self._asked_whole = Answer(), False
        self._place(text)

    def _place(self, text: str) -> None:
        content: Any = [as_block(text)] if text else []
        self.answer.receive(AIMessageChunk(content=content))

    def _prompt(self, quote: str) -> str:
        return arguments_prompt(self._name, quote)

    def _sendable(self) -> list[Block]:
        texts = [str(block["text"]) for block in self.answer.sendable()]
        lead = f"\n\n{self._lead}" if self._before else self._lead
        return [*self._before, {"type": "text", "text": "".join([lead, *texts])}]

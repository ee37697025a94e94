"""The arguments of a truncated tool call, written as text over further segments.

A truncated call can't be sent back: half of it is not a legal tool call. So its JSON is
sent as text after what the answer says before the call, and the model continues the
text. `request/prompts` words what is asked, and `json_text` says when the text is
arguments.

ARGS-1. The JSON is joined by itself: the words that lead in to it are sent, and not
    joined.
ARGS-2. A continuation in a user turn counts only if the end of the JSON was found in
    it. For arguments, an unproven join is worse than none.
ARGS-3. If nothing but `{` is known, nothing is joined: the model is asked for the
    complete object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._core.content.incoming import TEXT
from langchain_bedrock_continue._core.request.prompts import arguments_lead_in
from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.healed_cut import BufferMark, TextBuffer
from langchain_bedrock_continue._core.text.join_rules import UNPROVEN, JoinResult
from langchain_bedrock_continue._core.text.quote import choose_quote
from langchain_bedrock_continue._core.tool_json.json_text import (
    object_in_reply,
    parse_complete,
    resumable_prefix,
)

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.incoming import (
        Block,
        Chunks,
        Incoming,
    )
    from langchain_bedrock_continue._core.content.tool_calls import Call
    from langchain_bedrock_continue._core.text.continuation_join import ExpectedEcho
    from langchain_bedrock_continue._core.text.quote import QuoteKind

UNKNOWN = "{"
"""The beginning of arguments of which nothing is known."""


class ToolArguments:
    """The JSON of a tool call's arguments, which the next segments complete.

    The turn writes into it as it writes into `Content`, with the same methods. It never
    returns a chunk: the caller sees the call once its arguments are complete.

    Attributes:
        quote: What the model was last asked to repeat in a user turn.
        join_result: How the last segment was joined to the JSON before, or None.
        stopped: Never: the caller's stop sequences are about the answer's text.
        is_replaying: Never: nothing of it was shown.
        rejected: Never: what follows arguments is decided by parsing them.
    """

    stopped = False
    is_replaying = False
    rejected = None

    def __init__(self, call: Call, schema: dict[str, Any] | None) -> None:
        """Begin with what arrived of a call.

        Args:
            call: The truncated call.
            schema: What its arguments must conform to; None if unknown.
        """
        self.quote = ""
        self.join_result: JoinResult | None = None
        self._schema = schema
        self._lead_in = arguments_lead_in(call.name or "")
        self._proven = True
        self._reply: list[str] = []
        self._buffer = TextBuffer()
        self._join: EchoJoin | None = None
        self._asked_for_all = False
        self._begin(resumable_prefix(call.json_text, streamed=call.streamed))
        self._start: tuple[BufferMark, EchoJoin | None] = (self._buffer.mark(), None)

    # The state ---------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The JSON so far."""
        text = self._buffer.text
        return (object_in_reply(text) or "") if self._asked_for_all else text

    def has_progress(self) -> bool:
        """Return True if the segment ends in new text."""
        return self._buffer.has_progress()

    def parsed(self, *, truncated: bool) -> dict[str, Any] | None:
        """Return the arguments if they are complete, else None.

        Args:
            truncated: Whether the last segment was truncated.
        """
        if not self._proven:
            return None
        return parse_complete(self.text, self._schema, truncated=truncated)

    def can_continue(self) -> bool:
        """Return True if another segment could complete them."""
        prefix = resumable_prefix(self.text, streamed=True)  # less a truncated escape
        is_begun = prefix != UNKNOWN or self.text.strip() == UNKNOWN
        return self._proven and is_begun and self.has_progress()

    def sendable(self) -> list[Block]:
        """Return the JSON so far, for the next request."""
        text = UNKNOWN if self._asked_for_all else self._buffer.text.rstrip()
        return [{"type": "text", "text": text}]

    def spoken(self, raw: str) -> str:
        """Return the last segment's text for the conversation: as it came."""
        return raw

    # What arrives ------------------------------------------------------------------

    def begin_segment(self) -> None:
        """Begin a segment that is not a retry."""
        self._start, self._reply = (self._buffer.mark(), self._join), []
        self.join_result = None

    def begin_retry(self) -> Chunks:
        """Begin the segment again; nothing of it was shown."""
        mark, join = self._start
        self._buffer, self._reply = self._buffer.at(mark), []
        self._join = join.fresh() if join else None
        return []

    def abandon_retry(self) -> None:
        """Keep what arrived: nothing of a first attempt was shown."""

    def receive(self, incoming: Incoming) -> Chunks:
        """Take a response or a chunk of one; it counts once the segment is over."""
        self._reply += [
            block["text"] for _, kind, block in incoming.blocks if kind is TEXT
        ]
        return []

    # Where a segment ends ----------------------------------------------------------

    def end_text(self, *, truncated: bool) -> Chunks:
        """Join the segment's text to the JSON (ARGS-1)."""
        reply, self._reply = "".join(self._reply), []
        reply = reply.removeprefix(self._lead_in.rstrip()).removeprefix("\n\n")
        self._add(reply, truncated=truncated)
        joined = self.join_result
        if self.quote and joined is not None and self.has_progress():
            found = self.quote in reply
            self._proven = found and joined.rule not in UNPROVEN  # ARGS-2
        return []

    def _add(self, reply: str, *, truncated: bool) -> None:
        """Add a reply, through the join if it answers a user turn."""
        join, self._join = self._join, None
        if join is None:
            self._buffer.feed(reply)
            return
        joined = (join.feed(reply) or "") + join.finish(truncated=truncated)
        self._buffer.remove_whitespace(join.replaced)
        self._buffer.feed(joined)
        self.join_result = join.result

    def end_at_stop_sequence(self) -> None:
        """End the text where a stop sequence ended the segment."""
        self._buffer.end_at_stop_sequence(in_echo=False)

    def end_for_prefill(self) -> Chunks:
        """End a segment that a prefill continues."""
        self.quote = ""
        self._begin(resumable_prefix(self.text, streamed=True))
        self._buffer.end_for_prefill()
        return []

    def choose_quote(self, tokens: int, kind: QuoteKind, room: int = 0) -> str:
        """Choose what the next user turn asks the model to repeat; see ARGS-3.

        Args:
            tokens: What the next segment may write.
            kind: What the quote is.
            room: How many tokens the echo may have on top of them.
        """
        text = resumable_prefix(self.text, streamed=True)
        return "" if text == UNKNOWN else choose_quote(text, tokens, kind, room)

    def end_for_user_turn(self, expected: ExpectedEcho) -> Chunks:
        """End a segment that a user turn continues.

        Args:
            expected: What the model is asked to repeat.
        """
        text = resumable_prefix(self.text, streamed=True)
        self._begin("" if text == UNKNOWN else text)
        self._asked_for_all = text == UNKNOWN  # ARGS-3
        self.quote = expected.quote
        self._buffer.end_for_user_turn()
        if not self._asked_for_all:
            self._join = EchoJoin(self._buffer.text, self.quote)
        return []

    def undo_cut(self) -> None:
        """Take the last cut back: its prefill was refused."""
        self._buffer.undo_cut()

    def _begin(self, text: str) -> None:
        """Begin a new text with this one."""
        self._buffer, self._join = TextBuffer(), None
        self._asked_for_all = False
        self._buffer.feed(text)

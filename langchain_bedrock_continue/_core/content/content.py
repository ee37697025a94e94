"""The content of a turn: what its segments, and what was asked for again, add up to.

C1. What was released is in the transcript, in order, and nothing else is.
C2. A segment that is asked for again begins from where it began, and what of it was
    shown stands.
C3. Where its new wording differs from what was shown and it calls tools, what was shown
    stands, and the calls behind it. Where it calls none, its text is joined to what
    was shown: nothing that arrived is lost.
C4. Where the output is held to a JSON schema, a segment shows nothing before it is
    over: a document that was cut gives way to a new one.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.content.incoming import says_anything
from langchain_bedrock_continue._core.content.placement import Blocks
from langchain_bedrock_continue._core.content.released_blocks import Transcript, merged
from langchain_bedrock_continue._core.content.retry_filter import Again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import InvalidToolCall, ToolCall

    from langchain_bedrock_continue._core.content.incoming import Block, Pieces
    from langchain_bedrock_continue._core.content.tool_calls import Call
    from langchain_bedrock_continue._core.policy import InlineThinking
    from langchain_bedrock_continue._core.text.echo_join import How


class Answer:
    """The content of a turn, as it stands."""

    def __init__(
        self,
        stops: Sequence[str] = (),
        *,
        withholds: bool = False,
        inline: InlineThinking | None = None,
    ) -> None:
        """Begin with nothing.

        Args:
            stops: The caller's stop sequences.
            withholds: Whether a segment shows nothing before it is over (C4).
            inline: How the model marks thinking inside its text, or None.
        """
        self._blocks = Blocks(stops, inline)
        self._before = deepcopy(self._blocks)
        self._stands = self._blocks
        self._transcript = Transcript()
        self._shown: Pieces = []
        self._withholds = withholds
        self._withheld: Pieces = []
        self._again: Again | None = None
        self._wording: list[str] = []
        self._stood: Pieces = []
        self._shown_at_first = 0
        self._is_reworded = False

    # What stands ------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing was released yet."""
        return not (self._transcript or self._withheld)

    @property
    def seams(self) -> list[int]:
        """Where segments meet: offsets in the text, as far as it reaches."""
        return [min(at, self.offset) for at in self._blocks.seams]

    @property
    def offset(self) -> int:
        """Count the characters of the text."""
        return self._blocks.text_length

    @property
    def open_text(self) -> str:
        """The text of the block that a continuation goes on in."""
        return self._blocks.open_text

    @property
    def how(self) -> How | None:
        """How the last continuation in a user turn was joined, or None."""
        return self._blocks.how

    @property
    def is_plain(self) -> bool:
        """Whether its text comes without blocks."""
        return self._blocks.is_plain

    @property
    def has_calls(self) -> bool:
        """Whether the segment has begun a tool call."""
        return bool(self._blocks.calls)

    @property
    def is_behind(self) -> bool:
        """Whether a segment asked for again has not come as far as before."""
        return self._again is not None and not self._again.caught_up

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence that a seam split has ended the text."""
        return self._blocks.stopped

    @property
    def reasons(self) -> bool:
        """Whether reasoning was released."""
        return self._transcript.reasons

    @property
    def valid_calls(self) -> list[ToolCall]:
        """The tool calls that may run, once the turn is over."""
        return self._blocks.calls.valid

    @property
    def invalid_calls(self) -> list[InvalidToolCall]:
        """The tool calls that must not run, once the turn is over."""
        return self._blocks.calls.invalid

    def advances(self) -> bool:
        """Tell whether the segment can be gone on from: it ends in new text."""
        return self._blocks.advances()

    def unfinished_call(self) -> Call | None:
        """Return the tool call in which the segment was cut, if it is the only one."""
        return self._blocks.calls.unfinished()

    def complete(self, call: Call, args: dict[str, Any]) -> None:
        """Give a cut call its whole arguments."""
        self._blocks.calls.complete(call, args)

    def blocks(self, *, numbered: bool) -> list[Block]:
        """Return what was released, as content blocks."""
        return self._transcript.blocks(numbered=numbered)

    def can_be_resent(self) -> bool:
        """Tell whether what stands can be sent back as it is."""
        return self._transcript.says() and not self.has_calls

    def sendable(self) -> list[Block]:
        """Return what stands, released or not, as the service takes it back."""
        held = self._blocks.held_text.rstrip()
        return self._transcript.blocks(numbered=False, held=held)

    def stand(self, blocks: list[Block], seams: list[int]) -> Pieces:
        """Begin with what stands from before the turn."""
        numbered: Any = [{**block, "index": i} for i, block in enumerate(blocks)]
        pieces = self._release(self._blocks.receive(AIMessageChunk(content=numbered)))
        self._blocks.seams.extend(seams)
        return pieces

    # What arrives -----------------------------------------------------------------

    def begin_segment(self) -> None:
        """Remember where a segment begins (C2)."""
        self._before, self._shown, self._again = deepcopy(self._blocks), [], None
        self._is_reworded = False

    def begin_again(self) -> None:
        """Begin the segment once more; what was withheld of it is let go."""
        self._stands, self._stood = self._blocks, self._withheld
        self._blocks, self._withheld = deepcopy(self._before), []
        self._wording, self._shown_at_first = [], len(self._shown)
        self._again = Again(self._shown)

    def receive(self, message: AIMessage) -> Pieces:
        """Place what arrived; return what the caller may see."""
        if self._again is not None:
            self._wording.append(message.text)
        return self._release(self._blocks.receive(message))

    def end_text(self, *, cut: bool) -> Pieces:
        """End a segment's text: what a join still holds is decided."""
        pieces = self._release(self._blocks.end_text(cut=cut))
        return pieces + self._decide_again(cut=cut)

    def end_at_stop(self) -> None:
        """End the open text where a stop sequence ended the segment."""
        self._blocks.end_at_stop()

    def cut(self) -> Pieces:
        """End a segment that a prefill goes on from."""
        return self._release(self._blocks.cut())

    def pause(self, quote: str, opening: str) -> Pieces:
        """End a segment that a user turn goes on from."""
        return self._release(self._blocks.pause(quote, opening))

    def close(self) -> Pieces:
        """End a segment that is sent back as it is."""
        return self._release(self._blocks.close())

    def spoken(self, raw: str) -> str:
        """Return what the conversation takes for the segment's text.

        Args:
            raw: The text as it came; it counts unless what was shown stands for it.
        """
        if not self._is_reworded:
            return raw
        return self.open_text.removeprefix(self._before.open_text)

    def restore(self) -> None:
        """Take the last cut back: nothing came after it."""
        self._blocks.restore()

    def finish(self, *, reason: str, vouches: bool, cut: bool) -> Pieces:
        """End the turn: release all that is held; cut calls come out as invalid."""
        pieces = self.end_text(cut=cut)
        ending = self._blocks.finish(reason=reason, vouches=vouches, cut=cut)
        withheld, self._withheld, self._withholds = self._withheld, [], False
        if withheld and not self.has_calls:
            return pieces + self._release(merged(withheld + ending))
        return pieces + self._release(withheld + ending)

    def abandon(self) -> None:
        """Give up a segment asked for again: if it brought less, the first stands."""
        again, self._again = self._again, None
        if again is None:
            return
        first, second = self._stands, self._blocks
        longer = self._withholds and second.text_length > first.text_length
        showed = any(map(says_anything, self._shown[self._shown_at_first :]))
        if not (again.caught_up and (longer or showed)):
            self._blocks, self._withheld = first, self._stood
        elif len(second.calls) < len(first.calls):
            second.take_calls(first)

    def _decide_again(self, *, cut: bool) -> Pieces:
        """Say what of a second wording stands, once it is over (C3)."""
        again, self._again = self._again, None
        self._is_reworded = again is not None and not again.caught_up
        if again is None or again.caught_up:
            return []
        second, self._blocks = self._blocks, self._stands
        self._blocks.take_calls(second)
        if second.calls or not again.differs:
            return []
        pieces = self.pause("", "")
        wording = self._blocks.as_came(self._second_wording(second))
        pieces += self._release(self._blocks.receive(wording))
        return pieces + self._release(self._blocks.end_text(cut=cut))

    def _second_wording(self, second: Blocks) -> str:
        """Return the text of a segment asked for again, without its echo."""
        before, now = self._before.open_text.rstrip(), second.open_text
        plain = "".join(self._wording)
        return now[len(before) :] if before and now.startswith(before) else plain

    def _release(self, pieces: Pieces) -> Pieces:
        if self._again is not None:
            pieces = self._again.new_in(pieces)
        if self._withholds:
            self._withheld += pieces
            return []
        for piece in pieces:
            self._transcript.add(piece)
        self._shown += pieces
        return pieces

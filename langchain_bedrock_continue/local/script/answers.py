"""What a scripted model says, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_bedrock_continue.local.backend import ServerBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue.local.backend import Fault, Json


@dataclass(frozen=True)
class Say:
    """A text block.

    Attributes:
        text: What the model says.
        citations: In Converse's shape; they come at the block's end.
    """

    text: str
    citations: Sequence[Json] = ()


@dataclass(frozen=True)
class Think:
    """A reasoning block.

    Attributes:
        text: The reasoning; it costs output tokens.
        signature: Comes last, and not at all when the block was cut; `""` for none.
            A model that binds its thinking to what came before it (`ModelRules`) seals
            it: then the client gets another string.
        redacted: In place of text: an encrypted block, of one token.
    """

    text: str = ""
    signature: str = "c2lnbmF0dXJl"
    redacted: bytes = b""


@dataclass(frozen=True)
class CallTool:
    """A tool call.

    Attributes:
        name: The tool's name.
        input: Its arguments.
        tool_use_id: By default made of the answer's and the block's number.
    """

    name: str
    input: Json
    tool_use_id: str = ""


@dataclass(frozen=True)
class Pause:
    """The response ends here, with the stop reason `pause_turn`.

    The request that sends the content so far back as its final assistant message goes
    on behind it. A model that takes no prefill knows it by its `ServerBlock`s.
    """


Block: TypeAlias = Say | Think | CallTool | ServerBlock | Pause


@dataclass(frozen=True)
class FaultAt:
    """Where an answer's response fails.

    Attributes:
        fault: What happens.
        at: Number of the piece that it happens instead of, from 0; each token is a
            piece, so is each block's end, and the `Finish`. Negative numbers count
            from the end: -1 is before the `Finish`.
        request: It happens to the n-th request that reaches this answer, from 1; None
            for every one. For what a function answers, the requests are counted that
            ask for the same: whose messages are equal, but for a prefill.
        event: In place of `at`: number of the event that it happens instead of, from
            0, `messageStart`; behind the last one, as many as there are. A fault-free
            stream of the same answer tells how many there are.

    Raises:
        ValueError: The place is given twice, or is none.
    """

    fault: Fault
    at: int = 0
    request: int | None = 1
    event: int | None = None

    def __post_init__(self) -> None:
        """Check the place."""
        if self.event is None:
            return
        if self.at:
            raise ValueError("FaultAt: give the place by at= or by event=, not by both")
        if self.event < 0:
            raise ValueError(f"FaultAt.event={self.event}: events count from 0")
        if self.fault.kind == "no_metadata":
            raise ValueError("FaultAt.event: no_metadata is at no event; leave it out")


@dataclass(frozen=True)
class Answer:
    """What the model says in one turn.

    Attributes:
        content: Blocks in order; a string stands for a text block.
        stop_reason: By default `end_turn`, or `tool_use` where the last block is a
            tool call. A `Pause` in the content has its own.
        faults: Where the service fails.
        first_delay: Seconds before the first piece.
        delay: Seconds before each further piece.
        fine_grained: Whether a tool call's input streams token by token, and can be
            cut anywhere. Else each key comes when its value is whole.
        cut_tool_input: What is left of a tool call's input that was cut, without
            `fine_grained`: the `"keys"` that were whole, or nothing (`"empty"`).
        additional_fields: `additionalModelResponseFields`, or None.
    """

    content: str | Block | Sequence[str | Block]
    stop_reason: str | None = None
    faults: Sequence[FaultAt] = ()
    first_delay: float = 0.0
    delay: float = 0.0
    fine_grained: bool = False
    cut_tool_input: Literal["keys", "empty"] = "keys"
    additional_fields: Json | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The content as blocks."""
        content = self.content
        parts = (
            [content]
            if isinstance(content, str | Say | Think | CallTool | ServerBlock | Pause)
            else content
        )
        return tuple(Say(p) if isinstance(p, str) else p for p in parts)

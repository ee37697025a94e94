"""The answers of a script, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_bedrock_continue.local.backend import ServerBlock

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Fault, Json


@dataclass(frozen=True)
class Say:
    """A text block.

    Attributes:
        text: The text.
        citations: Citations in Converse's shape. They come at the end of the block.
    """

    text: str
    citations: Sequence[Json] = ()


@dataclass(frozen=True)
class Think:
    """A reasoning block.

    Attributes:
        text: The reasoning. It counts as output tokens.
        signature: The signature, or `""` for none. It comes last, and not at all if the
            block is truncated. A model with `ModelRules.binds_thinking` binds it to its
            prefix, so the client gets another string.
        redacted: An encrypted block of one token, in place of text and signature.
    """

    text: str = ""
    signature: str = "c2lnbmF0dXJl"
    redacted: bytes = b""


@dataclass(frozen=True)
class CallTool:
    """A tool call.

    Attributes:
        name: Name of the tool.
        input: Arguments of the call.
        tool_use_id: `toolUseId` of the call. By default made from the number of the
            turn and of the block.
        json_text: `input` as the model writes it, such as with a raw line break inside
            a string. By default standard JSON.
    """

    name: str
    input: Json
    tool_use_id: str = ""
    json_text: str = ""


@dataclass(frozen=True)
class Pause:
    """The end of a response with the stop reason `pause_turn`.

    A request that sends the content so far as its final assistant message continues
    after it. A model that does not accept prefill recognizes it by its `ServerBlock`s.
    """


_BLOCK_TYPES = Say | Think | CallTool | ServerBlock | Pause

Block: TypeAlias = Say | Think | CallTool | ServerBlock | Pause
"""One part of an answer's content."""


@dataclass(frozen=True)
class FaultAt:
    """A fault and its place.

    Attributes:
        fault: What happens.
        at: Index of the piece that the fault replaces. Each token is a piece, and so
            are the end of each block and the `Finish`. A negative number counts from
            the end: -1 is before the `Finish`.
        request: Number of the request to this answer that fails, from 1; None for every
            request. For answers of a function, requests are counted separately by their
            messages, without a prefill.
        event: Index of the event that the fault replaces, in place of `at`. 0 is
            `messageStart`; the number of events is the place after the last one. A
            stream of the same answer without faults shows how many events there are.

    Raises:
        ValueError: `at` and `event` are both given, or `event` is not a valid place.
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
            raise ValueError("FaultAt: give at= or event=, not both")
        if self.event < 0:
            raise ValueError(f"FaultAt.event={self.event}: events count from 0")
        if self.fault.kind == "no_metadata":
            raise ValueError("FaultAt.event: no_metadata needs at=, not event=")


@dataclass(frozen=True)
class Answer:
    """The answer of one turn.

    Attributes:
        content: The blocks, in order. A string stands for a text block.
        stop_reason: By default `tool_use` if the last block is a tool call, else
            `end_turn`. A `Pause` ends the response with `pause_turn`.
        faults: Faults of the responses.
        first_delay: Time before the first piece, in seconds.
        delay: Time before each further piece, in seconds.
        fine_grained: Whether a tool call's input is streamed token by token, and can be
            truncated anywhere. If False, each key comes when its value is complete.
        truncated_tool_input: What a truncated tool call's input holds, without
            `fine_grained`: the `"keys"` that are complete, or nothing (`"empty"`). Both
            are third-party reports of Bedrock.
        additional_fields: `additionalModelResponseFields`, or None. Of a response of
            InvokeModel, the fields whose names begin with `amazon-bedrock-`, such as
            `amazon-bedrock-guardrailAction`.

    Raises:
        TypeError: A part of the content is neither a string nor a block.
    """

    content: str | Block | Sequence[str | Block]
    stop_reason: str | None = None
    faults: Sequence[FaultAt] = ()
    first_delay: float = 0.0
    delay: float = 0.0
    fine_grained: bool = False
    truncated_tool_input: Literal["keys", "empty"] = "keys"
    additional_fields: Json | None = None

    def __post_init__(self) -> None:
        """Check the content; see the class."""
        content: object = self.content
        is_one = isinstance(content, str | _BLOCK_TYPES)
        if not is_one and not isinstance(content, Sequence):
            raise TypeError(f"Answer: {_not_content(content)}")
        for part in self.blocks:
            if not isinstance(part, _BLOCK_TYPES):
                raise TypeError(f"Answer: {_not_content(part)}")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The content as blocks."""
        content = self.content
        parts = [content] if isinstance(content, str | _BLOCK_TYPES) else content
        return tuple(Say(p) if isinstance(p, str) else p for p in parts)


def _not_content(part: object) -> str:
    return (
        f"{part!r} is not content. Give a string, a Say, Think, CallTool, ServerBlock "
        "or Pause, or a list of them."
    )

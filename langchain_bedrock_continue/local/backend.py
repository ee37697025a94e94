"""What the local endpoint asks of a model: the request in, the pieces out.

A backend speaks as a model does, knows nothing of HTTP, and holds to these rules:

B1. The pieces come in the order of the answer, block after block; every block ends
    with `BlockEnd`, and the last piece is one `Finish`, or the stream breaks with
    a `Fault`.
B2. It obeys `max_tokens` and `stop_sequences`: the endpoint does not cut.
B3. When a block was cut by `max_tokens`, its `BlockEnd` still comes.
B4. It never gives out half a character, nor U+FFFD for one.
B5. Closing the iterator stops the work at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One Converse request that passed the endpoint's rules, in Bedrock's own shape.

    Attributes:
        model_id: As in the URL, decoded.
        messages: `[{"role": ..., "content": [blocks]}]`, never empty; a final
            assistant message is a prefill.
        system: System blocks.
        max_tokens: Output tokens allowed: asked for, or the model's default.
        stop_sequences: Texts that end the answer; they are not part of it.
        temperature: None where the caller gave none.
        top_p: None where the caller gave none.
        tool_config: `{"tools": [...], "toolChoice": {...}}`, or None.
        additional_fields: `additionalModelRequestFields`, such as `thinking`.
        output_config: `outputConfig`, with a JSON schema, or None.
    """

    model_id: str
    messages: list[Json]
    max_tokens: int
    system: list[Json] = field(default_factory=list)
    stop_sequences: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    tool_config: Json | None = None
    additional_fields: Json = field(default_factory=dict)
    output_config: Json | None = None


@dataclass(frozen=True)
class Text:
    """Some more of the current text block."""

    text: str


@dataclass(frozen=True)
class Reasoning:
    """Some more of the current reasoning block; its signature comes last, if at all."""

    text: str = ""
    signature: str = ""
    redacted: bytes = b""


@dataclass(frozen=True)
class ToolStart:
    """A tool call begins."""

    tool_use_id: str
    name: str


@dataclass(frozen=True)
class ToolInput:
    """Some more of the current tool call's input, as JSON text."""

    json_text: str


@dataclass(frozen=True)
class Citation:
    """A citation of the current text block, in Converse's shape."""

    citation: Json


@dataclass(frozen=True)
class ServerBlock:
    """A whole block of a tool that Anthropic's own servers run; `InvokeModel` only.

    Attributes:
        block: As in Anthropic's body: a `server_tool_use`, or a result such as
            `web_search_tool_result`.
    """

    block: Json


@dataclass(frozen=True)
class BlockEnd:
    """The current block is over, or was cut here."""


@dataclass(frozen=True)
class Fault:
    """The service fails here.

    Attributes:
        kind: `"exception"`: an exception event (or, before anything was sent, an HTTP
            error) with `code` and `message`. `"unknown_exception"`: an exception event
            that the service model does not know. `"no_stop"`: a clean end without
            `messageStop`. `"close"`: the socket is closed in the middle of a frame.
            `"silence"`: nothing more comes, the socket stays open. `"checksum"`: a
            frame with a wrong checksum. `"no_metadata"`: `messageStop`, then no
            `metadata`.
        code: The exception's name as the service writes it, `ThrottlingException`.
        message: Its text.
        status: HTTP status, where the fault comes before the stream opened.
    """

    kind: Literal[
        "exception",
        "unknown_exception",
        "no_stop",
        "close",
        "silence",
        "checksum",
        "no_metadata",
    ]
    code: str = "ThrottlingException"
    message: str = "Too many requests, please wait before trying again."
    status: int = 429


@dataclass(frozen=True)
class EventFault:
    """The service will fail at an event of the stream; comes before all other pieces.

    Attributes:
        event: Number of the event that it happens instead of, from 0, which opens the
            stream; as many as there are events: behind the last.
        fault: What happens; `no_metadata` has no place among the events.
    """

    event: int
    fault: Fault


@dataclass(frozen=True)
class Finish:
    """The answer is over.

    Attributes:
        stop_reason: One of Converse's or Anthropic's (`pause_turn`, `refusal`); any
            other string is passed on as it is.
        output_tokens: Tokens generated for this response, reasoning included.
        additional_fields: `additionalModelResponseFields`, or None.
    """

    stop_reason: str
    output_tokens: int
    additional_fields: Json | None = None


Piece: TypeAlias = (
    Text
    | Reasoning
    | ToolStart
    | ToolInput
    | Citation
    | ServerBlock
    | BlockEnd
    | Fault
    | EventFault
    | Finish
)


class Backend(Protocol):
    """A model behind the local endpoint. Calls may overlap."""

    def start(self) -> None:
        """Get ready: load weights, open what is needed. Blocking; called once."""
        ...

    def close(self) -> None:
        """Let go of everything; idempotent."""
        ...

    async def count_tokens(self, request: Request) -> int:
        """Count the input tokens of the whole prompt, prefill included.

        The endpoint also asks this for the head of a request, up to a cachePoint.
        """
        ...

    def generate(self, request: Request) -> AsyncIterator[Piece]:
        """Answer, piece by piece."""
        ...

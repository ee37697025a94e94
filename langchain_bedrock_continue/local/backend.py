"""The contract between the local endpoint and a model: a request in, pieces out.

A backend generates an answer and knows nothing of HTTP. A piece is the smallest unit of
an answer: some text of the current block, the end of a block, or the end of the answer.
Every backend follows these rules:

BACKEND-1. Pieces come in the order of the answer, one block after the other. Every
    block ends with a `BlockEnd`. The last piece is one `Finish`, unless a `Fault` ends
    the response.
BACKEND-2. The backend applies `max_tokens` and `stop_sequences`. The endpoint does not
    truncate.
BACKEND-3. A block that `max_tokens` truncates still ends with its `BlockEnd`.
BACKEND-4. No piece holds a part of a character, or U+FFFD in its place.
BACKEND-5. Closing the iterator stops the generation at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json: TypeAlias = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Request:
    """A Converse request that passed the endpoint's rules.

    The fields have the shapes of botocore's service model of `bedrock-runtime`.

    Attributes:
        model_id: Model id, inference profile or ARN, decoded from the URL.
        messages: `[{"role": ..., "content": [blocks]}]`, never empty. An assistant
            message in the final position is a prefill.
        max_tokens: Maximum number of output tokens: `inferenceConfig.maxTokens`, or
            the model's default where the request has none.
        system: Blocks of `system`.
        stop_sequences: Texts that end the answer. They are not part of it.
        temperature: `inferenceConfig.temperature`, or None where the request has none.
        top_p: `inferenceConfig.topP`, or None where the request has none.
        tool_config: `{"tools": [...], "toolChoice": {...}}`, or None.
        additional_fields: `additionalModelRequestFields`, such as `thinking`.
        output_config: `outputConfig` with a JSON schema, or None.
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
    """More text of the current text block.

    Attributes:
        text: Complete characters (BACKEND-4).
    """

    text: str


@dataclass(frozen=True)
class Reasoning:
    """More of the current reasoning block.

    Attributes:
        text: Complete characters (BACKEND-4).
        signature: The signature. It comes in the block's last piece, or never.
        redacted: Encrypted reasoning. It takes the place of text and signature.
    """

    text: str = ""
    signature: str = ""
    redacted: bytes = b""


@dataclass(frozen=True)
class ToolStart:
    """The start of a tool call.

    Attributes:
        tool_use_id: `toolUseId` of the call.
        name: Name of the tool.
    """

    tool_use_id: str
    name: str


@dataclass(frozen=True)
class ToolInput:
    """More of the current tool call's input.

    Attributes:
        json_text: A fragment of the input's JSON.
    """

    json_text: str


@dataclass(frozen=True)
class Citation:
    """A citation of the current text block.

    Attributes:
        citation: The citation in Converse's shape.
    """

    citation: Json


@dataclass(frozen=True)
class ServerBlock:
    """A complete block of a server tool, which Anthropic runs. `InvokeModel` only.

    Attributes:
        block: The block in the shape of Anthropic's Messages API: a `server_tool_use`,
            or a result such as `web_search_tool_result`.
    """

    block: Json


@dataclass(frozen=True)
class BlockEnd:
    """The end of the current block, complete or truncated."""


@dataclass(frozen=True)
class Fault:
    """A failure of the service at this place of the response.

    What each kind looks like to a client was measured with botocore 1.44 against this
    endpoint.

    Attributes:
        kind: What happens:

            - `"exception"`: an exception event with `code` and `message`. Before
              anything was sent, an HTTP error.
            - `"unknown_exception"`: an exception event that botocore's service model
              does not have.
            - `"no_stop"`: the stream ends without `messageStop`.
            - `"close"`: the socket is closed in the middle of a frame.
            - `"silence"`: nothing more is sent, and the socket stays open.
            - `"checksum"`: a frame with a wrong checksum.
            - `"no_metadata"`: `messageStop` comes, `metadata` does not.
        code: Name of the exception in botocore's service model.
        message: Text of the exception.
        status: HTTP status of a fault that comes before the stream opens. 200 opens
            the stream and makes the fault an exception event.
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
    """A failure at one event of the stream. It comes before all other pieces.

    Attributes:
        event: Index of the event that the fault replaces. 0 is the event that opens
            the stream; the number of events is the place after the last one.
        fault: What happens. `no_metadata` is not allowed.
    """

    event: int
    fault: Fault


@dataclass(frozen=True)
class Finish:
    """The end of the answer.

    Attributes:
        stop_reason: One of Converse's stop reasons, or one of Anthropic's
            (`pause_turn`, `refusal`). Any other string is passed on unchanged.
        output_tokens: Number of tokens generated for this response, including
            reasoning.
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
"""The smallest unit of an answer."""


class Backend(Protocol):
    """A model for the local endpoint. Calls may overlap."""

    def start(self) -> None:
        """Load weights and open resources. Blocking; the endpoint calls it once."""
        ...

    def close(self) -> None:
        """Release all resources. Idempotent."""
        ...

    async def count_tokens(self, request: Request) -> int:
        """Count the input tokens of a request, including system, tools and prefill.

        The endpoint also counts the prefix of a request up to a cachePoint, which may
        have no messages.

        Args:
            request: The request, or a prefix of one.
        """
        ...

    def generate(self, request: Request) -> AsyncIterator[Piece]:
        """Generate the answer to a request, piece by piece.

        Args:
            request: The request.
        """
        ...

"""The errors of this package, one tree.

    ContinuationError             carries what arrived: .partial and .segments
    ├── TurnLimitError            a limit ended the turn, and on_limit="raise"
    └── SegmentError              a call failed after something arrived; see __cause__
        └── PrefillRefusedError   the model takes no prefilled answer

An error before anything arrived is not among them: nothing can be lost, so the caller
sees the same error as from ChatBedrockConverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage


class ContinuationError(Exception):
    """A turn ended before its answer was whole.

    Attributes:
        partial: All that arrived, as a valid message whose
            `response_metadata["continuation"]["complete"]` is False.
        segments: One entry a Bedrock response, as in
            `response_metadata["continuation"]["segments"]`.
    """

    def __init__(
        self, message: str, *, partial: AIMessage, segments: list[dict[str, Any]]
    ) -> None:
        """Keep what arrived beside the text of the error."""
        super().__init__(message)
        self.partial = partial
        self.segments = segments

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross process borders whole: the work is in the attributes."""
        return (_rebuilt, (type(self), self.args[0], self.partial, self.segments))


def _rebuilt(
    kind: type[ContinuationError],
    message: str,
    partial: AIMessage,
    segments: list[dict[str, Any]],
) -> ContinuationError:
    return kind(message, partial=partial, segments=segments)


class TurnLimitError(ContinuationError):
    """A limit ended the turn: which one is in `continuation["ended_by"]`."""


class SegmentError(ContinuationError):
    """A call failed, or a stream broke, after something arrived; see `__cause__`."""


class PrefillRefusedError(SegmentError):
    """The model takes no partial answer as the final assistant message.

    Every Claude from 4.6 on refuses it, and so do Llama models on Converse.
    """

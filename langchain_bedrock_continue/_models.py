"""What is known of a model's ways, and what its refusals look like."""

from __future__ import annotations

PREFILL_REFUSALS = (
    # Claude from 4.6 on.
    "does not support assistant message prefill",
    # Bedrock itself, Llama among others.
    "requires the last turn in the conversation to be a user message",
    # Claude with tools, or with an output format.
    "pre-filling the `assistant` response is not supported",
    # Claude while thinking is on.
    "a final `assistant` message must start with a thinking block",
    "the final block in an assistant message cannot be `thinking`",
    # Other vendors.
    "prefilling assistant messages is not supported",
)
"""Parts of the texts of ValidationException by which services refuse a prefill."""


def refuses_prefill(error: BaseException) -> bool:
    """Tell whether a service's error says that it takes no prefilled answer."""
    text = str(error).lower()
    return any(part in text for part in PREFILL_REFUSALS)

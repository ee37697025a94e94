"""A wrapped model whose calls a test can cancel."""

from typing import Any

from langchain_bedrock_continue._transport import Cancellation, cancellable_client
from langchain_bedrock_continue._wrapped.adapters import adapter_for


def cancellable(llm: Any, cancellation: Cancellation) -> Any:
    """Return the copy of a model that a turn makes its calls with."""
    wrapped = adapter_for(llm)
    return wrapped.for_turn(lambda client: cancellable_client(client, cancellation)).llm

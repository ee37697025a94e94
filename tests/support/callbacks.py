"""A LangChain callback handler that writes down what it is told."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult


class Recorder(BaseCallbackHandler):
    """Records the runs, tokens, results and custom events of a model.

    Attributes:
        runs: The id of each run that started.
        tokens: The text of each chunk, in order.
        ends: The result of each run.
        events: The name and the data of each custom event.
    """

    def __init__(self) -> None:
        self.runs: list[UUID] = []
        self.tokens: list[str] = []
        self.ends: list[LLMResult] = []
        self.events: list[tuple[str, dict[str, Any]]] = []

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Record a run."""
        self.runs.append(run_id)

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        """Record a chunk's text."""
        self.tokens.append(chunk.message.text)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Record a result."""
        self.ends.append(response)

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        """Record an event."""
        self.events.append((name, data))

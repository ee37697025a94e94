"""Sends the events of a turn to everyone who listens to the model's run.

EVENT-1. Each handler of the run gets each event once, wherever it was given: in the
    call's config, in the constructor, in `with_config`, or in a surrounding chain.
EVENT-2. An event has the id of the model's run, its tags and its metadata.
EVENT-3. An async handler of an async call runs on the caller's event loop. The turn
    waits for it, so that events come in order.
EVENT-4. In a LangGraph node, an event is also written to the `custom` stream.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManager
from langchain_core.callbacks.manager import ahandle_event, handle_event
from langchain_core.runnables.config import ensure_config

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.callbacks.manager import BaseRunManager
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import RunnableConfig

    from langchain_bedrock_continue._transport import Cancellation

EVENT = "bedrock_continuation"
"""The name of the event before each call of a turn but the first."""

TOOL_CALL = "bedrock_tool_call"
"""The name of the event about a tool call that is arriving."""


@dataclass(frozen=True)
class Listeners:
    """Who listens to a run.

    Attributes:
        handlers: The run's handlers.
        run_id: Its id.
        tags: Its tags.
        metadata: Its metadata.
    """

    handlers: list[BaseCallbackHandler]
    run_id: UUID | None
    tags: list[str]
    metadata: dict[str, Any]


def of_run(run: BaseRunManager) -> Callable[[], Listeners]:
    """Return who listens to a run, given its manager."""
    return lambda: Listeners(run.handlers, run.run_id, run.tags, run.metadata)


def of_stream(model: BaseChatModel, config: RunnableConfig) -> Callable[[], Listeners]:
    """Return who listens to a run that LangChain starts for a stream.

    LangChain hands no manager to a stream. Its manager is made again as LangChain makes
    it, and only if there is an event.

    Args:
        model: The model that streams.
        config: The stream's config, with a `run_id`.
    """

    def listeners() -> Listeners:
        whole = ensure_config(config)
        manager = CallbackManager.configure(
            whole.get("callbacks"),
            model.callbacks,
            model.verbose,
            whole.get("tags"),
            model.tags,
            whole.get("metadata"),
            model.metadata,
        )
        run_id = config.get("run_id")
        return Listeners(manager.handlers, run_id, manager.tags, manager.metadata)

    return listeners


class Events:
    """Sends the events of one turn."""

    def __init__(
        self,
        listeners: Callable[[], Listeners] | None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Send to a run's listeners.

        Args:
            listeners: Returns them; None if there is no run.
            loop: The event loop of an async caller, or None.
        """
        self._listeners = listeners
        self._loop = loop

    def send(
        self, data: Mapping[str, Any], cancellation: Cancellation, name: str = EVENT
    ) -> None:
        """Send an event and wait until it is handled.

        Args:
            data: The event's data, as plain JSON.
            cancellation: The turn's cancellation, which ends the wait.
            name: The event's name.

        Raises:
            CallCancelled: The turn was cancelled.
        """
        if self._listeners is not None:
            self._send_to(self._listeners(), name, data, cancellation)
        _write_to_graph(name, data)

    def _send_to(
        self,
        run: Listeners,
        name: str,
        data: Mapping[str, Any],
        cancellation: Cancellation,
    ) -> None:
        call: Any = ["on_custom_event", "ignore_custom_event", name, data]
        named: Any = {"run_id": run.run_id, "tags": run.tags, "metadata": run.metadata}
        if self._loop is None or not run.handlers:
            handle_event(run.handlers, *call, **named)
            return
        handling = ahandle_event(run.handlers, *call, **named)
        cancellation.handle(handling, self._loop)


def _write_to_graph(name: str, data: Mapping[str, Any]) -> None:
    """Write an event to the `custom` stream of a LangGraph node (EVENT-4)."""
    if "langgraph" not in sys.modules:
        return
    try:
        config = importlib.import_module("langgraph.config")
        write = config.get_stream_writer()
    except (AttributeError, ImportError, LookupError, RuntimeError):
        return  # outside of a graph
    write({"name": name, "data": data})

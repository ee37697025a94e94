"""Runs a turn for an async caller: on the event loop if it can, else on threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from langchain_bedrock_continue._transport import threads

try:
    from langchain_bedrock_continue._transport import awaiting_client, event_loop
except ImportError:  # greenlet is not there for every implementation of Python
    awaiting_client = event_loop = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from langchain_bedrock_continue._transport.cancellation import Cancellation

P = ParamSpec("P")
T = TypeVar("T")


async def run(
    function: Callable[Concatenate[Cancellation, P], T],
    client: Any,
    limit: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run a blocking function for an async caller, in the caller's context.

    Args:
        function: Called with a Cancellation and the further arguments. It is cancelled
            when the caller is.
        client: The boto3 client that it calls.
        limit: How many functions run at once.
        *args: For the function.
        **kwargs: For the function.
    """
    session = _session_of(client)
    if session is None:
        return await threads.run(function, limit, *args, **kwargs)
    return await event_loop.run(function, session, limit, *args, **kwargs)


def iterate(
    function: Callable[Concatenate[Cancellation, P], Generator[T, Any, Any]],
    client: Any,
    limit: int,
    *args: P.args,
    **kwargs: P.kwargs,
) -> AsyncGenerator[T, None]:
    """Iterate over a blocking generator for an async caller, in the caller's context.

    Args:
        function: Makes the generator from a Cancellation and the further arguments.
            When the caller stops, it is cancelled and the generator is closed.
        client: The boto3 client that it calls.
        limit: How many generators run at once.
        *args: For the function.
        **kwargs: For the function.
    """
    session = _session_of(client)
    if session is None:
        return threads.iterate(function, limit, *args, **kwargs)
    return event_loop.iterate(function, session, limit, *args, **kwargs)


def _session_of(client: Any) -> Any | None:
    if awaiting_client is None:
        return None
    return awaiting_client.awaiting_session(client, asyncio.get_running_loop())

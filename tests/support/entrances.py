"""The four ways to ask a model, each as a function that returns the final message.

`ENTRANCES` has all four. A test that is about the entrances, or about what they do
each in a way of its own (cancellation, callbacks, events, errors), asks by all four.

`TWO_ENTRANCES` has one that streams and one that does not. `ainvoke` and `astream` run
the functions of `invoke` and `stream` in a greenlet, so a test about the content of an
answer needs one of each pair: `stream` and `ainvoke` together run both functions, on
blocking sockets and on the event loop. (`invoke` and `astream` would too, at twice the
time: `astream` wakes an event loop for each chunk.) How the two kinds of sockets fail,
`test_same_errors` compares.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable

Entrance: TypeAlias = Callable[..., AIMessage]


def added(chunks: list[AIMessageChunk]) -> AIMessage:
    """Return the sum of a stream's chunks.

    The last one is added by itself, as callers do: it restores the errors of invalid
    calls, which LangChain drops where it adds a list.
    """
    first, *rest = chunks
    if not rest:
        return first
    *middle, last = rest
    return cast("AIMessage", (first + middle if middle else first) + last)


def by_invoke(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    """Ask by `invoke`."""
    return cast("AIMessage", llm.invoke(asked, **kwargs))


def by_stream(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    """Ask by `stream`."""
    return added(list(llm.stream(asked, **kwargs)))


def by_ainvoke(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    """Ask by `ainvoke`, in an event loop of its own."""
    return cast("AIMessage", asyncio.run(llm.ainvoke(asked, **kwargs)))


def by_astream(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    """Ask by `astream`, in an event loop of its own."""

    async def collected() -> list[AIMessageChunk]:
        return [chunk async for chunk in llm.astream(asked, **kwargs)]

    return added(asyncio.run(collected()))


ENTRANCES: dict[str, Entrance] = {
    "invoke": by_invoke,
    "stream": by_stream,
    "ainvoke": by_ainvoke,
    "astream": by_astream,
}

TWO_ENTRANCES: dict[str, Entrance] = {
    name: ENTRANCES[name] for name in ("stream", "ainvoke")
}

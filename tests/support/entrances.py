"""The four entrances as one table: each gives the message a caller ends up with."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable

Entrance: TypeAlias = Callable[..., AIMessage]


def added(chunks: list[AIMessageChunk]) -> AIMessage:
    first, *rest = chunks
    return cast("AIMessage", first + rest) if rest else first


def by_invoke(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    return cast("AIMessage", llm.invoke(asked, **kwargs))


def by_stream(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    return added(list(llm.stream(asked, **kwargs)))


def by_ainvoke(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    return cast("AIMessage", asyncio.run(llm.ainvoke(asked, **kwargs)))


def by_astream(llm: Runnable[Any, Any], asked: Any, **kwargs: Any) -> AIMessage:
    async def collected() -> list[AIMessageChunk]:
        return [chunk async for chunk in llm.astream(asked, **kwargs)]

    return added(asyncio.run(collected()))


ENTRANCES: dict[str, Entrance] = {
    "invoke": by_invoke,
    "stream": by_stream,
    "ainvoke": by_ainvoke,
    "astream": by_astream,
}

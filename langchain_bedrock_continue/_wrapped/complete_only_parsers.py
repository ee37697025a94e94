"""Structured output of an incomplete turn is an error, not a smaller object.

LangChain's JSON parsers accept partial JSON: a list that is truncated in its fifth item
would be returned as a list of five. So each parser is guarded: it is used only if the
message's `response_metadata["continuation"]` does not say that the turn is incomplete.

COMPLETE-1. A complete message, or one without that metadata, is parsed as usual, chunk
    by chunk.
COMPLETE-2. An incomplete one raises `OutputParserException`, the class that the parsers
    raise for invalid text; in a stream at its end.
COMPLETE-3. A stream with `include_raw` never raises for unparsable text. Its last
    object is None, and the raw message says why.
COMPLETE-4. Parsers of tool calls are not guarded: a truncated call is never in
    `tool_calls`.
COMPLETE-5. The given chain is never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.exceptions import OutputParserException
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import (
    Runnable,
    RunnableAssign,
    RunnableParallel,
    RunnableSequence,
    RunnableWithFallbacks,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig

Output = TypeVar("Output")


def complete_only(chain: Runnable[Any, Output]) -> Runnable[Any, Output]:
    """Return a chain whose JSON parsers accept complete messages only.

    Args:
        chain: A chain built by `with_structured_output` of ChatBedrockConverse.
    """
    guarded: Runnable[Any, Output] = _guarded(chain, raw=False)
    return guarded


def _guarded(step: Any, *, raw: bool) -> Any:
    """Guard the parsers of a step; `raw` if its message is returned beside them."""
    if isinstance(step, JsonOutputParser):
        return _CompleteOnly(step, raises_in_streams=not raw)
    if isinstance(step, RunnableSequence):
        return RunnableSequence(*(_guarded(one, raw=raw) for one in step.steps))
    update: dict[str, Any] = {}
    if isinstance(step, RunnableParallel):
        steps = step.steps__
        update = {"steps__": {key: _guarded(steps[key], raw=raw) for key in steps}}
    elif isinstance(step, RunnableAssign):
        update = {"mapper": _guarded(step.mapper, raw=True)}
    elif isinstance(step, RunnableWithFallbacks):
        update = {"runnable": _guarded(step.runnable, raw=raw)}
    return step.model_copy(update=update) if update else step


class _CompleteOnly(Runnable["BaseMessage", Any]):
    """A parser that accepts complete messages only."""

    def __init__(self, parser: JsonOutputParser, *, raises_in_streams: bool) -> None:
        self._parser = parser
        self._raises_in_streams = raises_in_streams

    def invoke(
        self,
        input: BaseMessage,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(_incomplete_by(input))
        return self._parser.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: BaseMessage,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(_incomplete_by(input))
        return await self._parser.ainvoke(input, config, **kwargs)

    def transform(
        self,
        input: Iterator[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        limits: list[str] = []
        chunks = (_noted(chunk, limits) for chunk in input)
        yield from self._parser.transform(chunks, config, **kwargs)
        yield from self._end_of_stream(limits)

    async def atransform(
        self,
        input: AsyncIterator[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        limits: list[str] = []
        chunks = (_noted(chunk, limits) async for chunk in input)
        async for parsed in self._parser.atransform(chunks, config, **kwargs):
            yield parsed
        for last in self._end_of_stream(limits):
            yield last

    def _end_of_stream(self, limits: list[str]) -> list[None]:
        """End an incomplete stream by an error (COMPLETE-2) or by None (COMPLETE-3)."""
        if self._raises_in_streams:
            _check(*limits)
        return [None] if limits else []


def _incomplete_by(message: BaseMessage) -> str | None:
    """Return what ended an incomplete turn; None if the turn is complete."""
    turn = message.response_metadata.get("continuation")
    return None if turn is None or turn["complete"] else str(turn["ended_by"])


def _noted(chunk: BaseMessage, limits: list[str]) -> BaseMessage:
    """Return a chunk, after adding what ended its incomplete turn to `limits`."""
    limits += filter(None, [_incomplete_by(chunk)])
    return chunk


def _check(ended_by: str | None = None) -> None:
    if ended_by is not None:
        raise OutputParserException(
            f"The answer is incomplete: {ended_by} ended it, so it holds no complete "
            "object. Raise that limit; include_raw=True shows what arrived."
        )

"""Structured output of a turn that is not whole is an error, and no smaller object.

LangChain's JSON parsers take partial JSON: a list that was cut in its fifth item would
pass as a list of five. So each parser is asked only once the message has said whether
it is whole, which it knows (`response_metadata["continuation"]`).

W1. What is whole, or says nothing of it, is parsed as ever, chunk by chunk.
W2. What is not whole raises `OutputParserException`, the class that the parsers raise
    for any text that is no object; in a stream at its end.
W3. A stream with `include_raw` never raises for what it can't parse: there the object
    is None at the end, and the raw message says why.
W4. Parsers of tool calls need no such thing: a call that was cut is none for them.
W5. The chain that was given is never changed.
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


def whole_only(chain: Runnable[Any, Output]) -> Runnable[Any, Output]:
    """Return a chain whose JSON parsers take whole messages only.

    Args:
        chain: As `with_structured_output` of ChatBedrockConverse builds it.
    """
    guarded: Runnable[Any, Output] = _guarded(chain, raw=False)
    return guarded


def _guarded(step: Any, *, raw: bool) -> Any:
    """Guard the parsers of a step; `raw` where its message is given out beside them."""
    if isinstance(step, JsonOutputParser):
        return _WholeOnly(step, raises_in_streams=not raw)
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


class _WholeOnly(Runnable["BaseMessage", Any]):
    """A parser that takes whole messages only."""

    def __init__(self, parser: JsonOutputParser, *, raises_in_streams: bool) -> None:
        self._parser = parser
        self._raises_in_streams = raises_in_streams

    def invoke(
        self,
        input: BaseMessage,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(_cut_by(input))
        return self._parser.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: BaseMessage,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(_cut_by(input))
        return await self._parser.ainvoke(input, config, **kwargs)

    def transform(
        self,
        input: Iterator[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        cuts: list[str] = []
        chunks = (_noted(chunk, cuts) for chunk in input)
        yield from self._parser.transform(chunks, config, **kwargs)
        yield from self._ending(cuts)

    async def atransform(
        self,
        input: AsyncIterator[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        cuts: list[str] = []
        chunks = (_noted(chunk, cuts) async for chunk in input)
        async for parsed in self._parser.atransform(chunks, config, **kwargs):
            yield parsed
        for last in self._ending(cuts):
            yield last

    def _ending(self, cuts: list[str]) -> list[None]:
        """End a stream: where it is not whole, raise (W2) or give None (W3)."""
        if self._raises_in_streams:
            _check(*cuts)
        return [None] if cuts else []


def _cut_by(message: BaseMessage) -> str | None:
    """Return what ended a turn that is not whole, where the message says so."""
    turn = message.response_metadata.get("continuation")
    return None if turn is None or turn["complete"] else str(turn["ended_by"])


def _noted(chunk: BaseMessage, cuts: list[str]) -> BaseMessage:
    """Return a chunk, and note what it says of the end."""
    cuts += filter(None, [_cut_by(chunk)])
    return chunk


def _check(ended_by: str | None = None) -> None:
    if ended_by is not None:
        raise OutputParserException(
            f"The answer is not whole: {ended_by} ended it, so it holds no whole "
            "object. Raise that limit; include_raw=True shows what arrived."
        )

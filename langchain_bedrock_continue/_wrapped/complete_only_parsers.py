"""An incomplete object of structured output is an error, never None or a smaller one.

`with_structured_output` builds a chain of the model and a parser. Each parser is
guarded: it is used only if `incomplete_objects` finds the object in the message.

COMPLETE-1. A message that has its object is parsed as usual, chunk by chunk.
COMPLETE-2. Any other raises `OutputParserException`, the class that the parsers raise
    for invalid text; in a stream at its end. The text names the limit.
COMPLETE-3. With `include_raw`, that exception is the `parsing_error`, and `parsed` is
    None, in a stream too. langchain-aws catches it where `parsed` is made; in a stream
    it would catch it only before the first chunk, so the message is checked first.
COMPLETE-4. Where langchain-aws checks for a tool call before the parser, an incomplete
    message is left to the parser, which names the limit.
COMPLETE-5. The given chain is never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.output_parsers import BaseLLMOutputParser, JsonOutputParser
from langchain_core.runnables import (
    Runnable,
    RunnableAssign,
    RunnableLambda,
    RunnableParallel,
    RunnableSequence,
    RunnableWithFallbacks,
)

from langchain_bedrock_continue._wrapped.incomplete_objects import (
    problem_with_call,
    problem_with_document,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from langchain_core.messages import BaseMessage, BaseMessageChunk
    from langchain_core.runnables import RunnableConfig

Output = TypeVar("Output")

_Problem: TypeAlias = "Callable[[BaseMessage], str | None]"
"""Returns what is wrong with a message, or None."""


def complete_only(chain: Runnable[Any, Output]) -> Runnable[Any, Output]:
    """Return a chain whose parsers accept messages that have their object only.

    Args:
        chain: A chain built by `with_structured_output` of ChatBedrockConverse or
            ChatBedrock.
    """
    guarded: Runnable[Any, Output] = _guarded(chain, _problem_for(chain))
    return guarded


def _guarded(step: Any, problem: _Problem) -> Any:
    """Guard the parsers of a step."""
    if isinstance(step, BaseLLMOutputParser):
        return _CompleteOnly(cast("Runnable[Any, Any]", step), problem)
    if isinstance(step, RunnableLambda):
        return _CompleteOrPassed(step, problem)
    if isinstance(step, RunnableSequence):
        first, *later = step.steps
        if not isinstance(first, RunnableLambda):  # which makes the model's input
            first = _guarded(first, problem)
        return RunnableSequence(first, *(_guarded(one, problem) for one in later))
    if isinstance(step, RunnableWithFallbacks):
        checked = _CheckedRaw(step.runnable, problem)
        return step.model_copy(update={"runnable": checked})
    if isinstance(step, RunnableParallel):
        guarded = {key: _guarded(one, problem) for key, one in step.steps__.items()}
        return step.model_copy(update={"steps__": guarded})
    return step


def _problem_for(chain: Any) -> _Problem:
    """Return the check for what the chain's parser reads."""
    parsers = list(_parsers_of(chain))
    reads_json = any(isinstance(parser, JsonOutputParser) for parser in parsers)
    return problem_with_document if reads_json else problem_with_call


def _parsers_of(step: Any) -> Iterator[Any]:
    if isinstance(step, BaseLLMOutputParser):
        yield step
    inner: list[Any] = []
    if isinstance(step, RunnableSequence):
        inner = step.steps
    elif isinstance(step, RunnableParallel):
        inner = list(step.steps__.values())
    elif isinstance(step, RunnableAssign):
        inner = [step.mapper]
    elif isinstance(step, RunnableWithFallbacks):
        inner = [step.runnable]
    for one in inner:
        yield from _parsers_of(one)


def _check(problem: str | None) -> None:
    """Raise the exception for an object that is incomplete.

    Raises:
        OutputParserException: There is a problem.
    """
    if problem is not None:
        raise OutputParserException(
            f"The answer is incomplete, so it has no complete object. {problem} "
            "include_raw=True shows what arrived."
        )


class _CompleteOnly(Runnable["BaseMessage", Any]):
    """A parser that accepts messages that have their object only (COMPLETE-2)."""

    def __init__(self, parser: Runnable[Any, Any], problem: _Problem) -> None:
        self._parser = parser
        self._problem = problem

    def invoke(
        self,
        input: BaseMessage,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(self._problem(input))
        return self._parser.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: BaseMessage,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(self._problem(input))
        return await self._parser.ainvoke(input, config, **kwargs)

    def transform(
        self,
        input: Iterator[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        read: list[BaseMessage] = []
        chunks = (_noted(chunk, read) for chunk in input)
        yield from self._parser.transform(chunks, config, **kwargs)
        _check(self._problem_in(read))

    async def atransform(
        self,
        input: AsyncIterator[BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        read: list[BaseMessage] = []
        chunks = (_noted(chunk, read) async for chunk in input)
        async for parsed in self._parser.atransform(chunks, config, **kwargs):
            yield parsed
        _check(self._problem_in(read))

    def _problem_in(self, read: list[BaseMessage]) -> str | None:
        """Return what is wrong with the sum of the chunks that were read."""
        if not read:
            return None
        first, *later = read
        chunks: Any = later
        added = cast("BaseMessageChunk", first) + chunks if later else first
        return self._problem(cast("BaseMessage", added))


class _CompleteOrPassed(Runnable[Any, Any]):
    """A step that passes on a message without its object (COMPLETE-4)."""

    def __init__(self, step: Runnable[Any, Any], problem: _Problem) -> None:
        self._step = step
        self._problem = problem

    def invoke(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        if self._problem(input) is not None:
            return input
        return self._step.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        if self._problem(input) is not None:
            return input
        return await self._step.ainvoke(input, config, **kwargs)


class _CheckedRaw(Runnable[dict[str, Any], Any]):
    """A step that is reached only if the raw message has its object (COMPLETE-3)."""

    def __init__(self, step: Runnable[Any, Any], problem: _Problem) -> None:
        self._step = step
        self._problem = problem

    def invoke(
        self,
        input: dict[str, Any],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(self._problem(input["raw"]))
        return self._step.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: dict[str, Any],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        _check(self._problem(input["raw"]))
        return await self._step.ainvoke(input, config, **kwargs)

    def stream(
        self,
        input: dict[str, Any],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        _check(self._problem(input["raw"]))
        yield from self._step.stream(input, config, **kwargs)

    async def astream(
        self,
        input: dict[str, Any],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        _check(self._problem(input["raw"]))
        async for chunk in self._step.astream(input, config, **kwargs):
            yield chunk


def _noted(chunk: BaseMessage, read: list[BaseMessage]) -> BaseMessage:
    """Return a chunk, after adding it to those that were read."""
    read.append(chunk)
    return chunk

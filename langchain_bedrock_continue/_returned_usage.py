"""The usage of the returned message: not what the run's callbacks see.

Two readers want different numbers of one `usage_metadata`. Tracers and handlers such as
UsageMetadataCallbackHandler add up what each run costs, so a run reports the sum over
its calls. Context management, such as SummarizationMiddleware, takes the usage of the
last message for the size of the conversation, so the message has the size of one
response.

LangChain hands the object that it returns to the callbacks, too. The methods here are
called after the run has ended, and return a copy with the usage for the caller.

VIEW-1. Callbacks get the messages as `_generate` and `_stream` return them.
VIEW-2. The caller gets a copy with the other sum, where the sums differ. A message that
    took one call is returned as it is.
VIEW-3. `stream_events` and `astream_events` report what callbacks see.
"""

from __future__ import annotations

# LangChain reads the types of public methods at run time, behind `with_fallbacks`.
from collections.abc import AsyncIterator, Iterator  # noqa: TC003
from contextlib import closing, contextmanager
from typing import Any, Literal, TypeAlias, TypeVar

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import LLMResult  # noqa: TC002
from langchain_core.runnables import RunnableConfig  # noqa: TC002

from langchain_bedrock_continue._closing import ClosingStream
from langchain_bedrock_continue._wrapped.own_usage import in_own_form
from langchain_bedrock_continue.errors import ContinuationError

View: TypeAlias = Literal["billed", "response"]
"""A sum of a turn's usage, by its key in the `Continuation`."""

Message = TypeVar("Message", bound=AIMessage)


class ReturnedUsageMixin(BaseChatModel):
    """The methods of a chat model that return messages, with the caller's usage."""

    message_usage: View

    def generate(
        self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any
    ) -> LLMResult:
        """Generate as LangChain does; see `BaseChatModel.generate`."""
        with _partial_in_view(self.message_usage):
            result = super().generate(messages, *args, **kwargs)
        return _result_in_view(result, self.message_usage)

    async def agenerate(
        self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any
    ) -> LLMResult:
        """Generate as LangChain does; see `BaseChatModel.agenerate`."""
        with _partial_in_view(self.message_usage):
            result = await super().agenerate(messages, *args, **kwargs)
        return _result_in_view(result, self.message_usage)

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Stream as LangChain does; see `BaseChatModel.stream`."""
        chunks: Any = super().stream(input, config, stop=stop, **kwargs)
        view = self.message_usage
        with closing(chunks), _partial_in_view(view):
            for chunk in chunks:
                has_usage = chunk.usage_metadata is not None
                yield _in_view(chunk, view) if has_usage else chunk

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream as LangChain does; see `BaseChatModel.astream`."""
        chunks: Any = super().astream(input, config, stop=stop, **kwargs)
        view = self.message_usage
        async with ClosingStream(chunks):
            with _partial_in_view(view):
                async for chunk in chunks:
                    has_usage = chunk.usage_metadata is not None
                    yield _in_view(chunk, view) if has_usage else chunk


def _in_view(message: Message, view: View) -> Message:
    """Return the message with the usage of a view (VIEW-2).

    What LangChain added to the usage, such as the cost of a cached message, is kept.
    """
    used = message.usage_metadata
    turn = message.response_metadata.get("continuation") if used else None
    wanted = turn.get(view) if isinstance(turn, dict) else None
    if used is None or wanted is None:
        return message
    known = UsageMetadata.__annotations__
    added = {key: value for key, value in used.items() if key not in known}
    if used == {**wanted, **added}:
        return message
    update: dict[str, Any] = {"usage_metadata": {**wanted, **added}}
    # ChatBedrock has the same numbers in two more places.
    for name in ("additional_kwargs", "response_metadata"):
        data = getattr(message, name)
        if isinstance(data.get("usage"), dict):
            update[name] = {**data, "usage": _renamed(data["usage"], wanted)}
    return message.model_copy(update=update)


def _renamed(usage: dict[str, Any], wanted: UsageMetadata) -> dict[str, Any]:
    """Return ChatBedrock's own form of a usage, with other numbers."""
    new = in_own_form(wanted)
    return {**usage, **{name: new[name] for name in new if name in usage}}


def _result_in_view(result: LLMResult, view: View) -> LLMResult:
    """Return a result whose messages have the usage of a view."""
    generations = [
        [_generation_in_view(one, view) for one in batch]
        for batch in result.generations
    ]
    return result.model_copy(update={"generations": generations})


def _generation_in_view(generation: Any, view: View) -> Any:
    message = generation.message
    if not isinstance(message, AIMessage):
        return generation
    copy = _in_view(message, view)
    return (
        generation
        if copy is message
        else generation.model_copy(update={"message": copy})
    )


@contextmanager
def _partial_in_view(view: View) -> Iterator[None]:
    """Give the partial message of an error, too, the usage of a view."""
    try:
        yield
    except ContinuationError as error:
        error.partial = _in_view(error.partial, view)
        raise

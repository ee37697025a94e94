"""Taking up a partial message: four methods, for the model and for what binds it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import chat_models
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import RunnableBinding
from langchain_core.utils.utils import LC_ID_PREFIX

from langchain_bedrock_continue._core.record.partial import (
    check_partial,
    needs_resuming,
)
from langchain_bedrock_continue.errors import ContinuationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from langchain_core.callbacks.manager import BaseRunManager
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.chat_models import (
        _ChatModelBinding as Binding,
    )
    from langchain_core.runnables import RunnableConfig

else:
    # LangChain's own class for a bound chat model: it types `stream_events`, no more.
    Binding = getattr(chat_models, "_ChatModelBinding", RunnableBinding)

PARTIAL = "resumed_partial"
"""The keyword by which a partial message reaches the model under a binding."""


@contextmanager
def naming(name: Callable[[], str | None]) -> Iterator[None]:
    """Give an error's partial message the id that its chunks and its whole have.

    Args:
        name: Tells the id, once it is asked for.
    """
    try:
        yield
    except ContinuationError as error:
        error.partial.id = error.partial.id or name()
        raise


def name_of(run: BaseRunManager | None) -> str | None:
    """Return how LangChain names the message of a run."""
    return None if run is None else f"{LC_ID_PREFIX}-{run.run_id}"


class Resumes:
    """What can take up a partial message."""

    def resume(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Go on with a partial message, and return the whole one.

        It need not come from this process: it may have been pickled, stored by a
        LangGraph checkpointer, or have gone through JSON by `dumpd` and `load`.

        Args:
            messages: The conversation that it answers, without it.
            partial: What arrived of the answer: an error's `.partial`, a message whose
                `response_metadata["continuation"]["complete"]` is False, one of
                ChatBedrockConverse that was cut at `max_tokens`, or the sum of a
                stream's chunks, as far as they came.
            config: As for `invoke`.
            **kwargs: As for `invoke`.

        Returns:
            The whole message, with the partial one's id; its `continuation` has the
            segments and the usage of both. A message that needs no resuming comes back
            unchanged, with no call.

        Raises:
            ValueError: `partial` is no AIMessage, or stands at the end of `messages`.
            ContinuationError: As from `invoke`; `.partial` then has what arrived of
                both.
        """
        if not _is_to_do(messages, partial):
            return partial
        whole = cast("Any", self).invoke(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        return cast("AIMessage", whole)

    async def aresume(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Go on with a partial message: `resume`, async."""
        if not _is_to_do(messages, partial):
            return partial
        whole = await cast("Any", self).ainvoke(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        return cast("AIMessage", whole)

    def resume_stream(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Go on with a partial message, chunk by chunk.

        Args:
            messages: As for `resume`.
            partial: As for `resume`.
            config: As for `stream`.
            **kwargs: As for `stream`.

        Yields:
            What is in the partial message first, so that the sum of the chunks is the
            whole message; then what is new, as it arrives.
        """
        if not _is_to_do(messages, partial):
            yield _as_chunk(partial)
            return
        yield from cast("Any", self).stream(
            messages, config, **kwargs, **{PARTIAL: partial}
        )

    async def aresume_stream(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Go on with a partial message, chunk by chunk: `resume_stream`, async."""
        if not _is_to_do(messages, partial):
            yield _as_chunk(partial)
            return
        chunks = cast("Any", self).astream(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        async for chunk in chunks:
            yield chunk


class ResumingBinding(Resumes, Binding):
    """A binding of the model, as by `bind_tools`, that resumes with what it binds."""


def _is_to_do(messages: LanguageModelInput, partial: object) -> bool:
    given = messages if isinstance(messages, list) else []
    return needs_resuming(check_partial(given, partial))


def _as_chunk(partial: AIMessage) -> AIMessageChunk:
    """Return a whole message as the only chunk of a stream."""
    if isinstance(partial, AIMessageChunk):
        return partial
    fields = partial.model_dump(exclude={"type"})
    return AIMessageChunk(**fields, chunk_position="last")

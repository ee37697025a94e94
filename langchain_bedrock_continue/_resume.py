"""Resuming a partial message: four methods, for the model and for its bindings."""

from __future__ import annotations

import logging

# LangChain reads the types of public methods at run time, behind `with_fallbacks`.
from collections.abc import AsyncIterator, Iterator  # noqa: TC003
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import LanguageModelInput  # noqa: TC002
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import RunnableConfig  # noqa: TC002
from langchain_core.utils.utils import LC_ID_PREFIX

from langchain_bedrock_continue._closing import ClosingStream
from langchain_bedrock_continue._core.record.addable import AddableContinuation
from langchain_bedrock_continue._core.record.after_partial import (
    RESUMED_AT,
    AfterPartial,
)
from langchain_bedrock_continue._core.record.partial import (
    check_partial,
    needs_resuming,
    says_how_it_ended,
)
from langchain_bedrock_continue._wrapped.private_names import ChatModelBinding
from langchain_bedrock_continue.errors import ContinuationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.callbacks.manager import BaseRunManager

logger = logging.getLogger("langchain_bedrock_continue")

NOTHING_TO_RESUME = (
    "There is nothing to resume: the message is returned unchanged. Its "
    "response_metadata has neither a stop reason nor `continuation`, so it does not "
    "say that it was truncated. Keep the metadata when you store a partial message."
)

PARTIAL = "resumed_partial"
"""The keyword that carries a partial message through a binding to the model."""


@contextmanager
def partial_with_id(message_id: Callable[[], str | None]) -> Iterator[None]:
    """Give the partial message of an error the id that the caller's message has.

    Args:
        message_id: Returns the id. Called only if an error is raised.
    """
    try:
        yield
    except ContinuationError as error:
        error.partial.id = error.partial.id or message_id()
        raise


def message_id_of(run: BaseRunManager | None) -> str | None:
    """Return the id that LangChain gives the message of a run."""
    return None if run is None else f"{LC_ID_PREFIX}-{run.run_id}"


class ResumeMixin:
    """Methods that resume a partial message, beside `invoke` and `stream`."""

    def resume(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Continue a partial message and return the complete one.

        The partial message can come from another process: it may have been pickled,
        stored by a LangGraph checkpointer, or converted to JSON by `dumpd` and back by
        `load`.

        Args:
            messages: The conversation that it answers, without the partial message.
            partial: What arrived of the answer: an error's `.partial`, a message whose
                `response_metadata["continuation"]["complete"]` is False, a message of
                ChatBedrockConverse that was truncated at `max_tokens`, or the sum of a
                stream's chunks so far.
            config: As for `invoke`. Default: None.
            **kwargs: As for `invoke`.

        Returns:
            The complete message, with the partial message's id. Its `continuation` has
            the segments and the usage of both. A message that is already complete is
            returned unchanged, without a call; so is one whose metadata does not say
            how it ended, with a warning in the log.

        Raises:
            ValueError: `partial` is not an AIMessage, or is the last of `messages`.
            ContinuationError: As from `invoke`. Its `.partial` has all that arrived,
                in this call and before.
        """
        if not _needs_resuming(messages, partial):
            return partial
        message = cast("Any", self).invoke(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        return cast("AIMessage", message)

    async def aresume(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Continue a partial message; see `resume`."""
        if not _needs_resuming(messages, partial):
            return partial
        message = await cast("Any", self).ainvoke(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        return cast("AIMessage", message)

    def resume_stream(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        *,
        emit_partial: bool = True,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Continue a partial message and stream the complete one.

        Args:
            messages: As for `resume`.
            partial: As for `resume`.
            config: As for `stream`. Default: None.
            emit_partial: Whether the stream begins with the content of the partial
                message. Default: True. Callbacks always get all of it.
            **kwargs: As for `stream`.

        Yields:
            First the content of the partial message, so that the sum of the chunks is
            the complete message; then new content as it arrives. With
            `emit_partial=False`, the new content only. Then one chunk has
            `response_metadata["resumed_at"]`: the complete text is
            `partial.text[:resumed_at]` and the new text. It is the length of
            `partial.text`, or less if the model wrote the end of the partial text
            differently: a few characters before a line break are written again.
        """
        if not _needs_resuming(messages, partial):
            yield _as_chunk(partial) if emit_partial else _end_of(partial)
            return
        chunks = cast("Any", self).stream(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        after = None if emit_partial else AfterPartial(partial)
        with closing(chunks):
            for chunk in chunks:
                shown = chunk if after is None else after.take(chunk)
                if shown is not None:
                    yield shown

    async def aresume_stream(
        self,
        messages: LanguageModelInput,
        partial: AIMessage,
        config: RunnableConfig | None = None,
        *,
        emit_partial: bool = True,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Continue a partial message, chunk by chunk; see `resume_stream`."""
        if not _needs_resuming(messages, partial):
            yield _as_chunk(partial) if emit_partial else _end_of(partial)
            return
        chunks = cast("Any", self).astream(
            messages, config, **kwargs, **{PARTIAL: partial}
        )
        after = None if emit_partial else AfterPartial(partial)
        async with ClosingStream(chunks):
            async for chunk in chunks:
                shown = chunk if after is None else after.take(chunk)
                if shown is not None:
                    yield shown


class ResumingBinding(ResumeMixin, ChatModelBinding):
    """A binding of the model, as made by `bind_tools`, that can resume as well."""


def _needs_resuming(messages: LanguageModelInput, partial: object) -> bool:
    conversation = messages if isinstance(messages, list) else []
    checked = check_partial(conversation, partial)
    is_needed = needs_resuming(checked)
    if not (is_needed or says_how_it_ended(checked)):
        logger.warning(NOTHING_TO_RESUME)
    return is_needed


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    """Return a complete message as the only chunk of a stream."""
    if isinstance(message, AIMessageChunk):
        return message
    fields = message.model_dump(exclude={"type"})
    metadata = fields["response_metadata"]
    if "continuation" in metadata:
        metadata["continuation"] = AddableContinuation(metadata["continuation"])
    return AIMessageChunk(**fields, chunk_position="last")


def _end_of(message: AIMessage) -> AIMessageChunk:
    """Return the last chunk of a stream that has nothing new for a complete message."""
    chunk = _as_chunk(message)
    metadata = {**chunk.response_metadata, RESUMED_AT: len(str(message.text))}
    return AIMessageChunk(
        id=chunk.id,
        content="",
        response_metadata=metadata,
        usage_metadata=chunk.usage_metadata,
        chunk_position="last",
    )

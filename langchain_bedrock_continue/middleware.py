"""Continuation for an agent whose model object cannot be replaced.

    from langchain.agents import create_agent
    from langchain_bedrock_continue.middleware import ContinuationMiddleware

    agent = create_agent(model, tools, middleware=[..., ContinuationMiddleware()])

This module needs langchain, which the package does not install:
`pip install "langchain>=1.4"`.
"""

from __future__ import annotations

import warnings
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Unpack,
)

from langchain_core.messages import AIMessage
from pydantic import ValidationError

from langchain_bedrock_continue._core.policy import PromptCaching
from langchain_bedrock_continue._core.record.invalid_calls import answers, in_a_row
from langchain_bedrock_continue._core.record.partial import (
    needs_resuming,
    with_calls_in_content,
)
from langchain_bedrock_continue._resume import PARTIAL
from langchain_bedrock_continue._wrapped.agent_models import (
    SUPPORTED,
    continued,
    is_continuing,
)
from langchain_bedrock_continue._wrapped.construction import INHERITED
from langchain_bedrock_continue._wrapped.field_values import validated
from langchain_bedrock_continue._wrapped.misspelled import suggestion
from langchain_bedrock_continue.chat_models import ChatBedrockContinuing
from langchain_bedrock_continue.errors import ContinuationError, TurnLimitError

try:
    from langchain.agents.middleware.types import (
        AgentMiddleware,
        AgentState,
        ExtendedModelResponse,
        ModelRequest,
        ModelResponse,
        PrivateStateAttr,
        hook_config,
    )
    from langgraph.channels.untracked_value import UntrackedValue
    from langgraph.types import Command
except ImportError as error:
    raise ImportError(
        "ContinuationMiddleware needs langchain 1.4 or later, which "
        "langchain-bedrock-continue does not install. Install it with: "
        'pip install "langchain>=1.4"'
    ) from error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from langgraph.runtime import Runtime

_NOT_SETTINGS = INHERITED | {"llm"}


class ContinuationSettings(TypedDict, total=False):
    """The fields of ChatBedrockContinuing, which has their meaning."""

    max_continuations: int
    max_total_tokens: int | None
    on_limit: Literal["return", "raise"]
    strategy: Literal["auto", "prefill", "user_turn"]
    continuation_prompt: str
    tool_call_recovery: Literal["retry", "resume", "return", "raise"]
    max_tokens_ceiling: int | None
    max_tokens_growth: float
    max_seconds: float | None
    stream_recoveries: int
    usage_view: Literal["billed", "response"]
    message_usage: Literal["response", "billed"]
    prompt_caching: PromptCaching
    max_concurrency: int


class ContinuationState(AgentState[Any]):
    """What the middleware adds to an agent's state. Neither is input or output."""

    continuation_saved: NotRequired[Annotated[str | None, PrivateStateAttr]]
    """The id of the partial message that a failure has left in `messages`."""

    continuation_error: NotRequired[
        Annotated[Exception | None, UntrackedValue, PrivateStateAttr]
    ]
    """The failure, which ends this run. It is not part of a checkpoint."""


class ContinuationMiddleware(AgentMiddleware[ContinuationState, Any, Any]):
    """Makes an agent's Bedrock model continue its truncated answers.

    Put it last in the list, so that it continues each model that another middleware
    selects. It does three things:

    - It wraps the model of each call in a ChatBedrockContinuing. One that already is
      one is not changed.
    - If all tool calls of an answer are invalid, truncated ones for example, it answers
      them with an error, and the agent goes on. LangChain's agent would end.
    - If a call fails after a part of the answer has arrived, it saves the partial
      message in `messages`, where a checkpointer keeps it. Then the agent raises the
      error. `agent.invoke(None, config)` continues the partial message, also in
      another process. So does any later run in which it is the last message.
    """

    state_schema = ContinuationState

    def __init__(
        self,
        *,
        max_corrections: int = 2,
        on_error: Literal["save", "raise"] = "save",
        unsupported_model_behavior: Literal["raise", "warn", "ignore"] = "raise",
        **settings: Unpack[ContinuationSettings],
    ) -> None:
        """Create the middleware.

        Args:
            max_corrections: How many times in a row the agent goes on after an answer
                whose tool calls are all invalid. Default: 2. 0: it ends, as without the
                middleware. LangChain asks for structured output without end; then this
                limit raises TurnLimitError.
            on_error: What happens if a call fails after a part of the answer has
                arrived. `"save"` (the default): the partial message is saved, then the
                agent raises the error. `"raise"`: the call raises it, so that a
                middleware for fallbacks or retries before this one can handle it. The
                partial message is in the error.
            unsupported_model_behavior: What happens to a model that is neither
                ChatBedrockConverse nor ChatBedrock: `"raise"` (the default) a
                ValueError, `"warn"`, or `"ignore"`. The last two call the model without
                continuation.
            **settings: Fields of ChatBedrockContinuing.

        Raises:
            ValueError: A setting is unknown or has an invalid value.
        """
        super().__init__()
        self.max_corrections = max_corrections
        self.on_error = on_error
        self.unsupported_model_behavior = unsupported_model_behavior
        self._settings = _checked(dict(settings))

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Call the model of a request, continued."""
        self._check_corrections(request)
        try:
            return handler(self._continued(request))
        except ContinuationError as error:
            return self._after_error(error)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Call the model of a request, continued."""
        self._check_corrections(request)
        try:
            return await handler(self._continued(request))
        except ContinuationError as error:
            return self._after_error(error)

    @hook_config(can_jump_to=["model"])
    def after_agent(
        self, state: ContinuationState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """Let the agent end, fail or go on.

        Raises:
            ContinuationError: A call failed; what arrived is saved.
        """
        del runtime
        error = state.get("continuation_error")
        if error is not None:
            raise error
        messages = state["messages"]
        if _is_saved(state):
            return {"jump_to": "model", "continuation_saved": None}
        answered = answers(messages, self.max_corrections)
        return {"jump_to": "model", "messages": answered} if answered else None

    @hook_config(can_jump_to=["model"])
    async def aafter_agent(
        self, state: ContinuationState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """Let the agent end, fail or go on; see `after_agent`."""
        return self.after_agent(state, runtime)

    def _continued(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        """Return a request whose model continues its answers, and the last message."""
        model = continued(request.model, self._wrap, self._unsupported)
        messages = request.messages
        last = messages[-1] if messages else None
        # LangChain before 1.5 does not answer invalid calls.
        if answered := answers(messages, self.max_corrections):
            return request.override(model=model, messages=[*messages, *answered])
        is_partial = isinstance(last, AIMessage) and needs_resuming(last)
        if not (is_partial and is_continuing(model)):
            return request.override(model=model)
        return request.override(
            model=model,
            messages=messages[:-1],
            model_settings={**request.model_settings, PARTIAL: last},
        )

    def _check_corrections(self, request: ModelRequest[Any]) -> None:
        """Check that an agent without tools does not ask for its object without end.

        LangChain asks for structured output again until it is there.

        Raises:
            TurnLimitError: Too many answers in a row had only invalid calls.
        """
        count = in_a_row(request.messages)
        if request.response_format is None or count <= self.max_corrections:
            return
        last = next(m for m in reversed(request.messages) if isinstance(m, AIMessage))
        turn = last.response_metadata.get("continuation", {})
        raise TurnLimitError(
            f"The structured output of {count} answers in a row is incomplete or not "
            "valid: raise max_tokens_ceiling, or max_corrections to try more often.",
            partial=last,
            segments=turn.get("segments", []),
        )

    def _wrap(self, model: Any) -> Any:
        try:
            return ChatBedrockContinuing(llm=model, **self._settings)
        except ValidationError as error:  # a ChatBedrock of another vendor, for example
            return self._unsupported(model, _reason(error))

    def _unsupported(self, model: Any, reason: object = None) -> Any:
        """Return a model that can't be continued, if that is allowed."""
        if self.unsupported_model_behavior == "ignore":
            return model
        text = (
            f"ContinuationMiddleware can't continue the answers of a "
            f"{type(model).__name__}: {reason or f'it supports {SUPPORTED}.'}"
        )
        if self.unsupported_model_behavior == "warn":
            warnings.warn(text, stacklevel=2)
            return model
        raise ValueError(
            f'{text} Set unsupported_model_behavior="ignore" to call it without '
            "continuation."
        )

    def _after_error(self, error: ContinuationError) -> ExtendedModelResponse[Any]:
        """Return the partial message of an error, which `after_agent` raises.

        Raises:
            ContinuationError: Nothing is saved.
        """
        partial = with_calls_in_content(error.partial)
        if self.on_error == "raise" or not partial.content:
            raise error
        update = {"continuation_error": error, "continuation_saved": partial.id}
        response: ModelResponse[Any] = ModelResponse(result=[partial])
        return ExtendedModelResponse(response, Command(update=update))


def _is_saved(state: ContinuationState) -> bool:
    """Return True if the last message is the one that a failure has left."""
    saved = state.get("continuation_saved")
    last = state["messages"][-1] if state["messages"] else None
    return saved is not None and last is not None and last.id == saved


def _reason(error: ValidationError) -> object:
    """Return what a validator said, without what pydantic adds to it."""
    return error.errors()[0].get("ctx", {}).get("error", error)


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the model, validated.

    Raises:
        ValueError: A setting is unknown or has an invalid value.
    """
    known = ChatBedrockContinuing.model_fields.keys() - _NOT_SETTINGS
    for name in settings.keys() - known:
        raise ValueError(
            f"{name}: ContinuationMiddleware has no setting of that name."
            f"{suggestion(name, known)} Settings of the model itself, such as "
            "max_tokens, are those of the agent's model."
        )
    return validated(ChatBedrockContinuing, settings)


__all__ = ["ContinuationMiddleware"]

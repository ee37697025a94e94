"""ChatBedrock, for the providers whose InvokeModel API takes messages.

A ChatBedrock with `beta_use_converse_api=True` makes its calls through a
ChatBedrockConverse that it creates. So its adapter is that of ChatBedrockConverse.
"""

from __future__ import annotations

import weakref
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.adapter import Adapter
from langchain_bedrock_continue._wrapped.converse import ConverseAdapter
from langchain_bedrock_continue._wrapped.own_usage import in_own_form
from langchain_bedrock_continue._wrapped.truncated_reasoning import (
    without_truncated_reasoning,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_core.outputs import ChatGenerationChunk

    from langchain_bedrock_continue._core.request.composer import SegmentRequest


UNSET_MAX_TOKENS = 1_024
"""What ChatBedrock sends to Claude where `max_tokens` is unset, in tokens, as its
documentation says."""


class InvokeModelAdapter(Adapter[ChatBedrock]):
    """ChatBedrock, over Bedrock's InvokeModel API."""

    model_class = ChatBedrock
    signed_only = True

    def __init__(self, llm: ChatBedrock) -> None:
        """Create an adapter for a ChatBedrock."""
        super().__init__(llm)
        self._usage: Counter[str] = Counter()

    @classmethod
    def of(cls, llm: Any) -> Adapter[Any]:
        """Return the adapter for the API that the model calls."""
        if llm.beta_use_converse_api:
            return ConverseAdapter(_converse_model(llm))
        return cls(llm)

    @classmethod
    def is_stand_in(cls, llm: Any, other: object) -> bool:
        """Return True for the ChatBedrockConverse that such a model creates."""
        return bool(llm.beta_use_converse_api) and isinstance(
            other, ChatBedrockConverse
        )

    def check(self) -> None:
        """Refuse providers without a messages API too; see the base class."""
        provider = private_names.provider(self.llm)
        if provider != "anthropic":
            raise ValueError(
                f"llm: a ChatBedrock of provider {provider!r} turns messages into one "
                "prompt, which cannot be continued. Use ChatBedrockConverse."
            )
        super().check()

    def max_tokens(self, kwargs: Mapping[str, Any]) -> int | None:
        """Return the model's own field: ChatBedrock prefers it to the call's."""
        sent = {"max_tokens": UNSET_MAX_TOKENS, **self.request_fields(), **kwargs}
        asked = self.llm.max_tokens or sent["max_tokens"]
        return asked if isinstance(asked, int) else None

    def has_guardrail(self, kwargs: Mapping[str, Any]) -> bool:  # noqa: ARG002 - fixed
        """Return True if the model's `guardrails` name one."""
        return bool((self.llm.guardrails or {}).get("guardrailIdentifier"))

    def request_fields(self) -> Mapping[str, Any]:
        """Return `model_kwargs`."""
        return self.llm.model_kwargs or {}

    def blocks_from_v1(self, blocks: list[Any]) -> list[dict[str, Any]]:
        """Convert v1 content blocks to those of Anthropic's messages API."""
        return private_names.v1_to_anthropic(blocks)

    # Calls --------------------------------------------------------------------------

    def messages(self, request: SegmentRequest) -> list[BaseMessage]:
        """Return the messages without unsigned reasoning (LEFT-OUT-2).

        The answer so far may have some: whatever the model returned is in it.
        """
        kept = without_truncated_reasoning(request.messages, signed_only=True)
        return [*kept]

    def model_for(self, request: SegmentRequest) -> Any:
        """Return the model, with the segment's `max_tokens` as its own field."""
        model = super().model_for(request)
        if request.max_tokens is None:
            return model
        return model.model_copy(update={"max_tokens": request.max_tokens})

    def generate(
        self,
        request: SegmentRequest,
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None = None,
    ) -> AIMessage:
        """Make a blocking call, and report an intervention of a guardrail to its run.

        ChatBedrock reports it by `on_llm_error`, with `reason` and `trace`.
        """
        result = private_names.generate(
            self.model_for(request),
            self.messages(request),
            stop,
            run_manager=_interventions(run_manager),
            **self.arguments(request),
        )
        self._usage.update((result.llm_output or {}).get("usage") or {})
        return self.complete_message(result)

    def stream(
        self,
        request: SegmentRequest,
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None = None,
    ) -> Generator[ChatGenerationChunk, None, None]:
        """Make a streaming call, and report as `generate` does."""
        return private_names.stream(
            self.model_for(request),
            self.messages(request),
            stop,
            run_manager=_interventions(run_manager),
            **self.arguments(request),
        )

    def result(self, message: AIMessage) -> ChatResult:
        """Return the result of a turn, with the `usage` that ChatBedrock has in it.

        In the message, it has the values of `usage_metadata`. In `llm_output`, it is
        the sum over the turn's calls.
        """
        usage = message.usage_metadata
        if usage is not None and "usage" in message.additional_kwargs:
            of_message = {"usage": in_own_form(usage)}
            message.additional_kwargs = {**message.additional_kwargs, **of_message}
            message.response_metadata = {**message.response_metadata, **of_message}
        output = {**message.additional_kwargs, "usage": dict(self._usage)}
        return ChatResult(
            generations=[ChatGeneration(message=message)], llm_output=output
        )


class _Created(NamedTuple):
    """A Converse model, and the ChatBedrock that it was created for."""

    owner: weakref.ref[Any]
    fields: dict[str, Any]
    llm: ChatBedrockConverse


_created: dict[int, _Created] = {}
"""By the id of the owner, as long as that exists."""


def _converse_model(owner: Any) -> ChatBedrockConverse:
    """Return the Converse model of a ChatBedrock; create it once for the same fields.

    ChatBedrock itself creates one for each call, which takes 0.3 s.
    """
    key, fields = id(owner), {**vars(owner)}
    known = _created.get(key)
    if known is None or known.owner() is not owner or known.fields != fields:
        reference = weakref.ref(owner, lambda _: _created.pop(key, None))
        known = _Created(reference, fields, private_names.as_converse(owner))
        _created[key] = known
    return known.llm


class _Interventions:
    """A run, reduced to the reports of a guardrail.

    The turn reports tokens and errors itself: a segment's error may be recovered from.
    """

    def __init__(self, run_manager: CallbackManagerForLLMRun) -> None:
        self._run = run_manager

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        pass

    def on_llm_error(self, error: BaseException, **details: Any) -> None:
        if details.get("signal"):
            self._run.on_llm_error(error, **details)


def _interventions(
    run_manager: CallbackManagerForLLMRun | None,
) -> _Interventions | None:
    return None if run_manager is None else _Interventions(run_manager)

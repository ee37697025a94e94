"""ChatBedrockConverse: the class that is also created from plain arguments.

SPLIT-1. The caller's model is never changed.
SPLIT-2. langchain-aws splits inline thinking out of each blocking response. A split
    response is no longer what the model wrote, so the calls of a turn go through a copy
    that does not split. The core splits the complete turn.
SPLIT-3. A version of langchain-aws whose split is not found is used as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.config import Config
from langchain_aws import ChatBedrockConverse, utils
from langchain_aws.chat_models import bedrock_converse
from langchain_core.messages import HumanMessage, SystemMessage

from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.adapter import FIELDS_KEYWORD, Adapter
from langchain_bedrock_continue._wrapped.lone_citations import LoneCitationsClient
from langchain_bedrock_continue._wrapped.misspelled import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from langchain_core.messages import AIMessage, BaseMessage

    from langchain_bedrock_continue._core.policy import InlineThinking
    from langchain_bedrock_continue._core.request.composer import SegmentRequest


PLACEHOLDER: str = getattr(bedrock_converse, "EMPTY_CONTENT", ".")
"""What langchain-aws sends as the user message of a conversation without one."""


class ConverseAdapter(Adapter[ChatBedrockConverse]):
    """ChatBedrockConverse, over Bedrock's Converse API."""

    model_class = ChatBedrockConverse

    @classmethod
    def from_arguments(
        cls, arguments: dict[str, Any], own: Collection[str], connections: int
    ) -> ChatBedrockConverse:
        """Create a model from the arguments of the wrapper that are not its own.

        Args:
            arguments: The arguments for ChatBedrockConverse.
            own: The names of the wrapper's own fields, to detect misspelled ones.
            connections: The size of the connection pool, if the caller's `config` does
                not set it. botocore's default is 10.

        Raises:
            ValueError: No model is named, or an argument looks like a misspelled one.
        """
        known = {*_argument_names(), *own}
        for name in arguments.keys() - known:
            if near := meant(name, known):
                raise ValueError(
                    f"{name}: no such argument; did you mean {near}? Fields of the "
                    "request that only some models know go into "
                    f"{FIELDS_KEYWORD}={{...}}."
                )
        if arguments.get("model") is None and arguments.get("model_id") is None:
            raise ValueError(
                "model: missing. Give a Bedrock model id or inference profile, such as "
                'model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", or llm= with a '
                "ChatBedrockConverse."
            )
        config = pool = Config(max_pool_connections=connections)
        given = arguments.get("config")
        if given is not None:
            config = pool.merge(given)  # the caller's own size takes precedence
        llm = ChatBedrockConverse(**{**arguments, "config": config})
        llm.config = given  # only its client needed the other one
        return llm

    def check(self) -> None:
        """Refuse `raw_blocks` too; see the base class."""
        if self.llm.raw_blocks is not None:
            raise ValueError(
                "raw_blocks: not supported. It replaces the messages, so no segment "
                "could continue the one before. Give the same content as messages."
            )
        super().check()

    def request_fields(self) -> Mapping[str, Any]:
        """Return `additional_model_request_fields`."""
        return self.llm.additional_model_request_fields or {}

    def _request_fields(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of one call; its `reasoning_effort` becomes some, too.

        The model's own `reasoning_effort` is in its fields when it is created. Fields
        that are given take precedence, as in langchain-aws.
        """
        effort = kwargs.get("reasoning_effort")
        levels = (self.llm.profile or {}).get("reasoning_effort_levels") or ()
        translate = getattr(utils, "reasoning_effort_additional_fields", None)
        given = super()._request_fields(kwargs)
        if effort not in levels or translate is None:
            return given
        return {**translate(private_names.base_model_id(self.llm), effort), **given}

    def always_constrained(self) -> bool:
        """Return True if the model has an `output_config`."""
        return bool(self.llm.output_config)

    def has_guardrail(self, kwargs: Mapping[str, Any]) -> bool:
        """Return True if the call or the model has a `guardrail_config`."""
        names = ("guardrailConfig", "guardrail_config")
        of_call = any(kwargs.get(name) for name in names)
        return of_call or bool(self.llm.guardrail_config)

    def guards_last_turn(self) -> bool:
        """Return `guard_last_turn_only`."""
        return bool(self.llm.guard_last_turn_only)

    def reasoning_in_order(self) -> bool:
        """Return True for Claude.

        Converse returns the reasoning of DeepSeek-R1 after its text, although the model
        wrote it before. What it does for others is not documented.
        """
        return "claude" in private_names.base_model_id(self.llm)

    def inline_thinking(self) -> InlineThinking | None:
        """Return langchain-aws's own tags and function; see the base class."""
        return private_names.inline_thinking(self.llm)

    def sendable(
        self, messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]
    ) -> Sequence[BaseMessage]:
        """Begin with the user message that langchain-aws sends if there is no other.

        It sends system messages apart, and a placeholder if nothing else is left. With
        the answer so far, something else is left, and the conversation would begin with
        an assistant message.
        """
        if all(isinstance(message, SystemMessage) for message in messages):
            messages = [*messages, HumanMessage(PLACEHOLDER)]
        return super().sendable(messages, kwargs)

    def _generated(
        self, model: Any, request: SegmentRequest, stop: list[str] | None
    ) -> AIMessage:
        """Return the message of a call, with the citations of its one text (LONE-1)."""
        client = LoneCitationsClient(model.client)
        model = model.model_copy(update={"client": client})
        return client.without_added(super()._generated(model, request, stop))

    def for_turn(
        self, prepare_client: Callable[[Any], Any]
    ) -> Adapter[ChatBedrockConverse]:
        """Return a copy that does not split (SPLIT-2); see the base class."""
        adapter = super().for_turn(prepare_client)
        private_names.stop_splitting(adapter.llm)
        return adapter


def _argument_names() -> set[str]:
    fields = ChatBedrockConverse.model_fields
    return {*fields, *(field.alias for field in fields.values() if field.alias)}

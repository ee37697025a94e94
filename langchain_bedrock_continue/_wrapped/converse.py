"""ChatBedrockConverse: the class that is also created from plain arguments.

SPLIT-1. The caller's model is never changed.
SPLIT-2. langchain-aws splits inline thinking out of each blocking response. A split
    response is no longer what the model wrote, so the calls of a turn go through a copy
    that does not split. The core splits the complete turn.
SPLIT-3. A version of langchain-aws whose split is not found is used as it is.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.adapter import FIELDS_KEYWORD, Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from langchain_bedrock_continue._core.policy import InlineThinking


class ConverseAdapter(Adapter[ChatBedrockConverse]):
    """ChatBedrockConverse, over Bedrock's Converse API."""

    model_class = ChatBedrockConverse

    @classmethod
    def from_arguments(
        cls, arguments: dict[str, Any], own: Collection[str], connections: object
    ) -> ChatBedrockConverse:
        """Create a model from the arguments of the wrapper that are not its own.

        Args:
            arguments: The arguments for ChatBedrockConverse.
            own: The names of the wrapper's own fields, to detect misspelled ones.
            connections: The wrapper's `max_concurrency`, if given: the size of the
                connection pool. botocore's default is 10.

        Raises:
            ValueError: No model is named, or an argument looks like a misspelled field.
        """
        if arguments.get("model") is None and arguments.get("model_id") is None:
            raise ValueError(
                "model: missing. Give a Bedrock model id or inference profile, such as "
                'model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", or llm= with a '
                "ChatBedrockConverse."
            )
        for name in arguments.keys() - _argument_names():
            if near := difflib.get_close_matches(name, own, n=1, cutoff=0.8):
                raise ValueError(
                    f"{name}: no such argument; did you mean {near[0]}? Fields of the "
                    "request that only some models know go into "
                    f"{FIELDS_KEYWORD}={{...}}."
                )
        if isinstance(connections, int) and connections > 0:
            config = _with_pool(connections, arguments.get("config"))
            arguments = {**arguments, "config": config}
        return ChatBedrockConverse(**arguments)

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

    def always_constrained(self) -> bool:
        """Return True if the model has an `output_config`."""
        return bool(self.llm.output_config)

    def guards_last_turn(self) -> bool:
        """Return `guard_last_turn_only`."""
        return bool(self.llm.guard_last_turn_only)

    def inline_thinking(self) -> InlineThinking | None:
        """Return langchain-aws's own tags and function; see the base class."""
        return private_names.inline_thinking(self.llm)

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


def _with_pool(connections: int, config: Config | None) -> Config:
    """Return the caller's config, with a pool of `connections` where it has none."""
    pool = Config(max_pool_connections=connections)
    return pool if config is None else pool.merge(config)

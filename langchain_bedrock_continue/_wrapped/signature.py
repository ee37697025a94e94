"""The signature of the constructor: the arguments of both models.

An editor reads the signature for type checkers, in `chat_models`. A notebook reads this
one, at run time.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue._wrapped.construction import INHERITED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

ReasoningEffort: TypeAlias = Literal["none", "low", "medium", "high", "xhigh", "max"]
"""ChatBedrockConverse's `reasoning_effort`."""

ServiceTier: TypeAlias = Literal["priority", "default", "flex", "reserved"]
"""ChatBedrockConverse's `service_tier`."""

ToolChoice: TypeAlias = Literal["auto", "any", "tool"]
"""ChatBedrockConverse's `supports_tool_choice_values`."""

StructuredOutputMethod: TypeAlias = Literal[
    "function_calling", "json_schema", "prompt_prefill"
]
"""How ChatBedrockConverse asks for structured output."""


NOT_SUPPORTED = frozenset({"raw_blocks"})
"""Arguments of ChatBedrockConverse that are refused."""


class ConstructorSignature:
    """What `inspect.signature` finds in a class, in place of pydantic's signature."""

    def __init__(self, of_fields: Any) -> None:
        """Take pydantic's own: a descriptor with the signature of the fields."""
        self._of_fields = of_fields

    def __get__(self, instance: object, owner: type[BaseModel]) -> inspect.Signature:
        """Return the signature of a class. An instance has none."""
        if instance is not None:
            raise AttributeError("__signature__")
        own = self._of_fields.__get__(None, owner).parameters
        return inspect.Signature([*_parameters(own)])


def _parameters(
    own: Mapping[str, inspect.Parameter],
) -> Iterator[inspect.Parameter]:
    """Yield the parameters of both models, LangChain's general ones last.

    None is required: a model is named by `model`, or given as `llm`.
    """
    theirs = inspect.signature(ChatBedrockConverse).parameters
    mine = {name: own[name] for name in own if name not in INHERITED}
    general = {name: own[name] for name in own if name in INHERITED}
    left_out = {*NOT_SUPPORTED, *general}
    first = {"model": theirs["model"]} | theirs | mine
    every = {name: first[name] for name in first if name not in left_out} | general
    for parameter in every.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            is_required = parameter.default is inspect.Parameter.empty
            yield parameter.replace(default=None) if is_required else parameter

"""One situation: a conversation, its arguments, the model, and our settings.

`repr` of a situation is the code that makes it, without what has its default.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal, TypeAlias

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_bedrock_continue.local import Answer
from tests.support.models import PREFILL_MODEL

MESSAGE_DEFAULTS: tuple[Any, ...] = (None, "", [], {})
"""The values of a message's fields that `code` leaves out."""

Api: TypeAlias = Literal["Converse", "InvokeModel"]
"""ChatBedrockConverse, or ChatBedrock."""

SILENCE = Answer("")


@dataclass(frozen=True)
class ServiceLimits:
    """What the service allows, beside the rules of the model's family.

    Attributes:
        max_output_tokens: Largest `maxTokens`; None for that of the family.
        exclusive: It refuses the largest itself, too.
        context_window: Input and `maxTokens` together; None for no limit.
        default_max_tokens: Tokens of a request without `maxTokens`; None for that of
            the family.
    """

    max_output_tokens: int | None = None
    exclusive: bool = False
    context_window: int | None = None
    default_max_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Situation:
    """What both models are asked, and how the scripted model answers.

    Attributes:
        api: The class of langchain-aws that is wrapped.
        model: Model id, inference profile or ARN.
        arguments: Arguments of that class.
        fields: Fields of ours.
        messages: The conversation.
        tools: The names of the tools that are bound; none if empty.
        tool_choice: Bound with the tools.
        call: Keyword arguments of the call.
        entrance: How both are asked.
        limits: Limits of the service.
        answer: What the model answers to the first request. To the others it says the
            rest.
        later: What it answers to the other requests instead, in order; the last one
            repeats.
    """

    api: Api = "Converse"
    model: str = PREFILL_MODEL
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    messages: tuple[BaseMessage, ...] = (HumanMessage("Hi"),)
    tools: tuple[str, ...] = ()
    tool_choice: str | None = None
    call: dict[str, Any] = field(default_factory=dict)
    entrance: str = "invoke"
    limits: ServiceLimits = ServiceLimits()
    answer: Answer = SILENCE
    later: tuple[Answer, ...] = ()

    def __repr__(self) -> str:
        """Return the code that makes the situation."""
        return code(self)

    @property
    def continues(self) -> bool:
        """Whether the model continues its answer as it is asked to."""
        return not self.later


def code(value: Any, indent: str = "") -> str:
    """Return the Python code of a value, without what has its default."""
    if isinstance(value, BaseMessage):
        return _message_code(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _dataclass_code(value, indent)
    if isinstance(value, list | tuple):
        items = [code(item, indent) for item in value]
        if isinstance(value, list):
            return f"[{', '.join(items)}]"
        return f"({', '.join(items)},)" if len(items) == 1 else f"({', '.join(items)})"
    if isinstance(value, dict):
        pairs = [f"{key!r}: {code(item, indent)}" for key, item in value.items()]
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _dataclass_code(value: Any, indent: str) -> str:
    name, inner = type(value).__name__, indent + "    "
    given = [
        f"{one.name}={code(getattr(value, one.name), inner)}"
        for one in fields(value)
        if getattr(value, one.name) != _default_of(one)
    ]
    if name != Situation.__name__:
        return f"{name}({', '.join(given)})"
    lines = "".join(f"{inner}{line},\n" for line in given)
    return f"{name}(\n{lines}{indent})"


def _default_of(one: Any) -> Any:
    factory = one.default_factory
    return factory() if callable(factory) else one.default


def _message_code(message: BaseMessage) -> str:
    given = [f"{code(message.content)}"]
    given += [
        f"{name}={value!r}"
        for name in ("tool_calls", "tool_call_id", "status", "name")
        if (value := getattr(message, name, None)) not in MESSAGE_DEFAULTS
        and (name, value) != ("status", "success")
    ]
    return f"{type(message).__name__}({', '.join(given)})"

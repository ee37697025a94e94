"""Composes the requests of a turn: the one place where they get their form.

The caller's messages come first, unchanged. What follows is the answer so far, as a
prefill, or as an assistant message with a user turn after it. While the arguments of a
truncated tool call are completed as text, their JSON follows what the answer says
before the call: a truncated call itself can't be sent back.

What is added to a request besides is added in `Composer.messages` and
`Composer.kwargs`. They return what one call sends; a message that is changed there has
to be a copy, because the history is sent again (MESSAGE-5). Cache points are no part of
the messages: `Composer.cache_plan` says which ones the request gets when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.cache_points import Caching
from langchain_bedrock_continue._core.request.call_arguments import (
    with_max_tokens,
    without_tool_choice,
)
from langchain_bedrock_continue._core.request.messages import (
    contain_line,
    own_copy,
    with_prefill,
)
from langchain_bedrock_continue._core.request.prompts import (
    arguments_lead_in,
    arguments_prompt,
    continuation_prompt,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langchain_core.messages import BaseMessage
    from langchain_core.messages.ai import UsageMetadata

    from langchain_bedrock_continue._core.content.incoming import Block
    from langchain_bedrock_continue._core.request.cache_points import CachePlan
    from langchain_bedrock_continue._core.request.prompts import Wording

DEFAULT_POLICY = Policy()


@dataclass(frozen=True)
class SegmentRequest:
    """One call to make.

    Attributes:
        messages: The conversation.
        kwargs: The caller's arguments, with what this segment changes.
        max_tokens: The `max_tokens` that this segment changes; None if it stays as the
            model and the caller's arguments have it.
        cache: What cache points it gets, or None if it gets none.
        event: The payload of the `bedrock_continuation` event before the call, or None.
        is_first: It is the turn's first call, which LangChain's run has announced.
        wait: The longest wait before the call, in seconds; chance shortens it. It is 0
            unless the call before it failed.
        seconds: Seconds until the turn's deadline, or None.
    """

    messages: list[BaseMessage]
    kwargs: dict[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    cache: CachePlan | None = None
    event: Mapping[str, object] | None = None
    is_first: bool = False
    wait: float = 0.0
    seconds: float | None = None


class Composer:
    """Composes the messages and arguments of the next call.

    Attributes:
        in_user_turn: The next call's messages end in a user turn of ours.
        caching: Decides which calls get cache points.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        kwargs: Mapping[str, Any],
        policy: Policy = DEFAULT_POLICY,
    ) -> None:
        """Begin with the caller's own request.

        Args:
            messages: The caller's conversation; never changed.
            kwargs: The caller's arguments of each call; never changed.
            policy: What the caller allows.
        """
        self.in_user_turn = False
        self.caching = Caching(policy, kwargs)
        self._answer_messages = 0
        self._messages = messages
        self._kwargs = kwargs
        self._next = list(messages)
        self._tool_name: str | None = None
        self._before_call: list[Block] = []

    def is_asked_for(self, line: str) -> bool:
        """Return True if the caller's messages contain a line."""
        return contain_line(self._messages, line)

    def start_arguments(self, name: str, before: list[Block]) -> None:
        """Begin to compose requests for the arguments of a truncated tool call.

        Args:
            name: The tool's name.
            before: What the answer says before the call.
        """
        self._tool_name, self._before_call = name, before
        self.in_user_turn = False

    def continue_in_prefill(self, written: list[Block]) -> None:
        """Send what is written so far as the final assistant message."""
        answer = self._answer(written)
        self._next, self.in_user_turn = with_prefill(self._messages, answer), False
        self._answer_messages = 1

    def continue_in_user_turn(
        self,
        written: Callable[[], list[Block]],
        spoken: str | None,
        wording: Wording,
        quote: str,
    ) -> None:
        """Ask for the continuation in a user message.

        Args:
            written: Returns what is written so far. It is asked only where the
                conversation does not have that.
            spoken: The last response, as the model wrote it. If it answered a user turn
                of ours, the conversation has what was written before (MESSAGE-5). None
                if a part of it does not count: then the conversation is made anew.
            wording: The words.
            quote: What the model is asked to repeat.
        """
        if self.in_user_turn and spoken is not None:
            self._next.append(AIMessage(spoken))
            self._answer_messages += 2
        else:
            self._next = with_prefill(self._messages, self._answer(written()))
            self._answer_messages = 2
        self._next.append(HumanMessage(self._prompt(wording, quote)))
        self.in_user_turn = True

    def ask_again(self, wording: Wording, quote: str) -> None:
        """Replace the last user message: its answer is not used.

        Args:
            wording: The words.
            quote: What the model is asked to repeat.
        """
        self._next[-1] = HumanMessage(self._prompt(wording, quote))

    def messages(self) -> list[BaseMessage]:
        """Return the messages of the next call, which langchain-aws may change."""
        return own_copy(self._next)

    def kwargs(self, max_tokens: int | None) -> dict[str, Any]:
        """Return the arguments of the next call.

        Args:
            max_tokens: What the call asks for; None leaves the caller's arguments.
        """
        kwargs = dict(self._kwargs)
        if max_tokens is not None:
            kwargs = with_max_tokens(kwargs, max_tokens)
        return kwargs if self._tool_name is None else without_tool_choice(kwargs)

    def cache_plan(self, last: UsageMetadata | None) -> CachePlan | None:
        """Return what cache points the next call gets, or None if it gets none.

        Args:
            last: The usage of the last response, or None if it is unknown.
        """
        return self.caching.plan(last, self._answer_messages)

    def _prompt(self, wording: Wording, quote: str) -> str:
        if self._tool_name is None:
            return continuation_prompt(wording, quote)
        return arguments_prompt(self._tool_name, quote)

    def _answer(self, written: list[Block]) -> list[Block]:
        """Return what is written so far, as the assistant message has it."""
        if self._tool_name is None:
            return written
        lead_in = arguments_lead_in(self._tool_name)
        begin = f"\n\n{lead_in}" if self._before_call else lead_in
        text = begin + "".join(str(block["text"]) for block in written)
        return [*self._before_call, {"type": "text", "text": text}]

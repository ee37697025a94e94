"""Why the service refuses a call for its size: one table of the texts that it writes.

SIZE-1. A size that the caller chose is the caller's own: its refusal is raised. A size
    that we chose, and the length that a continuation adds, never raise.
SIZE-2. A text that names what the service accepts is used. Whether the limit itself is
    accepted is not known: "lower than N" refuses N in one live report and accepts it in
    another. One token less is right under both (LIMIT-4).
SIZE-3. A retry sends what the service has accepted before, with another size. So any
    refusal of its request is one of its size, whatever the text.

Sources: public reports of live calls, of Bedrock's own texts and of those of the
models' vendors; AWS's user guide of Nova for a tool call that overflows; the texts that
langchain-aws takes for an overflow of the context window.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from langchain_core.exceptions import ContextOverflowError

from langchain_bedrock_continue._core.decisions.service_errors import error_code
from langchain_bedrock_continue._core.decisions.vocabulary import Strategy


class Reason(Enum):
    """Why the service refuses a call for its size."""

    MODEL_LIMIT = auto()
    """`max_tokens` exceeds what the model can write."""

    NO_ROOM = auto()
    """`max_tokens` exceeds what the input leaves of the context window."""

    INPUT_TOO_LONG = auto()
    """The input exceeds the context window by itself."""

    THINKING_BUDGET = auto()
    """`max_tokens` is not above the thinking budget."""

    UNNAMED = auto()
    """The text does not say why."""


WINDOW = frozenset({Reason.NO_ROOM, Reason.INPUT_TOO_LONG})
"""The reasons that a longer input makes worse."""


class SizeRefusal(NamedTuple):
    """A refusal of a call for its size.

    Attributes:
        reason: Why.
        most: The limit that the service names for `max_tokens`, in tokens, or None.
    """

    reason: Reason
    most: int | None = None


class _Text(NamedTuple):
    """A text of a refusal.

    Attributes:
        pattern: The text. Its groups are the limit, and what the input takes of it.
        reason: What it means.
    """

    pattern: str
    reason: Reason


_N = r"([0-9][0-9,]{0,15})"
_USED = r"(?P<used>[0-9]{1,15})"
_SIZE = (
    r"(?:max(?:imum)?[ _-]?(?:output|new|completion|gen)?[ _-]?(?:tokens?|len)\b"
    r"|\bmaximum number of (?:output )?tokens)"
)
"""What the services call `max_tokens`."""

_TEXTS = (
    # Anthropic, Bedrock's Claude: "max_tokens" must exceed the budget.
    _Text(rf"{_SIZE}.{{0,20}}greater than.{{0,20}}budget", Reason.THINKING_BUDGET),
    # Bedrock itself.
    _Text(rf"requested exceeds? the model limit of {_N}", Reason.MODEL_LIMIT),
    # Anthropic.
    _Text(rf"max_tokens: [0-9]+ > {_N}, which is the maximum", Reason.MODEL_LIMIT),
    _Text(rf"context limit: {_USED} \+ [0-9]+ > {_N}", Reason.NO_ROOM),
    # Servers with OpenAI's API, vLLM and TGI: Kimi, Qwen, gpt-oss, DeepSeek, Mistral.
    _Text(
        rf"maximum context length (?:is|of) {_N}.*?{_USED} (?:tokens )?"
        r"(?:input tokens|in the messages|in your prompt|of text input"
        r"|(?:in|from) the input)",
        Reason.NO_ROOM,
    ),
    _Text(
        rf"max_new_tokens. must be <= {_N}.*?{_USED} .inputs",
        Reason.NO_ROOM,
    ),
    # The same without the input's length.
    _Text(rf"maximum context length.*?(?:{_SIZE}|completion|output)", Reason.NO_ROOM),
    # Any other text that compares `max_tokens` with a number.
    _Text(
        rf"{_SIZE}.{{0,80}}?(?:less than or equal to|less or equal to|lower than"
        rf"|less than|at most|limit of|maximum of|maximum is|up to|<=|>) {_N}",
        Reason.MODEL_LIMIT,
    ),
    # An input that is too long, as langchain-aws recognizes it.
    _Text(
        r"(?:input|prompt) is too long|input tokens exceed|maximum context length"
        r"|context_length_exceeded|exceeds the context window|exceed model maximum"
        r"|too many input tokens|longer than the model's context length",
        Reason.INPUT_TOO_LONG,
    ),
)

_TEXT_RULES = tuple(
    (re.compile(text.pattern, re.IGNORECASE | re.DOTALL), text.reason)
    for text in _TEXTS
)
_NAMES_SIZE = re.compile(_SIZE, re.IGNORECASE)

_OVERFLOWED_CALL = re.compile(rf"invalid sequence|tool ?use|{_SIZE}", re.IGNORECASE)


@dataclass(frozen=True)
class SentCall:
    """The call that the service refused.

    Attributes:
        strategy: How its segment was asked for; None for the first of a turn.
        chosen: Its `max_tokens` is not the caller's.
        differs: Its `max_tokens` is not that of the call before.
        has_content: Content of its response arrived, so it was not refused.
    """

    strategy: Strategy | None = None
    chosen: bool = False
    differs: bool = False
    has_content: bool = False


def refusal_in(error: BaseException) -> SizeRefusal | None:
    """Return why the service refuses a call for its size; None for another error."""
    text = str(error)
    for pattern, reason in _TEXT_RULES:
        if found := pattern.search(text):
            return SizeRefusal(reason, _most(found))
    if isinstance(error, ContextOverflowError):
        return SizeRefusal(Reason.INPUT_TOO_LONG)
    if is_invalid_request(error) and _NAMES_SIZE.search(text):
        return SizeRefusal(Reason.UNNAMED)
    return None


def window_in(error: BaseException) -> int | None:
    """Return the size of the context window that a refusal names, in tokens, or None.

    Args:
        error: What the call raised.
    """
    for pattern, reason in _TEXT_RULES:
        if found := pattern.search(str(error)):
            has_input = reason is Reason.NO_ROOM and found.groupdict().get("used")
            return _limit(found) if has_input else None
    return None


def refusal_of(error: BaseException, call: SentCall) -> SizeRefusal | None:
    """Return why the service refuses a size, or a length, that we chose (SIZE-1).

    Args:
        error: What the call raised.
        call: The call.
    """
    if call.has_content:
        return None
    found = refusal_in(error)
    is_retry = call.strategy is Strategy.RETRY
    if found is None and is_retry and is_invalid_request(error):
        found = SizeRefusal(Reason.UNNAMED) if call.differs else None  # SIZE-3
    if found is None or call.chosen:
        return found
    adds_length = not (call.strategy is None or is_retry)
    return found if adds_length and found.reason in WINDOW else None


def is_invalid_request(error: BaseException) -> bool:
    """Return True if the service says that the request is not valid."""
    code = (error_code(error) or "").lower()
    return code.removesuffix("exception") in {"validation", "400"}


def is_overflowed_call(error: BaseException, model_id: str, *, has_tools: bool) -> bool:
    """Return True if the error is how Nova reports a tool call that `max_tokens` cuts.

    Args:
        error: What the call raised.
        model_id: The model's own id.
        has_tools: The call has tools.
    """
    code = (error_code(error) or "").lower().removesuffix("exception")
    if not has_tools or code not in {"modelerror", "modelstreamerror"}:
        return False
    is_nova = "amazon.nova" in model_id.lower() and code == "modelerror"
    return is_nova or _OVERFLOWED_CALL.search(str(error)) is not None


def _most(found: re.Match[str]) -> int | None:
    """Return the limit that a text names, less what the input takes of it."""
    limit, used = _limit(found), found.groupdict().get("used")
    if limit is None:
        return None
    return max(0, limit - (_number(used) if used else 0))


def _limit(found: re.Match[str]) -> int | None:
    """Return the limit that a text names."""
    used = found.groupdict().get("used")
    numbers = [one for one in found.groups() if one is not None]
    if used is not None:
        numbers.remove(used)
    return _number(numbers[0]) if numbers else None


def _number(text: str) -> int:
    return int(text.replace(",", ""))

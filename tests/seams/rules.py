"""Ways to join a text and a message: this package's, simple ones, and those of peers.

A rule says what it keeps of a text before it asks for more, and how it joins what comes
back. The rules of others are described in our own words, after their source.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.quote import choose_quote

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TOKENS = 1024
"""The limit of each segment: enough for a quote of full length."""


@functools.lru_cache(maxsize=64)
def quote_at(text: str) -> str:
    """Return the quote that a model is asked to repeat after this text."""
    return choose_quote(text, MAX_TOKENS)


def by_join(text: str, message: str, *, truncated: bool = False) -> str:
    """Join as this package does."""
    join = EchoJoin(text, quote_at(text))
    added = (join.feed(message) or "") + join.finish(truncated=truncated)
    return text[: len(text) - join.replaced] + added


@dataclass(frozen=True)
class Rule:
    """A rule of others.

    Attributes:
        join: Joins a text and a message.
        keep: Returns what the rule keeps of a text before it asks for more.
    """

    join: Callable[[str, str], str]
    keep: Callable[[str], str] = lambda text: text


def _concatenate(text: str, message: str) -> str:
    return text + message


def _up_to_last_whitespace(text: str) -> str:
    """Return a text without its last word, if it has two."""
    word = text.split()[-1:] if text and not text[-1].isspace() else []
    start = text[: len(text) - len(word[0])] if word else text
    return start if start.strip() else text


def _after_whitespace(text: str, message: str) -> str:
    """Drop whitespace at the start of a message if the text ends in some."""
    return text + (message.lstrip() if text != text.rstrip() else message)


_MAX_OVERLAP = 2048
_TAIL = 4000
_MIN_CONTAINED = 6


def _longest_overlap(text: str, message: str) -> str:
    """Drop the longest start of a message that is an end of the text."""
    most = min(len(text), len(message), _MAX_OVERLAP)
    size = next((n for n in range(most, 0, -1) if text.endswith(message[:n])), 0)
    return text + message[size:]


def _longest_contained(text: str, message: str) -> str:
    """Drop the longest start of a message that stands near the end of the text."""
    overlapped = _longest_overlap(text, message)
    if overlapped != text + message:
        return overlapped
    tail, low, high = text[-_TAIL:], 0, len(message)
    while low < high:  # a shorter start is contained in whatever contains a longer one
        middle = (low + high + 1) // 2
        low, high = (middle, high) if message[:middle] in tail else (low, middle - 1)
    return text + message[low if low >= _MIN_CONTAINED else 0 :]


RULES: dict[str, Rule] = {
    # Open WebUI, "Continue Response" (src/lib/components/chat/Chat.svelte): what comes
    # is added to the same message. So do lexilux (chat_continue) and the agent of
    # NVIDIA-NeMo/labs-OO-Agents#356, "with no separator".
    "concatenate": Rule(_concatenate),
    # The loop of the blog post that this package began with.
    "strip": Rule(lambda text, message: text.strip() + message.strip()),
    # LangChain loops that collect the parts in a list and join the lines.
    'join "\\n"': Rule(lambda text, message: text + "\n" + message),
    # Fchery87/specforge, lib/llm/continuation.ts: a blank line between the parts.
    "blank line": Rule(lambda text, message: text + "\n\n" + message),
    # Aider, aider/coders/base_coder.py (get_multi_response_content_in_progress): the
    # end of what was written is stripped, sent as a prefill, and added to.
    "aider": Rule(_concatenate, str.rstrip),
    # Vercel AI SDK 4, `experimental_continueSteps` (generate-text.ts): a truncated step
    # keeps its text up to the last whitespace; the next loses leading whitespace.
    "AI SDK": Rule(_after_whitespace, _up_to_last_whitespace),
    # mvance/summarize, src/shared/streaming-merge.ts: the longest exact overlap, of any
    # length up to 2048 characters.
    "overlap": Rule(_longest_overlap),
    # Qwen Code, as reviewed in QwenLM/qwen-code#3966: an overlap, else the longest
    # start of at least 6 characters that stands in the last 4000. What was merged may
    # differ.
    "contained": Rule(_longest_contained),
}
"""How others join, by the name of the column."""

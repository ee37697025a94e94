"""Five ways to join a text and a message: this package's, and four simple ones."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.quote import choose_quote, opening_tag

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TOKENS = 1024
"""The limit of each segment: enough for a quote of full length."""


@functools.lru_cache(maxsize=64)
def quote_at(text: str) -> str:
    """Return the quote that a model is asked to repeat after this text."""
    return choose_quote(text, MAX_TOKENS)


def by_join(text: str, message: str) -> str:
    """Join as this package does."""
    quote = quote_at(text)
    join = EchoJoin(text, quote, opening=opening_tag(quote))
    added = (join.feed(message) or "") + join.finish()
    return text[: len(text) - join.replaced] + added


def by_whitespace(text: str, message: str) -> str:
    """Cut the text back to its last whitespace, then concatenate."""
    words = text.rstrip().rsplit(None, 1)
    last = len(words[-1]) if len(words) > 1 else 0
    return text.rstrip()[: len(text.rstrip()) - last] + message


RULES: dict[str, Callable[[str, str], str]] = {
    "this package": by_join,
    "concatenate": lambda text, message: text + message,
    "strip": lambda text, message: text.strip() + message.strip(),
    'join "\\n"': lambda text, message: text + "\n" + message,
    "cut back": by_whitespace,
}

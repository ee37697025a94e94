"""What the context window leaves for another segment, where its size is known.

HEADROOM-1. The window holds the input and the output. The input of a continuation is
    that of the response before it, with its output, and the words of a user turn.
HEADROOM-2. Where this leaves less than a call asks for, it asks for what is left. Where
    it leaves less than LEAST_ROOM, the turn ends without a call, which would fail.
HEADROOM-3. The size is the model's, by its profile. What the service names in a
    refusal takes precedence, and is remembered in the process: for the calls for which
    the profile says the same. A beta feature makes the window of a call larger.
HEADROOM-4. A response that is larger than the window shows that its size is wrong: it
    is unknown then. Where it is unknown, nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from langchain_bedrock_continue._core.decisions.size_refusals import window_in

ALLOWANCE = 128
"""Tokens of a user turn of ours, the quote included, about twice over; and of what the
tokenizer may count differently where two segments join."""

LEAST_ROOM = 128
"""The least that is worth a call, in tokens: about a paragraph."""

_named: dict[tuple[str, int | None], int] = {}
"""By the model's id, and the size by its profile."""


def known_window(model_id: str, of_profile: int | None) -> int | None:
    """Return the size of a model's context window in tokens, or None (HEADROOM-3).

    Args:
        model_id: The model's id.
        of_profile: The size by its profile. None if that does not hold for the call.
    """
    return _named.get((model_id, of_profile), of_profile)


def remember_window(
    model_id: str, of_profile: int | None, error: BaseException
) -> None:
    """Remember the size that the service names in an error, in this process.

    Args:
        model_id: The model's id.
        of_profile: As for `known_window`.
        error: What the call raised.
    """
    tokens = window_in(error)
    if tokens is not None:
        _named[model_id, of_profile] = tokens


def forget_windows() -> None:
    """Forget the sizes that the service named. Tests call it."""
    _named.clear()


@dataclass
class ContextWindow:
    """A context window, and what it leaves.

    Attributes:
        tokens: Its size, or None if unknown.
        beside_same: What it leaves beside the input of the last response, or None.
        beside_next: What it leaves beside the input of a continuation, or None.
    """

    tokens: int | None = None
    beside_same: int | None = field(default=None, init=False)
    beside_next: int | None = field(default=None, init=False)

    def note(self, received: int, written: int) -> None:
        """Take in the usage of a response.

        Args:
            received: Its input tokens.
            written: Its output tokens.
        """
        self.forget_usage()
        if self.tokens is not None and received + written > self.tokens:
            self.tokens = None  # HEADROOM-4
        if self.tokens is not None:
            self.beside_same = self.tokens - received
            self.beside_next = self.beside_same - written - ALLOWANCE

    def forget_usage(self) -> None:
        """Take in that the usage of a response is unknown."""
        self.beside_same = self.beside_next = None

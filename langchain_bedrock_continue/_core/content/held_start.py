"""The start of a segment that continues a text, while it may be the service's words.

A guardrail or a filter answers with words of its own, and the stop reason that says so
comes after them. They are a block of their own (CONTENT-14), so in a stream the start
of such a segment is held until it is known whose words it is.

HELD-1. The service's words begin a sentence: with a letter that is not a small one. A
    start that begins otherwise is the model's, and so is one that begins with the echo.
HELD-2. The service's words are short. A longer start is the model's. A guardrail's
    message has at most GUARDRAIL_WORDS characters; a filter's words are a sentence.
HELD-3. The service writes text only. Thinking before a text says nothing of it.
HELD-4. Once the stop reason is known, it decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.content.incoming import (
    REASONING,
    TEXT,
    TOOL,
    extras_of,
)
from langchain_bedrock_continue._core.text.text_end import weight

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.incoming import Block, Incoming

GUARDRAIL_WORDS = 500
"""The most characters of a guardrail's message (CreateGuardrail,
`blockedOutputsMessaging`)."""

FILTER_WORDS = 160
"""The greatest weight of a filter's words. Amazon's are "The generated text has been
blocked by our content filters." """


class HeldStart:
    """What is held of a segment's start."""

    def __init__(self, quote: str, *, guarded: bool) -> None:
        """Hold nothing yet.

        Args:
            quote: What the model was asked to repeat; may be empty.
            guarded: The request has a guardrail.
        """
        self._quote = quote
        self._guarded = guarded
        self._text = ""
        self._held: list[Incoming] = []

    @property
    def may_be_services(self) -> bool:
        """Whether the text so far may be the service's words (HELD-1, HELD-2)."""
        text = self._text
        if not text:
            return True
        begins = text[0].isalpha() and not text[0].islower()
        if not begins or (self._quote and text.startswith(self._quote)):
            return False
        if self._guarded:
            return len(text) <= GUARDRAIL_WORDS
        return weight(text) <= FILTER_WORDS

    def take(self, incoming: Incoming) -> bool:
        """Hold what arrived; return False if the start is the model's after all."""
        self._held.append(incoming)
        if incoming.tool_chunks or incoming.calls:
            return False
        for _, kind, block in incoming.blocks:
            if not self._may_be_in(kind, block):
                return False
            self._text += block["text"] if kind is TEXT else ""
        return self.may_be_services

    def release(self) -> list[Incoming]:
        """Return what is held, and hold it no longer."""
        held, self._held = self._held, []
        return held

    @property
    def is_empty(self) -> bool:
        """Whether no text is held."""
        return not self._text

    def _may_be_in(self, kind: str, block: Block) -> bool:
        """Return True if a response of the service may have a block (HELD-3)."""
        if kind is TEXT:
            return not extras_of(block)
        if kind is REASONING:
            return self.is_empty
        return kind is not TOOL and "type" not in block  # the end of a block

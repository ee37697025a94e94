"""A fake model that writes one given text over as many segments as it takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage

from langchain_bedrock_continue._core.request.composer import SegmentRequest
from tests.support.prompts import QUOTED
from tests.support.responses import complete_message, streamed_chunks, usage_of
from tests.support.turns import QUESTION, FakeModelError, Response

OUTPUT_TOKENS = 100
"""The output tokens that each response reports."""


@dataclass
class FakeTextModel:
    """A model that writes one text, and continues it as each request asks.

    It continues a prefill directly. In a user turn it repeats the quote first.

    Attributes:
        text: The text.
        sizes: How many new characters each call writes, in rotation.
        chunk_size: The characters of a chunk; 0 for responses that are not streamed.
        faults: The calls that fail, by number, and after how many chunks.
        error: What a call that fails raises.
        calls: The number of calls so far.
    """

    text: str
    sizes: list[int]
    chunk_size: int = 3
    faults: dict[int, int] = field(default_factory=dict)
    error: Exception = field(default_factory=ConnectionError)
    calls: int = 0

    def __call__(self, request: SegmentRequest) -> Response:
        """Answer a request.

        Raises:
            FakeModelError: The request does not continue the text.
        """
        echo, written = self._position(request.messages)
        size = self.sizes[self.calls % len(self.sizes)]
        fault = self.faults.get(self.calls)
        self.calls += 1
        text = (echo + self.text[written:])[: len(echo) + size]
        is_last = written + size > len(self.text)
        stop_reason = "end_turn" if is_last else "max_tokens"
        for at, message in enumerate(self._messages(text, stop_reason)):
            if at == fault:
                yield self.error
                return
            yield message

    def _messages(self, text: str, stop_reason: str) -> Iterator[AIMessage]:
        blocks = [{"type": "text", "text": text}]
        usage = usage_of(OUTPUT_TOKENS)
        if self.chunk_size:
            yield from streamed_chunks(blocks, stop_reason, self.chunk_size)
            yield AIMessageChunk(content="", usage_metadata=usage)
        else:
            message = complete_message(blocks, stop_reason)
            message.usage_metadata = usage
            yield message

    def _position(self, messages: Sequence[BaseMessage]) -> tuple[str, int]:
        """Return the echo to begin with, and how much of the text is written."""
        if len(messages) == len(QUESTION):
            return "", 0
        if isinstance(messages[-1], AIMessage):
            return "", self._written([messages[-1].text])
        _question, *history = messages
        return _quote_in(messages[-1].text), self._written(
            [message.text for message in history if isinstance(message, AIMessage)],
            [message.text for message in history if isinstance(message, HumanMessage)],
        )

    def _written(self, answers: list[str], prompts: Sequence[str] = ()) -> int:
        """Return how much of the text the answers in the history have written."""
        written = answers[0]
        for text, prompt in zip(answers[1:], prompts, strict=False):
            quote = _quote_in(prompt)
            if not text.startswith(quote):
                raise FakeModelError("an answer in the history has no echo")
            written = written.rstrip() + text[len(quote) :]
        if not self.text.startswith(written.rstrip()):
            raise FakeModelError(f"{written!r} does not begin {self.text!r}")
        return len(written.rstrip()) if prompts else len(written)


def _quote_in(prompt: str) -> str:
    found = QUOTED.search(prompt)
    return found[2] if found else ""

"""CONTENT-13: reasoning whose place is after its text, in any order of arrival."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.responses import metadata_of
from tests.support.turns import QUESTION, Response, policy, run_turn

TEXT = " ".join(f"word{n}" for n in range(12))


class Model:
    """A model that continues a prefill, a few characters a segment."""

    def __init__(self, size: int, *, reasoning_first: bool) -> None:
        self.size, self.reasoning_first = size, reasoning_first

    def __call__(self, request: SegmentRequest) -> Response:
        last = request.messages[-1]
        if isinstance(last, AIMessage):
            content: Any = last.content
            assert isinstance(content, str)  # no reasoning is sent after the text
        written = last.text if isinstance(last, AIMessage) else ""
        assert TEXT.startswith(written)
        rest = TEXT[len(written) :]
        return self._chunks(rest[: self.size], is_last=len(rest) <= self.size)

    def _chunks(self, text: str, *, is_last: bool) -> Iterator[AIMessage]:
        thought: Any = {"type": "reasoning_content", "index": 1}
        thoughts = [
            AIMessageChunk(content=[{**thought, "reasoning_content": {"text": part}}])
            for part in ("a", "b")
        ]
        texts = [
            AIMessageChunk(content=[{"type": "text", "text": part, "index": 0}])
            for part in (text[:2], text[2:])
        ]
        yield from thoughts + texts if self.reasoning_first else texts + thoughts
        reason = "end_turn" if is_last else "max_tokens"
        yield AIMessageChunk(content="", response_metadata=metadata_of(reason))


@given(st.integers(2, 40), st.booleans())
def test_content_13_the_text_is_continued(size: int, reasoning_first: bool) -> None:
    model = Model(size, reasoning_first=reasoning_first)
    run = run_turn(Turn(QUESTION, {}, policy(reasoning_in_order=False)), model)
    assert run.message.text == TEXT
    assert run.added_chunks().text == TEXT
    content: Any = run.message.content
    assert [block["type"] for block in content] == ["text", "reasoning_content"]
    assert content[1]["reasoning_content"] == {"text": "ab"}
    segments = run.continuation["segments"]
    assert {entry["strategy"] for entry in segments} <= {None, "prefill"}

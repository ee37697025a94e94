"""A resumed stream without the partial message: what is left out, and where it begins.

One helper feeds each stream in any chunks; the partial text up to `resumed_at` and the
text that is left are the complete text (NEW-2).
"""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue._core.record.after_partial import (
    RESUMED_AT,
    AfterPartial,
)

TEXT = st.text(alphabet="ab\n ", max_size=12)


def chunk(content: Any, **kwargs: Any) -> AIMessageChunk:
    return AIMessageChunk(content=content, **kwargs)


LAST = chunk("", chunk_position="last", response_metadata={"stopReason": "end_turn"})


def left_of(partial: AIMessage, chunks: list[AIMessageChunk]) -> list[AIMessageChunk]:
    after = AfterPartial(partial)
    return [one for one in map(after.take, [*chunks, LAST]) if one is not None]


def parts_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({min(cut, len(text)) for cut in cuts})
    pairs = zip([0, *places], [*places, len(text)], strict=True)
    return [text[start:end] for start, end in pairs]


@given(
    same=TEXT,
    had=TEXT,
    new=TEXT,
    cuts=st.lists(st.integers(0, 24), max_size=5),
    blocks=st.booleans(),
)
@example(same="ab", had="\n", new="b", cuts=[1], blocks=False)
def test_the_partial_text_and_the_rest_are_the_complete_text(
    same: str, had: str, new: str, cuts: list[int], blocks: bool
) -> None:
    partial, complete = AIMessage(same + had), same + new
    texts = parts_of(complete, cuts)
    chunks = [
        chunk([{"type": "text", "text": t, "index": 0}] if blocks else t) for t in texts
    ]
    left = left_of(partial, chunks)
    [resumed_at] = [
        one.response_metadata[RESUMED_AT]
        for one in left
        if RESUMED_AT in one.response_metadata
    ]
    assert partial.text[:resumed_at] + "".join(one.text for one in left) == complete
    assert resumed_at >= len(same)
    if complete.startswith(partial.text):
        assert resumed_at == len(partial.text)
    assert left[-1].response_metadata["stopReason"] == "end_turn"


def test_the_offset_comes_with_the_first_new_text() -> None:
    chunks = [chunk("One, "), chunk("two, "), chunk("three.")]
    first, second, last = left_of(AIMessage("One, t"), chunks)
    assert [one.text for one in (first, second, last)] == ["wo, ", "three.", ""]
    assert first.response_metadata[RESUMED_AT] == len("One, t")
    assert RESUMED_AT not in second.response_metadata
    assert RESUMED_AT not in last.response_metadata


def test_other_blocks_are_left_out_if_the_partial_message_has_them() -> None:
    thought = {"type": "reasoning_content", "reasoning_content": {"text": "Hm."}}
    partial = AIMessage([thought, {"type": "text", "text": "On"}])
    call: Any = {"name": "add", "args": "{}", "id": "t", "index": 2}
    chunks = [
        chunk([{**thought, "index": 0}]),
        chunk([{"type": "text", "text": "One", "index": 1}]),
        chunk([{**thought, "index": 2}]),  # thought again: new
        chunk("", tool_call_chunks=[call]),
    ]
    text, again, called, _ = left_of(partial, chunks)
    assert text.content == [{"type": "text", "text": "e", "index": 1}]
    assert again.content == [{**thought, "index": 2}]
    assert called.tool_calls[0]["name"] == "add"


def test_chunks_without_content_pass() -> None:
    """They are signs of life."""
    pulse = chunk("")
    assert left_of(AIMessage("One"), [pulse, chunk("One")])[0].content == ""

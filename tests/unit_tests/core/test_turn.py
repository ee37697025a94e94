"""The turn by table and by property: any text, any cut, any chunking, same message."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue import (
    TurnLimitError,
)
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.turn import Turn
from tests.unit_tests.core.text.test_healed_cut import TEXTS

QUESTION = [HumanMessage("Q")]


def policy(**kwargs: Any) -> Policy:
    return Policy(**{"strategy": "prefill", **kwargs})


MANY = policy(max_continuations=500)
SIZES = st.lists(st.integers(1, 90), min_size=1, max_size=8)


def usage(output: int) -> UsageMetadata:
    return UsageMetadata(input_tokens=3, output_tokens=output, total_tokens=3 + output)


def metadata(reason: str) -> dict[str, Any]:
    return {"stopReason": reason, "model_provider": "bedrock_converse"}


class Writer:
    """A model that knows one text, goes on from any beginning of it, and is cut."""

    def __init__(self, text: str, sizes: list[int], chunk: int = 0) -> None:
        self.text, self.sizes, self.chunk, self.calls = text, sizes, chunk, 0

    def answer(self, prefill: str) -> tuple[str, str]:
        assert self.text.startswith(prefill)
        size = self.sizes[self.calls % len(self.sizes)]
        self.calls += 1
        rest = self.text[len(prefill) :]
        return rest[:size], "end_turn" if len(rest) < size else "max_tokens"

    def messages(self, prefill: str) -> Iterator[AIMessage]:
        text, reason = self.answer(prefill)
        if not self.chunk:
            yield AIMessage(
                text, response_metadata=metadata(reason), usage_metadata=usage(1)
            )
            return
        for at in range(0, len(text), self.chunk):
            block = {"type": "text", "text": text[at : at + self.chunk], "index": 0}
            yield AIMessageChunk(content=[block])
        yield AIMessageChunk(content="", response_metadata=metadata(reason))
        yield AIMessageChunk(content="", usage_metadata=usage(1))


def run(turn: Turn, writer: Writer) -> list[AIMessageChunk]:
    """Play the shell: what the caller of a stream sees."""
    seen: list[AIMessageChunk] = []
    for request in turn.requests():
        last = request.messages[-1]
        prefill = last.text if isinstance(last, AIMessage) else ""
        assert prefill == prefill.rstrip()
        for message in writer.messages(prefill):
            seen += turn.receive(message)
        seen += turn.end_segment()
    seen.append(turn.last_chunk())
    return seen


def text_of(chunks: list[AIMessageChunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


@given(TEXTS.filter(lambda text: "\ufffd" not in text), SIZES, st.integers(0, 9))
def test_i1_any_text_any_cut_any_chunking(
    text: str, sizes: list[int], chunk: int
) -> None:
    turn = Turn(QUESTION, {}, MANY)
    writer = Writer(text, sizes, chunk)
    seen = text_of(run(turn, writer))
    message = turn.message()
    assert message.text == seen
    summary = message.response_metadata["continuation"]
    assert len(summary["segments"]) == writer.calls
    # Where a segment is too small for the whitespace ahead, nothing can be sent back.
    assert summary["ended_by"] in {"model", "no_progress"}
    assert text.startswith(seen)
    if summary["ended_by"] == "model":
        assert seen == text


@given(TEXTS.filter(lambda text: "\ufffd" not in text), SIZES)
def test_i1_a_segment_that_outlasts_the_whitespace_always_goes_on(
    text: str, sizes: list[int]
) -> None:
    longest = max((len(run) for run in text.split("x")), default=0) + 70
    turn = Turn(QUESTION, {}, MANY)
    seen = text_of(run(turn, Writer(text, [size + longest for size in sizes], 3)))
    assert seen == text


@given(TEXTS, SIZES, st.integers(1, 9))
def test_i2_the_message_is_what_was_released(
    text: str, sizes: list[int], chunk: int
) -> None:
    turn = Turn(QUESTION, {}, policy(max_continuations=2))
    first, *rest = run(turn, Writer(text, sizes, chunk))
    added = first + rest
    assert added.text == turn.message().text
    assert added.usage_metadata == turn.message().usage_metadata
    assert added.response_metadata == turn.message().response_metadata
    assert added.chunk_position == "last"


def test_i3_metadata_is_given_out_once_and_is_the_last_segments() -> None:
    turn = Turn(QUESTION, {}, MANY)
    seen = run(turn, Writer("one two three", [5], 2))
    *earlier, last = seen
    assert all("stopReason" not in chunk.response_metadata for chunk in earlier)
    assert last.response_metadata["stopReason"] == "end_turn"


def test_i4_usage_is_counted_once_a_segment() -> None:
    turn = Turn(QUESTION, {}, MANY)
    run(turn, Writer("one two three", [5], 2))
    summary = turn.message().response_metadata["continuation"]
    segments = len(summary["segments"])
    assert turn.message().usage_metadata == {
        "input_tokens": 3 * segments,
        "output_tokens": segments,
        "total_tokens": 4 * segments,
    }
    assert summary["response"] == {
        "input_tokens": 3,
        "output_tokens": segments,
        "total_tokens": 3 + segments,
    }


def test_i5_a_turn_without_progress_is_over() -> None:
    turn = Turn(QUESTION, {}, MANY)
    seen = run(turn, Writer("one" + "\n" * 50 + "two", [4]))
    summary = turn.message().response_metadata["continuation"]
    assert summary["ended_by"] == "no_progress"
    assert not summary["complete"]
    assert text_of(seen) == "one" + "\n" * 4


@pytest.mark.parametrize(
    ("allowed", "ended_by", "segments"),
    [
        (policy(max_continuations=0), "max_continuations", 1),
        (policy(max_continuations=2), "max_continuations", 3),
        (policy(max_total_tokens=2), "max_total_tokens", 2),
    ],
)
def test_limits(
    allowed: Policy,
    ended_by: str,
    segments: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    turn = Turn(QUESTION, {}, allowed)
    run(turn, Writer("one two three four five six", [4], 1))
    with caplog.at_level(logging.WARNING):
        turn.raise_or_warn()
    summary = turn.message().response_metadata["continuation"]
    assert summary["ended_by"] == ended_by
    assert len(summary["segments"]) == segments
    assert not summary["complete"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert ended_by in caplog.text


def test_a_limit_raises_where_the_caller_asked_for_it() -> None:
    turn = Turn(QUESTION, {}, policy(max_continuations=1, on_limit="raise"))
    seen = run(turn, Writer("one two three", [4], 1))
    with pytest.raises(TurnLimitError, match="max_continuations") as raised:
        turn.raise_or_warn()
    assert raised.value.partial.text == text_of(seen)
    assert len(raised.value.segments) == 2


def test_a_whole_turn_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    turn = Turn(QUESTION, {}, policy(on_limit="raise"))
    run(turn, Writer("one two three", [4], 1))
    turn.raise_or_warn()
    assert caplog.records == []


def test_the_last_segment_is_shrunk_to_what_is_left() -> None:
    turn = Turn(QUESTION, {}, policy(max_total_tokens=25, max_tokens=10))
    asked = []
    for request in turn.requests():
        asked.append(request.kwargs.get("max_tokens"))
        turn.receive(
            AIMessage(
                f" word{len(asked)}",
                response_metadata=metadata("max_tokens"),
                usage_metadata=usage(10 if len(asked) < 3 else 5),
            )
        )
        turn.end_segment()
    assert asked == [None, None, 5]
    entries = turn.message().response_metadata["continuation"]["segments"]
    assert [entry["max_tokens"] for entry in entries] == [10, 10, 5]


def test_a_segment_of_unknown_usage_counts_in_full() -> None:
    turn = Turn(QUESTION, {}, policy(max_total_tokens=20, max_tokens=10))
    for _request in turn.requests():
        turn.receive(AIMessage(" word", response_metadata=metadata("max_tokens")))
        turn.end_segment()
    summary = turn.message().response_metadata["continuation"]
    assert summary["ended_by"] == "max_total_tokens"
    assert [entry["output_tokens"] for entry in summary["segments"]] == [None, None]
    assert summary["billed"] is None
    assert turn.message().usage_metadata is None


@pytest.mark.parametrize(
    ("output_limit", "sent"), [(None, None), (8192, 5000), (4096, None)]
)
def test_a_total_bounds_a_call_that_sets_no_max_tokens(
    output_limit: int | None, sent: int | None
) -> None:
    allowed = policy(max_total_tokens=5000, max_output_tokens=output_limit)
    request = next(Turn(QUESTION, {}, allowed).requests())
    assert request.kwargs.get("max_tokens") == sent

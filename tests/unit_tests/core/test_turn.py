"""TURN-1 to TURN-5 over many segments without a failure, and the limits of a turn."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import TurnLimitError
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.turn import Turn
from tests.support.random_texts import DECODED_TEXTS, TEXTS
from tests.support.responses import text_of, usage_of
from tests.support.turns import QUESTION, policy

SIZES = st.lists(st.integers(1, 90), min_size=1, max_size=8)


def metadata(stop_reason: str) -> dict[str, Any]:
    return {"stopReason": stop_reason, "model_provider": "bedrock_converse"}


class PrefillModel:
    """A model that writes one text, and continues any prefix of it in a prefill."""

    def __init__(self, text: str, sizes: list[int], chunk_size: int = 0) -> None:
        self.text, self.sizes, self.chunk_size = text, sizes, chunk_size
        self.calls = 0

    def segment(self, prefill: str) -> tuple[str, str]:
        """Return the text of the next segment, and its stop reason."""
        assert self.text.startswith(prefill)
        size = self.sizes[self.calls % len(self.sizes)]
        self.calls += 1
        rest = self.text[len(prefill) :]
        return rest[:size], "end_turn" if len(rest) < size else "max_tokens"

    def messages(self, prefill: str) -> Iterator[AIMessage]:
        text, stop_reason = self.segment(prefill)
        if not self.chunk_size:
            yield AIMessage(
                text,
                response_metadata=metadata(stop_reason),
                usage_metadata=usage_of(1),
            )
            return
        for at in range(0, len(text), self.chunk_size):
            part = text[at : at + self.chunk_size]
            yield AIMessageChunk(content=[{"type": "text", "text": part, "index": 0}])
        yield AIMessageChunk(content="", response_metadata=metadata(stop_reason))
        yield AIMessageChunk(content="", usage_metadata=usage_of(1))


def run(turn: Turn, model: PrefillModel) -> list[AIMessageChunk]:
    """Run a turn to its end; return what the caller of a stream sees."""
    chunks: list[AIMessageChunk] = []
    for request in turn.requests():
        last = request.messages[-1]
        prefill = last.text if isinstance(last, AIMessage) else ""
        assert prefill == prefill.rstrip()
        for message in model.messages(prefill):
            chunks += turn.receive(message)
        chunks += turn.end_segment()
    chunks.append(turn.last_chunk())
    return chunks


def continuation_of(turn: Turn) -> dict[str, Any]:
    continuation: dict[str, Any] = turn.message().response_metadata["continuation"]
    return continuation


@given(DECODED_TEXTS, SIZES, st.integers(0, 9))
def test_turn_1_segments_are_joined_at_any_cut_and_in_any_chunks(
    text: str, sizes: list[int], chunk_size: int
) -> None:
    turn = Turn(QUESTION, {}, policy())
    model = PrefillModel(text, sizes, chunk_size)
    released = text_of(run(turn, model))
    continuation = continuation_of(turn)
    assert turn.message().text == released
    assert len(continuation["segments"]) == model.calls
    # A segment that is smaller than the whitespace it begins with has no progress.
    assert continuation["ended_by"] in {"model", "no_progress"}
    assert text.startswith(released)
    if continuation["ended_by"] == "model":
        assert released == text


@given(DECODED_TEXTS, SIZES)
def test_turn_1_the_text_is_complete_if_segments_are_longer_than_the_whitespace(
    text: str, sizes: list[int]
) -> None:
    longest = max((len(part) for part in text.split("x")), default=0) + 70
    turn = Turn(QUESTION, {}, policy())
    model = PrefillModel(text, [size + longest for size in sizes], 3)
    assert text_of(run(turn, model)) == text


@given(TEXTS, SIZES, st.integers(1, 9))
def test_turn_2_the_chunks_add_up_to_the_message(
    text: str, sizes: list[int], chunk_size: int
) -> None:
    turn = Turn(QUESTION, {}, policy(max_continuations=2))
    first, *rest = run(turn, PrefillModel(text, sizes, chunk_size))
    added = first + rest
    assert added.text == turn.message().text
    assert added.usage_metadata == turn.message().usage_metadata
    assert added.response_metadata == turn.message().response_metadata
    assert added.chunk_position == "last"


def test_turn_3_metadata_is_the_last_segments_and_is_returned_once() -> None:
    turn = Turn(QUESTION, {}, policy())
    *earlier, last = run(turn, PrefillModel("one two three", [5], 2))
    assert all("stopReason" not in chunk.response_metadata for chunk in earlier)
    assert last.response_metadata["stopReason"] == "end_turn"


def test_turn_4_usage_is_counted_once_per_segment() -> None:
    turn = Turn(QUESTION, {}, policy())
    run(turn, PrefillModel("one two three", [5], 2))
    segments = len(continuation_of(turn)["segments"])
    assert turn.message().usage_metadata == {
        "input_tokens": 3 * segments,
        "output_tokens": segments,
        "total_tokens": 4 * segments,
    }
    assert continuation_of(turn)["response"] == {
        "input_tokens": 3,
        "output_tokens": segments,
        "total_tokens": 3 + segments,
    }


def test_turn_5_a_turn_without_progress_ends() -> None:
    turn = Turn(QUESTION, {}, policy())
    chunks = run(turn, PrefillModel("one" + "\n" * 50 + "two", [4]))
    assert continuation_of(turn)["ended_by"] == "no_progress"
    assert not continuation_of(turn)["complete"]
    assert text_of(chunks) == "one" + "\n" * 4


@pytest.mark.parametrize(
    ("allowed", "ended_by", "segments"),
    [
        (policy(max_continuations=0), "max_continuations", 1),
        (policy(max_continuations=2), "max_continuations", 3),
        (policy(max_total_tokens=2), "max_total_tokens", 2),
    ],
)
def test_turn_5_a_limit_ends_the_turn_and_is_logged(
    allowed: Policy,
    ended_by: str,
    segments: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    turn = Turn(QUESTION, {}, allowed)
    run(turn, PrefillModel("one two three four five six", [4], 1))
    with caplog.at_level(logging.WARNING):
        turn.raise_or_warn()
    assert continuation_of(turn)["ended_by"] == ended_by
    assert len(continuation_of(turn)["segments"]) == segments
    assert not continuation_of(turn)["complete"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert ended_by in caplog.text


def test_a_limit_raises_if_on_limit_is_raise() -> None:
    turn = Turn(QUESTION, {}, policy(max_continuations=1, on_limit="raise"))
    chunks = run(turn, PrefillModel("one two three", [4], 1))
    with pytest.raises(TurnLimitError, match="max_continuations") as raised:
        turn.raise_or_warn()
    assert raised.value.partial.text == text_of(chunks)
    assert len(raised.value.segments) == 2


def test_a_complete_turn_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    turn = Turn(QUESTION, {}, policy(on_limit="raise"))
    run(turn, PrefillModel("one two three", [4], 1))
    turn.raise_or_warn()
    assert caplog.records == []


def test_the_last_segment_asks_for_what_is_left_of_the_total() -> None:
    turn = Turn(QUESTION, {}, policy(max_total_tokens=25, max_tokens=10))
    max_tokens = []
    for request in turn.requests():
        max_tokens.append(request.kwargs.get("max_tokens"))
        turn.receive(
            AIMessage(
                f" word{len(max_tokens)}",
                response_metadata=metadata("max_tokens"),
                usage_metadata=usage_of(10 if len(max_tokens) < 3 else 5),
            )
        )
        turn.end_segment()
    assert max_tokens == [None, None, 5]
    entries = continuation_of(turn)["segments"]
    assert [entry["max_tokens"] for entry in entries] == [10, 10, 5]


def test_limit_5_a_segment_of_unknown_usage_counts_in_full() -> None:
    turn = Turn(QUESTION, {}, policy(max_total_tokens=20, max_tokens=10))
    for _request in turn.requests():
        turn.receive(AIMessage(" word", response_metadata=metadata("max_tokens")))
        turn.end_segment()
    continuation = continuation_of(turn)
    assert continuation["ended_by"] == "max_total_tokens"
    output_tokens = [entry["output_tokens"] for entry in continuation["segments"]]
    assert output_tokens == [None, None]
    assert continuation["billed"] is None
    assert turn.message().usage_metadata is None


@pytest.mark.parametrize(
    ("model_limit", "sent"), [(None, None), (8192, 5000), (4096, None)]
)
def test_a_total_limits_a_call_that_sets_no_max_tokens(
    model_limit: int | None, sent: int | None
) -> None:
    allowed = policy(max_total_tokens=5000, max_output_tokens=model_limit)
    request = next(Turn(QUESTION, {}, allowed).requests())
    assert request.kwargs.get("max_tokens") == sent

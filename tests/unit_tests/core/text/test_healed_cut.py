"""The rules TEXT-1 to TEXT-8, and the marks that a buffer can be restored from."""

import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.healed_cut import (
    HALF_CHARACTER,
    HEAL_LIMIT,
    TextBuffer,
    is_unsafe_end,
)
from tests.support.random_texts import DECODED_TEXTS, TEXTS, chunked


@st.composite
def segments(draw: st.DrawFn) -> list[list[str]]:
    """Draw the texts of a turn's segments, each in chunks."""
    return [chunked(draw, draw(TEXTS)) for _ in range(draw(st.integers(1, 4)))]


def kept(before: str, text: str) -> str:
    """Return what a cut keeps of a segment's text and of what precedes it."""
    buffer = TextBuffer()
    buffer.feed(before)
    buffer.end_for_prefill()
    buffer.feed(text)
    buffer.end_for_prefill()
    return buffer.text


def without_unsafe_end(text: str) -> str:
    whitespace = "".join(char for char in set(text) if char.isspace())
    return text.rstrip(HALF_CHARACTER + whitespace)


@given(segments())
def test_text_1_a_kept_text_does_not_end_in_whitespace_or_half_a_character(
    parts: list[list[str]],
) -> None:
    buffer = TextBuffer()
    for part in parts:
        for chunk in part:
            buffer.feed(chunk)
        buffer.end_for_prefill()
        assert not buffer.text or not is_unsafe_end(buffer.text[-1])


@given(TEXTS, st.sampled_from(["x", "日", "}", "end."]))
def test_text_2_a_cut_after_anything_but_whitespace_removes_nothing(
    text: str, end: str
) -> None:
    assert kept("", text + end) == text + end


@given(TEXTS, TEXTS)
def test_text_3_a_cut_removes_a_bounded_end_and_leaves_progress(
    before: str, text: str
) -> None:
    kept_before = kept("", before)
    kept_after = kept(before, text)
    complete = kept_before + text
    assert complete.startswith(kept_after)
    solid = without_unsafe_end(complete)
    assert len(kept_after) >= min(len(kept_before), len(solid))
    assert len(solid) - len(kept_after) <= HEAL_LIMIT
    if solid != kept_before and len(solid) > len(kept_before):
        assert len(kept_after) > len(kept_before)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The quick brown", "The quick brown"),
        ("The quick ", "The quick"),
        ("call();", "call();"),
        ("call()\n", "call"),
        ("one\n", "one"),
        ("if x {\n", "if x"),
        ("if x {\n    ", "if x"),
        ("f(x) {\n", "f(x)"),
        ("  return x;\n}\n\n", "  return x"),
        ("a  {\n", "a"),
        ("一二三。\n", "一二三"),
        ("|---|\n", "|---|"),
        ("\n", ""),
        ("x" + "-" * HEAL_LIMIT + "\n", "x"),
        ("x" + "-" * (HEAL_LIMIT + 1) + "\n", "x" + "-" * (HEAL_LIMIT + 1)),
        ("日本" + HALF_CHARACTER, "日本"),
        ("a 日 " + HALF_CHARACTER, "a 日"),
    ],
)
def test_text_3_where_a_cut_is_healed(text: str, expected: str) -> None:
    assert kept("", text) == expected


@given(TEXTS, TEXTS, TEXTS)
def test_text_4_released_text_is_a_prefix_of_what_any_later_cut_keeps(
    before: str, text: str, more: str
) -> None:
    buffer = TextBuffer()
    released = buffer.feed(before) + buffer.end_for_prefill() + buffer.feed(text)
    assert kept(before, text).startswith(released)
    assert kept(before, text + more).startswith(released)


@given(segments(), st.booleans())
def test_text_5_chunks_make_no_difference(
    parts: list[list[str]], truncated: bool
) -> None:
    in_chunks, at_once = TextBuffer(), TextBuffer()
    released = ""
    for part in parts:
        for chunk in part:
            released += in_chunks.feed_released(chunk) or in_chunks.feed(chunk)
        at_once.feed("".join(part))
        released += in_chunks.end_for_prefill()
        at_once.end_for_prefill()
        assert in_chunks.text == at_once.text == released
    released += in_chunks.finish(truncated=truncated)
    at_once.finish(truncated=truncated)
    assert in_chunks.text == at_once.text == released


@given(TEXTS)
def test_a_text_that_is_not_truncated_is_released_unchanged(text: str) -> None:
    buffer = TextBuffer()
    released = "".join(buffer.feed(char) for char in text) + buffer.finish()
    assert released == buffer.text == text
    assert len(buffer) == len(text)


@given(DECODED_TEXTS)
def test_text_6_removed_text_is_restored_if_the_next_segment_has_none(
    text: str,
) -> None:
    buffer = TextBuffer()
    released = buffer.feed(text) + buffer.end_for_prefill()
    released += buffer.feed("") + buffer.finish()
    assert released == buffer.text == text


@given(DECODED_TEXTS, st.integers(0, 70))
def test_text_6_removed_text_is_restored_if_the_next_segment_is_truncated_within_it(
    text: str, size: int
) -> None:
    buffer = TextBuffer()
    released = buffer.feed(text) + buffer.end_for_prefill()
    rewritten = text[len(released) :][:size]
    buffer.feed(rewritten)
    buffer.finish(truncated=True)
    assert buffer.text == text


def test_text_6_removed_text_is_not_restored_if_the_model_ends_the_text() -> None:
    buffer = TextBuffer()
    buffer.feed("one two.\n")
    buffer.end_for_prefill()
    assert buffer.text == "one two"
    buffer.feed(".")
    buffer.finish()
    assert buffer.text == "one two."


def test_text_1_half_a_character_at_a_truncated_end_is_dropped() -> None:
    buffer = TextBuffer()
    buffer.feed("日本" + HALF_CHARACTER)
    buffer.finish(truncated=True)
    assert buffer.text == "日本"


@given(segments())
def test_text_4_the_text_that_is_held_back_is_bounded(parts: list[list[str]]) -> None:
    buffer = TextBuffer()
    for part in parts:
        for chunk in part:
            buffer.feed(chunk)
            held_back = buffer.text[buffer.released :].lstrip()
            assert len(without_unsafe_end(held_back)) <= HEAL_LIMIT
        buffer.end_for_prefill()


@given(TEXTS, st.text(" \n", max_size=3), st.text("ab \n", min_size=1, max_size=9))
def test_text_7_before_a_user_turn_nothing_is_removed(
    text: str, whitespace: str, more: str
) -> None:
    text = text.replace(HALF_CHARACTER, "") + "x" + whitespace
    buffer = TextBuffer()
    released = buffer.feed(text) + buffer.end_for_user_turn()
    assert buffer.text == text
    assert released + buffer.unreleased == text
    assert len(buffer) == len(text)
    released += buffer.feed(more) + buffer.finish()
    assert released == buffer.text == text + more


@given(st.text(" \n\t", max_size=4), st.integers(0, 4))
def test_text_7_whitespace_at_the_end_can_be_rewritten(
    whitespace: str, count: int
) -> None:
    buffer = TextBuffer()
    released = buffer.feed("one" + whitespace) + buffer.end_for_user_turn()
    assert released == "one"
    if count > len(whitespace):
        with pytest.raises(ValueError, match="count"):
            buffer.remove_whitespace(count)
        return
    buffer.remove_whitespace(count)
    kept_whitespace = whitespace[: len(whitespace) - count]
    released += buffer.feed(" two") + buffer.finish()
    assert released == buffer.text == "one" + kept_whitespace + " two"


STOPS = st.sampled_from(["}\n", "word", "aa", "\n\n", "日本a", "a a"])


@given(TEXTS, STOPS, st.lists(st.integers(4, 30), min_size=1, max_size=5))
def test_text_8_a_stop_sequence_ends_the_text_wherever_a_seam_splits_it(
    text: str, stop: str, sizes: list[int]
) -> None:
    text = text.replace(HALF_CHARACTER, "")
    buffer, released, expected = TextBuffer([stop]), "", text.partition(stop)[0]
    for call in range(200):
        rest = text[len(buffer.text) :]
        size = sizes[call % len(sizes)]
        # The service finds a stop sequence in what it writes itself only.
        written, found, _ = rest.partition(stop)
        is_over = len(written + found) + (not found) <= size
        for char in written if is_over else (written + found)[:size]:
            released += buffer.feed(char)
            assert expected.startswith(released)
        if is_over and found:
            buffer.end_at_stop_sequence(in_echo=False)
        if is_over or buffer.stopped or not buffer.has_progress():
            break
        released += buffer.end_for_prefill()
        assert expected.startswith(released)
    if is_over or buffer.stopped:
        assert released + buffer.finish() == expected


# Marks ----------------------------------------------------------------------------

ENDS = st.sampled_from(["prefill", "user turn", None])
"""How a segment ends; None if another chunk follows."""

HISTORIES = st.lists(st.tuples(TEXTS, ENDS), max_size=6)


def receive(buffer: TextBuffer, history: list[tuple[str, str | None]]) -> list[str]:
    """Feed texts, and end segments; return what each step releases."""
    released = []
    for text, end in history:
        released.append(buffer.feed(text))
        if end == "prefill":
            released.append(buffer.end_for_prefill())
        elif end == "user turn":
            released.append(buffer.end_for_user_turn())
    return released


def state_of(buffer: TextBuffer) -> tuple[object, ...]:
    """Return what can be seen of a buffer."""
    return (
        buffer.text,
        buffer.unreleased,
        buffer.released,
        len(buffer),
        buffer.last(10),
        buffer.has_progress(),
        buffer.stopped,
    )


@given(HISTORIES, HISTORIES, HISTORIES, st.lists(STOPS, max_size=2), st.booleans())
def test_a_buffer_restored_from_a_mark_receives_text_as_if_for_the_first_time(
    before: list[tuple[str, str | None]],
    first: list[tuple[str, str | None]],
    second: list[tuple[str, str | None]],
    stops: list[str],
    truncated: bool,
) -> None:
    buffer, expected = TextBuffer(stops), TextBuffer(stops)
    receive(buffer, before)
    receive(expected, before)
    assume(not buffer.stopped)  # a turn has ended there
    mark = buffer.mark()
    receive(buffer, first)
    first_state = state_of(buffer)
    restored = buffer.at(mark)
    assert state_of(restored) == state_of(expected)
    assert restored.mark() == mark
    assert receive(restored, second) == receive(expected, second)
    assert state_of(restored) == state_of(expected)
    assert restored.finish(truncated=truncated) == expected.finish(truncated=truncated)
    assert state_of(restored) == state_of(expected)
    assert state_of(buffer) == first_state


@given(HISTORIES, HISTORIES, st.integers(1, 4))
def test_a_buffer_can_be_restored_from_a_mark_any_number_of_times(
    before: list[tuple[str, str | None]],
    text: list[tuple[str, str | None]],
    times: int,
) -> None:
    buffer = TextBuffer()
    receive(buffer, before)
    mark, state = buffer.mark(), state_of(buffer)
    for _ in range(times):
        receive(buffer, text)
        buffer = buffer.at(mark)
        assert state_of(buffer) == state


def test_a_mark_does_not_copy_the_text() -> None:
    buffer = TextBuffer(["stop"])
    for _ in range(10_000):
        buffer.feed("a word ")
    buffer.end_for_prefill()
    mark = buffer.mark()
    assert not any(isinstance(value, list) for value in mark)
    assert len(pickle.dumps(mark)) < 500

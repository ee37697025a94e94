"""The numbered invariants of `seam`."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.healed_cut import (
    HALF_CHARACTER,
    HEAL_LIMIT,
    TextBuffer,
    is_unsafe_end,
)

# Words, plain and odd whitespace, and half characters, in any order.
SOLID = ["a", "bc", "word", "{", "}", ".", "日本", "🙂", "e\u0301"]
BLANK = [" ", " ", "  ", "\n", "\n\n", "\t", "\u3000", "\u00a0"]
PIECES = st.sampled_from([*SOLID, *BLANK, HALF_CHARACTER])
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def chunked(draw: st.DrawFn, text: str) -> list[str]:
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    edges = [0, *cuts, len(text)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


@st.composite
def segments(draw: st.DrawFn) -> list[list[str]]:
    return [chunked(draw, draw(TEXTS)) for _ in range(draw(st.integers(1, 4)))]


def kept_after(begun: str, text: str) -> str:
    """What a cut of `text` keeps, in a segment that goes on from `begun`."""
    buffer = TextBuffer()
    buffer.feed(begun)
    buffer.end_for_prefill()
    buffer.feed(text)
    buffer.end_for_prefill()
    return buffer.text


@given(segments())
def test_s1_a_kept_text_ends_in_a_solid_character(parts: list[list[str]]) -> None:
    buffer = TextBuffer()
    for part in parts:
        for chunk in part:
            buffer.feed(chunk)
        buffer.end_for_prefill()
        assert not buffer.text or not is_unsafe_end(buffer.text[-1])


@given(TEXTS, st.sampled_from(["x", "日", "}", "end."]))
def test_s2_a_cut_behind_a_character_gives_nothing_back(text: str, end: str) -> None:
    assert kept_after("", text + end) == text + end


@given(TEXTS, TEXTS)
def test_s3_what_is_given_back_is_bounded_and_leaves_progress(
    begun: str, text: str
) -> None:
    before = kept_after("", begun)
    kept = kept_after(begun, text)
    whole = before + text
    assert whole.startswith(kept)
    solid = whole.rstrip(HALF_CHARACTER + "".join(c for c in set(whole) if c.isspace()))
    assert len(kept) >= min(len(before), len(solid))
    assert len(solid) - len(kept) <= HEAL_LIMIT
    if solid != before and len(solid) > len(before):
        assert len(kept) > len(before)


@pytest.mark.parametrize(
    ("text", "kept"),
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
def test_s3_where_a_cut_falls(text: str, kept: str) -> None:
    assert kept_after("", text) == kept


@given(TEXTS, TEXTS, TEXTS)
def test_s4_what_was_released_is_a_prefix_of_what_any_later_cut_keeps(
    begun: str, text: str, more: str
) -> None:
    buffer = TextBuffer()
    before = buffer.feed(begun) + buffer.end_for_prefill()
    released = buffer.feed(text)
    assert kept_after(begun, text).startswith(before + released)
    assert kept_after(begun, text + more).startswith(before + released)


@given(segments(), st.booleans())
def test_s5_chunks_make_no_difference(parts: list[list[str]], cut: bool) -> None:
    by_chunks, at_once = TextBuffer(), TextBuffer()
    shown = ""
    for part in parts:
        for chunk in part:
            shown += by_chunks.feed(chunk)
        at_once.feed("".join(part))
        shown += by_chunks.end_for_prefill()
        at_once.end_for_prefill()
        assert by_chunks.text == at_once.text == shown
    shown += by_chunks.finish(truncated=cut)
    at_once.finish(truncated=cut)
    assert by_chunks.text == at_once.text == shown


@given(TEXTS)
def test_an_uncut_text_comes_out_as_it_came(text: str) -> None:
    buffer = TextBuffer()
    shown = "".join(buffer.feed(char) for char in text) + buffer.finish()
    assert shown == buffer.text == text
    assert len(buffer) == len(text)


@given(TEXTS.filter(lambda text: HALF_CHARACTER not in text))
def test_s6_what_was_given_back_stands_if_nothing_follows(text: str) -> None:
    buffer = TextBuffer()
    shown = (
        buffer.feed(text) + buffer.end_for_prefill() + buffer.feed("") + buffer.finish()
    )
    assert shown == buffer.text == text


@given(TEXTS.filter(lambda text: HALF_CHARACTER not in text), st.integers(0, 70))
def test_s6_what_was_given_back_stands_if_the_next_segment_ends_before_it(
    text: str, again: int
) -> None:
    buffer = TextBuffer()
    kept = buffer.feed(text) + buffer.end_for_prefill()
    rewritten = text[len(kept) :][:again]
    buffer.feed(rewritten)
    buffer.finish(truncated=True)
    assert buffer.text == text


def test_s6_the_models_own_end_stands() -> None:
    buffer = TextBuffer()
    buffer.feed("one two.\n")
    buffer.end_for_prefill()
    assert buffer.text == "one two"
    buffer.feed(".")
    buffer.finish()
    assert buffer.text == "one two."


def test_half_a_character_does_not_end_a_text_that_was_cut() -> None:
    buffer = TextBuffer()
    buffer.feed("日本" + HALF_CHARACTER)
    buffer.finish(truncated=True)
    assert buffer.text == "日本"


@given(segments())
def test_a_stream_holds_back_a_bounded_end(parts: list[list[str]]) -> None:
    buffer = TextBuffer()
    for part in parts:
        for chunk in part:
            buffer.feed(chunk)
            held = buffer.text[buffer.released :].lstrip()
            solid = held.rstrip(
                HALF_CHARACTER + "".join(c for c in set(held) if c.isspace())
            )
            assert len(solid) <= HEAL_LIMIT
        buffer.end_for_prefill()


STOPS = st.sampled_from(["}\n", "word", "aa", "\n\n", "日本a", "a a"])


@given(TEXTS, STOPS, st.lists(st.integers(4, 30), min_size=1, max_size=5))
def test_s8_a_stop_sequence_ends_the_text_wherever_it_is_cut(
    text: str, stop: str, sizes: list[int]
) -> None:
    text = text.replace(HALF_CHARACTER, "")
    buffer, shown, wanted = TextBuffer([stop]), "", text.partition(stop)[0]
    for turn in range(200):
        rest = text[len(buffer.text) :]
        size = sizes[turn % len(sizes)]
        # The service looks for the sequence in what it writes itself.
        written, found, _ = rest.partition(stop)
        over = len(written + found) + (not found) <= size
        for char in (written + found)[:size] if not over else written:
            shown += buffer.feed(char)
            assert wanted.startswith(shown)
        if over and found:
            buffer.end_at_stop_sequence(in_echo=False)
        if over or buffer.stopped or not buffer.has_progress():
            break
        shown += buffer.end_for_prefill()
        assert wanted.startswith(shown)
    if over or buffer.stopped:
        assert shown + buffer.finish() == wanted

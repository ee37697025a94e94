"""The numbered invariants of `seam`."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.healed_cut import (
    HALF,
    HEAL_LIMIT,
    TextRun,
    is_unsafe_end,
)

# Words, plain and odd whitespace, and half characters, in any order.
SOLID = ["a", "bc", "word", "{", "}", ".", "日本", "🙂", "e\u0301"]
BLANK = [" ", " ", "  ", "\n", "\n\n", "\t", "\u3000", "\u00a0"]
PIECES = st.sampled_from([*SOLID, *BLANK, HALF])
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
    run = TextRun()
    run.feed(begun)
    run.cut()
    run.feed(text)
    run.cut()
    return run.text


@given(segments())
def test_s1_a_kept_text_ends_in_a_solid_character(parts: list[list[str]]) -> None:
    run = TextRun()
    for part in parts:
        for chunk in part:
            run.feed(chunk)
        run.cut()
        assert not run.text or not is_unsafe_end(run.text[-1])


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
    solid = whole.rstrip(HALF + "".join(c for c in set(whole) if c.isspace()))
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
        ("日本" + HALF, "日本"),
        ("a 日 " + HALF, "a 日"),
    ],
)
def test_s3_where_a_cut_falls(text: str, kept: str) -> None:
    assert kept_after("", text) == kept


@given(TEXTS, TEXTS, TEXTS)
def test_s4_what_was_released_is_a_prefix_of_what_any_later_cut_keeps(
    begun: str, text: str, more: str
) -> None:
    run = TextRun()
    before = run.feed(begun) + run.cut()
    released = run.feed(text)
    assert kept_after(begun, text).startswith(before + released)
    assert kept_after(begun, text + more).startswith(before + released)


@given(segments(), st.booleans())
def test_s5_chunks_make_no_difference(parts: list[list[str]], cut: bool) -> None:
    by_chunks, at_once = TextRun(), TextRun()
    shown = ""
    for part in parts:
        for chunk in part:
            shown += by_chunks.feed(chunk)
        at_once.feed("".join(part))
        shown += by_chunks.cut()
        at_once.cut()
        assert by_chunks.text == at_once.text == shown
    shown += by_chunks.finish(cut=cut)
    at_once.finish(cut=cut)
    assert by_chunks.text == at_once.text == shown


@given(TEXTS)
def test_an_uncut_text_comes_out_as_it_came(text: str) -> None:
    run = TextRun()
    shown = "".join(run.feed(char) for char in text) + run.finish()
    assert shown == run.text == text
    assert len(run) == len(text)


@given(TEXTS.filter(lambda text: HALF not in text))
def test_s6_what_was_given_back_stands_if_nothing_follows(text: str) -> None:
    run = TextRun()
    shown = run.feed(text) + run.cut() + run.feed("") + run.finish()
    assert shown == run.text == text


@given(TEXTS.filter(lambda text: HALF not in text), st.integers(0, 70))
def test_s6_what_was_given_back_stands_if_the_next_segment_ends_before_it(
    text: str, again: int
) -> None:
    run = TextRun()
    kept = run.feed(text) + run.cut()
    rewritten = text[len(kept) :][:again]
    run.feed(rewritten)
    run.finish(cut=True)
    assert run.text == text


def test_s6_the_models_own_end_stands() -> None:
    run = TextRun()
    run.feed("one two.\n")
    run.cut()
    assert run.text == "one two"
    run.feed(".")
    run.finish()
    assert run.text == "one two."


def test_half_a_character_does_not_end_a_text_that_was_cut() -> None:
    run = TextRun()
    run.feed("日本" + HALF)
    run.finish(cut=True)
    assert run.text == "日本"


@given(segments())
def test_a_stream_holds_back_a_bounded_end(parts: list[list[str]]) -> None:
    run = TextRun()
    for part in parts:
        for chunk in part:
            run.feed(chunk)
            held = run.text[run.released :].lstrip()
            solid = held.rstrip(HALF + "".join(c for c in set(held) if c.isspace()))
            assert len(solid) <= HEAL_LIMIT
        run.cut()


STOPS = st.sampled_from(["}\n", "word", "aa", "\n\n", "日本a", "a a"])


@given(TEXTS, STOPS, st.lists(st.integers(4, 30), min_size=1, max_size=5))
def test_s8_a_stop_sequence_ends_the_text_wherever_it_is_cut(
    text: str, stop: str, sizes: list[int]
) -> None:
    text = text.replace(HALF, "")
    run, shown, wanted = TextRun([stop]), "", text.partition(stop)[0]
    for turn in range(200):
        rest = text[len(run.text) :]
        size = sizes[turn % len(sizes)]
        # The service looks for the sequence in what it writes itself.
        written, found, _ = rest.partition(stop)
        over = len(written + found) + (not found) <= size
        for char in (written + found)[:size] if not over else written:
            shown += run.feed(char)
            assert wanted.startswith(shown)
        if over and found:
            run.end_at_stop(in_echo=False)
        if over or run.stopped or not run.advances():
            break
        shown += run.cut()
        assert wanted.startswith(shown)
    if over or run.stopped:
        assert shown + run.finish() == wanted

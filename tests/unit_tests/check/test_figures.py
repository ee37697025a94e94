"""The figures of a seam and of an answer, as properties."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from langchain_bedrock_continue._check import figures
from langchain_bedrock_continue._check.well_formed import KINDS, Kind

TEXTS = st.text("abcdefgh .,\n|{é日", min_size=1, max_size=200)
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=80, max_size=200)


@given(TEXTS, TEXTS)
@example("ends in a blank ", "more")
def test_a_seam_is_natural_where_the_text_goes_on_as_after_a_prefill(
    before: str, after: str
) -> None:
    """FIGURES-1."""
    assume(after.strip())
    assert figures.natural(before, after, after)
    assert figures.natural(before, after, after + "else") == (
        len(after if before == before.rstrip() else after.lstrip()) >= figures.SAME
    )


@given(TEXTS, TEXTS, TEXTS)
def test_a_seam_is_not_natural_where_one_of_8_characters_differs(
    before: str, after: str, continuation: str
) -> None:
    """FIGURES-1."""
    a, b = after.lstrip()[: figures.SAME], continuation.lstrip()[: figures.SAME]
    assume(a != b)
    assert not figures.natural(before, after, continuation)


def test_whitespace_at_the_border_counts_unless_a_prefill_cannot_end_in_it() -> None:
    """FIGURES-1: `foo|bar` is not `foo bar`, but `foo |bar` is."""
    assert not figures.natural("foo", "bar", " bar")
    assert figures.natural("foo", " bar", " bar")
    assert figures.natural("foo ", "bar", " bar")
    assert figures.natural("foo\n", "\nbar", "\n\nbar")


def test_a_continuation_that_brings_nothing_is_not_natural() -> None:
    assert not figures.natural("foo", "", "")
    assert not figures.natural("foo ", "  ", "")


@given(LETTERS, LETTERS, st.sampled_from(["", " ", "\n\n"]))
def test_a_text_is_doubled_where_60_characters_stand_before_the_seam(
    text: str, more: str, blank: str
) -> None:
    """FIGURES-2."""
    again = text[10 : 10 + figures.DOUBLED]
    whole = text + blank + again + more
    assert figures.doubled(whole, len(text))
    assert figures.repeated(whole, len(text))


@given(LETTERS, LETTERS)
def test_a_text_is_not_doubled_where_one_of_the_60_characters_is_new(
    text: str, more: str
) -> None:
    """FIGURES-2."""
    new = text[: figures.DOUBLED - 1] + "é" + more
    assert not figures.doubled(text + new, len(text))


def test_a_repetition_after_new_text_is_repeated_and_not_doubled() -> None:
    text = "1. Sleep at the same time on each day of the week, also on Sunday.\n"
    whole = text + "2. Read.\n" + text
    assert not figures.doubled(whole, len(text))
    assert figures.repeated(whole, len(text))
    assert not figures.repeated(whole, len(text), len(text) + len("2. Read.\n"))


@pytest.mark.parametrize("more", ["", "1.", "and then some more", "-" * 80, " " * 80])
def test_a_short_rest_or_a_ruler_is_no_evidence(more: str) -> None:
    text = "1. and then some more\n" + "-" * 90 + " " * 90
    assert not figures.repeated(text + more, len(text))
    if len(more) < figures.FEWEST_DOUBLED:
        assert not figures.doubled(text + more, len(text))


def test_only_the_rule_echo_is_an_echo_as_requested() -> None:
    assert figures.echo_obeyed("echo")
    assert not any(map(figures.echo_obeyed, ["restart", "overlap", "as_is", "", None]))


UNCUT = "One sentence is here. Another one is there. A third one ends it."


@pytest.mark.parametrize(
    ("text", "uncut", "why"),
    [
        (UNCUT, UNCUT, ""),
        ("One sentence is here.", UNCUT, "shorter"),
        (f"{UNCUT} And", UNCUT, "sentence"),
        ("Other words are here. They end, too, after a while.", UNCUT, ""),
        (f"{UNCUT} And", f"{UNCUT} And then", ""),  # the uncut answer was not over
        ("It ends in a", "", "sentence"),
        ("It is over.", "", ""),
    ],
)
def test_an_answer_ends_early_if_it_is_short_or_not_over(
    text: str, uncut: str, why: str
) -> None:
    """FIGURES-3."""
    found = figures.early("prose", text, uncut, by_model=True)
    assert why in found
    assert bool(found) == bool(why)
    assert figures.early("prose", text, uncut, by_model=False) == ""


@given(st.sampled_from(KINDS), TEXTS)
def test_the_uncut_answer_itself_never_ends_early(kind: Kind, text: str) -> None:
    """FIGURES-3, FIGURES-4."""
    assert figures.early(kind, text, text, by_model=True) == ""

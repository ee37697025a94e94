"""The rules CYCLE-1 to CYCLE-6."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.repetition import (
    DATA,
    MAX_PERIOD,
    MIN_COUNT,
    MIN_LETTERS,
    TAIL,
    WORDS,
    Cycle,
    find_cycle,
)
from tests.benchmarks.corpora import standard_library
from tests.benchmarks.loops import asked_for
from tests.benchmarks.repetition import false_positives, first_positive
from tests.seams.texts import texts

SENTENCE = "He walked on, and on. "
PAGE = "".join(f"Page {n} is like no other, said {n * n}.\n" for n in range(60))

periods = st.text(min_size=1, max_size=300)
worded = periods.map(lambda text: f"{text} walks on")
lead_ins = st.text(max_size=50) | st.just(PAGE)


def root(text: str) -> str:
    """Return the shortest text that this one is a repeat of."""
    return text[: (text + text).index(text, 1)]


def by_definition(text: str) -> Cycle | None:
    """Search a cycle of every length in turn, as CYCLE-2 to CYCLE-4 define it."""
    tail = text.encode(errors="surrogatepass")[-TAIL:]
    for size in range(1, MAX_PERIOD + 1):
        repeated = 0
        while repeated + size < len(tail) and (
            tail[-1 - repeated] == tail[-1 - repeated - size]
        ):
            repeated += 1
        period = tail[-size:].decode(errors="replace").lower()
        letters = {char for char in period if char.isalpha() and char not in "abcdef"}
        weight = len("".join(letters).encode())
        needed = WORDS if weight >= MIN_LETTERS else DATA
        if repeated >= max(needed, (MIN_COUNT - 1) * size):
            return Cycle(len(period), 1 + repeated // size)
    return None


@settings(deadline=None)
@given(lead_ins, worded, st.integers(0, 300))
@example("", SENTENCE, 0)
@example(PAGE, "これは猫です。", 3)
@example(PAGE, "half a pair \ud83d or half a pair \ud83c or ", 7)
def test_any_text_repeated_often_enough_is_found(
    lead_in: str, period: str, cut: int
) -> None:
    """CYCLE-3, CYCLE-5: wherever in a period the text ends."""
    repeated = period * (TAIL // len(period) + 2)
    found = find_cycle(lead_in + repeated[: len(repeated) - cut % len(period)])
    assert found is not None
    assert found.length == len(root(period))
    assert found.count >= MIN_COUNT


@pytest.mark.parametrize("size", [1, 2, 9, 72, 343, 600, 1500, MAX_PERIOD])
@pytest.mark.parametrize("lead_in", ["", PAGE])
def test_a_period_of_any_length_is_found(size: int, lead_in: str) -> None:
    """CYCLE-3, CYCLE-5: up to MAX_PERIOD."""
    assert find_cycle(lead_in + PAGE[-size:] * (TAIL // size + 1)) is not None


def test_a_longer_period_is_not_searched() -> None:
    """CYCLE-3."""
    assert len(PAGE) > MAX_PERIOD
    assert find_cycle(PAGE[: MAX_PERIOD + 1] * 40) is None


@settings(deadline=None, max_examples=40)
@given(worded, st.integers(1, 40), st.text(max_size=3), worded, st.integers(0, 5000))
@example("no words: 0", 300, "", "0, ", 17_000)
@example("aab", 9, "", "a" * 300 + "b" * 300, 9_000)
@example("", 0, "", "猫は歩いた。", 20_000)
def test_every_cycle_of_the_definition_is_found(
    first: str, count: int, glue: str, second: str, size: int
) -> None:
    """CYCLE-2, CYCLE-3, CYCLE-4, CYCLE-5."""
    text = first * count + glue + (second * (size // len(second) + 1))[:size]
    assert find_cycle(text) == by_definition(text)


@settings(deadline=None)
@given(worded, st.characters())
def test_text_after_a_cycle_ends_it(period: str, after: str) -> None:
    """CYCLE-2."""
    cycle = period * (TAIL // len(period) + 2)
    assume(after != cycle[0])
    assert find_cycle(cycle)
    assert find_cycle(cycle + after) is None
    assert find_cycle(f"{cycle}. But now something else.") is None


@settings(deadline=None)
@given(lead_ins, worded, st.integers(0, 20_000))
def test_text_before_the_tail_makes_no_difference(
    lead_in: str, period: str, size: int
) -> None:
    """CYCLE-1."""
    text = lead_in + (period * (size // len(period) + 1))[:size]
    assert find_cycle(text) == find_cycle(text[-TAIL:])
    filled = period * (TAIL // len(period) + 2)
    assert find_cycle(lead_in + filled) == find_cycle(filled)


@pytest.mark.parametrize(
    ("period", "needed"),
    [
        (SENTENCE, WORDS),
        ("history_", WORDS),
        ("# 2023 MLOps\n", WORDS),
        ("はい、", WORDS),
        ("a", DATA),
        ("ha ", DATA),
        ("0, ", DATA),
        ('{"id": 0, "name": ""}, ', DATA),
        ("null, ", DATA),
        ("null, None, ", DATA),
        ("true, ", DATA),
        ("false, ", DATA),
        ("0xdeadbeef, ", DATA),
        ("0xDEADBEEF, ", DATA),
        ("-", DATA),
        ("\n", DATA),
    ],
)
def test_the_least_number_of_bytes_that_must_repeat(period: str, needed: int) -> None:
    """CYCLE-4: a period without words is less evidence."""
    size = len(period.encode())
    enough = size + needed
    longest = (period * enough).encode()
    assert find_cycle(longest[-enough:].decode(errors="replace")) is not None
    assert find_cycle("|" + longest[1 - enough :].decode(errors="replace")) is None


def test_the_least_number_of_periods() -> None:
    """CYCLE-4: three are not enough, however long the period is."""
    period = PAGE[:2000]
    assert find_cycle(period * 3) is None
    assert find_cycle(period * 4) == Cycle(2000, 4)


line = st.text(st.characters(exclude_characters="\n"), max_size=80)


@settings(deadline=None)
@given(line, line, st.integers(100, 600))
@example("", ". To do", 400)
@example("def test_", "() -> None: ...", 400)
def test_lines_that_differ_are_no_cycle(left: str, right: str, count: int) -> None:
    """CYCLE-3: a counter turns a repetition into a list or a table."""
    assert find_cycle("".join(f"{left}{n}{right}\n" for n in range(count))) is None


@settings(deadline=None)
@given(st.text(), st.text(min_size=1), st.integers(0, 5000))
def test_no_text_raises(lead_in: str, period: str, count: int) -> None:
    """Emoji, lone surrogates and the empty text included."""
    found = find_cycle(lead_in + (period + "\udc80") * count)
    assert found is None or found.length <= len(period) + 1


def test_no_text_of_the_seams_is_a_cycle() -> None:
    """CYCLE-4: at every character; some of them contain repetitions."""
    counts = false_positives(texts(), every=1)
    assert sum(count.places for count in counts.values()) > 10_000
    assert not [found for count in counts.values() for found in count.positives]


def test_no_text_of_the_standard_library_is_a_cycle() -> None:
    """CYCLE-4: a sample; `tests.benchmarks.repetition` reads all of it, and more."""
    counts = false_positives(standard_library(step=8), every=1000)
    assert set(counts) == {"prose", "code", "tables"}
    assert sum(count.places for count in counts.values()) > 2_000
    assert not [found for count in counts.values() for found in count.positives]


@pytest.mark.parametrize(("name", "text"), asked_for())
def test_what_a_user_asked_for_is_no_cycle(name: str, text: str) -> None:
    """CYCLE-4: except where the text alone can't be distinguished from a loop."""
    known = {"100 longer lines", "100 x 100 zeros", "100 blank JSON records"}
    first = first_positive(text, every=40)
    assert (first is not None) == (name in known)
    assert first is None or first[0] > WORDS

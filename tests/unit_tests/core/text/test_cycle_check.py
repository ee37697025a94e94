"""The rules CYCLE-CHECK-1 to CYCLE-CHECK-6."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.cycle_check import CycleCheck
from langchain_bedrock_continue._core.text.earlier_text import EarlierText
from tests.seams.texts import texts

START = (
    "A postman found a letter in his bag one morning, and it had his own name on it. "
)
UNIT = (
    "He read the letter carefully, and saw that it was a message from his friend. It "
    "was written in a strange script, and told of things that he had never seen. "
)
NEXT = "Then he put it away, walked home, and wrote an answer of eleven pages to it. "
ROWS = "| 12 | a large grey cat | asleep |\n| 13 | a small black dog | awake |\n"
TABLE = f"| no | animal | state |\n|---|---|---|\n{ROWS}"
LINE = "I will not talk in class again.\n"
CHORUS = (
    "Row, row, row your boat\nGently down the stream\n"
    "Merrily, merrily\nLife is a dream\n"
)
VERSES = [
    f"Verse {n} has words of its own, {n * n}\nAnd {n * 7} more of them\n\n"
    for n in range(9)
]
CODE = "```python\nassert walk(1) == 2\nassert run(2) == 3\n"


def read(before: str, chunks: list[str], *, is_last_try: bool) -> tuple[str, bool]:
    check = CycleCheck(EarlierText(before), is_last_try=is_last_try)
    released = "".join(check.feed(chunk) or "" for chunk in chunks)
    return released + check.finish(), check.found


def cut(text: str, at: int) -> tuple[str, list[str]]:
    return text[:at], list(text[at:])


@pytest.mark.parametrize("at", range(40, len(UNIT), 11))
def test_cycle_check_2_the_same_passage_twice(at: int) -> None:
    before, new = cut(START + UNIT * 3, len(START + UNIT) + at)
    assert read(before, new, is_last_try=False) == ("", True)


def test_cycle_check_2_the_period_counts_with_what_is_the_same_before() -> None:
    seam = len(START + UNIT + UNIT[:60])
    before, new = cut(START + UNIT * 2, seam)
    check = CycleCheck(EarlierText(before), is_last_try=False)
    fed = [char for char in new if not check.found and check.feed(char) is None]
    # Whitespace and the start of the passage before the seam are left out.
    assert len("".join(fed).replace(" ", "")) < len(UNIT) - 60


def test_cycle_check_2_a_table_that_repeats_its_rows() -> None:
    before, new = cut(TABLE + ROWS * 9, len(TABLE + ROWS * 4) + 5)
    assert read(before, new, is_last_try=False) == ("", True)


@pytest.mark.parametrize("at", range(24, 60, 7))
def test_cycle_check_2_japanese_has_fewer_characters(at: int) -> None:
    unit = "鉄道の普及により、日本の社会の都市化と地域の分割が進みました。"
    before, new = cut(
        f"日本の鉄道は、19世紀から始まりました。{unit * 4}", 24 + len(unit) + at
    )
    assert read(before, new[:40], is_last_try=False) == ("", True)


@pytest.mark.parametrize("times", [1, 2])
def test_cycle_check_3_on_the_last_try_the_third_time_counts(times: int) -> None:
    before, new = cut(START + UNIT * (times + 2), len(START + UNIT * times) + 50)
    found = read(before, new, is_last_try=True)[1]
    assert found, "two periods more are the same"
    assert not read(before, new[:60], is_last_try=True)[1]


SAME_ROW = "| B12 | fortified food, eggs, meat and poultry | a deficiency of nerves |\n"
CLAUSE = "日本の文化と地域の分割が進み、"
PARAGRAPHS = (
    "<li>\n  <h2>The sea</h2>\n  <p>A book about the sea, and about the people who live"
    " near it and wait for a ship that never comes.</p>\n</li>\n"
)
HTML = f"```html\n<ul>\n{PARAGRAPHS}"


@pytest.mark.parametrize(
    ("text", "seam"),
    [
        (f"{TABLE}{SAME_ROW * 4}", len(TABLE + SAME_ROW) + 1),
        (f"鉄道の普及により、{CLAUSE * 12}", 9 + len(CLAUSE) * 3 + 4),
        (HTML + PARAGRAPHS * 5, len(HTML + PARAGRAPHS) + 2),
    ],
)
def test_cycle_check_3_on_the_last_try_by_what_repeats(text: str, seam: int) -> None:
    before, new = cut(text, seam)
    assert read(before, new, is_last_try=True) == ("", True)
    once = len(new) // 8
    assert read(before, new[:once], is_last_try=True) == ("".join(new[:once]), False)


@pytest.mark.parametrize("truncated", [True, False])
def test_cycle_check_5_a_truncated_message_with_nothing_new(*, truncated: bool) -> None:
    before, new = START + UNIT + UNIT[:60], UNIT[60:] + UNIT[:50]
    check = CycleCheck(EarlierText(before), is_last_try=True)
    assert check.feed(new) is None
    assert check.finish(truncated=truncated) == ("" if truncated else new)
    assert check.found is truncated


@pytest.mark.parametrize(
    ("text", "seam"),
    [
        (LINE * 100, len(LINE) * 50 + 9),
        ("".join(verse + CHORUS for verse in VERSES), -len(CHORUS) // 2),
        (CODE + "assert walk(1) == 2\n" * 50, -200),
    ],
)
def test_cycle_check_3_what_may_be_asked_for_is_kept_on_the_last_try(
    text: str, seam: int
) -> None:
    before, new = cut(text, seam)
    assert read(before, new, is_last_try=True) == ("".join(new), False)


@pytest.mark.parametrize(
    "unit", [LINE, "**Genetic Algorithms**\n\n", "Who is it?\nNobody knows!\n"]
)
@pytest.mark.parametrize("is_asked_for", [True, False])
def test_cycle_check_3_a_short_line_that_nobody_asked_for(
    unit: str, *, is_asked_for: bool
) -> None:
    def has_line(line: str) -> bool:
        assert line in unit
        return is_asked_for

    before = START + unit * 5 + unit[:3]
    new = unit[3:] + unit * 40
    for chunks in ([new], list(new)):
        check = CycleCheck(EarlierText(before), is_last_try=True, is_asked_for=has_line)
        released = "".join(check.feed(chunk) or "" for chunk in chunks)
        assert (released + check.finish(), check.found) == (
            (new, False) if is_asked_for else ("", True)
        )
        check = CycleCheck(EarlierText(before), is_last_try=True, is_asked_for=has_line)
        assert check.feed(unit[3:] + unit) in {None, unit[3:] + unit}
        assert not check.found


@pytest.mark.parametrize("seam", [20, 60, 100, 110])
@pytest.mark.parametrize(
    ("clause", "other"),
    [
        ("later in the year, ", "the old railway of Japan, "),
        ("19世紀の後、", "日本の鉄道は、"),
    ],
)
def test_cycle_check_1_a_cycle_of_short_clauses_with_another_one_between(
    clause: str, other: str, seam: int
) -> None:
    unit = other + clause * (126 // len(clause))
    before, new = START + unit * 2 + unit[:seam], unit[seam:] + unit
    for chunks in ([new], list(new)):
        assert read(before, chunks, is_last_try=False) == ("", True)


def test_cycle_check_2_a_refrain_is_no_cycle() -> None:
    text = "".join(verse + CHORUS for verse in VERSES)
    for at in range(len(text) - len(CHORUS), len(text)):
        before, new = cut(text, at)
        assert read(before, new, is_last_try=False) == ("".join(new), False)


@pytest.mark.parametrize("unit", ["0, 0, 0, 1, ", "---- ", "| 0 | 0 |\n", "ab cd "])
def test_cycle_check_4_what_has_no_words(unit: str) -> None:
    before, new = cut(unit * 400, len(unit) * 200 + 1)
    assert read(before, new, is_last_try=False) == ("".join(new), False)


def test_new_text_after_a_cycle_is_released_where_it_differs() -> None:
    before = START + UNIT + UNIT[:60]
    check = CycleCheck(EarlierText(before), is_last_try=False)
    assert check.feed(UNIT[60:90]) is None
    assert check.feed("and more. ") == UNIT[60:90] + "and more. "
    assert check.decided
    assert check.feed(UNIT) == UNIT


def test_no_natural_continuation_is_a_cycle() -> None:
    cuts = 0
    for text in texts():
        if text.kind == "repetition":
            continue
        for at in range(40, len(text.full), 3):
            before, new = text.full[:at], text.full[at:]
            cuts += 1
            assert read(before, [new], is_last_try=False) == (new, False), text.name
    assert cuts > 1_000


def test_cycle_check_5_a_row_and_a_part_of_it_again() -> None:
    before, new = f"{TABLE}{SAME_ROW}|", f"{SAME_ROW[1:]}{SAME_ROW[:9]}"
    check = CycleCheck(EarlierText(before), is_last_try=True)
    assert check.feed(new) is None
    assert not check.finish(truncated=True)
    assert check.found


@given(
    st.lists(st.sampled_from([UNIT, NEXT, LINE, ROWS, "x ", "He read "]), max_size=6),
    st.integers(1, 400),
    st.sets(st.integers(0, 600), max_size=5),
    st.booleans(),
)
def test_cycle_check_6_the_chunks_do_not_matter(
    parts: list[str], seam: int, cuts: set[int], is_last_try: bool
) -> None:
    text = START + UNIT + "".join(parts)
    before, new = text[:-seam], text[-seam:]
    at = [0, *sorted(cut for cut in cuts if cut < len(new)), len(new)]
    chunks = [new[a:b] for a, b in pairwise(at)]
    once = read(before, [new], is_last_try=is_last_try)
    assert read(before, chunks, is_last_try=is_last_try) == once
    assert once in {(new, False), ("", True)}

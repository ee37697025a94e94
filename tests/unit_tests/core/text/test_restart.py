"""The rules RESTART-1 to RESTART-8, and what counts as evidence."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.earlier_text import EarlierText
from langchain_bedrock_continue._core.text.introductions import INTRODUCTION
from langchain_bedrock_continue._core.text.preambles import OPENERS
from langchain_bedrock_continue._core.text.restart import (
    Restart,
    RestartCheck,
)
from langchain_bedrock_continue._core.text.text_before import HEAD, TAIL
from langchain_bedrock_continue._core.text.text_end import without_whitespace
from tests.seams.texts import texts

# Few pieces, so that random new text often repeats the text before.
PIECES = st.sampled_from(
    [
        *("The cat sat on the mat. ", "It was late, and all lay still. ", "and "),
        *("\n", "\n\n", " ", "1. One thing\n", "2. Another thing\n", "12. ", "1"),
        *("| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "```python\n", "```\n", "`"),
        *("Here is the list:\n", "Sure! ", "Su", "here", "# Cats\n", "- cat\n"),
        *("“Well,” she said. ", '"Well," she said. ', "日本語の文です。", "🙂"),
    ]
)
STRINGS = st.lists(PIECES, max_size=24).map("".join)

PROSE = (
    "The lighthouse was built of grey stone in the year of the great storm. Its "
    "keeper counted the ships, and wrote them down in a book of her own.\n\n"
    "Nobody ever read that book but the keeper herself, on the long nights of the "
    "winter. In the spring a letter came from the ministry, and it asked for a "
)
LIST = "Before you sleep:\n\n1. Close the window\n2. Dim the lamp\n3. Put the phone aw"
TABLE = "Animals:\n\n| insect | leg |\n|---|---|\n| ant | 6 |\n| spider | 8 |\n| be"
LONG_TABLE = (
    "Animals:\n\n| animal with wings | number of legs |\n|---|---|\n| bee | 6 |\n| fl"
)
CODE = (
    "```python\ndef total(rows):\n    result = 0\n    for row in rows:\n"
    "        result += row.amount\n    return result\n\n\ndef mean(rows):\n    retu"
)
GOODS = (
    "The list:\n\n- a long item\n- one more item that is long\n"
    "- a third one, and it is longer\n"
)
VERSE = (
    "Row, row, row your boat\nGently down the stream\nMerrily, merrily, merrily\n"
    "Life is but a dream\n"
)


@dataclass
class Outcome:
    """What a check says.

    Attributes:
        released: What may be appended.
        restart: How the text begins the answer again, or None.
        seen: How many characters it had received when it was decided; None if only
            the end of the message decided it.
    """

    released: str
    restart: Restart | None
    seen: int | None


def checked(
    before: str,
    chunks: str | list[str],
    *,
    proven: bool = True,
    truncated: bool = False,
) -> Outcome:
    """Check new text; a string is given as one chunk."""
    check = RestartCheck(EarlierText(before), proven=proven)
    released, received, seen = "", 0, None
    for chunk in [chunks] if isinstance(chunks, str) else chunks:
        released += check.feed(chunk) or ""
        received += len(chunk)
        if check.decided and seen is None:
            seen = received
    released += check.finish(truncated=truncated)
    return Outcome(released, check.restart, seen)


def split(text: str, at: list[int]) -> list[str]:
    cuts = sorted(min(one, len(text)) for one in at)
    return [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]


# What holds for any text ----------------------------------------------------------

CUTS = st.lists(st.integers(0, 200), max_size=8)


@given(STRINGS, STRINGS, CUTS, st.booleans(), st.booleans())
def test_restart_1_and_2_all_or_nothing_however_it_is_split(
    before: str, new: str, cuts: list[int], proven: bool, truncated: bool
) -> None:
    for text in (new, before + new, before[len(before) // 2 :] + new):
        how = {"proven": proven, "truncated": truncated}
        whole = checked(before, text, **how)
        assert whole.released == ("" if whole.restart else text)
        for chunks in (list(text), split(text, cuts)):
            other = checked(before, chunks, **how)
            assert (other.released, other.restart) == (whole.released, whole.restart)


@given(STRINGS, STRINGS)
def test_restart_3_only_a_repetition_or_an_introduction_is_withheld(
    before: str, new: str
) -> None:
    check, compact = RestartCheck(EarlierText(before), proven=True), None
    for length in range(1, len(new) + 1):
        check.feed(new[length - 1])
        if check.decided:
            return
        compact = without_whitespace(new[:length])
        assert (
            compact in without_whitespace(before)
            or introduces(new[:length].lstrip())
            or compact.isdigit()
            or compact[:-1].isdigit()
        ), new[:length]


def introduces(start: str) -> bool:
    """Return True for the start of an introduction, and what may follow it."""
    lowered = start.lower().replace("\u2019", "'")
    is_opener = lowered.startswith(OPENERS) or any(
        opener.startswith(lowered) for opener in OPENERS
    )
    return is_opener or lowered.startswith(("`", "~~~")) or lowered in {"~", "~~"}


@given(STRINGS, STRINGS)
def test_restart_4_whitespace_and_typographic_marks_make_no_difference(
    before: str, new: str
) -> None:
    typed = before.replace('"', "“")
    assert checked(typed, new).restart == checked(before, new).restart


@pytest.mark.parametrize(
    "spaced", [PROSE.replace(" ", "  "), PROSE.replace(". ", ".\n")]
)
def test_restart_4_a_restart_in_other_lines_is_one(spaced: str) -> None:
    assert checked(PROSE, spaced).restart is Restart.FIRST_LINE


@pytest.mark.parametrize(
    "unit", ["The cat sat. ", "a\n", "| a | b |\n", "1. x\n", "ha "]
)
def test_restart_5_a_long_text_takes_bounded_time(unit: str) -> None:
    before = unit * (1_000_000 // len(unit))
    long = checked(before, [before[at : at + 4096] for at in range(0, 10**6, 4096)])
    assert long.released in {"", before[: 4096 * 245]}


def test_restart_5_the_first_and_the_last_characters_are_compared() -> None:
    lines = [
        f"Line {n} tells of the {n * n} things that it saw.\n" for n in range(4000)
    ]
    before = "".join(lines).rstrip()[:-20]
    assert len(before) > HEAD + TAIL
    assert checked(before, lines[0] + lines[1]).restart is Restart.FIRST_LINE
    near = before.rindex("\n", 0, -1000) + 1
    assert checked(before, before[near:]).restart is Restart.EARLIER_PLACE
    middle = before.index("\n", HEAD + 1000) + 1
    assert checked(before, before[middle : middle + 300]).restart is None


# What is a restart ----------------------------------------------------------------

RESTARTS = {
    "the first line": (PROSE, PROSE, Restart.FIRST_LINE),
    "after a line break": (PROSE, "\n\n" + PROSE, Restart.FIRST_LINE),
    "after an introduction": (
        PROSE,
        "Here is the whole text:\n\n" + PROSE,
        Restart.FIRST_LINE,
    ),
    "after a code fence": (CODE, "rn 1\n```\n"[:0] + CODE, Restart.FIRST_LINE),
    "a fence round prose": (PROSE, "```text\n" + PROSE, Restart.FIRST_LINE),
    "the second paragraph": (
        PROSE,
        "\n\n" + PROSE[PROSE.index("Nobody") :],
        Restart.EARLIER_PLACE,
    ),
    "the second sentence": (
        PROSE,
        PROSE[PROSE.index("Its keeper") :],
        Restart.EARLIER_PLACE,
    ),
    "item 1": (LIST, "1. Go to bed at the same time", Restart.LIST_NUMBER),
    "item 1 in brackets": (
        LIST.replace(". ", ") "),
        "1) Go to bed",
        Restart.LIST_NUMBER,
    ),
    "item 1 after an introduction": (
        LIST,
        "Here is the list:\n\n1. Go to bed",
        Restart.LIST_NUMBER,
    ),
    "the table's header": (
        TABLE,
        "\n| insect | leg |\n|---|---|\n| cow | 4 |",
        Restart.TABLE_HEADER,
    ),
    "the header in other spaces": (
        TABLE,
        "|insect|leg|\n|--|--|\n",
        Restart.TABLE_HEADER,
    ),
    "the header of a table of long words": (
        LONG_TABLE,
        "\n| animal with wings | number of legs |\n|---|---|\n",
        Restart.EARLIER_PLACE,
    ),
    "a row of the table": (
        TABLE,
        "\n| ant | 6 |\n| spider | 8 |",
        Restart.EARLIER_PLACE,
    ),
    "a heading": (
        "# Ants\n\nAnts are small, and they live in large groups under",
        "\n\n# Ants\n\nAnts are insects.",
        Restart.FIRST_LINE,
    ),
    "a later item": (
        LIST,
        "\n2. Dim the lamp\n3. Put the phone away",
        Restart.EARLIER_PLACE,
    ),
    "all of the text from a line on": (
        GOODS + "- the fo",
        "\n\n" + GOODS[GOODS.index("- a long") :] + "- the fourth",
        Restart.EARLIER_PLACE,
    ),
    "Japanese": (
        "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつ",
        "吾輩は猫である。名前はまだ無い。",
        Restart.FIRST_LINE,
    ),
}

CONTINUATIONS = {
    "the rest": (PROSE, "list of all her books."),
    "the next item": (LIST, "ay\n4. Go to bed"),
    "a list in the list": (LIST + "ay, and do this first:", "\n1. Silence it"),
    "a new list after a heading": (LIST + "ay\n\n## In the morning\n", "\n1. Get up"),
    "the next row": (TABLE, "e | 6 |\n| ant lion | 6 |\n"),
    "another table": (TABLE + "e | 6 |\n", "\n| plant | leaves |\n|---|---|\n"),
    "a word of the start": (PROSE, "The light"),
    "a title that begins alike": (
        "# Setup\n\nRun it.",
        "\n\n# Setup on Windows\nRun it",
    ),
    "inline code": (PROSE, "`foo` is a function.\nIt has no arguments."),
    "the next function": (
        CODE,
        "rn total(rows) / len(rows)\n\n\ndef total_of(rows):\n",
    ),
    "the first function's lines": (
        CODE,
        "rn mean_of()\n\n\ndef total(rows):\n    result = 0\n    for row in rows:\n",
    ),
    "a refrain": (VERSE * 2, VERSE),
    "the next object": (
        '[\n  {"name": "ant", "legs": 6, "wings": false},\n',
        '  {"name": "ant", "legs": 6, "wings": true},\n',
    ),
    "rows of zeros": ("0 0 0 0 0 0 0 0\n" * 20, "0 0 0 0 0 0 0 0\n" * 20),
    "a ruled line": (
        "Title\n==============================\nText\n",
        "==============================\n",
    ),
    "nothing": (PROSE, ""),
    "whitespace": (PROSE, "\n\n"),
    "a number": (LIST, "1"),
    "an introduction that introduces something else": (
        PROSE,
        "\n\nHere is the letter:\n\nDear Madam,",
    ),
}


@pytest.mark.parametrize("name", RESTARTS)
def test_a_restart_is_not_released(name: str) -> None:
    before, new, restart = RESTARTS[name]
    for chunks in (new, list(new)):
        outcome = checked(before, chunks)
        assert (outcome.released, outcome.restart) == ("", restart)


@pytest.mark.parametrize("name", CONTINUATIONS)
def test_a_continuation_is_released(name: str) -> None:
    before, new = CONTINUATIONS[name]
    for chunks in (new, list(new)):
        outcome = checked(before, chunks)
        assert (outcome.released, outcome.restart) == (new, None)


@pytest.mark.parametrize("name", ["the first line", "item 1", "the table's header"])
def test_a_restart_is_known_before_it_is_over(name: str) -> None:
    before, new, _ = RESTARTS[name]
    seen = checked(before, list(new + "x" * 400)).seen
    assert seen is not None
    assert seen <= 60


def test_new_text_is_released_with_its_first_character() -> None:
    assert checked(PROSE, list("zebra, and a list.")).seen == 1


def test_inline_code_is_released_at_once() -> None:
    assert checked(PROSE, list("`foo` is a function")).seen == len("`f")


def test_an_introduction_with_blanks_at_its_end_is_as_long_as_it_is() -> None:
    new = "Here is " + "x" * (INTRODUCTION - 9) + ":" + " " * 5 + "\n" + PROSE
    whole, split_up = checked(PROSE, new), checked(PROSE, list(new))
    assert (whole.released, whole.restart) == (split_up.released, split_up.restart)


def test_an_introduction_is_withheld_up_to_its_longest_length() -> None:
    seen = checked(PROSE, list("Here is " + "x" * 500)).seen
    assert seen == INTRODUCTION + 1


def test_half_of_the_evidence_is_enough_where_the_message_was_truncated() -> None:
    new = "The light"
    assert checked(PROSE, new, truncated=False).restart is None
    longer = "The lighthouse was"
    assert checked(PROSE, longer, truncated=True).restart is Restart.FIRST_LINE


# The texts of the benchmark -------------------------------------------------------


@pytest.mark.parametrize("text", texts(), ids=lambda text: text.name)
def test_no_natural_continuation_is_a_restart(text: object) -> None:
    full: str = text.full  # type: ignore[attr-defined]
    for cut in range(7, len(full), 7):
        for proven in (True, False):
            outcome = checked(full[:cut], full[cut:], proven=proven)
            assert outcome.released == full[cut:], (cut, outcome.restart)


HEADER = "Animals:\n\n| insect | "


@pytest.mark.parametrize(
    ("before", "new", "on_last_try"),
    [
        (HEADER, "\n\n| insect | leg |\n|---|---|\n", True),  # the header again
        (TABLE, "\n| bear | 4 |\n", True),  # the row again
        (TABLE, "\n| cow | 4 |\n", False),
    ],
)
def test_restart_7_a_row_after_one_that_is_not_complete(
    before: str, new: str, *, on_last_try: bool
) -> None:
    for is_last_try in (False, True):
        rejected = on_last_try or not is_last_try
        for chunks in ([new], list(new)):
            check = RestartCheck(
                EarlierText(before), proven=True, is_last_try=is_last_try
            )
            released = "".join(check.feed(chunk) or "" for chunk in chunks)
            expected = Restart.EARLIER_PLACE if rejected else None
            assert check.restart is expected
            assert released == ("" if rejected else new)


ROWS = "Lakes:\n\n| Name | Depth |\n|---|---|\n| Ober | 88 metres |\n| Walen | 1 |\n"


@pytest.mark.parametrize(
    ("row", "new", "is_same"),
    [
        ("|", " Ober | 88 metres |\n| Brienz |", True),
        ("| Ob", "er | 88 metres |", True),
        ("| Ober | 88 ", "metres |\n", True),
        ("| Ob", "er | 88 feet |\n", False),
        ("| Ob", "er |", False),
        ("| W", "alen | 1 |\n", False),  # too short
        ("| Ober | 88 metres |\n", "| Brienz | 259 metres |\n", False),
        ("Ob", "er | 88 metres |\n", False),
    ],
)
@pytest.mark.parametrize("is_last_try", [False, True])
def test_restart_8_a_row_that_becomes_an_earlier_one(
    row: str, new: str, *, is_same: bool, is_last_try: bool
) -> None:
    rejected = is_same and not is_last_try
    for chunks in ([new], list(new)):
        check = RestartCheck(
            EarlierText(ROWS + row), proven=True, is_last_try=is_last_try
        )
        released = "".join(check.feed(chunk) or "" for chunk in chunks)
        released += check.finish(truncated=True)
        assert check.restart is (Restart.EARLIER_PLACE if rejected else None)
        assert released == ("" if rejected else new)


def test_restart_6_the_title_again_is_strong_evidence() -> None:
    check = RestartCheck(EarlierText(LIST), proven=True, is_last_try=True)
    assert not check.feed("\n\nBefore you sleep:\n\n")
    assert check.restart is Restart.FIRST_LINE


@pytest.mark.parametrize("fence", ["```python\n", "~~~python\n", "```\n\n", ""])
def test_restart_6_a_block_that_is_opened_again_is_strong_evidence(fence: str) -> None:
    text = CODE.rpartition("\n")[0]
    new = f"\n\n{fence}{text.partition('python')[2].strip()}"
    check = RestartCheck(EarlierText(text), proven=True, is_last_try=True)
    released = "".join(check.feed(char) or "" for char in new)
    released += check.finish(truncated=False)
    assert (released == "") == ("python" in fence)
    assert (check.restart is not None) == ("python" in fence)

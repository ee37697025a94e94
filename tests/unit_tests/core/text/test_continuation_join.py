"""The rules JOIN-1 to JOIN-4, and restarts of the texts of the benchmark."""

import itertools
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.continuation_join import (
    ContinuationJoin,
    ExpectedEcho,
    NoEcho,
    Rejection,
)
from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.quote import choose_quote
from langchain_bedrock_continue._core.text.restart import Restart
from tests.seams.texts import Text, texts

CAPACITY = 4 * 4096
"""What a response of 4,096 tokens has room for, in characters."""

EVIDENCE = 60
"""How much of an earlier place is repeated before a stream is closed (JOIN-2)."""

PIECES = st.sampled_from(
    [
        *("The cat sat on the mat. ", "it was late and all lay still ", "and ", "Cats"),
        *("\n", "\n\n", " ", "1. One thing\n", "2. Another thing\n", "a", "A"),
        *("| animal | legs |\n", "|---|---|\n", "| ant | 6 |\n", "```python\n", "`"),
        *("Here is the list:\n", "Sure! ", "# Cats on mats\n", "# Cats\n", "ha "),
        *("…", "日本語の文です。", "🙂", '"Well," she said. '),
    ]
)
STRINGS = st.lists(PIECES, max_size=24).map("".join)
CUTS = st.lists(st.integers(0, 300), max_size=8)


@dataclass
class Joined:
    """How a message was joined.

    Attributes:
        text: The whole text.
        rejected: Why the message was rejected, or None.
        seen: After how many characters it was rejected, or the first new text came.
    """

    text: str
    rejected: Rejection | None
    seen: int | None = None


@cache
def join_of(
    before: str, *, last: bool = True, capacity: int | None = CAPACITY
) -> ContinuationJoin:
    quote = choose_quote(before, 1024)
    expected = ExpectedEcho(quote=quote, capacity=capacity, needs_echo=not last)
    return ContinuationJoin(EchoJoin(before, quote), before, expected)


def joined(
    before: str,
    chunks: str | list[str],
    *,
    truncated: bool = False,
    last: bool = True,
    capacity: int | None = CAPACITY,
) -> Joined:
    """Join a message; a string is one chunk."""
    join = join_of(before, last=last, capacity=capacity).fresh()
    added, received, seen = "", 0, None
    for chunk in [chunks] if isinstance(chunks, str) else chunks:
        released = join.feed(chunk)
        received += len(chunk)
        added += released or ""
        if seen is None and (released or join.rejected):
            seen = received
    added += join.finish(truncated=truncated)
    return Joined(before[: len(before) - join.replaced] + added, join.rejected, seen)


def split(text: str, at: list[int]) -> list[str]:
    cuts = sorted(min(one, len(text)) for one in at)
    return [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]


# Any text -------------------------------------------------------------------------


HOW = st.fixed_dictionaries(
    {
        "last": st.booleans(),
        "truncated": st.booleans(),
        "capacity": st.sampled_from([None, 40, 400]),
    }
)


@given(STRINGS, STRINGS, CUTS, HOW)
def test_join_1_and_4_all_or_nothing_however_it_is_split(
    before: str, rest: str, cuts: list[int], how: dict[str, Any]
) -> None:
    quote = choose_quote(before, 1024)
    messages = (rest, quote + rest, quote + before + rest, before + rest)
    for message in (*messages, "Here it is:\n\n" + before + rest):
        whole, *others = (
            joined(before, chunks, **how)
            for chunks in (message, list(message), split(message, cuts))
        )
        if whole.rejected:
            assert whole.text == before
        for other in others:
            assert (other.text, other.rejected) == (whole.text, whole.rejected)


# Restarts at real sizes -----------------------------------------------------------

LONG = "".join(
    f"Line {n} of the long report tells what happened on day {n * n}.\n"
    for n in range(600)
)
"""As much as a response of 8,000 tokens holds."""


@pytest.mark.parametrize(
    "lead",
    ["", "Sure! Here is the report:\n\n", "```\n", "Here is the report:\n\n```text\n"],
)
def test_join_2_a_restart_is_certain_after_its_first_characters(lead: str) -> None:
    outcome = joined(LONG, list(lead + LONG))
    assert outcome.rejected is Restart.FIRST_LINE
    assert outcome.text == LONG
    assert outcome.seen is not None
    assert outcome.seen <= len(lead) + 2 * EVIDENCE


@pytest.mark.parametrize("lead", ["\n\n", "\n\nHere is the report:\n\n", "\n```\n"])
def test_join_2_so_is_one_after_the_echo(lead: str) -> None:
    echo = choose_quote(LONG, 1024) + lead
    outcome = joined(LONG, list(echo + LONG))
    assert (outcome.text, outcome.rejected) == (LONG, Restart.FIRST_LINE)
    assert outcome.seen is not None
    assert outcome.seen <= len(echo) + 4 * EVIDENCE


@pytest.mark.parametrize("capacity", [None, CAPACITY])
def test_join_2_so_is_one_after_the_echo_that_is_truncated(
    capacity: int | None,
) -> None:
    before = LONG[:1000]
    message = choose_quote(before, 1024) + "\n\n" + before
    for chunks in (message, list(message)):
        outcome = joined(before, chunks, truncated=True, capacity=capacity)
        assert (outcome.text, outcome.rejected) == (before, Restart.FIRST_LINE)


def test_join_2_so_is_one_from_an_early_line() -> None:
    start = LONG.index("Line 40 ")
    outcome = joined(LONG, list(LONG[start:]))
    assert outcome.rejected is Restart.EARLIER_PLACE
    assert outcome.seen is not None
    assert outcome.seen <= 400  # its lines are as short as verse


def test_join_2_a_repetition_that_can_reach_the_end_is_joined() -> None:
    start = LONG.index("Line 590 ")
    outcome = joined(LONG, list(LONG[start:] + "The end."))
    assert (outcome.text, outcome.rejected) == (LONG + "The end.", None)


def test_join_2_with_no_limit_a_complete_restart_is_joined() -> None:
    outcome = joined(LONG, LONG + "The end.", capacity=None)
    assert (outcome.text, outcome.rejected) == (LONG + "The end.", None)


@pytest.mark.parametrize("capacity", [None, CAPACITY])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", " "])
@pytest.mark.parametrize("lead", ["", "Sure! Here is the report:\n\n", "```\n"])
def test_join_2_a_restart_that_is_truncated_where_the_text_was_brings_nothing(
    lead: str, end: str, capacity: int | None
) -> None:
    before = LONG[:1000].rstrip() + end
    for chunks in (lead + before, list(lead + before)):
        outcome = joined(before, chunks, truncated=True, capacity=capacity)
        assert (outcome.text, outcome.rejected) == (before, Restart.FIRST_LINE)


def test_join_2_an_echo_that_is_truncated_is_no_restart() -> None:
    before = LONG[:1000] + "Then it rained for a week, and the river rose above the"
    quote = choose_quote(before, 1024)
    for end in range(len(quote)):
        assert joined(before, quote[:end], truncated=True) == Joined(before, None)


# Without an echo ------------------------------------------------------------------

SENTENCE = "Once upon a time a knight had lost his horse, and he asked for"


@pytest.mark.parametrize("before", [SENTENCE, SENTENCE + ",", SENTENCE + ";"])
def test_join_3_a_capital_letter_in_a_sentence_is_rejected(before: str) -> None:
    outcome = joined(before, "The king was not at home.", last=False)
    assert (outcome.text, outcome.rejected) == (before, NoEcho.NO_ECHO)


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (SENTENCE + " another bed.", "The king was not at home."),
        (SENTENCE + " another bed.\n\n", "The king was not at home."),
        ("Tips:\n\n1. Go to bed.\n2.", "3. Read a book."),
        ("```html\n<h1>Bakery</h1>\n", "The header of the bakery is a heading."),
        ("```js\nconst users = this.get", "User().name"),
        ("```js\nconst users = this.get", "```js\nUser().name"),
        (SENTENCE + " another bed.", "Here is the rest:\n\nThe king was not at home."),
    ],
)
def test_join_3_what_does_not_plainly_go_on_is_rejected(before: str, new: str) -> None:
    outcome = joined(before, new, last=False)
    assert (outcome.text, outcome.rejected) == (before, NoEcho.NO_ECHO)


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (SENTENCE, " another bed."),
        (SENTENCE, " Arthur."),
        (SENTENCE, "ever and ever."),
        (SENTENCE + " another bed.", " The king was not at home."),
        (SENTENCE + " another bed.", "\n\nThe king was not at home."),
        (SENTENCE + " horses 12", "5 times."),
        ("吾輩は猫", "である。"),
    ],
)
def test_join_3_what_may_continue_the_sentence_is_kept(before: str, new: str) -> None:
    outcome = joined(before, new, last=False)
    assert (outcome.text, outcome.rejected) == (before + new, None)


@pytest.mark.parametrize("before", ["Tips:\n\n8.", "Tips:\n\n- Rest\n- ", "1)"])
@pytest.mark.parametrize("last", [True, False])
def test_join_3_an_empty_item_does_not_go_on_with_an_item(
    before: str, *, last: bool
) -> None:
    new = "* Read" if "-" in before else "9. Read"
    assert joined(before, new, last=last).rejected is NoEcho.NO_ECHO
    assert joined(before, " Read", last=last).text == before + " Read"


def test_join_3_the_last_try_is_kept() -> None:
    new = "The king was not at home."
    assert joined(SENTENCE, new).text == SENTENCE + new


def test_join_3_after_an_echo_anything_is_kept() -> None:
    new = "The king was not at home."
    quote = choose_quote(SENTENCE, 1024)
    assert joined(SENTENCE, quote + new, last=False).text == SENTENCE + new


def test_another_version_of_the_answer_is_not_rejected() -> None:
    expected = ExpectedEcho(capacity=CAPACITY, may_reject=False)
    join = ContinuationJoin(EchoJoin(LONG, ""), LONG, expected)
    join.feed(LONG[: len(LONG) // 2])
    join.finish(truncated=True)
    assert join.rejected is None


@pytest.mark.parametrize("unit", ["The cat sat. ", "a\n", "| a | b |\n", "1. x\n"])
def test_a_long_text_takes_bounded_time(unit: str) -> None:
    before = unit * (1_000_000 // len(unit))
    for message in (before, "And now something else. " * 40_000):
        joined(before, split(message, list(range(0, len(message), 65_536))))


# The texts of the benchmark -------------------------------------------------------

STEP = 7


def seams(least: int = STEP) -> Iterator[tuple[Text, int]]:
    """Yield each text with each place where it is cut."""
    for text in texts():
        for cut in range(STEP, len(text.full), STEP):
            if cut >= least:
                yield text, cut


def continuations(text: Text, cut: int) -> list[tuple[str, str]]:
    """Return the echo and the message: without an echo, and with one."""
    quote = choose_quote(text.full[:cut], 1024)
    body = text.full[:cut].rstrip()
    return [("", text.full[cut:]), (quote, quote + text.full[len(body) :])]


@pytest.mark.parametrize("begins", ["4. **Maps**: A search", "## Maps"])
def test_join_3_a_list_item_or_a_heading_in_a_sentence_is_rejected(begins: str) -> None:
    before = "Three inventions:\n\n3. **Maps**: A search"
    join = ContinuationJoin(
        EchoJoin(before, "A search"), before, ExpectedEcho("A search", needs_echo=True)
    )
    assert (join.feed(begins), join.finish()) == (None, "")
    assert join.rejected is NoEcho.NO_ECHO


def test_no_natural_continuation_with_an_echo_is_rejected() -> None:
    for text, cut in seams():
        for echo, message in continuations(text, cut):
            for last in (True, False):
                outcome = joined(text.full[:cut], message, last=last)
                weak = {NoEcho.NO_ECHO} if not (echo or last) else set()
                assert outcome.rejected in {None, *weak}, (text.name, cut)


def test_few_characters_are_withheld_before_new_text() -> None:
    withheld = []
    for text, cut in itertools.islice(seams(), 0, None, 5):
        for echo, message in continuations(text, cut):
            seen = joined(text.full[:cut], list(message)).seen
            if seen is not None:
                withheld.append(seen - len(echo))
    assert len(withheld) > 700
    assert statistics.median(withheld) <= 4  # 3 when this was written
    assert max(withheld) <= 300  # 241: a quote in quotation marks, and a refrain


def earlier_line(before: str, quote: str) -> int | None:
    """Return where a line begins, in the middle of those before the quote."""
    end = len(before.rstrip()) - len(quote)
    starts = [match.end() for match in re.finditer(r"\n(?=.)", before[:end])]
    return starts[len(starts) // 2] if starts else None


@dataclass
class Kind:
    """A kind of restart, and how the texts of the benchmark are joined with it.

    Attributes:
        echoes: The quote precedes it, as requested.
        from_line: It begins with an earlier line, and not with the first.
        truncated: It is truncated where the text was, and else it is complete.
        kept: At how many of the seams the repetition is kept.
        shortest: The shortest text at which the seam is.
    """

    echoes: bool
    from_line: bool
    truncated: bool
    kept: int
    shortest: int = 60

    def message(self, full: str, cut: int) -> str | None:
        """Return what the model writes; None where there is no earlier line."""
        quote = choose_quote(full[:cut], 1024)
        start = earlier_line(full[:cut], quote) if self.from_line else 0
        if start is None:
            return None
        again = full[start:cut] if self.truncated else full[start:]
        return f"{quote}\n\n{again}" if self.echoes else again


KINDS = {
    # A song of two lines, which are alike: where it repeats, nobody can tell.
    "top": Kind(echoes=False, from_line=False, truncated=False, kept=1),
    "top, truncated": Kind(echoes=False, from_line=False, truncated=True, kept=1),
    "line": Kind(echoes=False, from_line=True, truncated=False, kept=0),
    "line, truncated": Kind(echoes=False, from_line=True, truncated=True, kept=0),
    # Texts of fewer than 150 characters.
    "echo, top": Kind(echoes=True, from_line=False, truncated=False, kept=6),
    "echo, top, truncated": Kind(echoes=True, from_line=False, truncated=True, kept=0),
    "echo, top of a longer text": Kind(
        echoes=True, from_line=False, truncated=False, kept=0, shortest=200
    ),
    # A line or two, and then the seam.
    "echo, line": Kind(echoes=True, from_line=True, truncated=False, kept=13),
    "echo, line, truncated": Kind(echoes=True, from_line=True, truncated=True, kept=0),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_restart_is_not_doubled(name: str) -> None:
    kind, joins, kept = KINDS[name], 0, []
    for text, cut in itertools.islice(seams(kind.shortest), 0, None, 3):
        message, before = kind.message(text.full, cut), text.full[:cut]
        if message is None:
            continue
        outcome = joined(before, message, truncated=kind.truncated)
        joins += 1
        if not outcome.rejected and outcome.text not in {text.full, before}:
            kept.append((text.name, cut))
    assert joins > 380
    assert len(kept) == kind.kept, kept


def test_join_2_a_ruled_line_again_is_no_restart() -> None:
    rule = f"+{'-' * 90}+\n"
    row = "| the name of an animal, and what is known of it up to this day         |\n"
    text = f"{rule}{row}{row.replace('animal', 'insect')}{rule[:20]}"
    expected = ExpectedEcho(quote=rule[:20], capacity=100, is_last_try=True)
    join = ContinuationJoin(EchoJoin(text, rule[:20]), text, expected)
    new = f"{rule[20:]}\nThe end."
    released = (join.feed(rule[:20] + new) or "") + join.finish(truncated=True)
    assert (join.rejected, released) == (None, new)

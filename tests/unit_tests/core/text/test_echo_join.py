"""The numbered invariants of `echo`, `overlap` and `lead`."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.echo_join import Join
from langchain_bedrock_continue._core.text.healed_cut import HALF
from langchain_bedrock_continue._core.text.lead_ins import WINDOW
from langchain_bedrock_continue._core.text.overlap import NEAR
from langchain_bedrock_continue._core.text.quote import LENGTH, opening_of, quote_of
from tests.benchmarks.seams import measure, total
from tests.seams.habits import ECHO, HABITS, Habit
from tests.seams.texts import Text, texts

# Few pieces, so that they repeat; and all that a lead-in is made of.
PIECES = st.sampled_from(
    [
        *("ha ", "ha", " ", "\n", "\n\n", "  ", "a", "the cat sat on the mat"),
        *("日本", "🙂", "e\u0301", '"', "`", "```\n", "```python\n", "…", "..."),
        *("|", "| a | b |\n", "|---|---|\n", "<tail>", "</tail>"),
        *("Sure! ", "Continuing from where I left off:\n\n"),
    ]
)
STRINGS = st.lists(PIECES, max_size=40).map("".join)
BUDGETS = st.sampled_from([1, 11, 100, 4096])
TEXTS = texts()

KNIGHT = (
    "Once upon a time there was a knight who had lost his horse, and because he was "
    "too proud to walk he stayed at the inn for a year. Every morning he asked for "
    "his bill, and every evening he asked for an"
)


def chunked(data: st.DataObject, text: str) -> list[str]:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    return [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]


def join_of(text: str, max_tokens: int = 1024) -> Join:
    quote = quote_of(text, max_tokens)
    return Join(text, quote, opening=opening_of(quote))


def joined(text: str, message: str, *, cut: bool = False) -> tuple[str, str | None]:
    join = join_of(text)
    added = (join.feed(message) or "") + join.finish(cut=cut)
    return text[: len(text) - join.back] + added, join.how


@given(STRINGS, STRINGS, BUDGETS, st.data())
def test_j1_an_echo_as_asked_joins_exactly(
    text: str, rest: str, max_tokens: int, data: st.DataObject
) -> None:
    join = join_of(text, max_tokens)
    quote = quote_of(text, max_tokens)
    if not quote:
        return
    full = text.rstrip() + rest
    shown = (
        "".join(join.feed(c) or "" for c in chunked(data, quote + rest)) + join.finish()
    )
    if rest and not rest[0].isspace():
        full = text + rest  # the model went on without the whitespace
    if rest:
        assert text[: len(text) - join.back] + shown == full
        assert join.how == "echo"


@given(st.sampled_from(TEXTS), st.data())
def test_j1_any_text_cut_anywhere_any_number_of_times(
    item: Text, data: st.DataObject
) -> None:
    places = st.lists(st.integers(1, len(item.full) - 1), min_size=1, max_size=5)
    cuts = sorted({*data.draw(places), len(item.full)})
    text = item.full[: cuts[0]]
    for end in cuts[1:]:
        message = ECHO.write(item.full[:end], text, quote_of(text, 1024))
        assert message is not None
        join = join_of(text)
        shown = [join.feed(chunk) or "" for chunk in chunked(data, message)]
        text = text[: len(text) - join.back] + "".join([*shown, join.finish()])
        assert text.rstrip() == item.full[:end].rstrip()
    assert text == item.full


def test_j1_an_echo_counts_once() -> None:
    assert joined("ha ha ha", "ha ha ha ha!") == ("ha ha ha ha!", "echo")
    assert joined("ha ha ha", "ha ha ha ha ha ha!")[0] == "ha ha ha ha ha ha!"


@given(STRINGS, STRINGS, st.booleans())
def test_j2_what_is_kept_ends_the_message(text: str, message: str, cut: bool) -> None:
    join = join_of(text)
    added = (join.feed(message) or "") + join.finish(cut=cut)
    assert message.endswith(added)
    if join.how == "as_is":
        assert added == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("He laughed: ha ha", "ha ha!"),
        ("no, no, no, no, no, no, no,", "no, no, no, no, no, yes"),
        ("timeout\ntimeout\ntimeout\ntim", "eout\ntimeout\n"),
        ("Sing:\nla la la la la\nla la la", "la la\nla la la la la\n"),
        ("total = [", "...parts, last]"),
        ("She waited... and", "... nothing came"),
        ("He stopped.", "... But then"),
        ("```python\nx = 1\n", "```\n\nThat is all."),
        ("Here is the plan:\n\n", "Here is the first step:\n\n- wait"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n", "| a | b |\n|---|---|\n| 3 | 4 |\n"),
    ],
)
def test_j2_what_may_be_the_texts_own_is_kept(text: str, message: str) -> None:
    assert joined(text, message) == (text + message, "as_is")


@given(STRINGS, STRINGS)
def test_j3_only_trailing_whitespace_is_replaced(text: str, message: str) -> None:
    join = join_of(text)
    added = (join.feed(message) or "") + join.finish()
    replaced = text[len(text) - join.back :]
    assert not replaced.strip()
    assert not replaced or added[0].isspace()


@pytest.mark.parametrize(
    ("text", "message", "whole"),
    [
        ("The quick ", "The quick brown", "The quick brown"),
        ("The quick\n", "The quick\n\nbrown", "The quick\n\nbrown"),
        ("The quick ", "The quickbrown", "The quick brown"),
        ("日本" + HALF, "日本語", "日本語"),
        ("日本" + HALF, "日本", "日本" + HALF),
        ("The quick ", "", "The quick "),
        ("", "The quick", "The quick"),
        (" \n", "The quick", " \nThe quick"),
    ],
)
def test_j3_whitespace_at_the_seam(text: str, message: str, whole: str) -> None:
    assert joined(text, message)[0] == whole


@given(STRINGS, STRINGS, st.booleans(), st.data())
def test_j4_a_join_on_a_stream_is_the_join_on_the_whole(
    text: str, message: str, cut: bool, data: st.DataObject
) -> None:
    whole, stream = join_of(text), join_of(text)
    at_once = (whole.feed(message) or "") + whole.finish(cut=cut)
    shown = "".join(stream.feed(c) or "" for c in chunked(data, message))
    assert shown + stream.finish(cut=cut) == at_once
    assert (stream.how, stream.back) == (whole.how, whole.back)


@given(st.sampled_from(TEXTS), st.sampled_from(HABITS), st.data())
def test_j4_for_every_habit(item: Text, habit: Habit, data: st.DataObject) -> None:
    text = item.full[: data.draw(st.integers(1, len(item.full) - 1))]
    message = habit.write(item.full, text, quote_of(text, 1024))
    if message is None:
        return
    stream = join_of(text)
    shown = "".join(stream.feed(char) or "" for char in message) + stream.finish()
    assert text[: len(text) - stream.back] + shown == joined(text, message)[0]


@given(STRINGS, STRINGS)
def test_j5_the_window_is_bounded_unless_the_message_repeats_the_text(
    text: str, message: str
) -> None:
    join = join_of(text)
    for at, char in enumerate(message, 1):
        if join.feed(char) is not None:
            return
        solid = len("".join(message[:at].split()))
        follows = "".join(message[:at].split()) in "".join(text.split())
        assert follows or solid <= WINDOW + NEAR + LENGTH


def test_j5_a_long_restart_is_followed_to_its_end() -> None:
    text = "".join(f"Line {n} of {n * n}, and so on.\n" for n in range(3000))
    join = join_of(text + "Line 3000 of")
    for at in range(0, len(text), 5):
        assert join.feed(text[at : at + 5]) is None
    assert (join.feed("Line 3000 of 9") or "") + join.finish() == " 9"
    assert join.how == "restart"


@pytest.mark.parametrize(
    ("message", "how"),
    [
        ("{quote}other bed.", "echo"),
        ('"{quote}"other bed.', "marks"),
        ("`{quote}`other bed.", "marks"),
        ("…{quote}other bed.", "ellipsis"),
        ("**{quote}**other bed.", "marks"),
        ("<tail>{quote}</tail>other bed.", "opening"),
        ("<tail>\n{quote}\n</tail>other bed.", "opening"),
        ("```\n{quote}other bed.", "fence"),
        ("Sure! Here is the rest:\n\n{quote}other bed.", "preamble"),
        ("Sorry for the cut. {quote}other bed.", "preamble"),
        ("Sure:\n\n```text\n{quote}other bed.", "fence"),
        ('Continuing:\n\n"{quote}"other bed.', "marks"),
        ("{text}other bed.", "restart"),
        ("Sure!\n{text}other bed.", "preamble"),
        ("every evening he asked for another bed.", "overlap"),
        ("…other bed.", "ellipsis"),
        ("...other bed.", "ellipsis"),
        ("Continuing from where I left off:\n\nother bed.", "preamble"),
        ("I’m sorry for the interruption. I'll continue:\n\nother bed.", "preamble"),
        ("other bed.", "as_is"),
    ],
)
def test_how_a_message_joins(message: str, how: str) -> None:
    filled = message.format(quote=quote_of(KNIGHT, 1024), text=KNIGHT)
    assert joined(KNIGHT, filled) == (KNIGHT + "other bed.", how)


TABLE = "The lakes:\n\n| name | depth |\n|---|---:|\n| Ober | 88 |\n"
HEADER = "| name | depth |\n|---|---:|\n"
CODE = "So:\n\n```python\ndef area(width):\n"


@pytest.mark.parametrize(
    ("text", "message", "whole"),
    [
        (TABLE, HEADER + "| Klein | 31 |\n", TABLE + "| Klein | 31 |\n"),
        (TABLE[:-1], HEADER + "| Klein | 31 |\n", TABLE + "| Klein | 31 |\n"),
        (TABLE + "| Kl", HEADER + "| Klein | 31 |\n", TABLE + "| Klein | 31 |\n"),
        (CODE, "```python\n    return width\n", CODE + "    return width\n"),
        (CODE + "    ", "```python\n    return width\n", CODE + "    return width\n"),
        (CODE + "    ret", "```py\n    return width\n", CODE + "    return width\n"),
    ],
)
def test_lines_of_a_table_and_of_code(text: str, message: str, whole: str) -> None:
    assert joined(text, message)[0] == whole


def test_a_message_that_only_repeats_adds_nothing() -> None:
    quote = quote_of(KNIGHT, 1024)
    assert joined(KNIGHT, quote) == (KNIGHT, "echo")
    assert joined(KNIGHT, quote[:40]) == (KNIGHT, "unfinished")
    assert joined(KNIGHT, KNIGHT[:90], cut=True) == (KNIGHT, "unfinished")
    assert joined(KNIGHT, KNIGHT[:90]) == (KNIGHT + KNIGHT[:90], "as_is")


def test_the_quote_must_end_the_text() -> None:
    with pytest.raises(ValueError, match="quote must be the end of the text"):
        Join("The quick", "brown")


def test_the_benchmark_in_small() -> None:
    results = measure(17, rules=["this package"])
    for score in results.prefill.values():
        assert score.exact == score.joins
    for habit in HABITS:
        score = total(results.known, habit=habit.name)
        assert not score.lost, (habit.name, score.failed)
        assert score.exact >= 0.95 * score.joins, (habit.name, score.failed)
    echo = total(results.known, habit=ECHO.name)
    assert echo.joins == echo.exact > 500

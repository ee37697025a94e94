"""The rules ECHO-1 to ECHO-5, on random messages and on the texts of the benchmark."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.healed_cut import HALF_CHARACTER
from langchain_bedrock_continue._core.text.join_rules import JoinResult, JoinRule
from langchain_bedrock_continue._core.text.lead_ins import WINDOW
from langchain_bedrock_continue._core.text.quote import (
    LINE,
    WORDS,
    QuoteKind,
    choose_quote,
)
from langchain_bedrock_continue._core.text.text_end import (
    MAX_DISTANCE,
    weight,
    without_whitespace,
)
from tests.benchmarks.seams import measure, total
from tests.seams.habits import ECHO, HABITS, Habit
from tests.seams.texts import Text, texts

# Few pieces, so that random texts repeat them, and all parts of lead-ins.
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
KINDS = st.sampled_from([WORDS, LINE])
OPENINGS = st.sampled_from(["", "<tail>", "`"])
TEXTS = texts()

KNIGHT = (
    "Once upon a time there was a knight who had lost his horse, and because he was "
    "too proud to walk he stayed at the inn for a year. Every morning he asked for "
    "his bill, and every evening he asked for an"
)


def chunked(data: st.DataObject, text: str) -> list[str]:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    return [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]


def join_of(
    text: str,
    max_tokens: int = 1024,
    kind: QuoteKind = WORDS,
    opening: str = "<tail>",
) -> EchoJoin:
    """Return a join to a text; the opening is one of a caller's own template."""
    return EchoJoin(text, choose_quote(text, max_tokens, kind), opening=opening)


def rule_of(join: EchoJoin) -> str | None:
    return join.result.rule if join.result else None


def joined(
    text: str, message: str, *, truncated: bool = False
) -> tuple[str, str | None]:
    join = join_of(text)
    added = (join.feed(message) or "") + join.finish(truncated=truncated)
    return text[: len(text) - join.replaced] + added, rule_of(join)


@given(STRINGS, STRINGS, BUDGETS, st.data())
def test_echo_1_an_echo_as_requested_joins_exactly(
    text: str, rest: str, max_tokens: int, data: st.DataObject
) -> None:
    kind, opening = data.draw(KINDS), data.draw(OPENINGS)
    join = join_of(text, max_tokens, kind, opening)
    quote = choose_quote(text, max_tokens, kind)
    is_long = weight(without_whitespace(text)) >= 60
    begins_again = without_whitespace(rest).startswith(without_whitespace(text))
    if not quote or (begins_again and is_long):  # REST-2: see test_rest
        return
    full = text.rstrip() + rest
    shown = (
        "".join(join.feed(c) or "" for c in chunked(data, quote + rest)) + join.finish()
    )
    if rest and not rest[0].isspace():
        full = text + rest  # the model left the whitespace out
    if rest:
        assert text[: len(text) - join.replaced] + shown == full
        assert join.result == JoinResult(JoinRule.ECHO, len(quote))


@given(st.sampled_from(TEXTS), st.data())
def test_echo_1_a_text_cut_anywhere_several_times(
    item: Text, data: st.DataObject
) -> None:
    places = st.lists(st.integers(1, len(item.full) - 1), min_size=1, max_size=5)
    cuts = sorted({*data.draw(places), len(item.full)})
    kind, opening = data.draw(KINDS), data.draw(OPENINGS)
    text = item.full[: cuts[0]]
    for end in cuts[1:]:
        quote = choose_quote(text, 1024, kind)
        message = ECHO.write(item.full[:end], text, quote)
        assert message is not None
        join = join_of(text, 1024, kind, opening)
        shown = [join.feed(chunk) or "" for chunk in chunked(data, message)]
        added = "".join([*shown, join.finish()])
        text = text[: len(text) - join.replaced] + added
        assert text.rstrip() == item.full[:end].rstrip()
    assert text == item.full


def test_echo_1_an_echo_counts_once() -> None:
    assert joined("ha ha ha", "ha ha ha ha!") == ("ha ha ha ha!", "echo")
    assert joined("ha ha ha", "ha ha ha ha ha ha!")[0] == "ha ha ha ha ha ha!"


@given(STRINGS, STRINGS, st.booleans())
def test_echo_2_what_is_kept_is_an_end_of_the_message(
    text: str, message: str, truncated: bool
) -> None:
    join = join_of(text)
    added = (join.feed(message) or "") + join.finish(truncated=truncated)
    assert message.endswith(added)
    if rule_of(join) == "as_is":
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
def test_echo_2_what_may_belong_to_the_text_is_kept(text: str, message: str) -> None:
    assert joined(text, message) == (text + message, "as_is")


@given(STRINGS, STRINGS)
def test_echo_3_only_trailing_whitespace_is_replaced(text: str, message: str) -> None:
    join = join_of(text)
    added = (join.feed(message) or "") + join.finish()
    replaced = text[len(text) - join.replaced :]
    assert not replaced.strip()
    assert not replaced or added[0].isspace()


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("The quick ", "The quick brown", "The quick brown"),
        ("The quick\n", "The quick\n\nbrown", "The quick\n\nbrown"),
        ("The quick ", "The quickbrown", "The quick brown"),
        ("日本" + HALF_CHARACTER, "日本語", "日本語"),
        ("日本" + HALF_CHARACTER, "日本", "日本" + HALF_CHARACTER),
        ("The quick ", "", "The quick "),
        ("", "The quick", "The quick"),
        (" \n", "The quick", " \nThe quick"),
    ],
)
def test_echo_3_whitespace_at_the_seam(text: str, message: str, expected: str) -> None:
    assert joined(text, message)[0] == expected


@given(STRINGS, STRINGS, st.booleans(), st.data())
def test_echo_4_chunks_make_no_difference(
    text: str, message: str, truncated: bool, data: st.DataObject
) -> None:
    kind, opening = data.draw(KINDS), data.draw(OPENINGS)
    complete = join_of(text, 1024, kind, opening)
    stream = join_of(text, 1024, kind, opening)
    at_once = (complete.feed(message) or "") + complete.finish(truncated=truncated)
    shown = "".join(stream.feed(c) or "" for c in chunked(data, message))
    assert shown + stream.finish(truncated=truncated) == at_once
    assert (rule_of(stream), stream.replaced) == (rule_of(complete), complete.replaced)


@given(st.sampled_from(TEXTS), st.sampled_from(HABITS), st.data())
def test_echo_4_chunks_make_no_difference_for_any_habit(
    item: Text, habit: Habit, data: st.DataObject
) -> None:
    text = item.full[: data.draw(st.integers(1, len(item.full) - 1))]
    message = habit.write(item.full, text, choose_quote(text, 1024))
    if message is None:
        return
    stream = join_of(text)
    shown = "".join(stream.feed(char) or "" for char in message) + stream.finish()
    assert text[: len(text) - stream.replaced] + shown == joined(text, message)[0]


@given(STRINGS, STRINGS)
def test_echo_5_the_window_is_bounded_unless_the_message_repeats_the_text(
    text: str, message: str
) -> None:
    join = join_of(text)
    for at, char in enumerate(message, 1):
        if join.feed(char) is not None:
            return
        visible = "".join(message[:at].split())
        repeats = visible in "".join(text.split())
        assert repeats or len(visible) <= WINDOW + MAX_DISTANCE + WORDS.most


def test_echo_5_a_long_restart_is_compared_to_its_end() -> None:
    text = "".join(f"Line {n} of {n * n}, and so on.\n" for n in range(3000))
    join = join_of(text + "Line 3000 of")
    for at in range(0, len(text), 5):
        assert join.feed(text[at : at + 5]) is None
    assert (join.feed("Line 3000 of 9") or "") + join.finish() == " 9"
    assert rule_of(join) == "restart"


@pytest.mark.parametrize(
    ("message", "rule"),
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
def test_the_rule_that_joins_a_message(message: str, rule: str) -> None:
    filled = message.format(quote=choose_quote(KNIGHT, 1024), text=KNIGHT)
    assert joined(KNIGHT, filled) == (KNIGHT + "other bed.", rule)


TABLE = "The lakes:\n\n| name | depth |\n|---|---:|\n| Ober | 88 |\n"
HEADER = "| name | depth |\n|---|---:|\n"
CODE = "So:\n\n```python\ndef area(width):\n"


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        (TABLE, HEADER + "| Klein | 31 |\n", TABLE + "| Klein | 31 |\n"),
        (TABLE[:-1], HEADER + "| Klein | 31 |\n", TABLE + "| Klein | 31 |\n"),
        (TABLE + "| Kl", HEADER + "| Klein | 31 |\n", TABLE + "| Klein | 31 |\n"),
        (CODE, "```python\n    return width\n", CODE + "    return width\n"),
        (CODE + "    ", "```python\n    return width\n", CODE + "    return width\n"),
        (CODE + "    ret", "```py\n    return width\n", CODE + "    return width\n"),
    ],
)
def test_lines_of_a_table_and_of_code(text: str, message: str, expected: str) -> None:
    assert joined(text, message)[0] == expected


@pytest.mark.parametrize(
    ("text", "rest", "expected"),
    [
        (CODE + "    half", "    return half\n", "\n    return half\n"),
        (CODE + "    half ", "\treturn half\n", "\n\treturn half\n"),
        (CODE + "    half", "\n  return half\n", "\n  return half\n"),
        (CODE + "    half\n", "    return half\n", "\n    return half\n"),
        (CODE + "    half", " = width // 2\n", " = width // 2\n"),
        (CODE + "    half", "_width = 2\n", "_width = 2\n"),
        ('```json\n["Wet"]', "  },\n", "\n  },\n"),
    ],
)
def test_echo_6_an_indented_line_after_a_fence_is_a_line_of_its_own(
    text: str, rest: str, expected: str
) -> None:
    whole = text.rstrip() + expected
    language = "json" if "json" in text else "python"
    message = f"```{language}\n{rest}"
    assert joined(text, message) == (whole, "fence")
    join = join_of(text)
    new = "".join([*(join.feed(char) or "" for char in message), join.finish()])
    assert text[: len(text) - join.replaced] + new == whole


def test_a_message_that_only_repeats_adds_nothing() -> None:
    quote = choose_quote(KNIGHT, 1024)
    assert joined(KNIGHT, quote) == (KNIGHT, "echo")
    assert joined(KNIGHT, quote[:40]) == (KNIGHT, "unfinished")
    assert joined(KNIGHT, KNIGHT[:90], truncated=True) == (KNIGHT, "unfinished")
    assert joined(KNIGHT, KNIGHT[:90]) == (KNIGHT + KNIGHT[:90], "as_is")


def test_the_example_of_the_module() -> None:
    join = EchoJoin("every evening he asked for an", "he asked for an")
    added = join.feed('Sure! "he asked for another bed') or join.finish()
    assert (added, rule_of(join)) == ("other bed", "marks")


@given(STRINGS, STRINGS, STRINGS)
def test_a_fresh_join_has_received_nothing(text: str, first: str, second: str) -> None:
    used, unused = join_of(text), join_of(text)
    used.feed(first)
    before = (rule_of(used), used.replaced, used.received)
    fresh = used.fresh()
    added = fresh.feed(second), fresh.finish()
    assert added == (unused.feed(second), unused.finish())
    assert (rule_of(fresh), fresh.replaced) == (rule_of(unused), unused.replaced)
    assert (rule_of(used), used.replaced, used.received) == before


def test_a_fresh_join_shares_the_prepared_text() -> None:
    join = join_of(KNIGHT)
    assert join.fresh().text_end is join.text_end


def test_an_echo_is_found_without_the_complete_text() -> None:
    join = join_of(KNIGHT)
    assert join.feed(choose_quote(KNIGHT, 1024) + "other bed.") == "other bed."
    assert "compact" not in vars(join.text_end.plain)


def test_the_quote_must_end_the_text() -> None:
    with pytest.raises(ValueError, match="quote must be the end of the text"):
        EchoJoin("The quick", "brown")


def test_the_benchmark_on_a_sample() -> None:
    results = measure(47, others=False)
    for score in results.prefill.values():
        assert score.exact == score.joins
    for habit in HABITS:
        score = total(results.known, habit=habit.name)
        assert not score.lost, (habit.name, score.failed)
        assert score.exact >= 0.95 * score.joins, (habit.name, score.failed)
    echo = total(results.known, habit=ECHO.name)
    assert echo.joins == echo.exact > 250

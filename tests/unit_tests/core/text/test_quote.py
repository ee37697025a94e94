"""The numbered invariants of `quote`."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.quote import (
    DEFAULT_PROMPT,
    LENGTH,
    check_template,
    continuation_prompt,
    opening_of,
    quote_of,
)

TEXTS = st.text(max_size=400) | st.lists(
    st.sampled_from(
        [
            "word",
            " ",
            "\n",
            "日本語",
            "e\u0301",
            "👩\u200d💻",
            "🇯🇵",
            "👍🏽",
            "<tail>",
            "{",
        ]
    ),
    max_size=120,
).map("".join)
BUDGETS = st.integers(1, 5000)


@given(TEXTS, BUDGETS)
def test_q1_a_quote_ends_the_text(text: str, max_tokens: int) -> None:
    quote = quote_of(text, max_tokens)
    body = text.rstrip().rstrip("\ufffd").rstrip()
    assert body.endswith(quote) or text.rstrip("\ufffd \n\t").endswith(quote)
    assert quote == quote.strip()
    assert not quote or quote.strip()


@given(TEXTS, BUDGETS)
def test_q2_a_quote_is_short(text: str, max_tokens: int) -> None:
    quote = quote_of(text, max_tokens)
    assert len(quote) <= LENGTH
    assert len(quote.encode()) / 4 <= max(1, max_tokens)


@pytest.mark.parametrize(
    ("text", "max_tokens", "quote"),
    [
        ("これは日本語の文章です", 11, "す"),
        ("The quick brown fox", 11, "fox"),
        ("The quick brown fox", 1, ""),
        ("The quick brown fox", 1024, "The quick brown fox"),
        (" \n", 1024, ""),
        ("", 1024, ""),
    ],
)
def test_q2_a_segment_of_a_few_tokens_gets_on(
    text: str, max_tokens: int, quote: str
) -> None:
    assert quote_of(text, max_tokens) == quote


def test_q3_a_quote_begins_with_a_word() -> None:
    text = "several words that are longer than one quote may be, " * 4
    quote = quote_of(text, 1024)
    assert 80 < len(quote) <= LENGTH
    assert (" " + text).split(quote)[0].endswith(" ")
    assert len(quote_of("x" * 200, 1024)) == LENGTH


def test_q3_no_mark_of_the_text_stands_before_a_quote() -> None:
    text = '{"key":"' + "v" * 60 + '","other":"' + "w" * 62
    before = text.removesuffix(quote_of(text, 1024))
    assert before[-1:] != '"'


@given(TEXTS, BUDGETS)
def test_q3_no_combining_sequence_is_parted(text: str, max_tokens: int) -> None:
    quote = quote_of(text, max_tokens)
    if quote:
        assert not unicodedata.category(quote[0]).startswith("M")
        assert quote[0] not in "\u200d\U0001f3fd"


@pytest.mark.parametrize("unit", ["🇯🇵", "👩\u200d💻", "👍🏽", "e\u0301\u0323"])
def test_q3_a_quote_of_sequences_begins_with_one(unit: str) -> None:
    for max_tokens in range(5, 400, 7):
        quote = quote_of(unit * 80, max_tokens)
        assert quote == unit * (len(quote) // len(unit))


@given(TEXTS)
def test_q4_the_quote_cannot_close_its_delimiters(quote: str) -> None:
    opening = opening_of(quote)
    closing = opening.replace("<", "</")
    prompt = continuation_prompt("a {tail} b", quote)
    assert prompt == f"a {opening}{quote}{closing} b"
    assert prompt.count(opening) == prompt.count(closing) == 1


def test_q4_a_quote_that_holds_the_delimiter() -> None:
    assert opening_of("no tag") == "<tail>"
    assert opening_of("<tail>x</tail-2>") == "<tail-3>"


def test_the_default_prompt_asks_for_the_quote() -> None:
    prompt = continuation_prompt(DEFAULT_PROMPT, "the end {tail}")
    assert "<tail>the end {tail}</tail>" in prompt
    assert "cut off" in prompt


def test_the_default_prompt_with_nothing_to_repeat() -> None:
    prompt = continuation_prompt(DEFAULT_PROMPT, "")
    assert "cut off" in prompt
    assert "tail" not in prompt
    assert "repeat" not in prompt


def test_a_template_keeps_its_other_braces() -> None:
    template = check_template('Go on, as {"json": {}}, from {tail} %s {0}')
    assert continuation_prompt(template, "x") == (
        'Go on, as {"json": {}}, from <tail>x</tail> %s {0}'
    )


def test_a_template_without_the_tail_is_refused() -> None:
    with pytest.raises(ValueError, match=r"continuation_prompt must contain \{tail\}"):
        check_template("Go on.")

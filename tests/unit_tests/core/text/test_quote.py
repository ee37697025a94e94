"""The rules QUOTE-1 to QUOTE-4."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.quote import (
    MAX_QUOTE,
    choose_quote,
    opening_tag,
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
def test_quote_1_a_quote_ends_the_text(text: str, max_tokens: int) -> None:
    quote = choose_quote(text, max_tokens)
    body = text.rstrip().rstrip("\ufffd").rstrip()
    assert body.endswith(quote) or text.rstrip("\ufffd \n\t").endswith(quote)
    assert quote == quote.strip()
    assert not quote or quote.strip()


@given(TEXTS, BUDGETS)
def test_quote_2_a_quote_is_short(text: str, max_tokens: int) -> None:
    quote = choose_quote(text, max_tokens)
    assert len(quote) <= MAX_QUOTE
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
def test_quote_2_a_segment_of_a_few_tokens_adds_new_text(
    text: str, max_tokens: int, quote: str
) -> None:
    assert choose_quote(text, max_tokens) == quote


def test_quote_3_a_quote_begins_with_a_word() -> None:
    text = "several words that are longer than one quote may be, " * 4
    quote = choose_quote(text, 1024)
    assert 80 < len(quote) <= MAX_QUOTE
    assert (" " + text).split(quote)[0].endswith(" ")
    assert len(choose_quote("x" * 200, 1024)) == MAX_QUOTE


def test_quote_3_no_mark_of_the_text_precedes_a_quote() -> None:
    text = '{"key":"' + "v" * 60 + '","other":"' + "w" * 62
    before = text.removesuffix(choose_quote(text, 1024))
    assert before[-1:] != '"'


@given(TEXTS, BUDGETS)
def test_quote_3_no_combining_sequence_is_split(text: str, max_tokens: int) -> None:
    quote = choose_quote(text, max_tokens)
    if quote:
        assert not unicodedata.category(quote[0]).startswith("M")
        assert quote[0] not in "\u200d\U0001f3fd"


@pytest.mark.parametrize("unit", ["🇯🇵", "👩\u200d💻", "👍🏽", "e\u0301\u0323"])
def test_quote_3_a_quote_of_sequences_begins_with_one(unit: str) -> None:
    for max_tokens in range(5, 400, 7):
        quote = choose_quote(unit * 80, max_tokens)
        assert quote == unit * (len(quote) // len(unit))


@given(TEXTS)
def test_quote_4_a_tag_does_not_occur_in_the_quote(quote: str) -> None:
    opening = opening_tag(quote)
    assert opening not in quote
    assert opening.replace("<", "</") not in quote


def test_quote_4_a_quote_that_contains_the_tag() -> None:
    assert opening_tag("no tag") == "<tail>"
    assert opening_tag("<tail>x</tail-2>") == "<tail-3>"

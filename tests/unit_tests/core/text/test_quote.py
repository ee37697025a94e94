"""The rules QUOTE-1 to QUOTE-4."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.quote import (
    LINE,
    WORDS,
    QuoteKind,
    choose_quote,
    choose_quote_of,
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
            "End. ",
            "{",
        ]
    ),
    max_size=120,
).map("".join)
BUDGETS = st.integers(1, 5000)
KINDS = st.sampled_from([WORDS, LINE])
BOTH_KINDS = pytest.mark.parametrize("kind", [WORDS, LINE], ids=["words", "line"])


@given(TEXTS, BUDGETS, KINDS)
def test_quote_1_a_quote_ends_the_text(
    text: str, max_tokens: int, kind: QuoteKind
) -> None:
    quote = choose_quote(text, max_tokens, kind)
    body = text.rstrip().rstrip("\ufffd").rstrip()
    assert body.endswith(quote) or text.rstrip("\ufffd \n\t").endswith(quote)
    assert quote == quote.strip()
    assert not quote or quote.strip()


@given(TEXTS, BUDGETS, KINDS)
def test_quote_2_a_quote_is_short(text: str, max_tokens: int, kind: QuoteKind) -> None:
    quote = choose_quote(text, max_tokens, kind)
    assert len(quote) <= kind.most
    share = 2 if max_tokens >= 8 else 5
    assert len(quote.encode()) / 4 <= max_tokens / share


@given(TEXTS, BUDGETS)
def test_quote_2_a_quote_of_words_costs_more_than_a_fifth_only_if_it_must(
    text: str, max_tokens: int
) -> None:
    quote = choose_quote(text, max_tokens)
    if len(quote.encode()) / 4 > max_tokens / 5:
        assert choose_quote(text, max_tokens * 2 // 5) == ""


@pytest.mark.parametrize(
    ("text", "max_tokens", "quote"),
    [
        ("これは日本語の文章です", 11, "す"),
        ("The quick brown fox", 11, "fox"),
        ("The quick brown fox", 1, ""),
        ("The quick brown fox", 7, "fox"),
        ("これは日本語の文章です", 7, ""),
        ("これは日本語の文章です", 8, "です"),
        ("The quick brown fox", 1024, "The quick brown fox"),
        (" \n", 1024, ""),
        ("", 1024, ""),
    ],
)
def test_quote_2_a_segment_of_a_few_tokens_adds_new_text(
    text: str, max_tokens: int, quote: str
) -> None:
    assert choose_quote(text, max_tokens) == quote


@BOTH_KINDS
def test_quote_3_a_quote_begins_with_a_word(kind: QuoteKind) -> None:
    text = "several words that are longer than one quote may be, " * 4
    quote = choose_quote(text, 1024, kind)
    assert kind.most - 12 < len(quote) <= kind.most
    assert text.rstrip().removesuffix(quote).endswith(" ")
    assert len(choose_quote("x" * 200, 1024, kind)) == kind.most


def test_quote_3_no_mark_of_the_text_precedes_a_quote() -> None:
    text = '{"key":"' + "v" * 30 + '","other":"' + "w" * 35
    before = text.removesuffix(choose_quote(text, 1024))
    assert before[-1:] != '"'


@given(TEXTS, BUDGETS, KINDS)
def test_quote_3_no_combining_sequence_is_split(
    text: str, max_tokens: int, kind: QuoteKind
) -> None:
    quote = choose_quote(text, max_tokens, kind)
    if quote:
        assert not unicodedata.category(quote[0]).startswith("M")
        assert quote[0] not in "\u200d\U0001f3fd"


@BOTH_KINDS
@pytest.mark.parametrize("unit", ["🇯🇵", "👩\u200d💻", "👍🏽", "e\u0301\u0323"])
def test_quote_3_a_quote_of_sequences_begins_with_one(
    unit: str, kind: QuoteKind
) -> None:
    for max_tokens in range(5, 400, 7):
        quote = choose_quote(unit * 80, max_tokens, kind)
        assert quote == unit * (len(quote) // len(unit))


WORD_LISTS = st.lists(st.text("abc", min_size=1, max_size=9), min_size=6, max_size=14)
LINES = st.lists(WORD_LISTS.map(" ".join), min_size=2, max_size=5)


@given(LINES)
def test_quote_4_a_quote_by_line_is_the_last_line(lines: list[str]) -> None:
    *_, last = lines = [f"{line} and more" for line in lines]
    assert choose_quote("\n".join(lines) + " ", 1024, LINE) == last


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("One line that is cut he", "One line that is cut he"),
        ("Eins zwei drei vier.\n\n- ab cd", "Eins zwei drei vier.\n\n- ab cd"),
        ("x" * 200 + ". The last sentence of", "The last sentence of"),
        ("x" * 200 + '." The last sentence of', "The last sentence of"),
        ("名" * 200 + "。これは最後の文章ですから", "これは最後の文章ですから"),
        ("A sentence. Another one.\nThe line. Its end", "The line. Its end"),
        ("w " * 200 + "\nend", "w " * 78 + "\nend"),
    ],
)
def test_quote_4_a_quote_by_line_begins_a_line_or_a_sentence(
    text: str, quote: str
) -> None:
    assert choose_quote(text, 1024, LINE) == quote


def test_quote_4_a_line_that_costs_too_much_is_not_quoted_from_its_beginning() -> None:
    text = "The first line.\n" + "several words of a line " * 4
    assert choose_quote(text, 1024, LINE) == text.split("\n")[1].rstrip()
    quote = choose_quote(text, 20, LINE)
    assert len(quote) <= 40
    assert text.rstrip().removesuffix(quote).endswith(" ")


@pytest.mark.parametrize("end", ["", "\n" * 3_000, "\u0301" * 1_500, "🇯🇵" * 40])
@BOTH_KINDS
def test_a_long_text_has_the_quote_of_its_end(end: str, kind: QuoteKind) -> None:
    text = "She wrote one line more, and then another.\n" * 200 + end
    taken: list[int] = []

    def last(count: int) -> str:
        taken.append(count)
        return text[-count:]

    for max_tokens in (3, 20, 1_000):
        quote = choose_quote_of(last, max_tokens, kind)
        assert quote == choose_quote(text, max_tokens, kind)
    assert max(taken) < len(text) or len(end) > len(text) / 4

"""The tokenizer of scripted answers (TOKENIZER)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue.local.script.tokenizer import tokenize


@given(st.text())
def test_the_joined_tokens_are_the_text(text: str) -> None:
    """TOKENIZER-1."""
    tokens = tokenize(text)
    assert "".join(tokens) == text
    assert all(tokens)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world", ["Hello", ",", " world"]),
        ("tokenization", ["tokeni", "zation"]),
        ("{\n\n  x", ["{\n\n", " ", " x"]),
        ("a\n    b", ["a", "\n   ", " b"]),
        ("20261122", ["202", "611", "22"]),
        ("日本語 text", ["日", "本", "語", " text"]),
        ("e\u0301!", ["e", "\u0301", "!"]),
        ("👍🏽", ["👍", "🏽"]),
        ("a  \n", ["a", "  \n"]),
        ("don't", ["don", "'", "t"]),
    ],
)
def test_the_tokens_of_a_text(text: str, tokens: list[str]) -> None:
    """TOKENIZER-2, TOKENIZER-3, TOKENIZER-4."""
    assert tokenize(text) == tokens

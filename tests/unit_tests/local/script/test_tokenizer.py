"""The scripted tokenizer (T1-T4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue.local.script.tokenizer import tokenize


@given(st.text())
def test_joined_they_are_the_text(text: str) -> None:
    """T1."""
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
def test_habits(text: str, tokens: list[str]) -> None:
    """T2, T3, T4."""
    assert tokenize(text) == tokens

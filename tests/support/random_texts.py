"""Hypothesis strategies for texts that are hard to cut and to join."""

import itertools

from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.healed_cut import HALF_CHARACTER

_WORDS = ["a", "bc", "word", "{", "}", ".", "日本", "🙂", "e\u0301"]
_WHITESPACE = [" ", " ", "  ", "\n", "\n\n", "\t", "\u3000", "\u00a0"]

TEXTS = st.lists(
    st.sampled_from([*_WORDS, *_WHITESPACE, HALF_CHARACTER]), max_size=60
).map("".join)
"""Words, plain and unusual whitespace, and half characters, in any order."""

DECODED_TEXTS = TEXTS.filter(lambda text: HALF_CHARACTER not in text)
"""The same without half characters."""

_UNIQUE_WORDS = st.sampled_from(
    ["alpha", "beta ", "gamma,", " delta", "\n", ".\n\n", "日本", " - ", "{", "}", "é"]
)


@st.composite
def texts_without_repetition(draw: st.DrawFn) -> str:
    """Draw a text in which every word is unique, so that an echo is unambiguous."""
    words = draw(st.lists(_UNIQUE_WORDS, min_size=1, max_size=25))
    return "".join(f"{word}{at}" for at, word in enumerate(words))


def chunked(draw: st.DrawFn, text: str) -> list[str]:
    """Draw a way to split a text into chunks."""
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    edges = [0, *cuts, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges)]

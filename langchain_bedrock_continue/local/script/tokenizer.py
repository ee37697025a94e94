"""A tokenizer for scripted answers, with the habits of BPE that matter for truncation.

TOKENIZER-1. The joined tokens of a text are the text.
TOKENIZER-2. A word includes one plain space before it. Punctuation includes the line
    breaks after it.
TOKENIZER-3. A long word is several tokens, and so is a long number.
TOKENIZER-4. A CJK character, an emoji or a combining mark is one token, so a truncation
    can split a grapheme.
"""

from __future__ import annotations

import re

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    rf"""
      [{_CJK}]
    | [ ]?(?:(?![{_CJK}])[^\W\d_]){{1,6}}   # a word, or a part of one
    | [ ]?\d{{1,3}}
    | [ ]?[!-/:-@\[-`{{-~]+\n*               # ASCII punctuation, and its line breaks
    | \s+(?=[ ]\S)                           # leaves one space to the next word
    | \s+
    | .                                      # any other code point
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str) -> list[str]:
    """Split a text into tokens.

    Args:
        text: Any text.
    """
    return _TOKEN.findall(text)

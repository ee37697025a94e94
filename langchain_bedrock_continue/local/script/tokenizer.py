"""A tokenizer for scripted answers, with the habits of a BPE that matter at a cut.

T1. The tokens of a text, joined, are the text.
T2. A word takes one plain blank before it; punctuation takes the line breaks behind it.
T3. A long word is several tokens; so is a long number.
T4. A CJK character, an emoji, a combining mark is one token: a grapheme can be cut.
"""

from __future__ import annotations

import re

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    rf"""
      [{_CJK}]
    | [ ]?(?:(?![{_CJK}])[^\W\d_]){{1,6}}   # a word, or a piece of one
    | [ ]?\d{{1,3}}
    | [ ]?[!-/:-@\[-`{{-~]+\n*               # ASCII punctuation, and its line breaks
    | \s+(?=[ ]\S)                           # leaves the blank to the word behind it
    | \s+
    | .                                      # whatever else: one code point
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str) -> list[str]:
    """Split a text into tokens."""
    return _TOKEN.findall(text)

"""The words of a preamble, such as "Continuing from where I left off:".

PREAMBLE-1. Words alone are not enough to drop a line that could belong to the text. A
    line is dropped without a repetition after it only if it begins as a preamble does
    (OPENERS) and mentions the interruption (`mentions_interruption`).
"""

from __future__ import annotations

import re

OPENERS = tuple(
    """
    sure|certainly|of course|okay|ok,|ok!|absolutely|got it|understood|no problem
    sorry|my apologies|apologies|i apologi|i'm sorry|i am sorry|thank
    here is|here's|here are|as requested|let me|i'll|i will|to continue
    continu|(continu|[continu|*continu|**continu|picking up|resuming
    the continuation|the rest of|my previous|my last
    続き|申し訳|すみません|承知|はい、|以下|失礼
    继续|接着|接上|抱歉|好的|当然|对不起|繼續|對不起
    voici|désolé|je continue|suite|hier ist|entschuld|fortsetzung
    claro|lo siento|disculp|aquí|continuación|desculp
    """.strip()
    .replace("\n", "|")
    .replace("    ", "")
    .split("|")
)
"""How a preamble begins, in lower case and with plain apostrophes."""

_INTERRUPTION = re.compile(
    r"left off|cut (?:off|short)|interrupt|truncat"
    r"|where (?:i|we|it|you) (?:stop|end|was)"
    r"|(?:previous|last) (?:message|response|answer|reply)"
    r"|continu(?:ation|ed|ing (?:from|the|my|your|with the rest))"
    r"|here(?: is|['\u2019]s) the (?:rest|remain)|(?:let me|i will|i'll) continue"
    r"|(?:pick(?:ing)? up|resum(?:e|ing)) (?:from|where)"
    r"|続き|途切れ|途中|中断|继续|繼續|接着|接上"
    r"|je continue|la suite|fortsetzung|continuación",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(
    r"""[.:!…]["\u201d*_)\]]*[ \t]+|[。\uff1a\uff01](?![\n」』])[ \t]*"""
)
"""The end of a sentence that another one follows on the same line."""

LINE = re.compile(r".*[.:!…。\uff1a\uff01)\]*_]", re.DOTALL)
"""A line that ends as a preamble does."""


def mentions_interruption(line: str) -> bool:
    """Return True if a line mentions that the answer was interrupted."""
    return bool(_INTERRUPTION.search(line))

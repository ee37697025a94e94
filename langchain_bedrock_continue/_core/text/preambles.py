"""The words of a preamble: how a line begins, and what it says, that leads in the rest.

P1. Words alone drop nothing that could be text: a line must begin as a preamble does,
    and speak of the cut, to be dropped with no repeated text behind it.
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
"""What a preamble begins with, in lower case and with plain apostrophes."""

_OF_THE_CUT = re.compile(
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
SENTENCE = re.compile(
    r"""[.:!…]["\u201d*_)\]]*[ \t]+|[。\uff1a\uff01](?![\n」』])[ \t]*"""
)
"""Where a sentence ends and another follows on the same line."""

LINE_END = re.compile(r".*[.:!…。\uff1a\uff01)\]*_]", re.DOTALL)
"""A line that ends as a preamble does."""


def speaks_of_the_cut(line: str) -> bool:
    """Tell whether a line speaks of the answer that was cut."""
    return bool(_OF_THE_CUT.search(line))

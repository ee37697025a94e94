"""What is measured at a seam and of an answer. Pure functions of texts.

FIGURES-1. A seam is natural if the first 8 characters after it are those that the same
    model writes when it is given the text before the seam as a prefill.
FIGURES-2. A text is doubled at a seam if the 60 characters after the seam also stand
    before it. It is repeated if that is true of any 60 characters of the segment.
FIGURES-3. An answer ends early if the model ended it, so that it counts as complete,
    although it is not well formed or is much shorter than the uncut answer. An uncut
    answer that is not well formed itself proves nothing: then only the length counts.
FIGURES-4. No function fails on a text, whatever a model wrote.
"""

from __future__ import annotations

from langchain_bedrock_continue._check.well_formed import Kind, well_formed

SAME = 8
"""How many characters after a seam must be those of the prefill."""

DOUBLED = 60
"""How many characters after a seam must also stand before it."""

FEWEST_DOUBLED = 24
"""A shorter rest of a text is no evidence of a repetition."""

WIDE_MARGIN = 0.6
"""An answer below this share of the uncut answer's length is not over."""

ECHO = "echo"
"""The join rule of a message that begins with the quote."""


def natural(before: str, after: str, continuation: str) -> bool:
    """Return True if the seam is natural (FIGURES-1).

    A prefill can't end in whitespace: Bedrock refuses it. So if the text before the
    seam ends in whitespace, the whitespace at the border is not compared.

    Args:
        before: The text before the seam.
        after: The text after the seam.
        continuation: What the model writes when it is given `before` as a prefill.
    """
    if before != before.rstrip():
        after, continuation = after.lstrip(), continuation.lstrip()
    return bool(after) and after[:SAME] == continuation[:SAME]


def doubled(text: str, seam: int) -> bool:
    """Return True if the text is doubled at the seam (FIGURES-2).

    Args:
        text: The answer.
        seam: Offset of the seam, in characters.
    """
    after = text[seam:].lstrip()[:DOUBLED].rstrip()
    return len(after) >= FEWEST_DOUBLED and after in text[:seam]


def repeated(text: str, seam: int, end: int | None = None) -> bool:
    """Return True if 60 characters in a row of the segment also stand before it.

    Texts with a regular form, such as JSON, repeat themselves without a fault: compare
    this figure with the one of a prefill.

    Args:
        text: The answer.
        seam: Offset of the segment's start, in characters.
        end: Offset of the segment's end; by default the end of the text.
    """
    end = len(text) if end is None else end
    before = text[:seam]
    starts = range(seam, max(seam, end - DOUBLED) + 1)
    windows = (text[at : min(end, at + DOUBLED)] for at in starts)
    return any(_is_evidence(window) and window in before for window in windows)


def _is_evidence(window: str) -> bool:
    """Return True if a window is long enough, and no ruler or row of blanks."""
    letters = sum(map(str.isalnum, window))
    return len(window) == DOUBLED and letters >= FEWEST_DOUBLED // 2


def echo_obeyed(rule: str | None) -> bool:
    """Return True if the message began with the quote, as requested.

    Args:
        rule: The rule that joined it: `continuation["segments"][n]["join"]["rule"]`.
    """
    return rule == ECHO


def early(kind: Kind, text: str, uncut: str, *, by_model: bool) -> str:
    """Return why an answer ended early; empty if it did not (FIGURES-3).

    Args:
        kind: What was asked for.
        text: The answer.
        uncut: The model's answer in one response; empty if it is not known.
        by_model: Whether the model ended the answer, so that it counts as complete.
    """
    if not by_model:
        return ""
    if len(text.strip()) < WIDE_MARGIN * len(uncut.strip()):
        return "much shorter than the uncut answer"
    if uncut and not well_formed(kind, uncut):
        return ""
    return well_formed(kind, text).reason

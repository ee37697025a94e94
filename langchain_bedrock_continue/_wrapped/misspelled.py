"""Finds the name that a misspelled one stands for."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SIMILARITY = 0.8
"""From which ratio of `difflib` on a name counts as misspelled: `modle` has 0.8."""

OF_MODELS = frozenset(
    {
        "max_new_tokens",  # Amazon Nova and others: like max_tokens
        "stream",  # like streaming
        "top_a",  # like top_p
        "top_k",  # Anthropic, Mistral and others: like top_p
    }
)
"""Request fields of some models that look like a misspelled argument, and are not."""


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a name looks like, or None.

    Args:
        name: An unknown name.
        known: The known ones.
    """
    if name in OF_MODELS:
        return None
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=SIMILARITY)
    return near[0] if near else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the name that was meant; "" if none is near."""
    found = meant(name, known)
    return "" if found is None else f" Did you mean {found}?"

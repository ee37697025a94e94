"""What is known of a model: whether it takes a prefilled answer.

M1. Patterns, not lists of ids: every public list is out of date. A region's prefix and
    an ARN round an id change nothing.
M2. Claude takes a prefill up to version 4.5, and none from 4.6 on (vendor's text).
    Amazon Nova takes one (documented for version 1, seen in practice for 2).
M3. Of every other model nothing is known, so a user turn, which all take, is used.
M4. What a service says goes before what is known: a model that refused a prefill once
    is not asked again in this process, unless it was the request that it refused.
"""

from __future__ import annotations

import re

PREFILL_CEASED = (4, 6)
"""The first version of Claude that takes no prefill."""

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?v?(\d{1,2})(?:[-.:](\d{1,2}))?(?!\d)")
_NOVA = re.compile(r"(?:^|[./])amazon\.nova-")

REFUSED_BY_MODEL = (
    # Claude from 4.6 on.
    "does not support assistant message prefill",
    # Bedrock itself, for Llama among others.
    "requires the last turn in the conversation to be a user message",
    # Other vendors.
    "prefilling assistant messages is not supported",
)
"""Parts of the texts by which a service says that a model never takes a prefill."""

REFUSED_FOR_REQUEST = (
    # Claude with tools, or with an output format.
    "pre-filling the `assistant` response is not supported",
    # Claude while thinking is on.
    "a final `assistant` message must start with a thinking block",
    "the final block in an assistant message cannot be `thinking`",
)
"""Parts of the texts by which it says so of one request."""

_refusing: set[str] = set()


def takes_prefill(model_id: str) -> bool:
    """Tell whether a model is known to take a prefill (M2, M3, M4)."""
    if model_id in _refusing:
        return False
    if claude := _CLAUDE.search(model_id):
        return (int(claude[1]), int(claude[2] or 0)) < PREFILL_CEASED
    return _NOVA.search(model_id) is not None


def refuses_prefill(error: BaseException) -> bool:
    """Tell whether a service's error says that it takes no prefilled answer."""
    return _says(error, REFUSED_BY_MODEL + REFUSED_FOR_REQUEST)


def learn_refusal(model_id: str, error: BaseException) -> None:
    """Remember a model that refused a prefill, for the life of the process (M4)."""
    if _says(error, REFUSED_BY_MODEL):
        _refusing.add(model_id)


def forget_refusals() -> None:
    """Begin anew, as a new process would: for tests."""
    _refusing.clear()


def _says(error: BaseException, parts: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(part in text for part in parts)

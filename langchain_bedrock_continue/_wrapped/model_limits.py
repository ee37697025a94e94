"""What a model can write, where its id is inside an ARN, or has another prefix.

langchain-aws has a profile by model id. It finds none for an ARN, nor for a region's
prefix that its list does not have.

Sources: AWS's reference of ARNs (`inference-profile/ID`, `foundation-model/ID`,
`custom-model/ID:CONTEXT/NAME`), and the ids of provisioned models with their context
length (`ID:200k`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from langchain_bedrock_continue._wrapped import private_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_REGION = re.compile(r"(?:[a-z]{2}|us-gov|apac|amer|global)\.(?=[^.]+\.)")
_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9][a-z0-9.:_-]*", re.IGNORECASE)


@lru_cache(maxsize=256)
def model_limit(*ids: str | None) -> int | None:
    """Return the largest `max_tokens` of a model, in tokens, or None if unknown.

    Args:
        ids: Model ids, inference profiles or ARNs, the most reliable one first.
    """
    return _first("max_output_tokens", ids)


@lru_cache(maxsize=256)
def context_window(*ids: str | None) -> int | None:
    """Return the size of a model's context window in tokens, or None if unknown.

    Args:
        ids: As for `model_limit`.
    """
    return _first("max_input_tokens", ids)


def _first(name: str, ids: tuple[str | None, ...]) -> int | None:
    """Return a number of the first profile that has it."""
    known = (private_names.profile_of(one) for one in _candidates(ids))
    found = (profile.get(name) for profile in known)
    return next((limit for limit in found if isinstance(limit, int)), None)


def _candidates(ids: tuple[str | None, ...]) -> Iterator[str]:
    """Yield the names under which a model may have a profile."""
    for given in ids:
        for found in _ID.findall(given or ""):
            name: str = found
            while name:
                base = _REGION.sub("", name, count=1)
                yield from (name, base, f"us.{base}")
                name = name.rpartition(":")[0]

"""Which models have a prompt cache, and what they allow of a cache point.

CACHE-1. Models are known by patterns, as in `prefill_support`. A model that is not
    known gets no cache points: Bedrock refuses the request of one that has no cache.
CACHE-2. Below its smallest prefix a model silently caches nothing. For a model that is
    newer than the table, the smallest known size is assumed: a point that is useless
    costs nothing.
CACHE-3. What the service says takes precedence: a model that has no cache for this
    account gets no point again in this process. Any other refusal is about the request.

Sources (November 2026): AWS's guide "Prompt caching for faster model inference", a
public price list that cites AWS's service offers, and public reports of live calls for
what is refused: an hour before Claude 4.5 ("Extra inputs are not permitted"), an hour
for Nova, and points of Nova after tools and beside tool blocks ("extraneous key").
Users measured larger minimums for some models, such as 2,048 for Sonnet 4.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from langchain_bedrock_continue._core.decisions.prefill_support import claude_version

Lifetime: TypeAlias = Literal["5m", "1h"]
"""How long a cached prefix is kept after its last use: Bedrock's `ttl`."""

MAX_CACHE_POINTS = 4
"""How many cache points a request may have."""

LOOK_BACK = 18
"""How many content blocks before a cache point Bedrock safely looks for a cached
prefix, for Claude. AWS's guide says "approximately 20"."""

FIRST_CLAUDE_WITH_HOUR = (4, 5)


@dataclass(frozen=True)
class CacheSupport:
    """What a model allows of a cache point.

    Attributes:
        minimum: Tokens below which a prefix is not cached.
        maximum: Tokens above which none is cached, or None for no limit.
        has_hour: A cache point may have a `ttl` of an hour.
        look_back: How many blocks before a cache point a cached prefix is found; 0 if
            only at cache points.
        beside_tools: A point may follow the tools, or be in a message with tool blocks.
    """

    minimum: int
    maximum: int | None = None
    has_hour: bool = False
    look_back: int = 0
    beside_tools: bool = False


NOVA = CacheSupport(minimum=1_000, maximum=20_000)
"""Amazon Nova caches prefixes of 1K to 20K tokens."""

SMALLEST = 512
"""The smallest prefix of the newest models, in tokens (CACHE-2)."""


class _Minimum(NamedTuple):
    name: str
    since: tuple[int, int]
    tokens: int


MINIMUMS: tuple[_Minimum, ...] = (
    _Minimum("opus", (5, 0), 512),
    _Minimum("opus", (4, 8), 1_024),
    _Minimum("opus", (4, 7), 2_048),
    _Minimum("opus", (4, 5), 4_096),
    _Minimum("opus", (4, 0), 1_024),
    _Minimum("sonnet", (5, 5), 512),
    _Minimum("sonnet", (3, 7), 1_024),
    _Minimum("haiku", (5, 5), 512),
    _Minimum("haiku", (4, 5), 4_096),
    _Minimum("haiku", (3, 5), 2_048),
    _Minimum("fable", (5, 0), 512),
    _Minimum("mythos", (5, 0), 512),
)
"""The smallest prefix by name, and by the first version that has it, newest first."""

_NAME = re.compile(r"claude-(?:[0-9]{1,2}-)*([a-z]+)")
_NOVA = re.compile(r"(?:^|[./])amazon\.nova-(?:2-)?(?:micro|lite|pro|premier)")

_REFUSALS = ("prompt caching", "cache_control", "cachepoint", "cache point")
"""What is in each of Bedrock's texts that refuse a cache point, in lower case."""

_REFUSED_BY_MODEL = "did not allow prompt caching"
"""What is in the text that refuses every cache point, in lower case."""

_refusing_models: set[str] = set()


def cache_support(model_id: str) -> CacheSupport | None:
    """Return what a model allows, or None if it gets no cache points.

    Args:
        model_id: A model id, with or without a region prefix or an ARN around it.
    """
    if model_id in _refusing_models:
        return None
    version = claude_version(model_id)
    if version is None:
        return NOVA if _NOVA.search(model_id) else None
    minimum = _minimum(model_id, version)
    if minimum is None:
        return None
    has_hour = version >= FIRST_CLAUDE_WITH_HOUR
    return CacheSupport(
        minimum, has_hour=has_hour, look_back=LOOK_BACK, beside_tools=True
    )


def _minimum(model_id: str, version: tuple[int, int]) -> int | None:
    found = _NAME.search(model_id)
    name = found[1] if found else ""
    known = [row for row in MINIMUMS if row.name == name]
    if known:
        rows = (row.tokens for row in known if version >= row.since)
        return next(rows, None)
    return SMALLEST if version >= (5, 0) else None


def is_cache_refusal(error: BaseException) -> bool:
    """Return True if the service's error says that it does not accept a cache point."""
    text = str(error).lower()
    return any(part in text for part in _REFUSALS)


def remember_cache_refusal(model_id: str, error: BaseException) -> None:
    """Remember a model that refuses every cache point, in this process (CACHE-3)."""
    if _REFUSED_BY_MODEL in str(error).lower():
        _refusing_models.add(model_id)


def forget_cache_refusals() -> None:
    """Forget the models that refused a cache point. Tests call it."""
    _refusing_models.clear()

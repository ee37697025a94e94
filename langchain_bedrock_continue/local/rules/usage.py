"""Prompt caching and token usage, as Bedrock counts them.

USAGE-1. A prefix is the tools, then the system blocks, then the messages, block by
    block, up to a cachePoint. cachePoints are not a part of it.
USAGE-2. The longest cached prefix that has not expired is read. Reading it renews its
    lifetime.
USAGE-3. The prefixes after it, up to each cachePoint, are written. A prefix below the
    model's minimum, or above its maximum, is silently neither written nor read.
USAGE-4. `inputTokens` counts the tokens that are neither read nor written;
    `totalTokens` counts all.
USAGE-5. For Claude, a lookup also tries the blocks shortly before a cachePoint, so that
    the cachePoint may move as a conversation grows ("simplified cache management").
    Other models look up the cachePoints only.

Sources: AWS's guide to prompt caching, third-party reports.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langchain_bedrock_continue.local.backend import Json, Request

LOOKBACK_BLOCKS = 20
"""Number of blocks before a cachePoint that a lookup for Claude tries."""

TTL_SECONDS = {"5m": 300.0, "1h": 3600.0}
"""Lifetime of a cached prefix by `ttl` of its cachePoint, in seconds."""


@dataclass(frozen=True)
class CachePoint:
    """One cachePoint of a request.

    Attributes:
        prefix: The request up to the cachePoint.
        keys: Hash of the prefix that ends here, then the hashes of those that end at
            the blocks before, nearest first.
        ttl: `"5m"` or `"1h"`.
    """

    prefix: Request
    keys: tuple[str, ...]
    ttl: str


@dataclass(frozen=True)
class InputUsage:
    """Input tokens of one request, split as Bedrock reports them.

    Attributes:
        uncached: Tokens that are neither read nor written.
        read: Tokens that are read from the cache.
        written: Tokens that are written to the cache, by `ttl`, longest first.
    """

    uncached: int
    read: int = 0
    written: tuple[tuple[str, int], ...] = ()

    def usage(self, output_tokens: int) -> Json:
        """Return Converse's `usage`.

        Args:
            output_tokens: Output tokens of the response.
        """
        write = sum(tokens for _, tokens in self.written)
        usage: Json = {
            "inputTokens": self.uncached,
            "outputTokens": output_tokens,
            "totalTokens": self.uncached + self.read + write + output_tokens,
            "cacheReadInputTokens": self.read,
            "cacheWriteInputTokens": write,
        }
        if self.written:
            usage["cacheDetails"] = [
                {"ttl": ttl, "inputTokens": tokens} for ttl, tokens in self.written
            ]
        return usage


def cache_points(request: Request, lookback: int) -> list[CachePoint]:
    """Return a request's cachePoints, in order (USAGE-1).

    Args:
        request: The request.
        lookback: Number of blocks before each cachePoint that a lookup also tries
            (USAGE-5).
    """
    points: list[CachePoint] = []
    digest = hashlib.sha256(request.model_id.encode())
    keys: list[str] = []
    for block, prefix in _blocks(request):
        if "cachePoint" in block:
            if keys:
                nearest = tuple(keys[: -lookback - 2 : -1])
                ttl = block["cachePoint"].get("ttl", "5m")
                points.append(CachePoint(prefix(), nearest, ttl))
            continue
        digest.update(json.dumps(block, sort_keys=True).encode() + b"\0")
        keys.append(digest.hexdigest())
    return points


def _blocks(request: Request) -> Iterator[tuple[Json, Callable[[], Request]]]:
    """Yield each block in order, and a function that returns the request before it."""
    tool_config = request.tool_config or {}
    tools: list[Json] = tool_config.get("tools") or []
    prefix = partial(replace, request)
    for i, tool in enumerate(tools):
        before = {**tool_config, "tools": tools[:i]} if i else None
        yield tool, partial(prefix, tool_config=before, system=[], messages=[])
    for i, block in enumerate(request.system):
        yield block, partial(prefix, system=request.system[:i], messages=[])
    for i, message in enumerate(request.messages):
        role, content = message["role"], message["content"]
        for j, block in enumerate(content):
            last = [{**message, "content": content[:j]}] if j else []
            # The role is a part of the prefix, once per message.
            with_role = block if j else {"role": role, **block}
            yield with_role, partial(prefix, messages=[*request.messages[:i], *last])


@dataclass
class _Entry:
    tokens: int
    expires: float
    ttl: str


class PromptCache:
    """The prompt cache of one endpoint.

    Args:
        clock: Returns the time in seconds, like `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start empty; see the class."""
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def account(
        self,
        points: Sequence[CachePoint],
        tokens: Sequence[int],
        total: int,
        minimum: int,
        maximum: int | None = None,
    ) -> InputUsage:
        """Read and write the cache for one request, and return its input usage.

        Args:
            points: The request's cachePoints, in order.
            tokens: Input tokens of each cachePoint's prefix.
            total: Input tokens of the request.
            minimum: Input tokens below which the model caches no prefix.
            maximum: Input tokens above which it caches none; None for no limit.
        """
        cached = read = self._read(points)
        written: dict[str, int] = {}
        for point, size in zip(points, tokens, strict=True):
            fits = maximum is None or size <= maximum
            if fits and size >= max(minimum, cached + 1):
                self._write(point, size)
                written[point.ttl] = written.get(point.ttl, 0) + size - cached
                cached = size
        # Bedrock sorts by lifetime, longest first: "1h" < "5m".
        return InputUsage(total - cached, read, tuple(sorted(written.items())))

    def _read(self, points: Sequence[CachePoint]) -> int:
        """Return the tokens of the longest cached prefix (USAGE-2, USAGE-5)."""
        now = self._clock()
        for point in reversed(points):
            for key in point.keys:
                entry = self._entries.get(key)
                if entry is not None and entry.expires > now:
                    entry.expires = now + TTL_SECONDS[entry.ttl]
                    return entry.tokens
        return 0

    def _write(self, point: CachePoint, size: int) -> None:
        expires = self._clock() + TTL_SECONDS[point.ttl]
        self._entries[point.keys[0]] = _Entry(size, expires, point.ttl)

"""Prompt caching and token usage, as Bedrock counts them.

U1. A prefix is tools, then system, then messages, block by block, up to a cachePoint;
    the points themselves are no part of it.
U2. The longest prefix that is in the cache and has not expired is read; reading it
    lets it live on.
U3. Behind it, the prefixes up to each cachePoint are written. A prefix shorter than the
    model's minimum is silently neither written nor read.
U4. `inputTokens` counts what was neither read nor written; `totalTokens` is all.
U5. For a Claude, a lookup also tries the blocks shortly before a point, so a point may
    move on as a conversation grows ("simplified cache management"); others look up
    the points alone.
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
TTL_SECONDS = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True)
class Point:
    """One cachePoint of a request.

    Attributes:
        head: The request up to the point.
        keys: Hashes of the prefix that ends here, then of those that end at the blocks
            before, nearest first.
        ttl: `"5m"` or `"1h"`.
    """

    head: Request
    keys: tuple[str, ...]
    ttl: str


@dataclass(frozen=True)
class InputUsage:
    """Input tokens of one request, split as Bedrock reports them."""

    fresh: int
    read: int = 0
    written: tuple[tuple[str, int], ...] = ()

    def usage(self, output_tokens: int) -> Json:
        """Converse's `usage`."""
        write = sum(tokens for _, tokens in self.written)
        usage: Json = {
            "inputTokens": self.fresh,
            "outputTokens": output_tokens,
            "totalTokens": self.fresh + self.read + write + output_tokens,
            "cacheReadInputTokens": self.read,
            "cacheWriteInputTokens": write,
        }
        if self.written:
            usage["cacheDetails"] = [
                {"ttl": ttl, "inputTokens": tokens} for ttl, tokens in self.written
            ]
        return usage


def cache_points(request: Request, lookback: int) -> list[Point]:
    """Find a request's cachePoints, in order (U1).

    Args:
        request: What was asked.
        lookback: How many blocks before each point a lookup tries too (U5).
    """
    points: list[Point] = []
    digest = hashlib.sha256(request.model_id.encode())
    keys: list[str] = []
    for block, head in _walk(request):
        if "cachePoint" in block:
            if keys:
                near = tuple(keys[: -lookback - 2 : -1])
                points.append(Point(head(), near, block["cachePoint"].get("ttl", "5m")))
            continue
        digest.update(json.dumps(block, sort_keys=True).encode() + b"\0")
        keys.append(digest.hexdigest())
    return points


def _walk(request: Request) -> Iterator[tuple[Json, Callable[[], Request]]]:
    """Each block in U1's order, with what makes the request up to it."""
    tool_config = request.tool_config or {}
    tools: list[Json] = tool_config.get("tools") or []
    head = partial(replace, request)
    for i, tool in enumerate(tools):
        some = {**tool_config, "tools": tools[:i]} if i else None
        yield tool, partial(head, tool_config=some, system=[], messages=[])
    for i, block in enumerate(request.system):
        yield block, partial(head, system=request.system[:i], messages=[])
    for i, message in enumerate(request.messages):
        role, content = message["role"], message["content"]
        for j, block in enumerate(content):
            last = [{**message, "content": content[:j]}] if j else []
            # Where a message begins, its role is part of the prefix.
            named = block if j else {"role": role, **block}
            yield named, partial(head, messages=[*request.messages[:i], *last])


@dataclass
class _Entry:
    tokens: int
    expires: float
    ttl: str


class PromptCache:
    """The cache of one endpoint; time comes from outside.

    Args:
        clock: Seconds, as `time.monotonic` gives them.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin empty."""
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def account(
        self, points: Sequence[Point], tokens: Sequence[int], total: int, minimum: int
    ) -> InputUsage:
        """Read and write the cache for one request, and say what it cost.

        Args:
            points: The request's cachePoints, in order.
            tokens: Input tokens of each point's head.
            total: Input tokens of the whole request.
            minimum: The model's shortest prefix that is cached.
        """
        done = read = self._read(points)
        written: dict[str, int] = {}
        for point, size in zip(points, tokens, strict=True):
            if size >= max(minimum, done + 1):
                self._write(point, size)
                written[point.ttl] = written.get(point.ttl, 0) + size - done
                done = size
        # Bedrock sorts by lifetime, the longest first: "1h" < "5m".
        return InputUsage(total - done, read, tuple(sorted(written.items())))

    def _read(self, points: Sequence[Point]) -> int:
        """Tokens of the longest prefix in the cache (U2, U5)."""
        now = self._clock()
        for point in reversed(points):
            for key in point.keys:
                entry = self._entries.get(key)
                if entry is not None and entry.expires > now:
                    entry.expires = now + TTL_SECONDS[entry.ttl]
                    return entry.tokens
        return 0

    def _write(self, point: Point, size: int) -> None:
        expires = self._clock() + TTL_SECONDS[point.ttl]
        self._entries[point.keys[0]] = _Entry(size, expires, point.ttl)

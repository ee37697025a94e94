"""LangChain's cache, restricted to complete turns.

A partial message in the cache would be returned for ever, as if it were the model's
complete answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.outputs import Generation


class CompleteOnlyCache(BaseCache):
    """Looks up in another cache, and stores complete turns there."""

    def __init__(self, cache: BaseCache) -> None:
        """Wrap a cache."""
        self._cache = cache

    def lookup(self, prompt: str, llm_string: str) -> Sequence[Generation] | None:
        """Look up; see BaseCache."""
        return self._cache.lookup(prompt, llm_string)

    def update(
        self, prompt: str, llm_string: str, return_val: Sequence[Generation]
    ) -> None:
        """Store complete turns; see BaseCache."""
        if all(map(_is_complete, return_val)):
            self._cache.update(prompt, llm_string, return_val)

    def clear(self, **kwargs: Any) -> None:
        """Clear; see BaseCache."""
        self._cache.clear(**kwargs)

    async def alookup(
        self, prompt: str, llm_string: str
    ) -> Sequence[Generation] | None:
        """Look up; see BaseCache."""
        return await self._cache.alookup(prompt, llm_string)

    async def aupdate(
        self, prompt: str, llm_string: str, return_val: Sequence[Generation]
    ) -> None:
        """Store complete turns; see BaseCache."""
        if all(map(_is_complete, return_val)):
            await self._cache.aupdate(prompt, llm_string, return_val)

    async def aclear(self, **kwargs: Any) -> None:
        """Clear; see BaseCache."""
        await self._cache.aclear(**kwargs)


def _is_complete(generation: Generation) -> bool:
    message: Any = getattr(generation, "message", None)
    turn = getattr(message, "response_metadata", {}).get("continuation", {})
    return bool(turn.get("complete", True))

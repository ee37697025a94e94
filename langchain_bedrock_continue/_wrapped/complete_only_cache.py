"""LangChain's cache, for whole turns alone.

A partial message that was stored would be given out for ever, and could not be told
from what the model has to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.outputs import Generation


class WholeTurns(BaseCache):
    """A cache that looks up in another, and stores there what is whole."""

    def __init__(self, cache: BaseCache) -> None:
        """Stand in front of a cache."""
        self._cache = cache

    def lookup(self, prompt: str, llm_string: str) -> Sequence[Generation] | None:
        """Look up; see BaseCache."""
        return self._cache.lookup(prompt, llm_string)

    def update(
        self, prompt: str, llm_string: str, return_val: Sequence[Generation]
    ) -> None:
        """Store what is whole; see BaseCache."""
        if all(map(_is_whole, return_val)):
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
        """Store what is whole; see BaseCache."""
        if all(map(_is_whole, return_val)):
            await self._cache.aupdate(prompt, llm_string, return_val)

    async def aclear(self, **kwargs: Any) -> None:
        """Clear; see BaseCache."""
        await self._cache.aclear(**kwargs)


def _is_whole(generation: Generation) -> bool:
    message: Any = getattr(generation, "message", None)
    said = getattr(message, "response_metadata", {}).get("continuation", {})
    return bool(said.get("complete", True))

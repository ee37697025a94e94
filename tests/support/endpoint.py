"""One local endpoint for a whole test session, which each test gives its own script."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

from langchain_bedrock_continue.local import LocalBedrock, Script
from langchain_bedrock_continue.local.backend import Piece, Request

Serve: TypeAlias = Callable[[Any], LocalBedrock]
"""The fixture `serve`: takes a script, or what one is made of; gives the endpoint."""


class Switchboard:
    """A backend that passes each request to the script of the running test."""

    def __init__(self) -> None:
        self.script = Script("")

    def start(self) -> None:
        """Start nothing: a script needs no start."""

    def close(self) -> None:
        """Close nothing, as above."""

    async def count_tokens(self, request: Request) -> int:
        """Count as the script does."""
        return await self.script.count_tokens(request)

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        """Answer as the script does."""
        async for piece in self.script.generate(request):
            yield piece

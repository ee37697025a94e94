"""A real model whose responses are kept in a file, so that none is generated twice.

Decoding is greedy, so a request has one response. When a rule of the package changes,
only the requests that the change makes different are generated, and a complete run is
repeated in seconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue.local.backend import Finish, Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from langchain_bedrock_continue.local.backend import Backend, Piece, Request


class KeptResponses:
    """A backend that looks up responses, and generates those that are missing.

    The model is started when it is first needed. Nothing but text is kept.

    Args:
        backend: The model.
        file: Where the responses are: a line of JSON each, appended as they come.
    """

    def __init__(self, backend: Backend, file: Path) -> None:
        """Read the file, if there is one; see the class."""
        self._backend, self._file = backend, file
        self._is_running = False
        self._kept: dict[str, Any] = {}
        lines = file.read_text().splitlines() if file.exists() else []
        for line in lines:
            entry = json.loads(line)
            self._kept[entry["key"]] = entry["value"]

    def start(self) -> None:
        """Do nothing: the model is started when it is needed."""

    def close(self) -> None:
        """Stop the model."""
        if self._is_running:
            self._backend.close()

    async def count_tokens(self, request: Request) -> int:
        """Count the tokens of the prompt."""
        key = _key("count", request)
        if key not in self._kept:
            self._keep(key, await self._model().count_tokens(request))
        count: int = self._kept[key]
        return count

    async def generate(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of the response."""
        key = _key("response", request)
        if key in self._kept:
            texts, reason, tokens = self._kept[key]
            for text in texts:
                yield Text(text)
            yield Finish(reason, tokens)
            return
        written = []
        async for piece in self._model().generate(request):
            if isinstance(piece, Text):
                written.append(piece.text)
            elif isinstance(piece, Finish):  # the endpoint reads no further
                self._keep(key, [written, piece.stop_reason, piece.output_tokens])
            yield piece

    def _model(self) -> Backend:
        if not self._is_running:
            self._backend.start()
            self._is_running = True
        return self._backend

    def _keep(self, key: str, value: object) -> None:
        self._kept[key] = value
        with self._file.open("a") as lines:
            print(json.dumps({"key": key, "value": value}), file=lines)


def _key(what: str, request: Request) -> str:
    return f"{what} {json.dumps(asdict(request), sort_keys=True)}"

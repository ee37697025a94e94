"""The failure of a tool call that `max_tokens` truncates, as Nova reports it.

Other models return the truncated call with the stop reason `max_tokens`. Sources: AWS's
user guide of Nova, "Troubleshooting tool calls"; the text is from public reports.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Fault,
    Finish,
    ToolInput,
    ToolStart,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from langchain_bedrock_continue.local.backend import Piece

INVALID_SEQUENCE = (
    "Model produced invalid sequence as part of ToolUse. Please refer to the model "
    "tool use troubleshooting guide."
)


async def fail_truncated_calls(
    pieces: AsyncIterator[Piece], *, streamed: bool
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer; end in a failure where a call is truncated.

    Args:
        pieces: The pieces of the answer.
        streamed: Whether the response is a stream.
    """
    arguments: str | None = None  # of the last block, if it is a tool call
    async with aclosing(cast("AsyncGenerator[Piece, None]", pieces)) as answer:
        async for piece in answer:
            if _is_truncation(piece) and arguments is not None:
                if not _is_json(arguments):
                    yield _failure(streamed=streamed)
                    return
            elif isinstance(piece, ToolStart):
                arguments = ""
            elif isinstance(piece, ToolInput):
                arguments = (arguments or "") + piece.json_text
            elif not isinstance(piece, BlockEnd):
                arguments = None
            yield piece


def _is_truncation(piece: Piece) -> bool:
    return isinstance(piece, Finish) and piece.stop_reason == "max_tokens"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _failure(*, streamed: bool) -> Fault:
    code = "ModelStreamErrorException" if streamed else "ModelErrorException"
    return Fault("exception", code, INVALID_SEQUENCE, HTTPStatus.OK)

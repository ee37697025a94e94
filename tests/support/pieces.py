"""Requests to a scripted model in memory, and what the pieces of its answer say."""

from typing import Any

from langchain_bedrock_continue.local import Request, Script
from langchain_bedrock_continue.local.backend import Finish, Json, Piece, Text


def make_request(prefill: str = "", max_tokens: int = 1000, **fields: Any) -> Request:
    """Make a request of one question, and of a prefill if there is one."""
    messages: list[Json] = [{"role": "user", "content": [{"text": "Go"}]}]
    if prefill:
        messages.append({"role": "assistant", "content": [{"text": prefill}]})
    return Request("m", messages, max_tokens, **fields)


async def pieces_of(script: Script, request: Request) -> list[Piece]:
    """Return all pieces of the answer to a request."""
    return [piece async for piece in script.generate(request)]


def text_of(pieces: list[Piece]) -> str:
    """Return the text of the pieces."""
    return "".join(p.text for p in pieces if isinstance(p, Text))


def finish_of(pieces: list[Piece]) -> Finish:
    """Return the last piece, which ends an answer."""
    finish = pieces[-1]
    assert isinstance(finish, Finish)
    return finish


def stop_reason_of(pieces: list[Piece]) -> str:
    """Return the reason why the answer ends."""
    return finish_of(pieces).stop_reason

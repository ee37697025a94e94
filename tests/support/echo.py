"""A scripted model that goes on in a user turn as it is asked to."""

import re

from langchain_bedrock_continue.local import Request

QUOTED = re.compile(r"<(tail[-\d]*)>(.*)</\1>", re.DOTALL)


def texts_of(request: Request) -> list[str]:
    return [
        "".join(block.get("text", "") for block in message["content"])
        for message in request.messages
    ]


def turn_of(request: Request) -> list[str]:
    """Return the texts of the last turn: its question, and what came of it."""
    texts = texts_of(request)
    roles = [message["role"] for message in request.messages]
    asked = [
        at
        for at, (role, text) in enumerate(zip(roles, texts, strict=True))
        if role == "user" and not (QUOTED.search(text) or "cut off" in text)
    ]
    return texts[asked[-1] :]


def written_so_far(texts: list[str]) -> tuple[str, str]:
    """Put the pieces of the answer together, as they were echoed; and the quote."""
    _question, written, *later = texts
    quote = ""
    for at, text in enumerate(later):
        if at % 2 == 0:
            found = QUOTED.search(text)
            quote = found[2] if found else ""
        else:
            assert text.startswith(quote)
            written = written.rstrip() + text[len(quote) :]
    return written, quote


def echo(text: str, request: Request) -> str:
    """Do as asked: repeat the quote, and go on."""
    texts = turn_of(request)
    if len(texts) == 1:
        return text
    written, quote = written_so_far(texts)
    assert text.startswith(written)
    return quote + text[len(written) :]

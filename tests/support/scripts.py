"""Scripted models that continue as they are asked to: by a prefill or in a user turn.

A scripted model knows its answer in advance. Asked in a user turn, it reads from the
request what it has written so far, repeats the quote (the echo), and writes the rest.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    Request,
    Say,
    Script,
    Think,
)
from langchain_bedrock_continue.local.backend import Json
from langchain_bedrock_continue.local.script.tokenizer import tokenize
from tests.support.prompts import QUOTED

Given: TypeAlias = Answer | Callable[[Request], Answer]

# What a request says ---------------------------------------------------------------


def texts_of(request: Request) -> list[str]:
    """Return the text of each message of a request."""
    return [
        "".join(block.get("text", "") for block in message["content"])
        for message in request.messages
    ]


def turn_of(request: Request) -> list[str]:
    """Return the texts of the last turn: the question, and all that followed it."""
    texts = texts_of(request)
    roles = [message["role"] for message in request.messages]
    asked = [
        at
        for at, (role, text) in enumerate(zip(roles, texts, strict=True))
        if role == "user" and not (QUOTED.search(text) or "cut off" in text)
    ]
    return texts[asked[-1] :]


def written_so_far(texts: list[str]) -> tuple[str, str]:
    """Return the text that the echoes of a turn add up to, and the last quote."""
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


def quote_of(request: Request) -> str:
    """Return what the model is asked to repeat; empty where it is not asked."""
    found = QUOTED.search(texts_of(request)[-1])
    return found[2] if found else ""


def prefill_of(request: Request) -> str:
    """Return the prefill of a request; empty where it has none."""
    last = request.messages[-1]
    return texts_of(request)[-1] if last["role"] == "assistant" else ""


# Models that say one text ----------------------------------------------------------


def echoing(text: str) -> Script:
    """Make a model that says one text, with an echo in each user turn."""
    return Script(lambda request: echo(text, request))


def echo(text: str, request: Request) -> str:
    """Return the text; in a user turn, the quote and the rest of the text."""
    texts = turn_of(request)
    if len(texts) == 1:
        return text
    written, quote = written_so_far(texts)
    assert text.startswith(written)
    return quote + text[len(written) :]


# Models that say any answer --------------------------------------------------------


def in_order(*answers: Given) -> Script:
    """Make a model with another answer for each request; the last one repeats."""
    waiting = list(answers)

    def answer(request: Request) -> Answer:
        one = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return one if isinstance(one, Answer) else one(request)

    return Script(answer)


def continuing(answer: Answer) -> Script:
    """Make a model that says one answer, in as many segments as it takes."""
    return Script(lambda request: rest_of(answer, request))


def continuing_but_failing(answer: Answer, number: int) -> Script:
    """Make such a model that fails for good in its n-th request."""
    failure = Fault("exception", "ValidationException", "No.", status=200)
    asked = 0

    def answered(request: Request) -> Answer:
        nonlocal asked
        asked += 1
        given = rest_of(answer, request)
        fault = FaultAt(failure, at=4, request=None)
        return Answer(given.content, faults=[fault] if asked == number else [])

    return Script(answered)


def rest_of(answer: Answer, request: Request) -> Answer:
    """Return what is left to say: new thinking, the quote and the rest, all calls."""
    texts = turn_of(replace(request, messages=_uncited(request.messages)))
    if len(texts) == 1 or request.messages[-1]["role"] == "assistant":
        return answer
    written, quote = written_so_far(texts)
    thoughts = [block for block in answer.blocks if isinstance(block, Think)]
    calls = [block for block in answer.blocks if isinstance(block, CallTool)]
    says = [block for block in answer.blocks if isinstance(block, Say)]
    return replace(answer, content=[*thoughts, *_left(says, written, quote), *calls])


def _uncited(messages: list[Json]) -> list[Json]:
    """Return the messages with cited texts as plain ones."""

    def plain(block: Json) -> Json:
        cited = block.get("citationsContent")
        return block if cited is None else cited["content"][0]

    return [
        {**message, "content": [plain(block) for block in message["content"]]}
        for message in messages
    ]


def _left(says: list[Say], written: str, quote: str) -> list[Say]:
    """Return the texts that are not yet written, the first one after the quote."""
    assert "".join(say.text for say in says).startswith(written)
    while says and len(says[0].text) <= len(written):
        written, says = written[len(says[0].text) :], says[1:]
    if not says:
        return [Say(quote)] if quote else []
    first = replace(says[0], text=quote + says[0].text[len(written) :])
    return [first, *says[1:]]


def tokens_of(answer: Answer) -> int:
    """Count the tokens of an answer."""
    return sum(len(tokenize(_text(block))) for block in answer.blocks)


def _text(block: Any) -> str:
    if isinstance(block, CallTool):
        return json.dumps(block.input, ensure_ascii=False)
    text: str = block.text
    return text

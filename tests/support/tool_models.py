"""Scripted models that think and call tools, and go on in a user turn as asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Request,
    Say,
    Script,
    Think,
)
from langchain_bedrock_continue.local.backend import Json
from langchain_bedrock_continue.local.script.tokenizer import tokenize
from tests.support.echo import QUOTED, texts_of, turn_of, written_so_far

# It takes a prefill, with tools too.
PREFILL_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
# It takes back its thinking only behind the very words that it was made behind.
BINDING_MODEL = "us.anthropic.claude-sonnet-5-5"
THINKING: dict[str, Any] = {
    "additional_model_request_fields": {"thinking": {"type": "adaptive"}}
}

Given: TypeAlias = Answer | Callable[[Request], Answer]


def tools(*names: str) -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": {}}
    return [
        {"name": name, "description": "d", "input_schema": schema} for name in names
    ]


def by_number(*answers: Given) -> Script:
    """A model that says something else at each request; the last answer repeats."""
    waiting = list(answers)

    def answer(request: Request) -> Answer:
        one = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return one if isinstance(one, Answer) else one(request)

    return Script(answer)


def going_on(answer: Answer) -> Script:
    """A model that says one answer, however often it has to be asked to go on."""
    return Script(lambda request: behind(answer, request))


def behind(answer: Answer, request: Request) -> Answer:
    """What is left to say: thinking anew, the quote and what follows it, the calls."""
    texts = turn_of(replace(request, messages=_uncited(request.messages)))
    if len(texts) == 1 or request.messages[-1]["role"] == "assistant":
        return answer
    written, quote = written_so_far(texts)
    thoughts = [block for block in answer.blocks if isinstance(block, Think)]
    calls = [block for block in answer.blocks if isinstance(block, CallTool)]
    says = [block for block in answer.blocks if isinstance(block, Say)]
    return replace(answer, content=[*thoughts, *_left(says, written, quote), *calls])


def _uncited(messages: list[Json]) -> list[Json]:
    """Return messages whose cited texts are plain ones."""

    def plain(block: Json) -> Json:
        cited = block.get("citationsContent")
        return block if cited is None else cited["content"][0]

    return [
        {**message, "content": [plain(block) for block in message["content"]]}
        for message in messages
    ]


def _left(says: list[Say], written: str, quote: str) -> list[Say]:
    """Return the texts that are not yet written, the first one behind the quote."""
    assert "".join(say.text for say in says).startswith(written)
    while says and len(says[0].text) <= len(written):
        written, says = written[len(says[0].text) :], says[1:]
    if not says:
        return [Say(quote)] if quote else []
    first = replace(says[0], text=quote + says[0].text[len(written) :])
    return [first, *says[1:]]


def quote_of(request: Request) -> str:
    """What the model is asked to repeat; empty where it is not asked."""
    found = QUOTED.search(texts_of(request)[-1])
    return found[2] if found else ""


def prefilled(request: Request) -> str:
    """What was put into the model's mouth."""
    last = request.messages[-1]
    return texts_of(request)[-1] if last["role"] == "assistant" else ""


def tokens_of(answer: Answer) -> int:
    """Count the tokens that an answer takes."""
    return sum(len(tokenize(_text(block))) for block in answer.blocks)


def _text(block: Any) -> str:
    if isinstance(block, CallTool):
        return json.dumps(block.input, ensure_ascii=False)
    text: str = block.text
    return text

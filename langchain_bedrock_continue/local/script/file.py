"""A script in a file: text, or JSON in Converse's words.

FILE-1. A file that does not end in `.json` is one text, which answers every request. A
    line break at its end is left out.
FILE-2. A JSON file is a list of answers, one for each turn of a conversation; the last
    one repeats. An answer is a string, or an object:

        {"content": [
            {"reasoningContent": {"reasoningText": {"text": "I look it up."}}},
            {"text": "Let me look."},
            {"toolUse": {"name": "search", "input": {"query": "bread"}}}],
         "stopReason": "tool_use", "delay": 0.05, "firstDelay": 0.5}

    `content` is required. `delay` and `firstDelay` are in seconds; see `Answer`.
FILE-3. An error names the file, and the answer by its number from 1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue.local.script.answers import (
    Answer,
    CallTool,
    Say,
    Think,
)
from langchain_bedrock_continue.local.script.backend import Script

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_bedrock_continue.local.script.answers import Block

_NAMES = {
    "content": "content",
    "stopReason": "stop_reason",
    "delay": "delay",
    "firstDelay": "first_delay",
}
"""The attribute of `Answer` by the name in the file."""

_BLOCKS = "text, toolUse or reasoningContent"


def load_script(path: Path) -> Script:
    """Read a script from a file.

    Args:
        path: The file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a script.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return Script(text.removesuffix("\n"))
    try:
        answers = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(answers, list) or not answers:
        raise ValueError(f"{path}: give a list of answers, with at least one")
    numbered = enumerate(answers, start=1)
    return Script([_answer(one, f"{path}: answer {n}") for n, one in numbered])


def _answer(value: Any, where: str) -> Answer:
    if isinstance(value, str):
        return Answer(value)
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        raise ValueError(f"{where}: give a string, or an object with a list `content`")
    if unknown := [name for name in value if name not in _NAMES]:
        raise ValueError(f"{where}: unknown {unknown[0]!r}; known: {', '.join(_NAMES)}")
    fields = {_NAMES[name]: given for name, given in value.items()}
    for name in ("delay", "first_delay"):
        if not isinstance(fields.get(name, 0), int | float) or fields.get(name, 0) < 0:
            raise ValueError(f"{where}: delays are numbers of seconds")
    fields["content"] = [_block(block, where) for block in value["content"]]
    return Answer(**fields)


def _block(value: Any, where: str) -> Block:
    try:
        ((kind, content),) = value.items()
        return _BLOCK_OF[kind](content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{where}: {json.dumps(value)[:80]} is not a block of {_BLOCKS}"
        ) from error


def _text(content: Any) -> Block:
    if not isinstance(content, str):
        raise TypeError
    return Say(content)


def _tool_use(content: Any) -> Block:
    name, given = content["name"], content["input"]
    if not isinstance(name, str) or not isinstance(given, dict):
        raise TypeError
    return CallTool(name, given, content.get("toolUseId", ""))


def _reasoning(content: Any) -> Block:
    told = content["reasoningText"]
    if not isinstance(told["text"], str):
        raise TypeError
    return Think(told["text"])


_BLOCK_OF = {"text": _text, "toolUse": _tool_use, "reasoningContent": _reasoning}

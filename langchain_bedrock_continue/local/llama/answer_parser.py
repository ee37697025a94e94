"""Parses a model's text into text blocks and tool calls while it is generated.

Models write a tool call as a JSON object, `{"name": ..., "arguments": {...}}`: bare, in
`<tool_call>` tags or in a code fence. Qwen2.5-Coder writes all three.

PARSER-1. An object is a tool call if it starts with the name of a tool of the request,
    followed by its arguments as an object. Everything else is text.
PARSER-2. The joined pieces do not depend on the chunks in which the text arrives.
PARSER-3. Text is held back while it may become a tool call, and released if it does
    not. Only the framing of tool calls is dropped: tags, fences and whitespace.
PARSER-4. At a truncation, text that may become a tool call is withheld: a continuation
    generates it again, and no part of a tool call becomes text.
PARSER-5. A tool call's input is passed on as it arrives, exactly as the model wrote it.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Text,
    ToolInput,
    ToolStart,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from langchain_bedrock_continue.local.backend import Piece

_FRAMES = {
    "": "",
    "<tool_call>": "</tool_call>",
    "<tools>": "</tools>",
    "```json": "```",
    "```": "```",
}
_SPACE, _NAME = "space", "name"
_COLON = (_SPACE, ":", _SPACE)
_HEAD = (
    *(_SPACE, "{", _SPACE, '"name"', *_COLON, '"', _NAME, '"'),
    *(_SPACE, ",", _SPACE, '"arguments"', *_COLON, "{"),
)
_CANDIDATE = re.compile(r"\s*[<`{]|\s+\Z")
_WHITESPACE = re.compile(r"\s*")
_STRUCTURE = re.compile(r'[{}"]')
_IN_STRING = re.compile(r'[\\"]')


class _Head(NamedTuple):
    """The beginning of a tool call, up to the arguments.

    Attributes:
        start: Index of its first character, including whitespace and opener.
        end: Index of the first character of the arguments.
        name: Name of the tool.
        closer: Text that closes the frame; empty for a bare call.
    """

    start: int
    end: int
    name: str
    closer: str


_Match: TypeAlias = _Head | Literal["undecided"] | None


def new_tool_use_id() -> str:
    """Return a new id in the form of Bedrock's: `tooluse_` and 22 characters."""
    return "tooluse_" + secrets.token_urlsafe(16)


class AnswerParser:
    """Converts the text of one answer to pieces.

    Args:
        names: Names of the tools. Without tools, everything is text.
        forced: Name of the tool that the answer must call; None if there is a choice.
        new_id: Returns a new `toolUseId`.

    Attributes:
        called: Whether a tool call has started.
        malformed: Whether the model ended a tool call whose input is not valid JSON.
    """

    def __init__(
        self,
        names: Collection[str] = (),
        *,
        forced: str | None = None,
        new_id: Callable[[], str] = new_tool_use_id,
    ) -> None:
        """Start before the first character; see the class."""
        self.called = False
        self.malformed = False
        self._names = names
        self._forced = forced
        self._new_id = new_id
        self._step = self._text
        self._held = ""
        self._closer = ""
        self._braces = _BraceCounter()
        self._input = ""
        self._text_open = False
        self._pieces: list[Piece] = []

    def feed(self, text: str) -> list[Piece]:
        """Add text, and return the pieces that are certain.

        Args:
            text: More of the model's text.
        """
        self._held += text
        while self._held and self._step():
            pass
        return self._take_pieces()

    def end(self, *, truncated: bool) -> list[Piece]:
        """End the answer, and return the remaining pieces.

        Args:
            truncated: Whether `max_tokens` ended the answer, and not the model.
        """
        if self._step == self._arguments:
            self.malformed = self.malformed or not truncated
            self._pieces.append(BlockEnd())
        elif self._step == self._text:
            self._end_text(truncated=truncated)
        return self._take_pieces()

    def _take_pieces(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _end_text(self, *, truncated: bool) -> None:
        if not truncated or (self._text_open and self._held.isspace()):
            self._add_text(self._held)
        self._close_text()
        if truncated and self._forced and not self.called:
            self._open_call(self._forced)
            self._pieces.append(BlockEnd())

    # The steps. Each reads the held text. True means that the next step can run.

    def _text(self) -> bool:
        if not self._names:
            return self._release(len(self._held))
        for candidate in _CANDIDATE.finditer(self._held):
            at = candidate.start()
            closed = self._close_frame(at)
            if closed is not None:
                return closed
            match = _match_call(self._held, at, self._names)
            if isinstance(match, _Head):
                return self._begin_call(match)
            if match:
                return self._release(at)
        return self._release(len(self._held))

    def _close_frame(self, at: int) -> bool | None:
        """Drop the closer of a frame; return None if there is none at this place."""
        if not self._closer:
            return None
        end = _match_steps(self._held, at, (_SPACE, self._closer), ())
        if end is None:
            return None
        self._release(at)
        if isinstance(end, str):
            return False
        self._held = self._held[end.end - at :]
        self._closer = ""
        return True

    def _release(self, end: int) -> bool:
        self._add_text(self._held[:end])
        self._held = self._held[end:]
        return False

    def _begin_call(self, head: _Head) -> bool:
        self._add_text(self._held[: head.start])
        self._close_text()
        self._held = self._held[head.end :]
        self._closer = head.closer or self._closer
        self._open_call(head.name)
        self._braces = _BraceCounter(depth=1)
        self._input = ""
        self._step = self._arguments
        return True

    def _arguments(self) -> bool:
        end = self._braces.find(self._held, depth=1)
        arrived = self._held[:end]
        self._held = self._held[len(arrived) :]
        self._input += arrived
        self._pieces.append(ToolInput(arrived))
        if end is None:
            return False
        self.malformed = self.malformed or not _is_json(self._input)
        self._pieces.append(BlockEnd())
        self._step = self._rest_of_object
        return True

    def _rest_of_object(self) -> bool:
        end = self._braces.find(self._held, depth=0)
        self._held = "" if end is None else self._held[end:]
        if end is not None:
            self._step = self._text
        return True

    def _add_text(self, text: str) -> None:
        if self.called and not self._text_open:
            text = text.lstrip()
        if text:
            self._text_open = True
            self._pieces.append(Text(text))

    def _close_text(self) -> None:
        if self._text_open:
            self._text_open = False
            self._pieces.append(BlockEnd())

    def _open_call(self, name: str) -> None:
        self.called = True
        self._pieces.append(ToolStart(self._new_id(), name))


class _BraceCounter:
    """Counts the braces of JSON text across chunks, to find the end of an object."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._in_string = False
        self._skip = 0

    def find(self, text: str, depth: int) -> int | None:
        """Return the index after the brace that closes to `depth`; None if not here."""
        at, self._skip = self._skip, 0
        while found := (_IN_STRING if self._in_string else _STRUCTURE).search(text, at):
            at = found.end()
            sign = found.group()
            if sign == "\\":
                at += 1  # the escaped character, which may be in the next chunk
            elif sign == '"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if sign == "{" else -1
                if sign == "}" and self._depth == depth:
                    return at
        self._skip = max(0, at - len(text))
        return None


def _match_call(text: str, at: int, names: Collection[str]) -> _Match:
    """Match the head of a tool call; "undecided" if the text ends too early."""
    undecided: _Match = None
    for opener, closer in _FRAMES.items():
        steps = (_SPACE, opener, *_HEAD) if opener else _HEAD
        match = _match_steps(text, at, steps, names)
        if isinstance(match, _Head):
            return match._replace(end=match.end - 1, closer=closer)
        undecided = undecided or match
    return undecided


def _match_steps(
    text: str, start: int, steps: tuple[str, ...], names: Collection[str]
) -> _Match:
    at, name = start, ""
    for step in steps:
        if step == _SPACE:
            at = _WHITESPACE.match(text, at).end()  # type: ignore[union-attr] # "" matches
            continue
        words = names if step == _NAME else (step,)
        word = next((word for word in words if _is_at(text, at, word, step)), None)
        if word is None:
            rest = text[at:]
            undecided = any(word.startswith(rest) for word in words)
            return "undecided" if undecided else None
        at += len(word)
        name = word if step == _NAME else name
    return _Head(start, at, name, "")


def _is_at(text: str, at: int, word: str, step: str) -> bool:
    """Return True if the word is at this index; a name must end there too."""
    return text.startswith(word + '"' if step == _NAME else word, at)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True

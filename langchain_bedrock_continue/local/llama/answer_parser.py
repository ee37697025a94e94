"""Tool calls in a model's text, found while it is being written.

Models write a call as an object, `{"name": ..., "arguments": {...}}`, bare, in
`<tool_call>` tags or in a fence (Qwen2.5-Coder does all three). Rules:

L1. An object is a call if it begins with the name of a tool that the request offers,
    followed by its arguments as an object. Everything else is text.
L2. The pieces, joined, do not depend on how the text arrives in chunks.
L3. Text is held back while it may still turn into a call; when it turns out to be none,
    it is given out. Only framing is dropped: tags, fences and blanks around calls.
L4. At a cut, what is still undecided is withheld, as half a character is: a continued
    answer writes it again, and no half call ends up in the text.
L5. A call's input goes out as it arrives, letter by letter as the model wrote it.
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
_BLANK, _NAME = "blank", "name"
_MEMBER = (_BLANK, ":", _BLANK)
_HEAD = (
    *(_BLANK, "{", _BLANK, '"name"', *_MEMBER, '"', _NAME, '"'),
    *(_BLANK, ",", _BLANK, '"arguments"', *_MEMBER, "{"),
)
_CANDIDATE = re.compile(r"\s*[<`{]|\s+\Z")
_BLANKS = re.compile(r"\s*")
_STRUCTURE = re.compile(r'[{}"]')
_IN_STRING = re.compile(r'[\\"]')


class _Head(NamedTuple):
    """A call's head; its arguments begin at `end`, and `closer` ends its frame."""

    start: int
    end: int
    name: str
    closer: str


_Match: TypeAlias = _Head | Literal["undecided"] | None


def new_tool_use_id() -> str:
    """Make up an id in Bedrock's form."""
    return "tooluse_" + secrets.token_urlsafe(16)


class AnswerParser:
    """Turns the text of one answer into pieces, whatever the chunks.

    Args:
        names: The tools on offer; without any, all is text.
        forced: The one tool that the answer must call, where there is one.
        new_id: Makes up a toolUseId.

    Attributes:
        called: A call has begun.
        malformed: A call's input was no JSON.
    """

    def __init__(
        self,
        names: Collection[str] = (),
        *,
        forced: str | None = None,
        new_id: Callable[[], str] = new_tool_use_id,
    ) -> None:
        """Begin a text."""
        self.called = False
        self.malformed = False
        self._names = names
        self._forced = forced
        self._new_id = new_id
        self._step = self._text
        self._held = ""
        self._closer = ""
        self._braces = _Braces()
        self._input = ""
        self._text_open = False
        self._pieces: list[Piece] = []

    def feed(self, text: str) -> list[Piece]:
        """Take some more text; give what is certain by now."""
        self._held += text
        while self._held and self._step():
            pass
        return self._taken()

    def end(self, *, cut: bool) -> list[Piece]:
        """End the answer; `cut` where it was not the model that ended it."""
        if self._step == self._arguments:
            self.malformed = self.malformed or not cut
            self._pieces.append(BlockEnd())
        elif self._step == self._text:
            self._end_text(cut=cut)
        return self._taken()

    def _taken(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _end_text(self, *, cut: bool) -> None:
        if not cut or (self._text_open and self._held.isspace()):
            self._give_text(self._held)
        self._close_text()
        if cut and self._forced and not self.called:
            self._open_call(self._forced)
            self._pieces.append(BlockEnd())

    # The steps. Each works on what is held; True: the next one can go on at once.

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
        """Drop the end of a frame; None where there is none at this place."""
        if not self._closer:
            return None
        end = _match_steps(self._held, at, (_BLANK, self._closer), ())
        if end is None:
            return None
        self._release(at)
        if isinstance(end, str):
            return False
        self._held = self._held[end.end - at :]
        self._closer = ""
        return True

    def _release(self, end: int) -> bool:
        self._give_text(self._held[:end])
        self._held = self._held[end:]
        return False

    def _begin_call(self, head: _Head) -> bool:
        self._give_text(self._held[: head.start])
        self._close_text()
        self._held = self._held[head.end :]
        self._closer = head.closer or self._closer
        self._open_call(head.name)
        self._braces = _Braces(depth=1)
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

    def _give_text(self, text: str) -> None:
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


class _Braces:
    """Follows JSON text across chunks, to see where an object ends."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._in_string = False
        self._skip = 0

    def find(self, text: str, depth: int) -> int | None:
        """Give the place after the brace that closes down to `depth`, if it is here."""
        at, self._skip = self._skip, 0
        while found := (_IN_STRING if self._in_string else _STRUCTURE).search(text, at):
            at = found.end()
            sign = found.group()
            if sign == "\\":
                at += 1  # whatever it escapes, in the next chunk perhaps
            elif sign == '"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if sign == "{" else -1
                if sign == "}" and self._depth == depth:
                    return at
        self._skip = max(0, at - len(text))
        return None


def _match_call(text: str, at: int, names: Collection[str]) -> _Match:
    """Match a call's head; "undecided" where the text ends too early to tell."""
    undecided: _Match = None
    for opener, closer in _FRAMES.items():
        steps = (_BLANK, opener, *_HEAD) if opener else _HEAD
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
        if step == _BLANK:
            at = _BLANKS.match(text, at).end()  # type: ignore[union-attr] # "" matches
            continue
        words = names if step == _NAME else (step,)
        word = next((word for word in words if _stands_at(text, at, word, step)), None)
        if word is None:
            rest = text[at:]
            undecided = any(word.startswith(rest) for word in words)
            return "undecided" if undecided else None
        at += len(word)
        name = word if step == _NAME else name
    return _Head(start, at, name, "")


def _stands_at(text: str, at: int, word: str, step: str) -> bool:
    """Tell whether the word is here, whole where it is a name."""
    return text.startswith(word + '"' if step == _NAME else word, at)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True

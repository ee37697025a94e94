"""The rest of a message: what follows the place at which its new text may begin.

A model that repeats the end of the text does not always continue from there. It first
closes what it opened before the echo, such as a tag; or it begins the answer again; or
it only remarks that the answer was complete.

REST-1. What closes a lead-in is dropped with it, where it directly follows the
    repetition.
REST-2. If the message repeats the text from its beginning after the echo, then the new
    text begins where that repetition ends. This counts in mid-sentence, or for a long
    text: after a complete line, a short text may be a verse that is sung twice.
REST-3. A remark that is all of the rest is dropped (`remarks`).
REST-4. If a code fence that stands nowhere in the text was dropped from the start of
    the message, then the fence that closes it is dropped from its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.join_rules import JoinRule
from langchain_bedrock_continue._core.text.overlap import RestartMatcher
from langchain_bedrock_continue._core.text.remarks import is_remark, may_become_remark

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.text.text_end import TextEnd

FENCES = ("```", "~~~")
"""The two kinds of code fences, at their shortest."""

_MIN_RESTART = 60
"""The least weight of a text in mid-sentence that is recognized when it is repeated
after the echo."""

_MIN_LONG_RESTART = 300
"""The least weight of such a text that ends anywhere."""

_ENDS_A_SENTENCE = frozenset(".!?:。！？…)]}>|*_`\"'\u201d\u2019」』）】")
_MAX_INDENT = 80
"""How much of a line is looked at to find a fence."""

_BLANK = re.compile(r"\s*")
_FENCE_LINE = re.compile(r"[ \t]*\n[ \t]*(`{3,}|~{3,})[ \t]*(?:\n|\Z)")
_FENCE_BEGUN = re.compile(r"[ \t]*(?:\n[ \t]*(?:`{0,3}|~{0,3}|(?:`{3,}|~{3,})[ \t]*))?")


def closings_end(rest: str, closings: tuple[str, ...], *, final: bool) -> int | None:
    """Return where the closings of the lead-ins end (REST-1).

    Args:
        rest: What follows the repetition.
        closings: What may follow there, in order.
        final: No more of it will come.

    Returns:
        The offset in the rest, 0 if no closing follows; None if one may still arrive.
    """
    at = 0
    for closing in closings:
        end = _closing_end(rest, at, closing, final=final)
        if end is None:
            return None
        if end < 0:
            break
        at = end
    return at


def _closing_end(rest: str, at: int, closing: str, *, final: bool) -> int | None:
    """Return where one closing ends; -1 if it does not follow, None if it may."""
    if closing in FENCES:
        return _fence_end(rest, at, closing, final=final)
    blank = _BLANK.match(rest, at) if closing.startswith("</") else None
    begin = blank.end() if blank else at
    if rest.startswith(closing, begin):
        return begin + len(closing)
    return None if not final and closing.startswith(rest[begin:]) else -1


def _fence_end(rest: str, at: int, fence: str, *, final: bool) -> int | None:
    """Return where a closing fence ends, with its line; as `_closing_end` does."""
    if not final and _FENCE_BEGUN.fullmatch(rest, at):
        return None
    line = _FENCE_LINE.match(rest, at)
    return line.end() if line and line[1].startswith(fence) else -1


class Rest:
    """The rest of a message, as it arrives, until its new text is known.

    Attributes:
        rule: The rule by which the message is joined.
        closed_fence: A fence around the repetition was closed directly after it.
    """

    def __init__(
        self,
        text_end: TextEnd,
        rule: JoinRule,
        closings: tuple[str, ...],
        *,
        echo: bool,
    ) -> None:
        """Begin where the new text may begin.

        Args:
            text_end: The text that the message continues.
            rule: The rule that found the place.
            closings: What may follow there, to be dropped.
            echo: Whether the quote was repeated before the place.
        """
        self.rule = rule
        self.closed_fence = False
        self._text_end = text_end
        self._closings = closings
        self._closed = not closings
        self._chunks: list[str] = []
        self._restart = RestartMatcher(text_end) if echo else None
        self._remark = True

    def feed(
        self, chunk: str, *, final: bool = False, truncated: bool = False
    ) -> str | None:
        """Receive more of the message.

        Args:
            chunk: What arrived.
            final: No more will come.
            truncated: The message ended by truncation.

        Returns:
            The new text so far; None while its beginning is not known.
        """
        self._chunks.append(chunk)
        if not self._closed:
            rest = "".join(self._chunks)
            end = closings_end(rest, self._closings, final=final)
            if end is None:
                return None
            self._chunks, self._closed = [rest[end:]], True
            self.closed_fence = any(fence in rest[:end] for fence in FENCES)
            chunk = rest[end:]
        if self._restart is not None and not self._past_restart(
            chunk, final=final, truncated=truncated
        ):
            return None
        return self._new_text(final=final, truncated=truncated)

    def _past_restart(self, chunk: str, *, final: bool, truncated: bool) -> bool:
        """Compare the rest with the text; return True once that is decided (REST-2)."""
        restart = self._restart
        if restart is None:
            return True
        restart.feed(chunk, final=final)
        if restart.is_active and not final:
            return False
        self._restart = None
        if restart.end is not None and self._counts(restart.weight):
            rest = "".join(self._chunks)[restart.end.at :]
            self._chunks = [restart.end.remainder + rest]
            self.rule, self._remark = JoinRule.RESTART, False
        elif restart.is_active and self._counts_unfinished(
            restart.weight, truncated=truncated
        ):
            self._chunks, self.rule = [], JoinRule.UNFINISHED
        return True

    def _counts(self, repeated: int) -> bool:
        least = _MIN_RESTART if self._in_sentence else _MIN_LONG_RESTART
        return repeated >= least

    def _counts_unfinished(self, repeated: int, *, truncated: bool) -> bool:
        """Return True if a repetition that the message's end ended adds nothing."""
        return self._counts(repeated) and (truncated or self._in_sentence)

    @property
    def _in_sentence(self) -> bool:
        body = self._text_end.body
        return self._text_end.in_line and body[-1] not in _ENDS_A_SENTENCE

    def _new_text(self, *, final: bool, truncated: bool) -> str | None:
        """Return the new text, unless it may be a remark (REST-3)."""
        rest, body = "".join(self._chunks), self._text_end.body
        if not final and not rest:
            return None
        if self._remark and not final and may_become_remark(rest, body):
            return None
        if self._remark and final and not truncated and rest and is_remark(rest, body):
            self.rule = JoinRule.REMARK
            return ""
        return rest


class TrailingFence:
    """Withholds a code fence at the end of a message, to drop it there (REST-4)."""

    _MAYBE = re.compile(r"\n[ \t]*(?:`{0,2}|~{0,2}|(?:`{3,}|~{3,})\s*)\Z")
    _FENCE = re.compile(r"\s*(?:`{3,}|~{3,})")

    def __init__(self) -> None:
        """Begin at a message's new text."""
        self._held = ""
        self._line = ""
        self._in_fence = False

    def feed(self, chunk: str) -> str:
        """Receive new text; return what is certainly no closing fence."""
        text = self._held + chunk
        maybe = self._MAYBE.search(text, max(0, text.rstrip().rfind("\n")))
        at = maybe.start() if maybe else len(text)
        self._held = text[at:]
        self._follow(text[:at])
        return text[:at]

    def finish(self, *, truncated: bool) -> str:
        """Return what is withheld, unless it closes the fence that was dropped."""
        held, self._held = self._held, ""
        self._follow("\n")
        closes = bool(self._FENCE.match(held)) and not (truncated or self._in_fence)
        return "" if closes else held

    def _follow(self, text: str) -> None:
        """Follow the fences of the new text, line by line."""
        *lines, last = text.split("\n")
        for line in lines:
            complete, self._line = self._line + line, ""
            if self._FENCE.match(complete):
                self._in_fence = not self._in_fence
        self._line = (self._line + last[:_MAX_INDENT])[:_MAX_INDENT]

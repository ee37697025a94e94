"""How a message that answers a user turn is joined to the text.

The prompt asks the model to repeat the end of the text, the quote, and to continue from
there. If the model does so, its new text begins after this echo. If not, the rules look
for other text that it repeated, and for what it wrote before that (`lead_ins`).

Example: the text ends in "every evening he asked for an", the quote is "he asked for
an", and the message is 'Sure! "he asked for another bed'. The rules find a preamble, a
quotation mark and the quote, so "other bed" is appended.

ECHO-1. If a message begins with the quote, the new text begins directly after it: the
    echo counts once, whatever follows.
ECHO-2. Only text that is already there, or a lead-in, is dropped from a message.
    Everything else is kept, in order: a loss is worse than a duplication.
ECHO-3. Only whitespace (and half a character) at the end of the text is replaced, and
    whitespace only if the new text begins with whitespace of its own.
ECHO-4. A join depends on the message, and not on how it is split into chunks: a rule
    decides only when no further character could change its result.
ECHO-5. A join is decided within WINDOW characters and the length of a quote, unless the
    message repeats the text from an earlier place: then it is decided when the
    repetition ends.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_bedrock_continue._core.text.healed_cut import HALF_CHARACTER
from langchain_bedrock_continue._core.text.join_rules import JoinResult, JoinRule
from langchain_bedrock_continue._core.text.lead_ins import (
    WINDOW,
    LeadIn,
    MessageStart,
    find_lead_ins,
)
from langchain_bedrock_continue._core.text.overlap import OverlapMatcher, TextEnd

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_MIN_QUOTE_WEIGHT = 4
"""The least weight of a quote that counts after a lead-in that is not trusted."""


@dataclass(frozen=True)
class _Found:
    """Where the new text begins in the message.

    Attributes:
        rule: The rule that found it.
        at: The place in the message.
        closing: What may follow there, to be dropped with a lead-in.
        aligned: The message is known to continue at the end of the text's body, so
            that the whitespace of both can be compared.
    """

    rule: JoinRule
    at: int
    closing: str = ""
    aligned: bool = True


class EchoJoin:
    """Joins one message to the text, as the message arrives.

    Attributes:
        result: The rule that decided, and what it dropped; None while the join is
            undecided.
        replaced: How many characters at the end of the text are replaced.
        truncated: Whether the message ended by truncation; known when it is over.
        text_end: The text, prepared for comparison.
        lead_ins: The lead-ins that were found so far.
        may_find_more: Whether more of the message may contain further lead-ins.
    """

    def __init__(self, text: str, quote: str, *, opening: str = "") -> None:
        """Prepare a join.

        Args:
            text: The text so far, with its trailing whitespace.
            quote: What the model was asked to repeat; may be empty.
            opening: The tag that precedes the quote in the prompt, such as `<tail>`.

        Raises:
            ValueError: The text does not end in the quote.
        """
        self.text_end = TextEnd(text, quote)
        self._opening = opening
        self.begin()

    def begin(self) -> None:
        """Prepare to receive a message."""
        self.result: JoinResult | None = None
        self.replaced = 0
        self.truncated = False
        self._chunks: list[str] = []
        self._window = ""
        self._matchers = {0: OverlapMatcher(self.text_end)}
        self.lead_ins: list[LeadIn] = []
        self.may_find_more = True

    def fresh(self) -> Self:
        """Return a join to the same text that has received nothing.

        Its cost does not depend on the length of the text: both share the prepared
        text, which never changes.
        """
        join: Self = copy.copy(self)
        join.begin()
        return join

    def feed(self, chunk: str) -> str | None:
        """Receive more of the message.

        Returns:
            What to append to the text, or None while the join is undecided.
        """
        if self.result is not None:
            return chunk
        self._chunks.append(chunk)
        for matcher in self._matchers.values():
            matcher.feed(chunk)
        self._window = (self._window + chunk)[:WINDOW]
        return self._decide(final=False)

    def finish(self, *, truncated: bool = False) -> str:
        """Decide with what was received, because the message is over.

        Args:
            truncated: Whether the message was truncated, and not ended by the model.

        Returns:
            What to append to the text, in addition to what `feed` returned.
        """
        if self.result is not None:
            return ""
        self.truncated = truncated
        return self._decide(final=True) or ""

    def matcher(self, at: int) -> OverlapMatcher:
        """Return the matcher of the message from a place on."""
        if at not in self._matchers:
            self._matchers[at] = OverlapMatcher(self.text_end)
            self._matchers[at].feed("".join(self._chunks)[at:])
        return self._matchers[at]

    def matchers(self) -> list[OverlapMatcher]:
        """Return all matchers: of the complete message, and after each lead-in."""
        return list(self._matchers.values())

    @property
    def received(self) -> int:
        """Count the characters of the message so far."""
        return sum(map(len, self._chunks))

    def update_lead_ins(self, *, final: bool) -> None:
        """Look for lead-ins in what was received since the last time."""
        if self.may_find_more:
            is_final = final or len(self._window) == WINDOW
            start = MessageStart(self._window, is_final, self.text_end, self._opening)
            self.lead_ins, self.may_find_more = find_lead_ins(start)

    def _decide(self, *, final: bool) -> str | None:
        for rule in _RULES:
            found = rule(self, final=final)
            if found == "wait":
                return None
            if found:
                return self._accept(found, final=final)
        raise AssertionError("the last rule always decides")

    def _accept(self, found: _Found, *, final: bool) -> str | None:
        """Accept a decision once the first new character is known."""
        rest = "".join(self._chunks)[found.at :]
        if found.closing:
            unclosed = _without_closing(rest, found.closing, final=final)
            if unclosed is None:
                return None
            rest = unclosed
        if not (rest or final):
            return None
        self.result = JoinResult(found.rule, self.received - len(rest))
        if rest:
            self.replaced = _replaced(self.text_end.trailing, rest, found)
        self._chunks.clear()
        return rest


def _without_closing(rest: str, closing: str, *, final: bool) -> str | None:
    """Drop the closing of a lead-in; return None while it may still arrive."""
    start = rest.lstrip() if closing.startswith("</") else rest
    if start.startswith(closing):
        return start[len(closing) :]
    if not final and closing.startswith(start):
        return None
    return rest


def _replaced(trailing: str, rest: str, found: _Found) -> int:
    """Count how much of the text's trailing whitespace is replaced (ECHO-3)."""
    if found.rule is not JoinRule.AS_IS and rest[0].isspace():
        if found.aligned or rest[0] == "\n":
            return len(trailing)
        if "\n" in trailing:  # the new text begins with the indentation of its line
            return len(trailing) - trailing.rindex("\n") - 1
    return (
        len(trailing) - trailing.find(HALF_CHARACTER)
        if HALF_CHARACTER in trailing
        else 0
    )


# The rules ------------------------------------------------------------------------

_Result: TypeAlias = "_Found | Literal['wait'] | None"
"""A decision, a request for more of the message, or nothing to say."""


def _find_echo(join: EchoJoin, *, final: bool) -> _Result:
    """The message begins with the quote (ECHO-1)."""
    matcher = join.matcher(0)
    if matcher.quote_end is not None:
        return _Found(JoinRule.ECHO, matcher.quote_end)
    if matcher.in_quote and not final:
        return "wait"
    # A message truncated inside the echo adds nothing, however short it is.
    is_partial = join.truncated and matcher.in_quote and join.received
    return _Found(JoinRule.UNFINISHED, join.received) if is_partial else None


def _find_overlap(join: EchoJoin, *, final: bool) -> _Result:
    """The message begins with an end of the text, longer or shorter than the quote."""
    matcher = join.matcher(0)
    if matcher.is_pending() and not final:
        return "wait"
    overlap = matcher.longest()
    if overlap is None:
        return None
    quote_at = join.text_end.quote_at
    is_longer = quote_at is not None and overlap.text_start < quote_at
    rule = JoinRule.RESTART if is_longer else JoinRule.OVERLAP
    return _Found(rule, overlap.message_end)


def _find_after_lead_in(join: EchoJoin, *, final: bool) -> _Result:
    """The message repeats the text after a lead-in."""
    join.update_lead_ins(final=final)
    for lead_in in join.lead_ins:
        matcher = join.matcher(lead_in.at)
        end = matcher.quote_end
        if end is not None and _quote_counts(join, lead_in):
            return _Found(lead_in.rule, lead_in.at + end, lead_in.closing)
        if matcher.is_pending(lead_in.unproven_at) and not final:
            return "wait"
        overlap = matcher.longest(lead_in.unproven_at)
        if overlap:
            at = lead_in.at + overlap.message_end
            return _Found(lead_in.rule, at, lead_in.closing)
    return "wait" if join.may_find_more and not final else None


def _quote_counts(join: EchoJoin, lead_in: LeadIn) -> bool:
    """Return True if the quote is evidence of a repetition after this lead-in."""
    is_heavy = join.text_end.quote_weight >= _MIN_QUOTE_WEIGHT
    return lead_in.droppable or lead_in.trusted or is_heavy


def _find_unfinished(join: EchoJoin, *, final: bool) -> _Result:
    """The message ends inside a repetition of the text."""
    places = (join.text_end.quote_at, 0 if join.truncated else None)
    if final and any(
        matcher.repeats(at) for matcher in join.matchers() for at in places
    ):
        return _Found(JoinRule.UNFINISHED, join.received)
    return None


def _find_lead_in(join: EchoJoin, *, final: bool) -> _Result:
    """The message begins with a droppable lead-in, and repeats nothing (LEAD-3)."""
    del final
    droppable = [lead_in for lead_in in join.lead_ins if lead_in.droppable]
    if not droppable:
        return None
    last = droppable[-1]
    return _Found(last.rule, last.at, aligned=last.rule is JoinRule.ELLIPSIS)


def _keep_all(join: EchoJoin, *, final: bool) -> _Result:
    """Nothing is known: keep every character (ECHO-2)."""
    del join, final
    return _Found(JoinRule.AS_IS, 0, aligned=False)


_RULES: tuple[Callable[..., _Result], ...] = (
    _find_echo,
    _find_overlap,
    _find_after_lead_in,
    _find_unfinished,
    _find_lead_in,
    _keep_all,
)
"""The strongest evidence first: the first rule with a result decides, or waits."""

"""How a message that answers a user turn is joined to the text.

The prompt asks the model to repeat the end of the text, the quote, and to continue from
there. If the model does so, its new text begins after this echo. If not, the rules look
for other text that it repeated, and for what it wrote before that (`lead_ins`).

Example: the text ends in "every evening he asked for an", the quote is "he asked for
an", and the message is 'Sure! "he asked for another bed'. The rules find a preamble, a
quotation mark and the quote, so "other bed" is appended.

ECHO-1. If a message begins with the quote, the new text begins directly after it: the
    echo counts once, whatever follows. Only the complete text from its beginning is
    another repetition (`rest`, REST-2).
ECHO-2. Only text that is already there, a lead-in with what closes it, or a remark
    about the answer is dropped from a message. Everything else is kept, in order: a
    loss is worse than a duplication.
ECHO-3. Only whitespace (and half a character) at the end of the text is replaced, and
    whitespace only if the new text begins with whitespace of its own.
ECHO-4. A join depends on the message, and not on how it is split into chunks: a rule
    decides only when no further character could change its result.
ECHO-5. A join is decided within WINDOW characters and the length of a quote, unless the
    message repeats the text from an earlier place: then it is decided when the
    repetition ends.
ECHO-6. After a fence that opens the code block again, an indented line is a line of its
    own: the line break before it is kept.
ECHO-7. The line break before an end that was left out (END-11) is replaced by any text
    that directly follows a repetition.
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
from langchain_bedrock_continue._core.text.overlap import End, OverlapMatcher
from langchain_bedrock_continue._core.text.rest import (
    Rest,
    TrailingFence,
    closings_end,
)
from langchain_bedrock_continue._core.text.rewritten_line import rewrites_last_line
from langchain_bedrock_continue._core.text.text_end import TextEnd

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from langchain_bedrock_continue._core.text.text_before import TextBefore

_MIN_QUOTE_WEIGHT = 4
"""The least weight of a quote that counts after a lead-in that is not trusted."""


_INDENTED = 2
"""So many blanks, or a tab, are the indentation of a line."""

_MIN_DOUBTFUL_WEIGHT = 20
"""The least weight of a quote that counts after a doubtful one."""


@dataclass(frozen=True)
class _Found:
    """Where the new text may begin in the message.

    Attributes:
        rule: The rule that found it.
        end: The place in the message: where a repetition ends, or a lead-in.
        closings: What may follow there, to be dropped with the lead-ins.
        repeats: The message repeats an end of the text up to there.
        fenced: A code fence was dropped that stands nowhere in the text.
    """

    rule: JoinRule
    end: End
    closings: tuple[str, ...] = ()
    repeats: bool = True
    fenced: bool = False

    @property
    def aligned(self) -> bool:
        """Whether the message is known to continue at the end of the text's body.

        Then the whitespace of both can be compared.
        """
        return self.repeats or self.rule is JoinRule.ELLIPSIS


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
        received: How many characters of the message have arrived.
    """

    def __init__(
        self,
        text: str | TextBefore,
        quote: str,
        *,
        opening: str = "",
        doubts_line_break: bool = False,
    ) -> None:
        """Prepare a join.

        Args:
            text: The text so far, with its trailing whitespace.
            quote: What the model was asked to repeat; may be empty.
            opening: What precedes the quote in the prompt, such as `<tail>`; may be
                empty.
            doubts_line_break: The line break at the end of the text preceded an end
                that was left out. It does not count if the new text shows none
                (ECHO-7).

        Raises:
            ValueError: The text does not end in the quote.
        """
        self.text_end = TextEnd(text, quote)
        self._opening = opening
        self._doubts_line_break = doubts_line_break
        self.begin()

    def begin(self) -> None:
        """Prepare to receive a message."""
        self.result: JoinResult | None = None
        self.replaced = 0
        self.truncated = False
        self.received = 0
        self._chunks: list[str] = []
        self._window = ""
        self._matchers = {0: OverlapMatcher(self.text_end)}
        self.lead_ins: list[LeadIn] = []
        self.may_find_more = True
        self._found: _Found | None = None
        self._rest: Rest | None = None
        self._trailing: TrailingFence | None = None

    def fresh(self) -> Self:
        """Return a join to the same text that has received nothing.

        Its cost does not depend on the length of the text: both share the prepared
        text, which never changes.
        """
        join: Self = copy.copy(self)
        join.begin()
        return join

    @property
    def repeats(self) -> bool:
        """Whether the message repeats an end of the text, as it was asked to."""
        return self._found is not None and self._found.repeats

    @property
    def is_over(self) -> bool:
        """Whether `feed` returns all that follows unchanged, and `finish` nothing."""
        return self.result is not None and self._trailing is None

    def feed(self, chunk: str) -> str | None:
        """Receive more of the message.

        Returns:
            What to append to the text, or None while the join is undecided.
        """
        if self.result is not None:
            return self._trailing.feed(chunk) if self._trailing else chunk
        self.received += len(chunk)
        if self._rest is not None:
            return self._accept(chunk)
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
        added = "" if self.result is not None else self._end(truncated=truncated)
        trailing, self._trailing = self._trailing, None
        return added + (trailing.finish(truncated=truncated) if trailing else "")

    def _end(self, *, truncated: bool) -> str:
        """Decide without more of the message."""
        self.truncated = truncated
        if self._rest is not None:
            return self._accept("", final=True) or ""
        for matcher in self._matchers.values():
            matcher.close()
        return self._decide(final=True) or ""

    def matcher(self, at: int) -> OverlapMatcher:
        """Return the matcher of the message from a place on."""
        if at not in self._matchers:
            self._matchers[at] = OverlapMatcher(self.text_end)
            self._matchers[at].feed(self.received_from(at))
        return self._matchers[at]

    def received_from(self, at: int) -> str:
        """Return the message from a place on."""
        return "".join(self._chunks)[at:]

    def matchers(self) -> list[OverlapMatcher]:
        """Return all matchers: of the complete message, and after each lead-in."""
        return list(self._matchers.values())

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
                return self._begin_rest(found, final=final)
        raise AssertionError("the last rule always decides")

    def _begin_rest(self, found: _Found, *, final: bool) -> str | None:
        """Pass on what follows the place that a rule found."""
        message, end = "".join(self._chunks), found.end
        surplus = 0
        if end.is_folded:
            surplus = self.text_end.surplus(message[end.at :])
            if end.at + surplus == len(message) and not final:
                return None
        self._found = found
        self._rest = Rest(self.text_end, found.rule, found.closings, echo=found.repeats)
        self._chunks.clear()
        rest = message[end.at + surplus :]
        remainder = "" if self.text_end.trailing else end.remainder
        return self._accept(remainder + rest, final=final)

    def _accept(self, chunk: str, *, final: bool = False) -> str | None:
        """Accept a decision once the new text is known to begin."""
        if self._rest is None or self._found is None:
            return None
        new = self._rest.feed(chunk, final=final, truncated=self.truncated)
        if new is None:
            return None
        rule = self._rest.rule
        self.result = JoinResult(rule, max(0, self.received - len(new)))
        if new:
            self.replaced = self._replaced_by(new, self._found)
        if self._found.fenced and not self._rest.closed_fence:
            self._trailing = TrailingFence()
            new = self._trailing.feed(new)
        self._rest = None
        return new

    def _replaced_by(self, new: str, found: _Found) -> int:
        """Count how much of the text's trailing whitespace new text replaces."""
        trailing = self.text_end.trailing
        goes_on = found.repeats and not new[0].isspace()
        if self._doubts_line_break and goes_on:
            return len(trailing)
        return _replaced_whitespace(trailing, new, found)


def _replaced_whitespace(trailing: str, rest: str, found: _Found) -> int:
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
    end = matcher.quote_end
    if end is not None:
        return _Found(JoinRule.ECHO, end)
    if matcher.in_quote and not final:
        return "wait"
    # A message truncated inside the echo adds nothing, however short it is.
    is_partial = join.truncated and matcher.in_quote and join.received
    return _Found(JoinRule.UNFINISHED, End(join.received)) if is_partial else None


def _find_overlap(join: EchoJoin, *, final: bool) -> _Result:
    """The message begins with an end of the text, longer or shorter than the quote."""
    matcher = join.matcher(0)
    again = rewrites_last_line(join.text_end, join.received_from(0), final=final)
    if (again is None or matcher.is_pending(line_counts=again)) and not final:
        return "wait"
    overlap = matcher.longest(line_counts=bool(again))
    if overlap is None:
        return None
    rule = JoinRule.RESTART if overlap.is_longer else JoinRule.OVERLAP
    return _Found(rule, overlap.end)


def _find_after_lead_in(join: EchoJoin, *, final: bool) -> _Result:
    """The message repeats the text after a lead-in."""
    join.update_lead_ins(final=final)
    for lead_in in join.lead_ins:
        matcher = join.matcher(lead_in.at)
        end = matcher.quote_end
        if end is not None:
            counts = _quote_counts(join, lead_in, end, final=final)
            if counts:
                return "wait" if counts == "wait" else _after(lead_in, end)
        if matcher.is_pending(line_counts=lead_in.line_counts) and not final:
            return "wait"
        overlap = matcher.longest(line_counts=lead_in.line_counts)
        if overlap:
            return _after(lead_in, overlap.end)
    return "wait" if join.may_find_more and not final else None


def _after(lead_in: LeadIn, end: End) -> _Found:
    """Return the end of a repetition that follows a lead-in."""
    end = end._replace(at=lead_in.at + end.at)
    return _Found(lead_in.rule, end, lead_in.closings, fenced=lead_in.fenced)


def _quote_counts(
    join: EchoJoin, lead_in: LeadIn, end: End, *, final: bool
) -> bool | Literal["wait"]:
    """Return True if the quote is evidence of a repetition after this lead-in."""
    weight = join.text_end.plain.quote_weight
    if not lead_in.doubtful:
        return lead_in.droppable or lead_in.trusted or weight >= _MIN_QUOTE_WEIGHT
    if weight >= _MIN_DOUBTFUL_WEIGHT:
        return True
    rest = join.received_from(lead_in.at + end.at)
    closed = closings_end(rest, lead_in.closings, final=final)
    return "wait" if closed is None else closed > 0


def _find_unfinished(join: EchoJoin, *, final: bool) -> _Result:
    """The message ends inside a repetition of the text."""
    if final and any(
        matcher.repeats(truncated=join.truncated) for matcher in join.matchers()
    ):
        return _Found(JoinRule.UNFINISHED, End(join.received))
    return None


def _find_lead_in(join: EchoJoin, *, final: bool) -> _Result:
    """The message begins with a droppable lead-in, and repeats nothing (LEAD-3)."""
    droppable = [lead_in for lead_in in join.lead_ins if lead_in.droppable]
    if not droppable:
        return None
    last = droppable[-1]
    is_fence = last.rule is JoinRule.FENCE
    end = _end_of_fence(join, last.at, final=final) if is_fence else last.at
    if end is None:
        return "wait"
    return _Found(last.rule, End(end), repeats=False, fenced=last.fenced)


def _end_of_fence(join: EchoJoin, at: int, *, final: bool) -> int | None:
    """Return where the text after a fence begins, None if undecided (ECHO-6)."""
    line = join.received_from(at)[:_INDENTED]
    if not final and len(line) < _INDENTED and not line.strip():
        return None
    is_indented = line.startswith("\t") or (len(line) == _INDENTED and line.isspace())
    has_break = "\n" in join.text_end.trailing
    return at - 1 if is_indented and not has_break else at


def _keep_all(join: EchoJoin, *, final: bool) -> _Result:
    """Nothing is known: keep every character (ECHO-2)."""
    del join, final
    return _Found(JoinRule.AS_IS, End(0), repeats=False)


_RULES: tuple[Callable[..., _Result], ...] = (
    _find_echo,
    _find_overlap,
    _find_after_lead_in,
    _find_unfinished,
    _find_lead_in,
    _keep_all,
)
"""The strongest evidence first: the first rule with a result decides, or waits."""

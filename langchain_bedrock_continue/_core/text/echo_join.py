"""How a continuation that was written in a user turn joins the text.

The model was asked to begin by repeating the end of the text, the quote, and then to
go on. Where it did, what follows the echo is the continuation. Where it did not, the
rules below look for what else it repeated, or put in front.

J1. A message that begins with the quote goes on right behind it: the echo counts once,
    whatever follows.
J2. What is dropped of a message is text that stands already, or a lead-in. Everything
    else is kept, in order: loss is worse than duplication.
J3. Of the text, only trailing whitespace (and half a character) is replaced, and only
    where the message goes on with whitespace of its own.
J4. A join depends on the message alone, not on its chunks: a rule decides when no
    further character could change what it says.
J5. A join is decided within WINDOW characters, and those of the quote, unless the
    message repeats the text from an earlier place: then when it stops doing so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_bedrock_continue._core.text.healed_cut import HALF
from langchain_bedrock_continue._core.text.lead_ins import (
    WINDOW,
    Head,
    Lead,
    LeadName,
    leads,
)
from langchain_bedrock_continue._core.text.overlap import Follower, Tail

if TYPE_CHECKING:
    from collections.abc import Callable

How: TypeAlias = Literal[
    "echo",  # the quote, repeated as asked
    "restart",  # more than the quote: from an earlier line, or from the top
    "overlap",  # less than the quote: its end
    LeadName,  # the same behind a lead-in, or behind it alone
    "unfinished",  # nothing but a part of the text, repeated
    "as_is",
]

_WRAPPED = 4
"""What a quote must weigh to be found behind a lead-in that proves nothing itself."""


@dataclass(frozen=True)
class _Found:
    """Where the continuation begins in the message."""

    how: How
    at: int
    closing: str = ""
    aligned: bool = True  # what stands before it in the message ends the text


class Join:
    """One join, decided once, as the message arrives.

    Attributes:
        how: The rule that decided, or None before.
        back: How many characters at the end of the text are replaced.
    """

    def __init__(self, text: str, quote: str, *, opening: str = "") -> None:
        """Begin a join.

        Args:
            text: The turn's text so far, with its trailing whitespace.
            quote: What the model was asked to repeat; may be empty.
            opening: The delimiter in front of the quote in the prompt, `<tail>`.

        Raises:
            ValueError: The text does not end in the quote.
        """
        self.how: How | None = None
        self.back = 0
        self.cut = False
        self.tail = Tail(text, quote)
        self._opening = opening
        self._parts: list[str] = []
        self._window = ""
        self._followers: dict[int, Follower] = {0: Follower(self.tail)}
        self.leads: list[Lead] = []
        self.more_leads = True

    def feed(self, chunk: str) -> str | None:
        """Take more of the message.

        Returns:
            What to append to the text, or None while the join is undecided.
        """
        if self.how is not None:
            return chunk
        self._parts.append(chunk)
        for follower in self._followers.values():
            follower.feed(chunk)
        self._window = (self._window + chunk)[:WINDOW]
        return self._settle(final=False)

    def finish(self, *, cut: bool = False) -> str:
        """Decide with what came, now that the message is over.

        Args:
            cut: Whether the message was cut, and not ended by the model.

        Returns:
            What to append to the text, beyond what `feed` returned.
        """
        if self.how is not None:
            return ""
        self.cut = cut
        return self._settle(final=True) or ""

    def follower(self, at: int) -> Follower:
        """Return the follower from a place in the message on."""
        if at not in self._followers:
            self._followers[at] = Follower(self.tail)
            self._followers[at].feed("".join(self._parts)[at:])
        return self._followers[at]

    def followers(self) -> list[Follower]:
        """Return all followers, from the start of the message and behind lead-ins."""
        return list(self._followers.values())

    @property
    def received(self) -> int:
        """Count the characters of the message so far."""
        return sum(map(len, self._parts))

    def see_leads(self, *, final: bool) -> None:
        """Look for lead-ins in what came since."""
        if self.more_leads:
            over = final or len(self._window) == WINDOW
            head = Head(self._window, over, self.tail, self._opening)
            self.leads, self.more_leads = leads(head)

    def _settle(self, *, final: bool) -> str | None:
        for rule in RULES:
            found = rule(self, final=final)
            if found == "wait":
                return None
            if found:
                return self._take(found, final=final)
        raise AssertionError("the last rule always decides")

    def _take(self, found: _Found, *, final: bool) -> str | None:
        """Take a decision, once the first character behind it is known."""
        rest = "".join(self._parts)[found.at :]
        if found.closing:
            closed = _without_closing(rest, found.closing, final=final)
            if closed is None:
                return None
            rest = closed
        if not (rest or final):
            return None
        self.how = found.how
        if rest:
            self.back = _back(self.tail.after, rest, found)
        self._parts.clear()
        return rest


def _without_closing(rest: str, closing: str, *, final: bool) -> str | None:
    """Drop what closes a wrapped echo; None while it can't be told."""
    solid = rest.lstrip() if closing.startswith("</") else rest
    if solid.startswith(closing):
        return solid[len(closing) :]
    if not final and closing.startswith(solid):
        return None
    return rest


def _back(after: str, rest: str, found: _Found) -> int:
    """Count what of the text's trailing whitespace the rest replaces (J3)."""
    if found.how != "as_is" and rest[0].isspace():
        if found.aligned or rest[0] == "\n":
            return len(after)
        if "\n" in after:  # the rest begins with its line's indentation
            return len(after) - after.rindex("\n") - 1
    return len(after) - after.find(HALF) if HALF in after else 0


# The rules -----------------------------------------------------------------------

Answer: TypeAlias = "_Found | Literal['wait'] | None"


def _echo(join: Join, *, final: bool) -> Answer:
    """The message begins with the quote (J1)."""
    follower = join.follower(0)
    if follower.quote_end is not None:
        return _Found("echo", follower.quote_end)
    if follower.quoting and not final:
        return "wait"
    # Cut in the echo that it was asked for, however little of it came.
    cut_in_it = join.cut and follower.quoting and join.received
    return _Found("unfinished", join.received) if cut_in_it else None


def _overlap(join: Join, *, final: bool) -> Answer:
    """The message begins with an end of the text, longer or shorter than the quote."""
    follower = join.follower(0)
    if follower.pending() and not final:
        return "wait"
    best = follower.best()
    if best is None:
        return None
    quote_at = join.tail.quote_at
    earlier = quote_at is not None and best[0] < quote_at
    return _Found("restart" if earlier else "overlap", best[1])


def _led(join: Join, *, final: bool) -> Answer:
    """The message repeats the text behind a lead-in."""
    join.see_leads(final=final)
    for lead in join.leads:
        follower = join.follower(lead.at)
        end = follower.quote_end
        trusted = lead.own or lead.sure or join.tail.quote_weight >= _WRAPPED
        if end is not None and trusted:
            return _Found(lead.how, lead.at + end, lead.closing)
        if follower.pending(lead.loose) and not final:
            return "wait"
        best = follower.best(lead.loose)
        if best:
            return _Found(lead.how, lead.at + best[1], lead.closing)
    return "wait" if join.more_leads and not final else None


def _unfinished(join: Join, *, final: bool) -> Answer:
    """The message ends before it has repeated what it began to repeat."""
    places = (join.tail.quote_at, 0 if join.cut else None)
    if final and any(
        follower.repeats(at) for follower in join.followers() for at in places
    ):
        return _Found("unfinished", join.received)
    return None


def _dropped(join: Join, *, final: bool) -> Answer:
    """A lead-in that can be dropped by itself, and nothing repeated behind it."""
    del final
    last = next((lead for lead in reversed(join.leads) if lead.own), None)
    return _Found(last.how, last.at, aligned=last.how == "ellipsis") if last else None


def _as_is(join: Join, *, final: bool) -> Answer:
    """Nothing is known: keep every character."""
    del join, final
    return _Found("as_is", 0, aligned=False)


RULES: tuple[Callable[..., Answer], ...] = (
    _echo,
    _overlap,
    _led,
    _unfinished,
    _dropped,
    _as_is,
)
"""In the order of evidence: the first that says anything decides, or waits."""

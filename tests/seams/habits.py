"""Models that go on in a user turn, each with its own habit, as pure functions.

A habit writes the whole message of a model that was cut at `text`, an end of which is
`quote`, and that would have written `full`. A new message never begins with whitespace.

Some joins can't be known, by any rule: another text, cut elsewhere or met by another
habit, gives the very same message. `unknowable` names the reason:

- `blank`: the model goes on without the whitespace that its new message could not
  begin with (`The qui|ck` and `The quick| brown` look the same).
- `repeats`: the model wrote again what proves nothing, for it is short or repeats
  itself; or what it goes on with is itself a repetition of the end of the text.
- `twice`: the model echoed the quote, and then began its line again: in a poem the
  same message is right as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.seams.texts import open_fence, table_header

if TYPE_CHECKING:
    from collections.abc import Callable

Reason: TypeAlias = Literal["blank", "repeats", "twice"]

PROOF = 10
"""What an end that comes twice weighs at least; a CJK character weighs three."""


@dataclass(frozen=True)
class Scene:
    """A model that is asked to go on.

    Attributes:
        full: What the model would have written, uncut.
        text: What it wrote: a start of `full`.
        quote: What it is asked to repeat.
    """

    full: str
    text: str
    quote: str

    @property
    def body(self) -> str:
        """The text without its trailing whitespace."""
        return self.text.rstrip()

    @property
    def rest(self) -> str:
        """What comes after the body, as it is."""
        return self.full[len(self.body) :]

    def fresh(self, lead: str) -> str:
        """What comes after the text, as a new message begins, or a new line of it."""
        line = self.text.rfind("\n") + 1
        if lead.endswith("\n") and not self.text[line:].strip():
            return self.full[line:].lstrip("\n")
        return self.full[len(self.text) :].lstrip()


@dataclass(frozen=True)
class Habit:
    """A habit: what is put in front, what is repeated, whether the rest is exact.

    Attributes:
        name: For the tables.
        lead: What is written first; None where the habit does not apply.
        again: What of the body's end is repeated after it: "" for nothing.
        asked: Whether it repeats the quote, all of it, as it was asked to.
        closing: What follows what was repeated.
    """

    name: str
    lead: Callable[[Scene], str | None]
    again: Callable[[Scene], str]
    asked: bool = False
    closing: Callable[[Scene], str] = lambda _: ""

    def write(self, full: str, text: str, quote: str) -> str | None:
        """Write the message, or None where the habit does not apply here."""
        scene = Scene(full, text, quote)
        lead, again = self.lead(scene), self.again(scene)
        if lead is None:
            return None
        closing = self.closing(scene)
        return (lead + again + closing + self._rest(scene, lead, again)).lstrip()

    def _rest(self, scene: Scene, lead: str, again: str) -> str:
        if not again:
            return scene.fresh(lead)
        ends_blank = again[-1].isspace()
        return scene.full[len(scene.text) :] if ends_blank else scene.rest

    def unknowable(self, full: str, text: str, quote: str) -> Reason | None:
        """Say why no rule can know how this message joins, or None."""
        scene = Scene(full, text, quote)
        again = self.again(scene)
        if self.closing is _line_again:
            return "twice"
        if self.asked and again:
            return None
        if again:
            return None if _proves(scene.body, again) else "repeats"
        fresh = scene.fresh(self.lead(scene) or "")
        if len(fresh) < len(full) - len(text):
            return "blank"
        return "repeats" if _goes_on_alike(scene) else None


def _solid(text: str) -> str:
    return "".join(text.split())


def _weight(text: str) -> int:
    return sum(3 if ord(char) > 0x2E7F else 1 for char in text)


def _proves(body: str, again: str) -> bool:
    """Tell whether an end that comes twice can't be the text's own repetition."""
    end, whole = _solid(again), _solid(body)
    if _weight(end) < PROOF or any(
        end.startswith(end[at:]) for at in range(1, len(end) // 2 + 1)
    ):
        return False
    return end + end[: len(end) // 4 + 1] not in whole + "\n"


def _goes_on_alike(scene: Scene) -> bool:
    """Tell whether the text goes on with what it, or the quote, ends in."""
    rest, whole = _solid(scene.fresh(""))[:240], _solid(scene.body)
    if scene.quote and rest.startswith(_solid(scene.quote)):
        return True
    return any(
        whole.endswith(rest[:size]) and _weight(rest[:size]) >= PROOF
        for size in range(4, len(rest) + 1)
    )


def _nothing(_: Scene) -> str:
    return ""


def _quote(scene: Scene) -> str:
    return scene.quote


def _words(scene: Scene) -> str:
    """The last four words; of a text without blanks, the last twelve characters."""
    found = re.search(r"(?:\S+\s+){3}\S+$", scene.body[-80:])
    return found[0] if found else scene.body[-12:]


def _line(scene: Scene) -> str:
    """The last line, and lines before it until that is more than a few characters."""
    at = scene.body.rfind("\n") + 1
    while at and len(_solid(scene.body[at:])) < 12:
        at = scene.body.rfind("\n", 0, at - 1) + 1
    return scene.body[at:].lstrip()


def _half(scene: Scene) -> str:
    half = scene.quote[len(scene.quote) // 2 :]
    return half.lstrip()


def _line_again(scene: Scene) -> str:
    """A line break and the line's start: in `closing`, behind the echo."""
    return "\n" + scene.body[scene.body.rfind("\n") + 1 :]


def _fence(scene: Scene) -> str:
    return (open_fence(scene.body) or "```") + "\n"


def _own_fence(scene: Scene) -> str | None:
    """The fence that is open, and the line from its start."""
    fence = open_fence(scene.body)
    return None if fence is None or fence == "```" else fence + "\n"


def _row(scene: Scene) -> str:
    """The table's row that was cut in the middle, from its start."""
    header = table_header(scene.body)
    row = scene.body.rsplit("\n", 1)[-1]
    whole = header is None or row.rstrip().count("|") == header.split("\n")[0].count(
        "|"
    )
    return "" if whole else row


def _header(scene: Scene) -> str | None:
    header = table_header(scene.text)
    return None if header is None else header + "\n"


def _always(text: str) -> Callable[[Scene], str]:
    return lambda _: text


def _own_line(scene: Scene) -> str:
    """The line that was cut, with its indentation, unless it is whole."""
    whole = scene.text == scene.body and scene.rest.startswith("\n")
    return "" if whole else scene.text[scene.text.rfind("\n") + 1 :]


_GOING_ON = "Continuing from where I left off:\n\n"
_SORRY = "I apologize, my previous answer was cut off. "

ECHO = Habit("echo", _nothing, _quote, asked=True)
"""The model that does what it was asked to."""

HABITS = (
    ECHO,
    Habit(
        "echo, blanks lost", _nothing, lambda s: " ".join(s.quote.split()), asked=True
    ),
    Habit("echo in quotes", _always('"'), _quote, asked=True, closing=_always('"')),
    Habit(
        "echo in the tags",
        _always("<tail>"),
        _quote,
        asked=True,
        closing=_always("</tail>"),
    ),
    Habit("fence, echo", _fence, _quote, asked=True),
    Habit("preamble, echo", _always(_GOING_ON), _quote, asked=True),
    Habit("apology, echo", _always(_SORRY), _quote, asked=True),
    Habit("half an echo", _nothing, _half),
    Habit("restart from the top", _nothing, lambda s: s.body, asked=True),
    Habit("last line again", _nothing, _line),
    Habit("last words again", _nothing, _words),
    Habit("table header again", _header, _row, asked=True),
    Habit("fence, line again", _own_fence, _own_line),
    Habit("goes on", _nothing, _nothing),
    Habit("dots, goes on", lambda s: "…" if len(s.text) % 2 else "...", _nothing),
    Habit("preamble, goes on", _always(_GOING_ON), _nothing),
    Habit("echo, line again", _nothing, _quote, asked=True, closing=_line_again),
)

"""Models that continue in a user turn, each with its own habit, as pure functions.

A habit writes the complete message of a model that was truncated after `text`, whose
end is `quote`, and that would have written `full`. A message never begins with
whitespace.

Some joins can't be known by any rule: another text, cut elsewhere or continued by
another habit, gives the same message. `unknowable` names the reason:

- `blank`: the model continues without the whitespace with which a new message can't
  begin (`The qui|ck` and `The quick| brown` look the same).
- `repeats`: what the model repeats is no evidence, because it is short or periodic; or
  its new text is itself a repetition of the end of the text.
- `twice`: the model echoes the quote, and then begins its line again. In a poem, the
  same message is correct as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.support.seams.texts import open_fence, table_header

if TYPE_CHECKING:
    from collections.abc import Callable

Reason: TypeAlias = Literal["blank", "repeats", "twice"]

MIN_WEIGHT = 10
"""The least weight of a repetition that is evidence; a CJK character weighs three."""


@dataclass(frozen=True)
class Scene:
    """A model that is asked to continue.

    Attributes:
        full: The answer without truncation.
        text: The answer so far: a start of `full`.
        quote: What the model is asked to repeat.
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
        """What follows the body, unchanged."""
        return self.full[len(self.body) :]

    def new_start(self, lead_in: str) -> str:
        """What follows the text, as the start of a message, or of a new line in it."""
        line = self.text.rfind("\n") + 1
        if lead_in.endswith("\n") and not self.text[line:].strip():
            return self.full[line:].lstrip("\n")
        return self.full[len(self.text) :].lstrip()


@dataclass(frozen=True)
class Habit:
    """A habit: what a model writes first, what it repeats, and what it adds to that.

    Attributes:
        name: The name in the tables.
        lead_in: What the model writes first; None if the habit does not apply.
        repeated: The end of the body that it repeats then; "" for nothing.
        as_asked: Whether it repeats the complete quote, as the prompt asks.
        closing: What follows the repeated text.
    """

    name: str
    lead_in: Callable[[Scene], str | None]
    repeated: Callable[[Scene], str]
    as_asked: bool = False
    closing: Callable[[Scene], str] = lambda _: ""

    def write(self, full: str, text: str, quote: str) -> str | None:
        """Write the message, or return None if the habit does not apply."""
        scene = Scene(full, text, quote)
        lead_in, repeated = self.lead_in(scene), self.repeated(scene)
        if lead_in is None:
            return None
        closing, rest = self.closing(scene), self._rest(scene, lead_in, repeated)
        return (lead_in + repeated + closing + rest).lstrip()

    def _rest(self, scene: Scene, lead_in: str, repeated: str) -> str:
        if not repeated:
            return scene.new_start(lead_in)
        ends_blank = repeated[-1].isspace()
        return scene.full[len(scene.text) :] if ends_blank else scene.rest

    def unknowable(self, full: str, text: str, quote: str) -> Reason | None:
        """Return why no rule can know how this message joins, or None."""
        scene = Scene(full, text, quote)
        repeated = self.repeated(scene)
        if self.closing is _line_again:
            return "twice"
        if self.as_asked and repeated:
            return None
        if repeated:
            return None if _is_evidence(scene.body, repeated) else "repeats"
        new_start = scene.new_start(self.lead_in(scene) or "")
        if len(new_start) < len(full) - len(text):
            return "blank"
        return "repeats" if _continues_with_repetition(scene) else None


def _without_whitespace(text: str) -> str:
    return "".join(text.split())


def _weight(text: str) -> int:
    return sum(3 if ord(char) > 0x2E7F else 1 for char in text)


def _is_evidence(body: str, repeated: str) -> bool:
    """Return True if a repeated end can't be a repetition that belongs to the text."""
    end, complete = _without_whitespace(repeated), _without_whitespace(body)
    if _weight(end) < MIN_WEIGHT or any(
        end.startswith(end[at:]) for at in range(1, len(end) // 2 + 1)
    ):
        return False
    return end + end[: len(end) // 4 + 1] not in complete + "\n"


def _continues_with_repetition(scene: Scene) -> bool:
    """Return True if the new text repeats the end of the text, or the quote."""
    rest = _without_whitespace(scene.new_start(""))[:240]
    body = _without_whitespace(scene.body)
    if scene.quote and rest.startswith(_without_whitespace(scene.quote)):
        return True
    return any(
        body.endswith(rest[:size]) and _weight(rest[:size]) >= MIN_WEIGHT
        for size in range(4, len(rest) + 1)
    )


def _nothing(_: Scene) -> str:
    return ""


def _quote(scene: Scene) -> str:
    return scene.quote


def _words(scene: Scene) -> str:
    """The last four words, or the last twelve characters of a text without blanks."""
    found = re.search(r"(?:\S+\s+){3}\S+$", scene.body[-80:])
    return found[0] if found else scene.body[-12:]


def _line(scene: Scene) -> str:
    """The last line, with lines before it if it has only a few characters."""
    at = scene.body.rfind("\n") + 1
    while at and len(_without_whitespace(scene.body[at:])) < 12:
        at = scene.body.rfind("\n", 0, at - 1) + 1
    return scene.body[at:].lstrip()


def _half(scene: Scene) -> str:
    half = scene.quote[len(scene.quote) // 2 :]
    return half.lstrip()


def _line_again(scene: Scene) -> str:
    """A line break and the start of the line; in `closing`, so after the echo."""
    return "\n" + scene.body[scene.body.rfind("\n") + 1 :]


def _fence(scene: Scene) -> str:
    return (open_fence(scene.body) or "```") + "\n"


def _own_fence(scene: Scene) -> str | None:
    """The code fence that is open."""
    fence = open_fence(scene.body)
    return None if fence is None or fence == "```" else fence + "\n"


def _row(scene: Scene) -> str:
    """The last row of the table from its start, if it is incomplete."""
    header = table_header(scene.body)
    row = scene.body.rsplit("\n", 1)[-1]
    if header is None:
        return ""
    columns = header.split("\n")[0].count("|")
    return "" if row.rstrip().count("|") == columns else row


def _header(scene: Scene) -> str | None:
    header = table_header(scene.text)
    return None if header is None else header + "\n"


def _always(text: str) -> Callable[[Scene], str]:
    return lambda _: text


def _own_line(scene: Scene) -> str:
    """The last line with its indentation, if it is incomplete."""
    is_complete = scene.text == scene.body and scene.rest.startswith("\n")
    return "" if is_complete else scene.text[scene.text.rfind("\n") + 1 :]


_PREAMBLE = "Continuing from where I left off:\n\n"
_APOLOGY = "I apologize, my previous answer was cut off. "

ECHO = Habit("echo", _nothing, _quote, as_asked=True)
"""The model that does what the prompt asks."""

HABITS = (
    ECHO,
    Habit(
        "echo, blanks lost",
        _nothing,
        lambda s: " ".join(s.quote.split()),
        as_asked=True,
    ),
    Habit("echo in quotes", _always('"'), _quote, as_asked=True, closing=_always('"')),
    Habit(
        "echo in the tags",
        _always("<tail>"),
        _quote,
        as_asked=True,
        closing=_always("</tail>"),
    ),
    Habit("fence, echo", _fence, _quote, as_asked=True),
    Habit("preamble, echo", _always(_PREAMBLE), _quote, as_asked=True),
    Habit("apology, echo", _always(_APOLOGY), _quote, as_asked=True),
    Habit("half an echo", _nothing, _half),
    Habit("restart from the top", _nothing, lambda s: s.body, as_asked=True),
    Habit("last line again", _nothing, _line),
    Habit("last words again", _nothing, _words),
    Habit("table header again", _header, _row, as_asked=True),
    Habit("fence, line again", _own_fence, _own_line),
    Habit("continues", _nothing, _nothing),
    Habit("dots, continues", lambda s: "…" if len(s.text) % 2 else "...", _nothing),
    Habit("preamble, continues", _always(_PREAMBLE), _nothing),
    Habit("echo, line again", _nothing, _quote, as_asked=True, closing=_line_again),
)

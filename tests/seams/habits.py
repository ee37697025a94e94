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
- `twice`: the model echoes the quote, and then begins its line, or a short answer,
  again. In a poem, the same message is correct as it is.
- `fence`: the model writes a code fence where the text may open or close one.

Some habits bring nothing new: a restart that is truncated again, an echo and the end, a
remark that the answer was complete. Then the right result is the text, unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.seams.texts import open_fence, table_header

if TYPE_CHECKING:
    from collections.abc import Callable

Reason: TypeAlias = Literal["blank", "repeats", "twice", "fence"]

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
        rest: What follows then; None for the new text.
        truncated: The message is truncated there.
        doubt: Why no rule can know the join, beside what it repeats.
    """

    name: str
    lead_in: Callable[[Scene], str | None]
    repeated: Callable[[Scene], str]
    as_asked: bool = False
    closing: Callable[[Scene], str] = lambda _: ""
    rest: Callable[[Scene], str] | None = None
    truncated: bool = False
    doubt: Callable[[Scene], Reason | None] = lambda _: None

    @property
    def brings_nothing(self) -> bool:
        """Whether the message has no new text, so that the text stays as it is."""
        return self.rest is not None

    @property
    def closes_at_end(self) -> bool:
        """Whether the model closes a fence at the end of a message that it ends."""
        return self.lead_in is _any_fence

    def write(self, full: str, text: str, quote: str) -> str | None:
        """Write the message, or return None if the habit does not apply."""
        scene = Scene(full, text, quote)
        lead_in, repeated = self.lead_in(scene), self.repeated(scene)
        if lead_in is None:
            return None
        closing, rest = self.closing(scene), self._rest(scene, lead_in, repeated)
        message = (lead_in + repeated + closing + rest).lstrip()
        return message + "\n```" if self.closes_at_end else message

    def _rest(self, scene: Scene, lead_in: str, repeated: str) -> str:
        if self.rest is not None:
            return self.rest(scene)
        if not repeated:
            return scene.new_start(lead_in)
        ends_blank = repeated[-1].isspace()
        return scene.full[len(scene.text) :] if ends_blank else scene.rest

    def unknowable(self, full: str, text: str, quote: str) -> Reason | None:
        """Return why no rule can know how this message joins, or None."""
        scene = Scene(full, text, quote)
        repeated = self.repeated(scene)
        if doubt := self.doubt(scene):
            return doubt
        if self.brings_nothing and not self.truncated:
            return None
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


def _one_line(scene: Scene) -> str:
    return " ".join(scene.quote.split())


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


def _earlier_lines(scene: Scene) -> str:
    """The last three lines that are not blank."""
    at = len(scene.body)
    for _ in range(3):
        at = max(scene.body.rstrip().rfind("\n", 0, max(at, 0)), 0)
        while at and not scene.body[scene.body.rfind("\n", 0, at) + 1 : at].strip():
            at -= 1
    return scene.body[at:].lstrip()


def _restart(scene: Scene) -> str:
    """A line break and the complete text from its beginning, after the echo."""
    return "\n" + scene.body


def _part(scene: Scene) -> str:
    """The first two thirds of the text."""
    return scene.body[: len(scene.body) * 2 // 3]


def _part_after_line_break(scene: Scene) -> str:
    return "\n" + _part(scene)


_VERSE = 60
_LONG_VERSE = 300
"""What a repetition after the echo must weigh, in mid-sentence and elsewhere."""


def _is_verse(scene: Scene) -> Reason | None:
    return None if _is_restart(scene, scene.body) else "twice"


def _part_is_verse(scene: Scene) -> Reason | None:
    return None if _is_restart(scene, _part(scene)) else "twice"


def _is_restart(scene: Scene, repeated: str) -> bool:
    """Return True if text that is repeated after the echo can't belong to the text."""
    in_sentence = "\n" not in scene.text[len(scene.body) :] and (
        scene.body[-1:].isalnum() or scene.body.endswith((",", ";", "(", "-"))
    )
    end = _without_whitespace(scene.body)
    is_periodic = any(end.startswith(end[at:]) for at in range(1, len(end) // 2 + 1))
    least = _VERSE if in_sentence else _LONG_VERSE
    return not is_periodic and _weight(_without_whitespace(repeated)) >= least


def _part_is_short(scene: Scene) -> Reason | None:
    """Return why a restart that is truncated again is no evidence."""
    weight = _weight(_without_whitespace(_part(scene)))
    return None if weight >= MIN_WEIGHT else "repeats"


_TYPED = str.maketrans(
    {
        "\u2014": "-",
        "\u2013": "-",
        "\u2026": "...",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u300c": '"',
        "\u300d": '"',
    }
)
_PRINTED = str.maketrans({"-": "\u2013", "'": "\u2019", "~": "\uff5e"})


def _typed(scene: Scene) -> str:
    """The quote as typed: hyphens, three dots and straight marks."""
    return scene.quote.translate(_TYPED)


def _printed(scene: Scene) -> str:
    """The quote as printed: dashes, an ellipsis and curly marks."""
    quote = scene.quote.translate(_PRINTED).replace("...", "\u2026")
    return re.sub(r'"(?=\w)', "\u201c", quote).replace('"', "\u201d")


def _escaped(scene: Scene) -> str:
    """The quote as HTML."""
    quote = re.sub(r"&(?!\w+;)", "&amp;", scene.quote)
    for char, entity in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        quote = quote.replace(char, entity)
    return quote


def _decomposed(scene: Scene) -> str:
    """The quote with each character decomposed; marks stay in their order."""
    return "".join(unicodedata.normalize("NFD", char) for char in scene.quote)


_WIDE = {code: code + 0xFEE0 for code in map(ord, "!(),.:?0123456789")}


def _wide(scene: Scene) -> str:
    """The quote with full-width punctuation and digits."""
    return scene.quote.translate(_WIDE)


def _is_light(scene: Scene) -> Reason | None:
    """Return why a quote in another spelling is no evidence."""
    spelled = _without_whitespace(unicodedata.normalize("NFD", scene.quote))
    return None if _weight(spelled) >= 4 else "repeats"


def _fence(scene: Scene) -> str:
    return (open_fence(scene.body) or "```") + "\n"


def _any_fence(scene: Scene) -> str | None:
    """A fence in mid-line; it is closed at the end of the message."""
    in_line = scene.text == scene.body and bool(scene.body)
    return "```json\n" if in_line and open_fence(scene.body) is None else None


def _may_be_fence(scene: Scene) -> Reason | None:
    """Return why a fence in mid-line may be text."""
    return None if scene.body.lstrip()[:1] in {"{", "["} else "fence"


def _outer_fence(scene: Scene) -> str | None:
    """A fence around the echo, or around all; where the text is inside none."""
    return None if open_fence(scene.body + "\n") else "```\n"


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

_REMARK = "The answer was already complete."


def _is_remark(scene: Scene) -> Reason | None:
    """Return why a remark may be an echo and new text."""
    return "repeats" if _REMARK.startswith(scene.quote) else None


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
    Habit("echo in bold", _always("**"), _quote, as_asked=True, closing=_always("**")),
    Habit("echo in code", _always("`"), _quote, as_asked=True, closing=_always("`")),
    Habit("echo in a quote", _always("> "), _one_line, as_asked=True),
    Habit(
        "echo in the tags",
        _always("<tail>"),
        _quote,
        as_asked=True,
        closing=_always("</tail>"),
    ),
    Habit(
        "tags, restart",
        _always("<tail>"),
        _quote,
        as_asked=True,
        closing=lambda s: "</tail>" + _restart(s),
        doubt=_is_verse,
    ),
    Habit(
        "echo in a fence",
        _outer_fence,
        _quote,
        as_asked=True,
        closing=_always("\n```\n"),
        doubt=_is_light,
    ),
    Habit("fence, echo", _fence, _quote, as_asked=True),
    Habit("fence in mid-line", _any_fence, _nothing, doubt=_may_be_fence),
    Habit("preamble, echo", _always(_PREAMBLE), _quote, as_asked=True),
    Habit("apology, echo", _always(_APOLOGY), _quote, as_asked=True),
    Habit("echo as typed", _nothing, _typed, as_asked=True, doubt=_is_light),
    Habit("echo as printed", _nothing, _printed, as_asked=True, doubt=_is_light),
    Habit("echo as HTML", _nothing, _escaped, as_asked=True, doubt=_is_light),
    Habit("echo, NFD", _nothing, _decomposed, as_asked=True, doubt=_is_light),
    Habit("echo, full width", _nothing, _wide, as_asked=True, doubt=_is_light),
    Habit("half an echo", _nothing, _half),
    Habit("restart from the top", _nothing, lambda s: s.body, as_asked=True),
    Habit(
        "echo, restart",
        _nothing,
        _quote,
        as_asked=True,
        closing=_restart,
        doubt=_is_verse,
    ),
    Habit("last line again", _nothing, _line),
    Habit("earlier lines again", _nothing, _earlier_lines),
    Habit("last words again", _nothing, _words),
    Habit("table header again", _header, _row, as_asked=True),
    Habit("fence, line again", _own_fence, _own_line),
    Habit("continues", _nothing, _nothing),
    Habit("dots, continues", lambda s: "…" if len(s.text) % 2 else "...", _nothing),
    Habit("preamble, continues", _always(_PREAMBLE), _nothing),
    Habit(
        "echo, line again",
        _nothing,
        _quote,
        as_asked=True,
        closing=_line_again,
        doubt=lambda _: "twice",
    ),
    Habit("echo and the end", _nothing, _quote, rest=_nothing),
    Habit(
        "restart cut again",
        _nothing,
        _nothing,
        rest=_part,
        truncated=True,
        doubt=_part_is_short,
    ),
    Habit(
        "echo, restart cut",
        _nothing,
        _quote,
        as_asked=True,
        rest=_part_after_line_break,
        truncated=True,
        doubt=_part_is_verse,
    ),
    Habit("remark", _nothing, _nothing, rest=_always(_REMARK), doubt=_is_remark),
    Habit("echo, remark", _nothing, _quote, rest=_always("\n\n" + _REMARK)),
)

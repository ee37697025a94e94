"""Texts of twelve kinds, which the benchmark cuts at every character.

Which kinds: in a language without blanks, in one that compounds its words, and in code,
a place where a word ends is often inside a token. A model that goes on from there gives
the right continuation about a thousandth of the probability that it has at a token's
end; in Chinese, up to 25 % of the word boundaries are such places (Xu et al., "Are you
going to finish that? A Practical Study of the Partial Token Problem", arXiv
2601.23223). A place before a blank and one inside an indentation are bad, too
(Athiwaratkun et al., "Token Alignment via Character Matching for Subword Completion",
arXiv 2403.08688). So
there are texts in German, Finnish, Chinese and Japanese of one line without a blank
line, code with operators of several characters, and every character is a cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KINDS = (
    "prose",
    "german",
    "finnish",
    "japanese",
    "chinese",
    "code",
    "html",
    "tables",
    "json",
    "lists",
    "repetition",
    "emoji",
)

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Text:
    """A text and its kind."""

    kind: str
    name: str
    full: str


def texts() -> list[Text]:
    """Read all texts, in the order of their kinds."""
    return [
        Text(kind, path.stem, path.read_bytes().decode())
        for kind in KINDS
        for path in sorted(_DATA.glob(f"{kind}_*.txt"))
    ]


def open_fence(text: str) -> str | None:
    """Return the opening line of the code fence in which a text ends, or None."""
    fences = [line for line in text.split("\n")[:-1] if line.startswith("```")]
    return fences[-1] if len(fences) % 2 else None


def table_header(text: str) -> str | None:
    """Return the two header lines of the table in which a text ends, or None."""
    lines = text.removesuffix("\n").split("\n")
    first = len(lines)
    while first and lines[first - 1].startswith("|"):
        first -= 1
    table = lines[first:]
    return "\n".join(table[:2]) if len(table) > 2 and len(table[1]) > 3 else None

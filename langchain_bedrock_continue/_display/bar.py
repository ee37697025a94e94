"""A turn as a bar: one part per segment, as long as its share of the tokens. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from langchain_bedrock_continue._core.decisions.vocabulary import CONTINUES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue._core.record.continuation import SegmentEntry

MOST_PARTS = 12
"""More segments than that are shown as one part and the last ones."""


@dataclass(frozen=True)
class Part:
    """A part of a bar.

    Attributes:
        tokens: Its length: output tokens as billed, at least 1.
        kind: `"text"` for a segment in the answer, `"replaced"` for one that a retry
            replaced, `"open"` for what the running one may still write.
        number: The segment's number, from 1.
        seam: Whether it continues the part before it: a mark stands between them.
        first: The number of its first segment, if the part stands for several.
    """

    tokens: int
    kind: Literal["text", "replaced", "open"]
    number: int
    seam: bool
    first: int | None = None

    @property
    def label(self) -> str:
        """The number of its segment, or the numbers of its first and its last."""
        return f"{self.first}–{self.number}" if self.first else str(self.number)


def is_replaced(segments: Sequence[SegmentEntry], at: int) -> bool:
    """Return True if another segment replaced this one.

    Args:
        segments: The segments of a turn.
        at: The index of one of them.
    """
    after = segments[at + 1] if at + 1 < len(segments) else None
    is_retried = bool(after and after["strategy"] == "retry")
    return is_retried or segments[at].get("problem") not in CONTINUES


def parts_of(segments: Sequence[SegmentEntry]) -> list[Part]:
    """Return a bar's parts.

    Args:
        segments: The segments of a turn.
    """
    parts = []
    for at, one in enumerate(segments):
        tokens = one["output_tokens"] or 0
        kind: Literal["text", "replaced"] = (
            "replaced" if is_replaced(segments, at) else "text"
        )
        parts.append(Part(max(1, tokens), kind, at + 1, seam=at > 0))
    return merged(parts)


def merged(parts: list[Part]) -> list[Part]:
    """Return the parts, the first of too many as one.

    Args:
        parts: The parts.
    """
    if len(parts) <= MOST_PARTS:
        return parts
    split = len(parts) - MOST_PARTS + 1
    total = sum(part.tokens for part in parts[:split])
    first = Part(total, "text", split, seam=False, first=1)
    return [first, *parts[split:]]


def cells(parts: Sequence[Part], width: int) -> list[int]:
    """Return the length of each part in the cells of a terminal, at least 1.

    Args:
        parts: The parts.
        width: The number of cells for all parts and the marks between them.
    """
    room = max(len(parts), width - sum(part.seam for part in parts))
    total = sum(part.tokens for part in parts)
    exact = [part.tokens * room / total for part in parts]
    lengths = [max(1, int(one)) for one in exact]
    by_rest = sorted(range(len(parts)), key=lambda at: lengths[at] - exact[at])
    for at in by_rest[: max(0, room - sum(lengths))]:
        lengths[at] += 1
    while sum(lengths) > room:
        lengths[lengths.index(max(lengths))] -= 1
    return lengths

"""How a joined text differs from the complete one: lost, doubled, inserted text."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field


@dataclass
class Score:
    """The results of one rule over many joins, in characters."""

    joins: int = 0
    exact: int = 0
    lost: int = 0
    doubled: int = 0
    inserted: int = 0
    failed: list[tuple[str, int]] = field(default_factory=list)

    def add(self, full: str, joined: str, where: tuple[str, int]) -> None:
        """Compare a joined text with the complete one."""
        self.joins += 1
        if joined == full:
            self.exact += 1
            return
        self.failed.append(where)
        lost, doubled, inserted = difference(full, joined)
        self.lost += lost
        self.doubled += doubled
        self.inserted += inserted

    def __add__(self, other: Score) -> Score:
        """Add up two scores."""
        return Score(
            self.joins + other.joins,
            self.exact + other.exact,
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.inserted + other.inserted,
            self.failed + other.failed,
        )

    @property
    def share(self) -> str:
        """The share of exact joins in percent, rounded down."""
        if not self.joins:
            return "-"
        return f"{int(1000 * self.exact / self.joins) / 10:.1f}"


def difference(full: str, joined: str) -> tuple[int, int, int]:
    """Count the lost, doubled and inserted characters of a joined text."""
    start = _common(full, joined)
    most = min(len(full), len(joined)) - start
    end = min(most, _common(full[::-1], joined[::-1]))
    was, now = full[start : len(full) - end], joined[start : len(joined) - end]
    if not was or not now:
        return (len(was), *_doubled(full, now))
    lost = doubled = inserted = 0
    for _, a, b, c, d in _edits(was, now):
        lost += b - a
        more = _doubled(full, now[c:d])
        doubled, inserted = doubled + more[0], inserted + more[1]
    return lost, doubled, inserted


def _common(one: str, other: str) -> int:
    """Return the length of the longest common start."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _edits(was: str, now: str) -> list[tuple[str, int, int, int, int]]:
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=False)
    return [code for code in matcher.get_opcodes() if code[0] != "equal"]


def _doubled(full: str, extra: str) -> tuple[int, int]:
    """Divide extra text into its end that occurs in the text, and the rest."""
    if not extra.strip():
        return 0, len(extra)
    low, high = 0, len(extra)
    while low < high:
        middle = (low + high) // 2
        if extra[middle:] in full:
            high = middle
        else:
            low = middle + 1
    return len(extra) - low, low

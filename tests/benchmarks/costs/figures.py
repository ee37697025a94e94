"""The arithmetic of the benchmarks: costs of rounds, ratios, tables."""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Row: TypeAlias = dict[str, Any]
"""A row of a table, by column. A number that was not measured is None."""


class Rounds:
    """The costs of some things, each measured once a round.

    Other work on the machine only adds to a cost, so the least of all rounds is the
    figure. It hits all alike, so the median of the ratios within a round says how much
    the least can be trusted.
    """

    def __init__(self) -> None:
        """Start without a round."""
        self._costs: dict[str, list[float]] = {}

    def add(self, name: str, cost: float) -> None:
        """Add what a thing cost in the next round."""
        self._costs.setdefault(name, []).append(cost)

    def least(self, name: str) -> float:
        """Return the least cost of a thing."""
        return min(self._costs[name])

    def ratio(self, name: str, base: str) -> float:
        """Return the least cost of a thing, divided by that of another one."""
        return self.least(name) / self.least(base)

    def median_ratio(self, name: str, base: str) -> float:
        """Return the median of a thing's cost, divided by another's in its round."""
        pairs = zip(self._costs[name], self._costs[base], strict=True)
        return statistics.median(cost / other for cost, other in pairs)

    def rows(self, base: str, unit: float, digits: int = 1) -> list[Row]:
        """Return a row for each thing, beside one of them.

        Args:
            base: What the others are beside.
            unit: The costs are in this many parts of a second.
            digits: The digits after the point.
        """
        return [
            {
                "name": name,
                "cost": round(self.least(name) * unit, digits),
                "ratio": round(self.ratio(name, base), 3),
                "median_ratio": round(self.median_ratio(name, base), 3),
            }
            for name in self._costs
        ]


def measure_cpu(
    things: Mapping[str, Callable[[], object]], rounds: int, share: float
) -> Rounds:
    """Measure the CPU that each thing takes; each round measures all.

    Args:
        things: What is measured. It is run once before.
        rounds: How many.
        share: The part of the CPU that is the cost: 1 / 400 of 400 chunks.
    """
    found = Rounds()
    for run in things.values():
        run()
    for _ in range(rounds):
        for name, run in things.items():
            gc.collect()
            began = time.process_time()
            run()
            found.add(name, (time.process_time() - began) * share)
    return found


def percentile(values: Iterable[float], share: float) -> float:
    """Return the least value that at least this share of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(-int(-share * len(ordered) // 1) - 1, 0)]


def table(rows: Sequence[Row], columns: Mapping[str, str]) -> str:
    """Return a Markdown table.

    Args:
        rows: The rows.
        columns: The key of each column, and its heading.
    """
    cells = [[_cell(row.get(key)) for key in columns] for row in rows]
    lines = [list(columns.values()), *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [_line(line, widths) for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if n == 0 else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *rest])} |"

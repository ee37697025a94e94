"""Tables of signs that tests fill row by row, printed once at the end of a session.

A test records a row as a property of itself. Properties travel from the workers to the
process that reports, so a table is printed once and complete, however many workers
there are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

PROPERTY = "table row"

Legend: TypeAlias = dict[str, str]
"""What each sign means."""


class Row(NamedTuple):
    """One line of a table.

    Attributes:
        legend: The signs and their meanings, as one text: tables that share it are
            summed up together.
        title: Of the table.
        name: Of the row.
        signs: One for each case that the row's test tried; blanks only group them.
    """

    legend: str
    title: str
    name: str
    signs: str


def record_row(
    record_property: Callable[[str, object], None],
    legend: Legend,
    title: str,
    name: str,
    signs: str,
) -> None:
    """Record a row for the end of the session, by pytest's fixture of that name."""
    meanings = "   ".join(f"{sign} {meaning}" for sign, meaning in legend.items())
    # A plain list: what travels between processes has to be of built-in types.
    record_property(PROPERTY, [meanings, title, name, signs])


def printed(reports: Iterable[Any]) -> Iterator[str]:
    """Return the lines of all tables that tests recorded, with their sums."""
    rows = sorted(
        Row(*value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "call"
    )
    for legend, group in groupby(rows, key=lambda row: row.legend):
        of_legend = list(group)
        for title, lines in groupby(of_legend, key=lambda row: row.title):
            yield f"\n{title}:\n"
            yield from (f"{row.name}  {row.signs}" for row in lines)
        yield f"\n{legend}\n{total(legend, of_legend)}"


def total(legend: str, rows: Iterable[Row]) -> str:
    """Return how often each sign occurs."""
    counts = Counter("".join(row.signs for row in rows).replace(" ", ""))
    of_signs = [f"{meaning[0]} {counts[meaning[0]]}" for meaning in legend.split("   ")]
    return f"{counts.total()} cases: {', '.join(of_signs)}"

"""The input price of continued answers, as `tests.benchmarks.prices` measures it."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local import LocalBedrock
from tests.benchmarks import prices

if TYPE_CHECKING:
    from tests.benchmarks.costs.figures import Row

SEGMENTS = (1, 2, 3, 4, 8, 12, 32)
FLOOR_OF = 12
"""The segments whose floor is in the table."""


def input_price(_url: str, *, quick: bool) -> list[Row]:
    """Return the price of the input, beside the naive loop's and the floor."""
    logging.getLogger("langchain_bedrock_continue").setLevel(logging.ERROR)
    segments = (1, 2, 12) if quick else SEGMENTS
    prompts = prices.PROMPTS[:2] if quick else prices.PROMPTS
    cases = (
        prices.Case(family, strategy, prompt, count, prices.SIZE)
        for family, prompt in itertools.product(prices.FAMILIES, prompts)
        for strategy in family.strategies
        for count in segments
    )
    # Longer than all segments: a small one that answers a user turn has more tokens.
    answer = prices.answer_of(2 * max(segments) * prices.SIZE)
    with LocalBedrock(prices.scripted(answer)) as bedrock:
        return [as_row(row) for row in prices.rows(prices.Endpoint(bedrock), cases)]


def as_row(row: prices.Row) -> Row:
    """Return a row of the table of prices by column."""
    least = row.floor
    return {
        "family": row.case.family.name,
        "strategy": row.case.strategy,
        "caching": row.mode,
        "prompt": row.case.prompt,
        "segments": row.case.segments,
        "price": round(row.price, 3),
        "floor": least and round(least, 3),
        "ratio": least and round(row.price / least, 2),
    }


def by_segments(rows: list[Row]) -> list[Row]:
    """Return one row for all numbers of segments, with the floor of twelve."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        keys = {key: row[key] for key in ("family", "strategy", "caching", "prompt")}
        line = found.setdefault(tuple(map(str, keys.values())), keys)
        line[str(row["segments"])] = row["price"]
        if row["segments"] == FLOOR_OF:
            line.update(floor=row["floor"], ratio=row["ratio"])
    return list(found.values())

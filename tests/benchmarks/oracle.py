"""Promise 9 at length: random situations for the bare model and ours.

`make oracle SITUATIONS=2000 SEED=7` prints how many were tried, by how they went, and
the smallest situation for each kind of difference. Its exit code is 1 if there is one.
"""

import argparse
import logging
import time

from langchain_bedrock_continue import chat_models
from tests.support.oracle.promise import differences
from tests.support.oracle.runs import Comparison
from tests.support.oracle.search import LEGEND, Found, search, smallest


def main() -> int:
    """Search, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--situations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    chat_models.waiting_time = at_once
    began = time.process_time()
    with Comparison.running() as comparison:
        found = search(comparison, asked.seed, asked.situations)
        print(f"seed {asked.seed}: {summary(found)}")
        print(f"{time.process_time() - began:.0f} seconds of CPU")
        for kind in found.worse:
            show(comparison, kind, found, asked.situations)
    return 1 if found.worse else 0


def at_once(most: float) -> float:
    """Wait for nothing before a retry."""
    return 0.0 * most


def summary(found: Found) -> str:
    """Return how many situations were tried, and how they went."""
    lines = [f"{found.tried.total()} situations, {found.made} requests of ours"]
    lines += [f"{found.tried[sign]:6} {meaning}" for sign, meaning in LEGEND.items()]
    lines += [f"{len(seen):6} worse: {kind}" for kind, seen in found.worse.items()]
    return "\n".join(lines)


def show(comparison: Comparison, kind: str, found: Found, count: int) -> None:
    """Print the smallest situation that shows a kind of difference."""
    known = [situation for situation, _ in found.worse[kind]]
    situation = smallest(comparison, kind, known, count)
    print(f"\n{kind}: {situation!r}")
    for difference in differences(situation, *comparison.outcomes(situation)):
        print(f"    {difference.kind}: {difference.details}")


if __name__ == "__main__":
    raise SystemExit(main())

"""The command: measures, prints tables, writes figures and plots."""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import os
import platform
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.benchmarks.costs import at_once, cpu, input_price, moments
from tests.benchmarks.costs.endpoint import endpoint
from tests.benchmarks.costs.figures import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.benchmarks.costs.figures import Row

FIGURES = "figures.json"
MEASURED_WITH = ("boto3", "greenlet", "langchain-aws", "langchain-core")


class Measure(NamedTuple):
    """A table.

    Attributes:
        title: Its heading.
        run: Returns its rows, given the URL of the endpoint.
        columns: The key of each column, and its heading.
        shown: Returns the rows of the table, given all that were measured.
    """

    title: str
    run: Callable[..., list[Row]]
    columns: dict[str, str]
    shown: Callable[[list[Row]], list[Row]] = list


RATIOS = {"ratio": "beside", "median_ratio": "beside, median of rounds"}

MEASURES = {
    "chunk": Measure(
        "CPU of a streamed chunk (an answer of 400 tokens, one response)",
        cpu.chunk,
        {"name": "", "cost": "µs", **RATIOS},
    ),
    "segment": Measure(
        "CPU of a segment (ten segments of 20 tokens)",
        cpu.segment,
        {"name": "", "cost": "ms", **RATIOS},
    ),
    "growth": Measure(
        "CPU of a segment of about 1 KB, by the segments of the answer",
        cpu.growth,
        {
            "name": "",
            "segments": "segments",
            "cost": "ms",
            "growth": "growth",
            "beside": "beside the bare loop's growth",
        },
    ),
    "seam": Measure(
        "Time beyond the model's own time to first token, 100 ms",
        moments.seam,
        {
            "name": "",
            "first": "first token, ms",
            "gap_least": "at a seam, ms: 10 % below",
            "gap": "half",
            "gap_most": "90 %",
        },
    ),
    "at_once": Measure(
        "Turns at once (three segments of 20 tokens)",
        at_once.at_once,
        {
            "name": "",
            "latency": "latency, s",
            "at_once": "at once",
            "in_flight": "in flight",
            "wall": "wall, s",
            "waited": "without a core, s",
            "cpu": "CPU a turn, ms",
            "beside": "beside latency or CPU",
            "memory": "memory, MB",
        },
    ),
    "input_price": Measure(
        "Price of the input, beside the naive loop without a cache",
        input_price.input_price,
        {
            "family": "family",
            "strategy": "strategy",
            "caching": "caching",
            "prompt": "prompt",
            "1": "1 segment",
            "2": "2",
            "3": "3",
            "12": "12",
            "32": "32",
            "floor": "floor of 12",
            "ratio": "12 beside the floor",
        },
        input_price.by_segments,
    ),
}


def run(names: Iterable[str], *, quick: bool) -> Iterator[tuple[str, Any]]:
    """Measure, print each table, and yield the figures by measure."""
    gc.collect()
    gc.freeze()  # what is imported is not looked at again before each measurement
    with endpoint() as url:
        for name in names:
            measure, began = MEASURES[name], time.monotonic()
            found = measure.run(url, quick=quick)
            rows = table(measure.shown(found), measure.columns)
            print(f"\n{measure.title}\n\n{rows}\n")
            print(f"({time.monotonic() - began:.0f} s)", flush=True)
            yield name, found


def measured_with() -> dict[str, Any]:
    """Return what the figures depend on besides this package."""
    versions = {name: importlib.metadata.version(name) for name in MEASURED_WITH}
    return {"cores": os.cpu_count(), "python": platform.python_version(), **versions}


def write(folder: Path, found: dict[str, Any]) -> None:
    """Write the figures, and draw the plots if matplotlib is installed.

    Figures of an earlier run that were not measured again are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FIGURES
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    figures = {**before, "measured_with": measured_with(), **found}
    path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if find_spec("matplotlib") is None:
        print("No plots: matplotlib is not installed.")
        return
    from tests.benchmarks.costs.plots import draw_all  # noqa: PLC0415 - needs matplotlib

    for drawn in draw_all(figures, folder):
        print(f"{drawn}: {drawn.stat().st_size / 1024:.0f} KB")


def main(argv: list[str] | None = None) -> int:
    """Run the measures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.costs")
    parser.add_argument("--quick", action="store_true", help="less than two minutes")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--into", type=Path, help="the folder of figures and plots")
    given = parser.parse_args(argv)
    for name, found in run(given.only, quick=given.quick):
        if given.into is not None:
            write(given.into, {name: found})  # each at once: a run can be stopped
    return 0


if __name__ == "__main__":
    sys.exit(main())

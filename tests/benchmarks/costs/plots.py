"""Draws the figures as SVG, for light and dark pages alike.

    python -m tests.benchmarks.costs.plots docs/plots

The same figures always give the same bytes: there is no date and no random id in them.
There is no background either, so every colour is readable on white and on black. Text
is text, in the page's own sans-serif font.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.benchmarks.costs.colours import BARE, INK, OTHER, OWN, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "costs",
        "font.family": "sans-serif",
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlesize": 11,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": INK,
        "grid.alpha": 0.25,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        "lines.linewidth": 2,
        "lines.markersize": 5,
    }
)

WIDTH = 8.4
PROMPT = 12_000
"""The prompt of the plot of prices, in tokens."""


def colour_of(name: str) -> str:
    """Return the colour of a peer."""
    if name.startswith("this package"):
        return OWN
    return BARE if name.startswith("ChatBedrock") else OTHER


def bars(rows: list[Any], key: str, label: str, text: Callable[[Any], str]) -> Figure:
    """Draw horizontal bars, one for each row."""
    figure = Figure((WIDTH, 0.6 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    names = [row["name"] for row in rows][::-1]
    values = [row[key] for row in rows][::-1]
    drawn = axes.barh(names, values, color=[colour_of(name) for name in names])
    axes.bar_label(drawn, [text(row) for row in rows][::-1], padding=3)
    axes.set_xlabel(label)
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    return figure


def chunk(figures: dict[str, Any]) -> Figure:
    """Draw the CPU of a chunk."""
    return bars(
        figures["chunk"],
        "ratio",
        "CPU of a streamed chunk, beside ChatBedrockConverse.stream",
        lambda row: f"{row['ratio']:.2f}",
    )


def seam(figures: dict[str, Any]) -> Figure:
    """Draw the gap at a seam."""
    rows = [row for row in figures["seam"] if "user turn" not in row["name"]]
    return bars(
        rows,
        "gap",
        "gap at a seam beyond the model's time to first token, ms (median)",
        lambda row: f"{row['gap']:.1f}",
    )


def at_once(figures: dict[str, Any]) -> Figure:
    """Draw the wall time of turns at once."""
    rows = [row for row in figures["at_once"] if row["latency"] < 1]
    latencies = sorted({row["latency"] for row in rows})
    figure = Figure((WIDTH, 4.4), layout="constrained")
    panels = figure.subplots(1, len(latencies), sharey=True, squeeze=False)[0]
    for axes, latency in zip(panels, latencies, strict=True):
        some = [row for row in rows if row["latency"] == latency]
        lines(axes, some, "at_once", "wall")
        axes.set_yscale("log")
        axes.set_title(f"{latency * 1000:.0f} ms before each response")
        axes.set_xlabel("turns at once, three segments each")
        plain_ticks(axes, sorted({row["at_once"] for row in rows}))
    panels[0].set_ylabel("until all are answered, s")
    seconds = (0.5, 1, 2, 5, 10, 20, 50)
    panels[0].set_yticks(seconds, [f"{each:g}" for each in seconds])
    panels[0].minorticks_off()
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def growth(figures: dict[str, Any]) -> Figure:
    """Draw the CPU of a segment by the length of the answer."""
    rows = figures["growth"]
    figure = Figure((WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    lines(axes, rows, "segments", "cost")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("segments of the answer, about 1 KB each")
    axes.set_ylabel("CPU of a segment, ms")
    plain_ticks(axes, sorted({row["segments"] for row in rows}))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")


def lines(axes: Axes, rows: list[Any], x: str, y: str) -> None:
    """Draw a line for each name: peers by colour, their ways by dashes."""
    by_colour: dict[str, int] = {}
    for name in dict.fromkeys(row["name"] for row in rows):
        colour = colour_of(name)
        number = by_colour[colour] = by_colour.get(colour, -1) + 1
        some = [row for row in rows if row["name"] == name]
        axes.plot(
            [row[x] for row in some],
            [row[y] for row in some],
            color=colour,
            linestyle=DASHES[number],
            marker=MARKERS[number],
            label=name,
        )


def input_price(figures: dict[str, Any]) -> Figure:
    """Draw the price of the input of each family of models."""
    rows = [row for row in figures["input_price"] if row["prompt"] == PROMPT]
    families = list(dict.fromkeys(row["family"] for row in rows))
    figure = Figure((WIDTH, 5.4), layout="constrained")
    panels = list(figure.subplots(2, 2, sharex=True, sharey=True).flat)
    for axes, family in zip(panels, families, strict=True):
        some = [row for row in rows if row["family"] == family]
        prices_of(axes, some)
        axes.set_title(family)
        plain_ticks(axes, sorted({row["segments"] for row in rows}))
        axes.set_ylim(0, 2.05)
    figure.supxlabel("segments of the answer", fontsize=11)
    figure.supylabel("input price beside the naive loop", fontsize=11)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def prices_of(axes: Axes, rows: list[Any]) -> None:
    """Draw the price of one family, by `prompt_caching`."""
    styles = {"auto": (OWN, "-"), "5m": (BARE, "--"), "1h": (SECOND, "-.")}
    strategy = rows[0]["strategy"]
    for mode, (colour, dashes) in styles.items():
        some = [
            row for row in rows if (row["caching"], row["strategy"]) == (mode, strategy)
        ]
        axes.plot(
            [row["segments"] for row in some],
            [row["price"] for row in some],
            color=colour,
            linestyle=dashes,
            marker="o",
            label=f'"{mode}"',
        )
        if mode == "5m":
            axes.plot(
                [row["segments"] for row in some],
                [row["floor"] for row in some],
                color=OTHER,
                linestyle=":",
                label="floor",
            )


def plain_ticks(axes: Axes, values: list[int]) -> None:
    """Label a logarithmic axis with what was measured."""
    axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:,}" for value in values])
    axes.minorticks_off()


PLOTS: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "chunk": chunk,
    "seam": seam,
    "at_once": at_once,
    "growth": growth,
    "input_price": input_price,
}
"""What draws the plot of a measure, by its name in the figures."""


def draw_all(figures: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Draw what was measured; yield each file."""
    for name, draw in PLOTS.items():
        if name in figures:
            path = folder / f"{name}.svg"
            draw(figures).savefig(
                path,
                transparent=True,
                metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            )
            yield path


def main() -> None:
    """Draw the figures of a folder again."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.costs.plots")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    figures = json.loads((folder / "figures.json").read_text("utf-8"))
    for path in draw_all(figures, folder):
        print(f"{path}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()

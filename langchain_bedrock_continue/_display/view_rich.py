"""A finished message, drawn by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._display import terminal
from langchain_bedrock_continue._display.pieces import call_text, legend
from langchain_bedrock_continue._display.words import count, short_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_bedrock_continue.view import ContinuationView

BAR = 60
"""Cells of the bar."""


def drawn(view: ContinuationView) -> Any:
    """Return a view as a renderable.

    Args:
        view: The view.
    """
    from rich.console import Group  # noqa: PLC0415 - an extra
    from rich.padding import Padding  # noqa: PLC0415 - an extra

    rows = [_head(view), terminal.bar(view.bar, BAR), _segments(view)]
    if view.reasoning:
        rows.append(Padding(_reasoning(view), (1, 0, 0, 0)))
    rows.append(Padding(_text(view), (1, 0)))
    rows += _calls(view)
    return Group(*rows, _facts(view))


def _head(view: ContinuationView) -> Any:
    from rich.text import Text  # noqa: PLC0415 - an extra

    report = view.report
    state = "complete" if report.complete else "incomplete"
    mark, style = terminal.MARKS[state]
    ended = "" if report.complete else f" ({report.ended_by})"
    return Text.assemble(
        (f"{mark} {state}{ended}", f"bold {style}"),
        (f"  {short_model(report.model)}", "bold"),
        f"  {count(len(report.segments), 'segment')}",
    )


def _segments(view: ContinuationView) -> Any:
    """Return the legend of the bar: a line per segment."""
    from rich.table import Table  # noqa: PLC0415 - an extra
    from rich.text import Text  # noqa: PLC0415 - an extra

    table = Table.grid(padding=(0, 2))
    for side in ("right", "left", "right", "left"):
        table.add_column(justify=side)
    words = legend(view.bar, view.report.segments)
    for part, (label, strategy, tokens, why) in zip(view.bar, words, strict=True):
        replaced = part.kind == "replaced"
        style = "red" if replaced else terminal.COLOURS[part.number % 2]
        table.add_row(
            Text(f"━ {label}", style=style),
            Text(strategy),
            tokens,
            Text(why),
            style="dim" if replaced else "",
        )
    return table


def _reasoning(view: ContinuationView) -> Any:
    from rich.text import Text  # noqa: PLC0415 - an extra

    return Text(view.reasoning, style="dim italic")


def _text(view: ContinuationView) -> Any:
    from rich.text import Text  # noqa: PLC0415 - an extra

    text = Text()
    for at, piece in enumerate(view.pieces):
        if at:
            text.append(f"⟦{piece.number}⟧", style=terminal.SEAM[1])
        text.append(piece.text)
    return text


def _calls(view: ContinuationView) -> Iterator[Any]:
    from rich.text import Text  # noqa: PLC0415 - an extra

    for call in view.calls:
        sign, style = ("✗", "red") if call.error else ("→", "green")
        yield Text.assemble((f"{sign} ", style), call_text(call))
        if call.error:
            yield Text(f"  {call.error}", style="red")
    if view.calls:
        yield Text()


def _facts(view: ContinuationView) -> Any:
    from rich.table import Table  # noqa: PLC0415 - an extra
    from rich.text import Text  # noqa: PLC0415 - an extra

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    for name, value in view.report.facts():
        table.add_row(name, Text(value))
    return table

"""The progress of runs in a notebook: a card of HTML that is updated in place.

NOTE-1. A cell has one card, with a row for each run that it starts.
NOTE-2. A thread updates the card four times a second. It has the context of the cell,
    so that its messages are the cell's.
NOTE-3. When a run ends, the card is updated at once, so the kept output is the last
    state.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from contextvars import copy_context
from html import escape
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._display.styles import bar_html, style_sheet
from langchain_bedrock_continue._display.words import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_bedrock_continue._display.run import Run

logger = logging.getLogger("langchain_bedrock_continue")

INTERVAL = 0.25
"""Seconds between two updates."""

MOST_ROWS = 12
"""How many runs have a row; the first of more are counted in one."""

RULES = """
.lbc-runs { display: grid; grid-template-columns: auto auto minmax(5em, 16em) 1fr;
  gap: 0.25em 0.9em; align-items: center; max-width: none; }
.lbc-runs > .lbc-name { white-space: nowrap; }
.lbc-runs > .lbc-all { grid-column: 1 / -1; }
.lbc-runs > .lbc-said { font-variant-numeric: tabular-nums; }
"""

SIGNS = {"running": "▸", "complete": "✓", "incomplete": "!", "failed": "✗"}


def kernel_shell() -> Any:
    """Return IPython's shell if this process is the kernel of a notebook, or None."""
    if "IPython" not in sys.modules:
        return None
    try:
        shell = sys.modules["IPython"].get_ipython()
    except AttributeError:  # IPython is being imported
        return None
    return shell if getattr(shell, "kernel", None) is not None else None


def display(view: object) -> None:
    """Show an object in the notebook.

    Args:
        view: An object with a representation for notebooks.
    """
    importlib.import_module("IPython.display").display(view)


def card(runs: Sequence[Run], now: float) -> str:
    """Return the HTML of some runs.

    Args:
        runs: The runs.
        now: The time, in seconds.
    """
    early = runs[:-MOST_ROWS] if len(runs) > MOST_ROWS else []
    rows = [_row(run, now) for run in runs[len(early) :]]
    if early:
        said = f"{count(len(early), 'earlier answer')} · "
        said += count(sum(run.written for run in early), "token")
        rows.insert(0, f'<span class="lbc-all lbc-soft">{said}</span>')
    return f'{style_sheet(RULES)}<div class="lbc lbc-runs">{"".join(rows)}</div>'


def _row(run: Run, now: float) -> str:
    state = "incomplete" if run.state == "closed" else run.state
    facts = escape(" · ".join(run.facts(now)))
    doing = escape(run.doing())
    said = f' · <span class="lbc-{state}">{doing}</span>' if doing else ""
    return (
        f'<span class="lbc-{state}">{SIGNS[state]}</span>'
        f'<span class="lbc-name">{escape(run.label)}</span>{bar_html(run.parts())}'
        f'<span class="lbc-said"><span class="lbc-soft">{facts}</span>{said}</span>'
    )


def plain(runs: Sequence[Run], now: float) -> str:
    """Return the runs as plain text, for where no HTML is shown.

    Args:
        runs: The runs.
        now: The time, in seconds.
    """
    return "\n".join(
        f"{run.label}: {run.doing() or run.state}: {', '.join(run.facts(now))}"
        for run in runs
    )


class NotebookDisplay:
    """Shows the runs of each cell in a card."""

    def __init__(
        self, shell: Any, clock: Callable[[], float], *, transient: bool = False
    ) -> None:
        """Show in the notebook of a kernel.

        Args:
            shell: The kernel's shell.
            clock: Returns the time in seconds.
            transient: Whether the card is emptied when its runs have ended.
        """
        self._shell = shell
        self._clock = clock
        self._transient = transient
        self._lock = threading.RLock()
        self._cell: Any = None
        self._handle: Any = None
        self._runs: dict[Any, Run] = {}
        self._stopped: threading.Event | None = None
        self._closed = False

    def start(self, key: Any, run: Run) -> None:
        """Show a run.

        Args:
            key: What it is known by.
            run: The run.
        """
        with self._lock:
            if self._closed:
                return
            cell = getattr(self._shell, "execution_count", None)
            if self._handle is None or cell != self._cell:
                self._runs = {key: run for key, run in self._runs.items() if _runs(run)}
                self._cell, self._handle = cell, None
            self._runs[key] = run
            self._show()
            if self._stopped is None:
                self._stopped = threading.Event()
                threading.Thread(
                    target=copy_context().run,
                    args=(self._show_on, self._stopped),
                    name="continuation-progress",
                    daemon=True,
                ).start()

    def step(self, run: Run) -> None:
        """Take note that a segment has ended: the next update shows it."""

    def end(self, _key: Any) -> None:
        """Show what became of a run (NOTE-3)."""
        with self._lock:
            if self._closed:
                return
            over = not any(map(_runs, self._runs.values()))
            if over and self._stopped is not None:
                self._stopped.set()
                self._stopped = None
            self._show(empty=over and self._transient)

    def close(self) -> None:
        """Show no more."""
        with self._lock:
            self._closed = True
            self._runs = {}
            if self._stopped is not None:
                self._stopped.set()
                self._stopped = None

    def _show(self, *, empty: bool = False) -> None:
        ipython = importlib.import_module("IPython.display")
        runs = [] if empty else list(self._runs.values())
        now = self._clock()
        data = {
            "text/html": card(runs, now) if runs else "",
            "text/plain": plain(runs, now),
        }
        if self._handle is None:
            self._handle = ipython.display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def _show_on(self, stopped: threading.Event) -> None:
        while not stopped.wait(INTERVAL):
            with self._lock:
                if stopped.is_set():
                    return
                try:
                    self._show()
                except Exception:
                    logger.exception("ContinuationProgress shows no more")
                    self.close()
                    return


def _runs(run: Run) -> bool:
    return run.state == "running"

"""The progress of runs in a terminal: a line for each, drawn below the cursor.

TERM-1. The lines stand below the cursor, which stays where the program writes. So text
    that is printed meanwhile, piece by piece and without a line break, is unchanged.
TERM-2. `sys.stdout` and `sys.stderr` are replaced while a run is shown, also in the
    root logger's handlers, so that what is printed or logged is not mixed with the
    lines. Afterwards they are what they were.
TERM-3. Nothing is drawn while the cursor is at the edge of a line that is about to
    wrap: not every terminal restores that state, and a character would be lost.
TERM-4. A thread draws ten times a second. The run's own thread only takes notes, and
    draws when a run ends.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from langchain_bedrock_continue._display.bar import cells
from langchain_bedrock_continue._display.column import Column
from langchain_bedrock_continue._display.extra import check_rich

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.text import Text

    from langchain_bedrock_continue._display.bar import Part
    from langchain_bedrock_continue._display.run import Run

logger = logging.getLogger("langchain_bedrock_continue")

BAR = 24
"""Cells of a bar."""

NARROW = 64
"""Below this many columns a line has no bar."""

MOST_LINES = 8
"""How many runs have a line; the others are counted in the last one."""

INTERVAL = 0.1
"""Seconds between two frames."""

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

MARKS = {
    "complete": ("✓", "green"),
    "incomplete": ("!", "yellow"),
    "failed": ("✗", "red"),
    "closed": ("◼", "bright_black"),
}

COLOURS = ("magenta", "cyan")
"""Of a segment in the answer, by turns."""

SEAM = ("┃", "bold yellow")

# Where the cursor goes, in the control sequences of the VT100. The first one (IND)
# makes room below and keeps the column.
ROOM_BELOW = "\x1bD"
UP = "\x1b[{}A"
SAVE, RESTORE = "\x1b7", "\x1b8"
NEXT_LINE = "\x1b[1B\r"
CLEAR_BELOW = f"{SAVE}{NEXT_LINE}\x1b[J{RESTORE}"


# What a line says -----------------------------------------------------------------


def bar(parts: Sequence[Part], width: int = BAR) -> Text:
    """Return a bar of segments, with a mark at each seam.

    Args:
        parts: The parts.
        width: Its cells.
    """
    from rich.text import Text  # noqa: PLC0415 - an extra

    drawn = Text()
    if not parts:
        return drawn
    for part, length in zip(parts, cells(parts, width), strict=True):
        if part.seam:
            drawn.append(*SEAM)
        style = {
            "text": COLOURS[part.number % 2],
            "replaced": "dim red",
            "open": "bright_black",
        }[part.kind]
        drawn.append(("╌" if part.kind == "open" else "━") * length, style=style)
    return drawn


def line(run: Run, now: float, *, frame: int, label: int, width: int) -> Text:
    """Return the line of a run, not longer than the terminal.

    Args:
        run: The run.
        now: The time, in seconds.
        frame: The number of the frame, for the spinner.
        label: The cells of the label.
        width: The columns of the terminal.
    """
    from rich.text import Text  # noqa: PLC0415 - an extra

    mark, style = MARKS.get(run.state, (FRAMES[frame % len(FRAMES)], "cyan"))
    text = Text(f"{mark} ", style=style, end="")
    text.append(f"{run.label:<{label}}", style="default bold")
    if width >= NARROW:
        text.append("  ").append_text(bar(run.parts()))
        text.append(" " * max(0, label + 4 + BAR - text.cell_len))
    text.append("  ", style="default")
    if doing := run.doing():
        colour = "yellow" if run.state == "running" else style
        text.append(doing, style=colour).append(" · ", style="default")
    text.append(" · ".join(run.facts(now)), style="default")
    text.truncate(max(1, width - 1), overflow="ellipsis")
    return text


# Where it is drawn ----------------------------------------------------------------


class TerminalDisplay:
    """Draws the lines of all runs in a terminal."""

    def __init__(
        self,
        file: TextIO,
        clock: Callable[[], float],
        *,
        transient: bool = False,
    ) -> None:
        """Draw in a terminal.

        Args:
            file: Its stream.
            clock: Returns the time in seconds.
            transient: Whether nothing stays of a run that has ended.

        Raises:
            ImportError: The extra `rich` is not installed.
        """
        check_rich()
        from rich.console import Console  # noqa: PLC0415 - an extra

        self._file = file
        self._console = Console(file=file, highlight=False, emoji=False)
        self._clock = clock
        self._transient = transient
        self._lock = threading.RLock()
        self._runs: dict[Any, Run] = {}
        self._rows: list[str] = []
        self._drawn = 0
        self._frame = 0
        self._column = Column()
        self._replaced: list[tuple[str, Any, Any]] = []
        self._stopped = threading.Event()
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
            self._runs[key] = run
            if len(self._runs) == 1:
                self._begin()
            self._draw()

    def step(self, run: Run) -> None:
        """Take note that a segment has ended: the next frame shows it."""

    def end(self, key: Any) -> None:
        """Leave one line of a run, or none, and go on with the others.

        Args:
            key: What it is known by.
        """
        with self._lock:
            run = self._runs.pop(key, None)
            if run is None:  # the display was closed since
                return
            text = CLEAR_BELOW if self._drawn else ""
            self._drawn, self._rows = 0, self._lines()
            if not self._transient:
                text += "\r\n" if self._column.at else ""
                text += self._rendered([self._line(run, len(run.label))])[0] + "\n"
                self._column = Column()
            self._write(text + self._drawing())
            if not self._runs:
                self._finish()

    def close(self) -> None:
        """Show no more: clear the lines, and give the streams back."""
        with self._lock:
            self._closed = True
            self._runs.clear()
            with suppress(Exception):  # it may be the reason
                self._write(CLEAR_BELOW if self._drawn else "")
            self._drawn = 0
            self._finish()

    def _begin(self) -> None:
        """Take the streams, and start to draw."""
        self._stopped = threading.Event()
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and (stream is self._file or _is_terminal(stream)):
                ours = _Printed(stream, self)
                self._replaced.append((name, stream, ours))
                setattr(sys, name, ours)
                _log_to(ours, instead_of=stream)
        threading.Thread(
            target=self._draw_on,
            args=(self._stopped,),
            name="continuation-progress",
            daemon=True,
        ).start()

    def _finish(self) -> None:
        """Stop to draw, and give the streams back."""
        self._stopped.set()
        for name, stream, ours in self._replaced:
            if getattr(sys, name) is ours:
                setattr(sys, name, stream)
            _log_to(stream, instead_of=ours)
        self._replaced, self._column = [], Column()

    def _draw_on(self, stopped: threading.Event) -> None:
        while not stopped.wait(INTERVAL):
            with self._lock:
                if not stopped.is_set():
                    self._draw_or_close()

    def _draw_or_close(self) -> None:
        try:
            self._frame += 1
            self._draw()
        except Exception:
            logger.exception("ContinuationProgress shows no more")
            self.close()

    def _draw(self) -> None:
        self._rows = self._lines()
        self._write((CLEAR_BELOW if self._drawn else "") + self._drawing())

    def printed(self, stream: TextIO, text: str) -> int:
        """Write what the program prints, above the lines (TERM-1).

        Args:
            stream: The stream that it prints to.
            text: What it prints.
        """
        with self._lock:
            with suppress(Exception):  # the program's own text comes first
                self._write(CLEAR_BELOW if self._drawn else "")
            self._drawn = 0
            written = stream.write(text)
            stream.flush()
            if self._runs:
                with suppress(Exception):
                    self._column.write(text, self._console.width)
                    self._write(self._drawing())
        return written

    def _drawing(self) -> str:
        """Return what draws the rows below the cursor (TERM-1, TERM-3)."""
        at_edge = self._column.is_at_edge(self._console.width)
        self._drawn = 0 if at_edge else len(self._rows)
        if not self._drawn:
            return ""
        room = ROOM_BELOW * self._drawn + UP.format(self._drawn) + SAVE
        return room + "".join(NEXT_LINE + row for row in self._rows) + RESTORE

    def _lines(self) -> list[str]:
        most = max(1, min(MOST_LINES, self._console.height - 2))
        runs = list(self._runs.values())
        shown = runs if len(runs) <= most else runs[: most - 1]
        label = max((len(run.label) for run in shown), default=0)
        lines = [self._line(run, label) for run in shown]
        if len(shown) < len(runs):
            lines.append(self._others(runs[len(shown) :]))
        return self._rendered(lines)

    def _line(self, run: Run, label: int) -> Text:
        return line(
            run,
            self._clock(),
            frame=self._frame,
            label=label,
            width=self._console.width,
        )

    def _others(self, runs: Sequence[Run]) -> Text:
        from rich.text import Text  # noqa: PLC0415 - an extra

        tokens = sum(run.written for run in runs)
        return Text(f"  and {len(runs)} more · {tokens:,} tokens", style="bright_black")

    def _rendered(self, lines: Sequence[Text]) -> list[str]:
        with self._console.capture() as captured:
            for one in lines:
                self._console.print(one, end="\n", soft_wrap=True)
        return captured.get().splitlines()

    def _write(self, text: str) -> None:
        if text:
            self._file.write(text)
            self._file.flush()


class _Printed:
    """A stream in place of `sys.stdout` or `sys.stderr` (TERM-2)."""

    def __init__(self, stream: TextIO, display: TerminalDisplay) -> None:
        self._stream = stream
        self._display = display

    def write(self, text: str) -> int:
        return self._display.printed(self._stream, text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _log_to(stream: Any, *, instead_of: Any) -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is instead_of:
            handler.setStream(stream)


def can_draw(file: TextIO) -> bool:
    """Return True if lines can be drawn and cleared in a stream.

    Args:
        file: The stream.

    Raises:
        ImportError: It is a terminal, and the extra `rich` is not installed.
    """
    if not _is_terminal(file):
        return False
    check_rich()
    from rich.console import Console  # noqa: PLC0415 - an extra

    try:
        f"{FRAMES}{SEAM[0]}━╌✓✗◼…·".encode(getattr(file, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    console = Console(file=file)
    return not (console.is_dumb_terminal or console.legacy_windows)


def print_once(renderable: object, file: TextIO) -> bool:
    """Print something in a terminal.

    Args:
        renderable: What rich can print.
        file: The stream.

    Returns:
        False if the stream is no terminal, or the extra `rich` is not installed.
    """
    if not _is_terminal(file):
        return False
    try:
        check_rich()
    except ImportError:
        return False
    from rich.console import Console  # noqa: PLC0415 - an extra

    Console(file=file, highlight=False, emoji=False).print(renderable)
    return True


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # closed, or no stream
        return False

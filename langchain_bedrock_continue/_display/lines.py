"""The progress of runs as plain lines: for a file, a log, a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_bedrock_continue._display.run import Run


class LineDisplay:
    """Writes a line when a segment ends, and one when a run ends."""

    def __init__(self, file: TextIO, clock: Callable[[], float]) -> None:
        """Write to a stream.

        Args:
            file: The stream.
            clock: Returns the time in seconds.
        """
        self._file = file
        self._clock = clock
        self._runs: dict[Any, Run] = {}

    def start(self, key: Any, run: Run) -> None:
        """Take a run. Nothing is written yet."""
        self._runs[key] = run

    def step(self, run: Run) -> None:
        """Write that a segment has ended."""
        self._write(f"{run.label}: {run.step()}")

    def end(self, key: Any) -> None:
        """Write what became of a run."""
        run = self._runs.pop(key)
        facts = ", ".join(run.facts(self._clock()))
        self._write(f"{run.label}: {run.doing() or run.state}: {facts}")

    def close(self) -> None:
        """Forget the runs."""
        self._runs.clear()

    def _write(self, line: str) -> None:
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        known = line.encode(encoding, "replace").decode(encoding)
        self._file.write(known + "\n")
        self._file.flush()

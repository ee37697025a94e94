"""Draw the pictures of the README: the progress of an answer, and its seams.

    python -m tests.benchmarks.pictures

A real small model answers, so the numbers are those of one run on this machine. Each
picture is an SVG for light pages and one for dark ones, in `docs/pictures`.
"""

import io
import re
from pathlib import Path
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from rich.console import Console, RenderableType
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME

from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    ContinuationProgress,
    ContinuationView,
)
from langchain_bedrock_continue._display import terminal
from langchain_bedrock_continue._display.run import Run
from langchain_bedrock_continue.local import LocalBedrock

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
QUESTION = "What is the capital of France, and why is it known?"
LATER = 6
"""How many chunks after a seam a line is kept."""

WIDTH = 92
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""The fonts that the export loads from elsewhere: a page shows its own instead."""


class Snapshots(BaseCallbackHandler):
    """Keeps the line of the run: soon after each seam."""

    def __init__(self, progress: ContinuationProgress) -> None:
        self.lines: list[RenderableType] = []
        self._progress = progress
        self._due: int | None = LATER

    def on_llm_new_token(self, token: Any, *, run_id: Any, **_: Any) -> None:
        """Keep the line when it is due."""
        if self._due is not None:
            self._due -= 1
            if not self._due:
                self.keep(self._progress._runs[run_id])
                self._due = None

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        """Keep a line soon."""
        self._due = LATER

    def keep(self, run: Run) -> None:
        """Keep the line of a run as it is."""
        frame = len(self.lines)
        now = self._progress._clock()
        self.lines.append(terminal.line(run, now, frame=frame, label=0, width=WIDTH))


def save(name: str, title: str, *renderables: RenderableType) -> None:
    """Save a picture, light and dark."""
    for page, theme in THEMES.items():
        console = Console(
            record=True, width=WIDTH, file=io.StringIO(), force_terminal=True
        )
        for one in renderables:
            console.print(one)
        svg = FONT.sub("", console.export_svg(title=title, theme=theme))
        path = FOLDER / f"{name}-{page}.svg"
        path.write_text(svg, encoding="utf-8")
        print(path.relative_to(FOLDER.parents[1]))


def main() -> None:
    """Ask the model once, and draw."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    progress = ContinuationProgress("lines", file=io.StringIO())
    snapshots = Snapshots(progress)
    with LocalBedrock() as bedrock:
        llm = ChatBedrockContinuing(
            model=MODEL, max_tokens=16, temperature=0, **bedrock.client_kwargs()
        )
        stream = llm.stream(QUESTION, {"callbacks": [progress, snapshots]})
        first = next(stream)
        run = next(iter(progress._runs.values()))
        message = sum(stream, first)
    snapshots.keep(run)
    save("progress", "ContinuationProgress", *snapshots.lines)
    save("show", "show(message)", ContinuationView.from_message(message))


if __name__ == "__main__":
    main()

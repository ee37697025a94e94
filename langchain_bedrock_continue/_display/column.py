"""Where the cursor of a terminal is in its line, from what is written to it."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])"
)
"""Control sequences: colours, links. Those that move the cursor are not followed."""

_TAB = 8


class Column:
    """The column of a cursor that began in the first one.

    A terminal wraps a line when the character after its last column comes, not before.
    Until then the cursor is at the edge, a state that not every terminal saves and
    restores with the position.

    Attributes:
        at: How many columns are left of the cursor.
    """

    def __init__(self) -> None:
        """Begin in the first column."""
        self.at = 0

    def write(self, text: str, width: int) -> None:
        """Follow the cursor over a text.

        Args:
            text: What is written.
            width: The columns of the terminal.
        """
        from rich.cells import get_character_cell_size  # noqa: PLC0415 - an extra

        for character in _SEQUENCE.sub("", text):
            if character in "\r\n":
                self.at = 0
            elif character == "\b":
                self.at = max(0, self.at - 1)
            elif character == "\t":
                self.at = min(width - 1, (self.at // _TAB + 1) * _TAB)
            else:
                cells = get_character_cell_size(character)
                self.at = cells if self.at + cells > width else self.at + cells

    def is_at_edge(self, width: int) -> bool:
        """Return True if the next character begins a new line.

        Args:
            width: The columns of the terminal.
        """
        return self.at >= width

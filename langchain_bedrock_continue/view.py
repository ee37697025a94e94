"""`show` and `ContinuationView`: a finished message, with its seams for the eyes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from langchain_bedrock_continue._display import notebook, terminal, view_html, view_rich
from langchain_bedrock_continue._display.bar import parts_of
from langchain_bedrock_continue._display.pieces import (
    call_text,
    calls_of,
    pieces_of,
    reasoning_of,
)
from langchain_bedrock_continue.report import ContinuationReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import AIMessage

    from langchain_bedrock_continue._display.bar import Part
    from langchain_bedrock_continue._display.pieces import Call, Piece
    from langchain_bedrock_continue.prices import Prices


@dataclass(frozen=True, repr=False)
class ContinuationView:
    """A message with its seams marked, its segments as a bar, its tokens and its cost.

    A notebook shows it as HTML, in the colours of its page. `rich.print(view)` and
    `console.print(view)` draw it in a terminal. `print(view)` writes plain text. `show`
    takes whichever fits.

        ContinuationView.from_message(message)

    Attributes:
        report: The numbers: segments, usages, cost.
        pieces: The message's text, cut at its seams.
        calls: Its tool calls, the invalid ones too.
        reasoning: The text of its reasoning; empty if it has none.
        bar: Its segments, with their share of the tokens.
    """

    report: ContinuationReport
    pieces: Sequence[Piece]
    calls: Sequence[Call]
    reasoning: str
    bar: Sequence[Part]

    @classmethod
    def from_message(
        cls,
        message: AIMessage,
        *,
        prices: Prices | Mapping[str, Prices] | None = None,
    ) -> Self:
        """Read the view from a message of ChatBedrockContinuing.

        Args:
            message: The message, or the sum of a stream's chunks, or the `partial` of a
                ContinuationError.
            prices: The model's prices, or a table by a part of the model id. Default:
                `langchain_bedrock_continue.prices.PRICES`.

        Raises:
            TypeError: The message is no AIMessage.
            ValueError: The message has no `continuation` metadata, or not all of it.
        """
        report = ContinuationReport.from_message(message, prices=prices)
        turn = message.response_metadata["continuation"]
        return cls(
            report=report,
            pieces=pieces_of(message.text, turn),
            calls=calls_of(message),
            reasoning=reasoning_of(message),
            bar=parts_of(report.segments),
        )

    def __repr__(self) -> str:
        """Return the view in one line."""
        characters = sum(len(piece.text) for piece in self.pieces)
        return (
            f"ContinuationView(segments={len(self.report.segments)}, "
            f"characters={characters}, complete={self.report.complete})"
        )

    def __str__(self) -> str:
        """Return the view as plain text, with `⟦seam 1⟧` at the first seam."""
        text = ""
        for at, piece in enumerate(self.pieces):
            text += (f"⟦seam {at}⟧" if at else "") + piece.text
        calls = [
            f"⟦tool call⟧ {call_text(call)}"
            + (f" invalid: {call.error}" if call.error else "")
            for call in self.calls
        ]
        facts = [f"{name}: {value}" for name, value in self.report.facts()]
        parts = [self.report.headline, text, "\n".join(calls), "\n".join(facts)]
        return "\n\n".join(filter(None, parts))

    def __rich__(self) -> Any:
        """Return the view for rich."""
        return view_rich.drawn(self)

    def _repr_html_(self) -> str:
        """Return the view for a notebook, light and dark."""
        return view_html.html(self)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        """Return HTML, and plain text for where no HTML is shown."""
        return {"text/html": self._repr_html_(), "text/plain": str(self)}


def show(
    message: AIMessage, *, prices: Prices | Mapping[str, Prices] | None = None
) -> None:
    """Show a message with its seams: in the notebook, in the terminal, or as text.

        show(llm.invoke("Explain photosynthesis."))

    A terminal needs the extra `rich`; without it, and in a file or a pipe, the text is
    plain. For the object itself, use `ContinuationView.from_message`.

    Args:
        message: The message, or the sum of a stream's chunks, or the `partial` of a
            ContinuationError.
        prices: The model's prices, or a table by a part of the model id. Default:
            `langchain_bedrock_continue.prices.PRICES`.

    Raises:
        TypeError: The message is no AIMessage.
        ValueError: The message has no `continuation` metadata, or not all of it.
    """
    view = ContinuationView.from_message(message, prices=prices)
    if notebook.kernel_shell() is not None:
        notebook.display(view)
    elif not terminal.print_once(view, sys.stdout):
        sys.stdout.write(f"{view}\n")

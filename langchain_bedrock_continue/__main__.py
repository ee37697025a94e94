"""The commands of the package.

    python -m langchain_bedrock_continue "How does photosynthesis work?" --max-tokens 48
    python -m langchain_bedrock_continue ask "How does photosynthesis work?"
    python -m langchain_bedrock_continue serve --port 8080
    python -m langchain_bedrock_continue check --model ID --endpoint aws

Without a command's name it is the demo, which shows in a terminal how a truncated
answer is continued. `ask` writes the complete answer and nothing else; `serve` runs a
Bedrock runtime on this machine; `check` measures the seams of a model. To ask the demo
a question that is one of these words, write `--` before it.

By default a small model answers behind a Bedrock endpoint on this machine. Only this
needs the extra `local`.
"""

from __future__ import annotations

import argparse
import difflib
import io
import logging
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler

from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    ContinuationError,
    _ask,
    _endpoint,
    _serve,
)
from langchain_bedrock_continue._check import command as _check
from langchain_bedrock_continue._demo import Page, one_line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.runnables import RunnableConfig

COMMANDS: dict[str, Any] = {
    _ask.NAME: _ask,
    _serve.NAME: _serve,
    _check.NAME: _check,
}
"""The modules of the commands, by name: each has `parser` and `run`."""

QUESTION = "How does photosynthesis work?"
TERMINAL_COLUMNS = 80
INTERRUPTED = 130
NOTEBOOK_KERNEL = "ipykernel_launcher"
"""The program that runs a notebook's cells."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or the demo.

    Args:
        arguments: Arguments of the command line; those of this process by default.

    Returns:
        The exit code: 0, 1 after an error, or 130 after Ctrl-C.
    """
    words = _words(arguments)
    command = COMMANDS.get(words[0]) if words else None
    parser = _parser() if command is None else command.parser()
    _check_command(words, parser)
    args = _endpoint.parsed(parser, words if command is None else words[1:])
    run = _answer if command is None else command.run
    _configure_logging()
    try:
        with ExitStack() as stack:
            run(args, stack)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - users get one line, not a traceback
        print("error:", one_line(error), file=sys.stderr)
        return 1
    return 0


def _words(arguments: Sequence[str] | None) -> list[str]:
    """Return the words of the command line."""
    if arguments is None and Path(sys.argv[0]).stem == NOTEBOOK_KERNEL:
        return []  # those of the process are the kernel's
    return list(sys.argv[1:] if arguments is None else arguments)


def _check_command(words: list[str], parser: argparse.ArgumentParser) -> None:
    """End the process if the first word is a command with a typing error."""
    first = words[0] if words else ""
    meant = difflib.get_close_matches(first, COMMANDS, n=1, cutoff=0.75)
    if first not in COMMANDS and meant:
        parser.error(
            f"{first!r} is not a command. Did you mean {meant[0]!r}? To ask this "
            f"question, write -- {first}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_bedrock_continue",
        description="Ask a question, and see where its answer is continued.",
        epilog="Other commands: ask (the answer only), serve (a Bedrock runtime on "
        "this machine), check (measures a model's seams). Each has its own --help.",
    )
    parser.add_argument(
        "question", nargs="?", default=QUESTION, help="default: %(default)s"
    )
    _endpoint.add_model_arguments(parser, max_tokens=48)
    _endpoint.add_arguments(parser)
    return parser


def _configure_logging() -> None:
    """Log errors only: the demo itself prints everything else."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)


def _answer(args: argparse.Namespace, stack: ExitStack) -> None:
    """Show the answer as it arrives, and then its segments."""
    llm = ChatBedrockContinuing(
        model=args.model,
        max_tokens=args.max_tokens,
        strategy=args.strategy,
        **_endpoint.model_arguments(args, stack),
    )
    page = _page()
    _show(page.text(_introduction(args)))
    try:
        continuation = _stream(llm, args.question, page)
    except ContinuationError as error:
        partial = error.partial.response_metadata["continuation"]
        print("\n", table(partial), sep="\n")
        raise
    print("\n", table(continuation), sep="\n")


def _introduction(args: argparse.Namespace) -> str:
    return (
        f"Asking {_endpoint.name_of(args)} with max_tokens={args.max_tokens}.\n"
        "⟦seam⟧ marks where a response is truncated and the next one continues it.\n"
        f"\n> {args.question}\n\n"
    )


def _page() -> Page:
    """Return the layout of a terminal; a file or a pipe gets the text unchanged."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # not in a notebook
        sys.stdout.reconfigure(errors="replace")
    if not sys.stdout.isatty():
        return Page()
    columns = shutil.get_terminal_size((TERMINAL_COLUMNS, 24)).columns
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Page(width=min(columns, TERMINAL_COLUMNS), colour=colour)


def _stream(llm: ChatBedrockContinuing, question: str, page: Page) -> dict[str, Any]:
    """Show the answer as it arrives; return its `continuation` metadata."""
    continuation: dict[str, Any] = {}
    config: RunnableConfig = {"callbacks": [_SeamMarks(page)]}
    for chunk in llm.stream(question, config):
        _show(page.text(chunk.text))
        continuation |= chunk.response_metadata.get("continuation", {})
    return continuation


class _SeamMarks(BaseCallbackHandler):
    """Prints a mark at each seam."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def on_custom_event(self, name: str, data: Any, **_kwargs: Any) -> None:
        if name == "bedrock_continuation" and data["type"] == "seam":
            _show(self._page.mark(data))


def _show(text: str) -> None:
    print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The demo: shows in a terminal how a truncated answer is continued.

    python -m langchain_bedrock_continue "How does photosynthesis work?" --max-tokens 48

By default a small model answers behind a Bedrock endpoint on this machine. Only this
needs the extra `local`.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler

from langchain_bedrock_continue import ChatBedrockContinuing, ContinuationError
from langchain_bedrock_continue._demo import Page, one_line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.runnables import RunnableConfig

QUESTION = "How does photosynthesis work?"
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
WEIGHTS = "smollm2"
TERMINAL_COLUMNS = 80
INTERRUPTED = 130
NOTEBOOK_KERNEL = "ipykernel_launcher"
"""The program that runs a notebook's cells."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Args:
        arguments: Arguments of the command line; those of this process by default.

    Returns:
        The exit code: 0, 1 after an error, or 130 after Ctrl-C.
    """
    args = _parsed(arguments)
    _configure_logging()
    try:
        with ExitStack() as stack:
            _answer(args, _endpoint_arguments(args, stack))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - users get one line, not a traceback
        print("error:", one_line(error), file=sys.stderr)
        return 1
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    if arguments is None and Path(sys.argv[0]).stem == NOTEBOOK_KERNEL:
        arguments = []  # those of the process are the kernel's
    args = parser.parse_args(arguments)
    if args.weights and args.endpoint != "local":
        parser.error("--weights: only --endpoint local has weights; leave it out")
    args.weights = args.weights or WEIGHTS
    return args


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_bedrock_continue",
        description="Ask a question, and see where its answer is continued.",
    )
    parser.add_argument(
        "question", nargs="?", default=QUESTION, help="default: %(default)s"
    )
    parser.add_argument(
        "--max-tokens", type=int, default=48, metavar="N", help="default: %(default)s"
    )
    parser.add_argument(
        "--endpoint",
        type=_endpoint,
        default="local",
        metavar="local|aws|URL",
        help="a small model on this machine (default), AWS, or an endpoint's URL",
    )
    parser.add_argument(
        "--model", default=MODEL, metavar="ID", help="default: %(default)s"
    )
    parser.add_argument(
        "--strategy",
        choices=["auto", "prefill", "user_turn"],
        default="auto",
        help="how to continue; default: by model id",
    )
    parser.add_argument(
        "--weights",
        metavar="NAME",
        help="local model: smollm2 (default), qwen2.5-coder, qwen2.5-coder-1.5b, or a "
        ".gguf file",
    )
    return parser


def _endpoint(value: str) -> str:
    if value in {"local", "aws"} or value.startswith(("http://", "https://")):
        return value
    raise argparse.ArgumentTypeError(
        f"{value!r} is not an endpoint: give local, aws, or a URL such as "
        "http://127.0.0.1:8000"
    )


def _configure_logging() -> None:
    """Log errors only: the demo itself prints everything else."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)


def _endpoint_arguments(args: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Return the model's arguments for the endpoint, and start a local one."""
    if args.endpoint == "aws":
        return {}
    if args.endpoint == "local":
        return _start_local(args.weights, stack)
    keys = {}
    if args.endpoint.startswith("http://"):  # real keys are not sent in plain text
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    region = os.environ.get("AWS_REGION", "us-east-1")
    return {"endpoint_url": args.endpoint, "region_name": region, **keys}


def _start_local(weights: str, stack: ExitStack) -> dict[str, Any]:
    # A late import: only the local endpoint needs the extra.
    from langchain_bedrock_continue.local.demo import (  # noqa: PLC0415
        log_downloads,
        model_endpoint,
    )

    log_downloads()
    bedrock = stack.enter_context(model_endpoint(weights))
    return bedrock.client_kwargs()


def _answer(args: argparse.Namespace, endpoint: dict[str, Any]) -> None:
    """Show the answer as it arrives, and then its segments."""
    llm = ChatBedrockContinuing(
        model=args.model,
        max_tokens=args.max_tokens,
        strategy=args.strategy,
        **endpoint,
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
    who = {
        "local": f"{args.weights} at a Bedrock endpoint on this machine",
        "aws": f"{args.model} on AWS",
    }.get(args.endpoint, f"{args.model} at {args.endpoint}")
    return (
        f"Asking {who} with max_tokens={args.max_tokens}.\n"
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

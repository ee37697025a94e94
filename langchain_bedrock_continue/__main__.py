"""Show in a terminal how a cut answer goes on.

    python -m langchain_bedrock_continue "How does photosynthesis work?" --max-tokens 48

By default a small model on this machine answers, behind a local Bedrock endpoint.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.prompts import ChatPromptTemplate

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Args:
        arguments: Of the command line; its own by default.

    Returns:
        The exit code: 0, or 1 where no whole answer came because of an error.
    """
    args = _parsed(arguments)
    _show_progress_only()
    try:
        with ExitStack() as stack:
            _answer(args, _endpoint_arguments(args, stack))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - people want a line, not a traceback
        print("error:", one_line(error), file=sys.stderr)
        return 1
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.weights and args.endpoint != "local":
        parser.error("--weights: the local endpoint alone takes them; leave it out")
    args.weights = args.weights or WEIGHTS
    return args


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_bedrock_continue",
        description="Ask a question, and see where the answer was cut and went on.",
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
        help="how to go on; default: by what is known of the model",
    )
    parser.add_argument(
        "--weights",
        metavar="NAME",
        help="of the local model: smollm2 (default), qwen2.5-coder, or a .gguf file",
    )
    return parser


def _endpoint(value: str) -> str:
    if value in {"local", "aws"} or value.startswith(("http://", "https://")):
        return value
    raise argparse.ArgumentTypeError(
        f"{value!r} is none: give local, aws, or a URL such as http://127.0.0.1:8000"
    )


def _show_progress_only() -> None:
    """Let the download of weights be seen; all else is said by the demo itself."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    logging.getLogger("langchain_bedrock_continue.local").setLevel(logging.INFO)


def _endpoint_arguments(args: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Return what the model needs to get to the endpoint, starting a local one."""
    if args.endpoint == "aws":
        return {}
    if args.endpoint == "local":
        return _start_local(args.weights, stack)
    keys = {}
    if args.endpoint.startswith("http://"):  # a real key isn't for a plain-text line
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    region = os.environ.get("AWS_REGION", "us-east-1")
    return {"endpoint_url": args.endpoint, "region_name": region, **keys}


def _start_local(weights: str, stack: ExitStack) -> dict[str, Any]:
    # Late: only here is the extra needed.
    from langchain_bedrock_continue.local import LocalBedrock  # noqa: PLC0415
    from langchain_bedrock_continue.local.llama.backend import LlamaBackend  # noqa: PLC0415

    bedrock = stack.enter_context(LocalBedrock(LlamaBackend(weights)))
    return bedrock.client_kwargs()


def _answer(args: argparse.Namespace, endpoint: dict[str, Any]) -> None:
    """Ask, show the answer as it arrives, and then how it came about."""
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
        arrived = error.partial.response_metadata["continuation"]
        print("\n", table(arrived), sep="\n")
        raise
    print("\n", table(continuation), sep="\n")


def _introduction(args: argparse.Namespace) -> str:
    who = {
        "local": f"{args.weights}, behind a Bedrock endpoint on this machine,",
        "aws": f"{args.model} on AWS",
    }.get(args.endpoint, f"{args.model} at {args.endpoint}")
    return (
        f"Asking {who} with max_tokens={args.max_tokens}.\n"
        "⟦seam⟧ marks where a response was cut there and the next one went on.\n"
        f"\n> {args.question}\n\n"
    )


def _page() -> Page:
    """Lay out for a terminal, or leave the text as it is for a file or a pipe."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # not in notebooks
    if not sys.stdout.isatty():
        return Page()
    columns = shutil.get_terminal_size((TERMINAL_COLUMNS, 24)).columns
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Page(width=min(columns, TERMINAL_COLUMNS), colour=colour)


def _stream(llm: ChatBedrockContinuing, question: str, page: Page) -> dict[str, Any]:
    """Show the answer as it arrives; return what is known of its segments."""
    # A chain, because LangChain gives custom events to a run's listeners only.
    chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | llm
    continuation: dict[str, Any] = {}
    listeners: RunnableConfig = {"callbacks": [_SeamMarks(page)]}
    for chunk in chain.stream({"question": question}, listeners):
        _show(page.text(chunk.text))
        continuation |= chunk.response_metadata.get("continuation", {})
    return continuation


class _SeamMarks(BaseCallbackHandler):
    """Marks each seam as it happens."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def on_custom_event(self, name: str, data: Any, **_kwargs: Any) -> None:
        if name == "bedrock_continuation" and data["type"] == "seam":
            _show(self._page.mark(data))


def _show(text: str) -> None:
    print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The command `ask`: asks one question, and writes the complete answer.

    python -m langchain_bedrock_continue ask "How does photosynthesis work?"
    python -m langchain_bedrock_continue ask - --endpoint aws < question.txt

Standard output gets the answer and nothing else, as it arrives. A terminal shows the
progress on standard error. A limit that ends the answer is an error: exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from langchain_bedrock_continue import _endpoint
from langchain_bedrock_continue.callbacks import ContinuationProgress
from langchain_bedrock_continue.chat_models import ChatBedrockContinuing

if TYPE_CHECKING:
    from contextlib import ExitStack

    from langchain_core.runnables import RunnableConfig

NAME = "ask"
"""The word that selects this command."""

STANDARD_INPUT = "-"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments, without its name."""
    arguments = argparse.ArgumentParser(
        prog=f"python -m langchain_bedrock_continue {NAME}",
        description="Ask a question and write the complete answer.",
    )
    arguments.add_argument(
        "question", help="the question, or - to read it from standard input"
    )
    _endpoint.add_model_arguments(arguments, max_tokens=1024)
    _endpoint.add_arguments(arguments)
    arguments.add_argument("--system", metavar="TEXT", help="a system prompt")
    return arguments


def run(args: argparse.Namespace, stack: ExitStack) -> None:
    """Ask, and write the answer as it arrives.

    Args:
        args: The parsed arguments.
        stack: Stops a local endpoint when it closes.

    Raises:
        ValueError: The question is empty.
        Exception: A call failed, or a limit ended the answer.
    """
    question = args.question
    if question == STANDARD_INPUT:
        question = sys.stdin.read()
    if not question.strip():
        raise ValueError("the question is empty")
    llm = ChatBedrockContinuing(
        model=args.model,
        max_tokens=args.max_tokens,
        strategy=args.strategy,
        on_limit="raise",
        **_endpoint.model_arguments(args, stack),
    )
    messages = [("system", args.system)] if args.system else []
    for chunk in llm.stream([*messages, ("user", question)], _config()):
        sys.stdout.write(chunk.text)
        sys.stdout.flush()
    sys.stdout.write("\n")


def _config() -> RunnableConfig:
    """Show the progress if standard error is a terminal and rich is installed."""
    if not sys.stderr.isatty():
        return {}
    try:
        return {"callbacks": [ContinuationProgress(file=sys.stderr)]}
    except ImportError:
        return {}

"""The command `check`: measures the seams of any model on Bedrock.

    python -m langchain_bedrock_continue check --model ID --endpoint aws --dry-run
    python -m langchain_bedrock_continue check --model ID --endpoint aws

Ten prompts are answered, truncated once each, and continued by prefill and in a user
turn. It says beforehand about how many tokens that takes.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING

from langchain_bedrock_continue import _endpoint
from langchain_bedrock_continue._check.measure import Measurement, measure
from langchain_bedrock_continue._check.prompts import PROMPTS
from langchain_bedrock_continue._check.report import estimate, report

if TYPE_CHECKING:
    from contextlib import ExitStack

NAME = "check"
"""The word that selects this command."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments, without its name."""
    arguments = argparse.ArgumentParser(
        prog=f"python -m langchain_bedrock_continue {NAME}",
        description="Measure how well a model's truncated answers are continued.",
    )
    arguments.add_argument(
        "--model",
        default=_endpoint.MODEL,
        metavar="ID",
        help="a Bedrock model or inference profile; default: %(default)s",
    )
    _endpoint.add_arguments(arguments)
    arguments.add_argument(
        "--max-tokens",
        type=_endpoint.positive,
        default=64,
        metavar="N",
        help="where to truncate the answers; default: %(default)s",
    )
    arguments.add_argument(
        "--dry-run", action="store_true", help="only say how many tokens it takes"
    )
    return arguments


def run(args: argparse.Namespace, stack: ExitStack) -> None:
    """Say what it costs, measure, and print the figures.

    Args:
        args: The parsed arguments.
        stack: Stops a local endpoint when it closes.

    Raises:
        Exception: A call failed, as from ChatBedrockContinuing.
    """
    who, limit = _endpoint.name_of(args), args.max_tokens
    print(f"Checking {who} with max_tokens={limit}.")
    print(estimate(len(PROMPTS), limit), flush=True)
    if args.dry_run:
        return
    arguments = {"model": args.model, **_endpoint.model_arguments(args, stack)}
    stack.enter_context(warnings.catch_warnings())
    # Newer models take no temperature: langchain-aws says so and leaves it out.
    warnings.filterwarnings("ignore", message=".*does not support temperature")
    measured = Measurement()
    for number, measured_so_far in enumerate(measure(arguments, PROMPTS, limit), 1):
        print(f"{number} of {len(PROMPTS)} prompts", file=sys.stderr, flush=True)
        measured = measured_so_far
    print(report(measured, limit))

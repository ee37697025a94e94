"""The endpoint that a command calls: its argument, and the model's arguments for it."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import ExitStack

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
"""The model of the local endpoint: Bedrock's rules for it, small weights behind it."""

WEIGHTS = "smollm2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--endpoint` and `--weights` to a command's parser."""
    parser.add_argument(
        "--endpoint",
        type=_endpoint,
        default="local",
        metavar="local|aws|URL",
        help="a small model on this machine (default), AWS, or an endpoint's URL",
    )
    parser.add_argument(
        "--weights",
        metavar="NAME",
        help="local model: smollm2 (default), qwen2.5-coder, qwen2.5-coder-1.5b, or a "
        ".gguf file",
    )


def add_model_arguments(parser: argparse.ArgumentParser, *, max_tokens: int) -> None:
    """Add `--max-tokens`, `--model` and `--strategy` to a command's parser.

    Args:
        parser: The parser.
        max_tokens: The default of `--max-tokens`.
    """
    parser.add_argument(
        "--max-tokens",
        type=positive,
        default=max_tokens,
        metavar="N",
        help="maximum output tokens of one response; default: %(default)s",
    )
    parser.add_argument(
        "--model",
        default=MODEL,
        metavar="ID",
        help="a Bedrock model or inference profile; default: %(default)s",
    )
    parser.add_argument(
        "--strategy",
        choices=["auto", "prefill", "user_turn"],
        default="auto",
        help="how to continue; default: by model id",
    )


def positive(value: str) -> int:
    """Read a positive number from a command's argument.

    Args:
        value: The argument.

    Raises:
        ArgumentTypeError: It is not one.
    """
    if value.isascii() and value.isdigit() and int(value):
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is not a positive number")


def parsed(
    parser: argparse.ArgumentParser, arguments: Any | None
) -> argparse.Namespace:
    """Parse the arguments; end the process if `--weights` has no meaning."""
    args = parser.parse_args(arguments)
    if "endpoint" not in args:
        return args  # it is the endpoint
    if args.weights and args.endpoint != "local":
        parser.error("--weights: only --endpoint local has weights; leave it out")
    args.weights = args.weights or WEIGHTS
    return args


def name_of(args: argparse.Namespace) -> str:
    """Return who answers, for people."""
    return {
        "local": f"{args.weights} at a Bedrock endpoint on this machine",
        "aws": f"{args.model} on AWS",
    }.get(args.endpoint, f"{args.model} at {args.endpoint}")


def model_arguments(args: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Return the model's arguments for the endpoint, and start a local one.

    Args:
        args: The parsed arguments.
        stack: Stops the local endpoint when it closes.
    """
    if args.endpoint == "aws":
        return {}
    if args.endpoint == "local":
        return _start_local(args.weights, stack)
    keys = {}
    if args.endpoint.startswith("http://"):  # real keys are not sent in plain text
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    region = os.environ.get("AWS_REGION", "us-east-1")
    return {"endpoint_url": args.endpoint, "region_name": region, **keys}


def _endpoint(value: str) -> str:
    if value in {"local", "aws"} or value.startswith(("http://", "https://")):
        return value
    raise argparse.ArgumentTypeError(
        f"{value!r} is not an endpoint: give local, aws, or a URL such as "
        "http://127.0.0.1:8000"
    )


def _start_local(weights: str, stack: ExitStack) -> dict[str, Any]:
    # A late import: only the local endpoint needs the extra.
    from langchain_bedrock_continue.local.demo import (  # noqa: PLC0415
        log_downloads,
        model_endpoint,
    )

    log_downloads()
    bedrock = stack.enter_context(model_endpoint(weights))
    return bedrock.client_kwargs()

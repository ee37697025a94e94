"""Serving a local endpoint until Ctrl-C, for the commands `serve`.

It is imported without the extra, so that a command prints its help.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.demo import log_downloads
from langchain_bedrock_continue.local.extra import check_extra, is_installed

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Backend

DESCRIPTION = (
    "Run a Bedrock runtime on 127.0.0.1 until Ctrl-C. A small model answers, or a "
    "script: a text file, which is the answer to every request, or a JSON file with a "
    "list of answers, one for each turn."
)

WEIGHTS = "smollm2"
"""The weights of `serve` by default."""

BANNER = """\
Serving {name} at {url} until Ctrl-C. For the AWS SDKs and the AWS CLI:

    export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}
    export AWS_ACCESS_KEY_ID={aws_access_key_id}
    export AWS_SECRET_ACCESS_KEY={aws_secret_access_key}
    export AWS_DEFAULT_REGION={region_name} AWS_REGION={region_name}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `serve` to a command's parser.

    Args:
        parser: The parser.
    """
    parser.add_argument(
        "--port",
        type=_port,
        default=0,
        metavar="N",
        help="the port to listen on; default: a free one",
    )
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument(
        "--weights",
        metavar="NAME",  # without a default, which argparse takes for not given
        help=f"{', '.join(known_weights() or ['a name'])}, or a .gguf file; "
        f"default: {WEIGHTS}",
    )
    answers.add_argument(
        "--script",
        type=Path,
        metavar="FILE",
        help="a text file or a JSON file with the answers, in place of a model",
    )


def serve(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Args:
        args: The parsed arguments.

    Raises:
        ImportError: The extra `local` is not installed.
        OSError: The port is in use, or the script cannot be read.
        ValueError: The weights are unknown, or the script is not one.
    """
    check_extra()
    log_downloads()
    # A late import: it needs the extra.
    from langchain_bedrock_continue.local.server import LocalBedrock  # noqa: PLC0415

    with LocalBedrock(_backend(args), port=args.port) as bedrock:
        client = bedrock.client_kwargs()
        url = client["endpoint_url"]
        name = args.script or args.weights or WEIGHTS
        sys.stdout.write(BANNER.format(name=name, url=url, **client))
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def known_weights() -> list[str] | None:
    """Return the names of the weights; None without the extra, to print the help."""
    if not is_installed():
        return None
    from langchain_bedrock_continue.local.llama import weights  # noqa: PLC0415

    return list(weights.WEIGHTS)


def _backend(args: argparse.Namespace) -> Backend:
    if args.script is not None:
        from langchain_bedrock_continue.local.script.file import (  # noqa: PLC0415
            load_script,
        )

        return load_script(args.script)
    from langchain_bedrock_continue.local.llama.backend import (  # noqa: PLC0415
        LlamaBackend,
    )

    return LlamaBackend(args.weights or WEIGHTS)


def _port(value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) < 1 << 16:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is not a port: give 0 to 65535")

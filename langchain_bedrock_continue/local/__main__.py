"""The command of the local runtime: `serve` an endpoint, or `fetch` a model's weights.

python -m langchain_bedrock_continue.local serve
python -m langchain_bedrock_continue.local fetch qwen2.5-coder
"""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from langchain_bedrock_continue._demo import one_line
from langchain_bedrock_continue.local import serving
from langchain_bedrock_continue.local.demo import log_downloads
from langchain_bedrock_continue.local.extra import check_extra

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Arguments of the command line; those of this process by default.

    Returns:
        The exit code: 0, or 1 after an error.
    """
    args = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    log_downloads()
    try:
        args.run(args)
    except KeyboardInterrupt:
        return 0
    except Exception as error:  # noqa: BLE001 - users get one line, not a traceback
        print("error:", one_line(error), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_bedrock_continue.local",
        description="A Bedrock runtime on this machine, with a small model.",
    )
    commands = parser.add_subparsers(required=True, metavar="serve|fetch")
    serve = commands.add_parser(
        "serve", help="run the endpoint until Ctrl-C", description=serving.DESCRIPTION
    )
    serving.add_arguments(serve)
    serve.set_defaults(run=serving.serve)
    fetch = commands.add_parser("fetch", help="download and check a model's weights")
    fetch.add_argument(
        "weights", nargs="?", default="smollm2", choices=serving.known_weights()
    )
    fetch.set_defaults(run=_fetch)
    return parser


def _fetch(args: argparse.Namespace) -> None:
    check_extra()
    from langchain_bedrock_continue.local.llama.weights import (  # noqa: PLC0415
        weights_path,
    )

    print(weights_path(args.weights))


if __name__ == "__main__":
    sys.exit(main())

"""The command of the local runtime: `serve` an endpoint, or `fetch` a model's weights.

python -m langchain_bedrock_continue.local serve
python -m langchain_bedrock_continue.local fetch qwen2.5-coder
"""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from typing import TYPE_CHECKING

from langchain_bedrock_continue._demo import one_line
from langchain_bedrock_continue.local.demo import log_downloads, model_endpoint
from langchain_bedrock_continue.local.extra import check_extra, is_installed

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVING = """\
Serving {weights} at {url} until Ctrl-C. To use it with boto3:

    export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}
    export AWS_ACCESS_KEY_ID={aws_access_key_id}
    export AWS_SECRET_ACCESS_KEY={aws_secret_access_key}
    export AWS_DEFAULT_REGION={region_name}
"""


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
        args.run(args.weights)
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
    serve = commands.add_parser("serve", help="run the endpoint until Ctrl-C")
    serve.add_argument(
        "--weights",
        default="smollm2",
        metavar="NAME",
        help=f"{', '.join(_known() or ['a name'])}, or a .gguf file; "
        "default: %(default)s",
    )
    serve.set_defaults(run=_serve)
    fetch = commands.add_parser("fetch", help="download and check a model's weights")
    fetch.add_argument("weights", nargs="?", default="smollm2", choices=_known())
    fetch.set_defaults(run=_fetch)
    return parser


def _known() -> list[str] | None:
    """Return the names of the weights; None without the extra, to print the help."""
    if not is_installed():
        return None
    from langchain_bedrock_continue.local.llama.weights import (  # noqa: PLC0415
        WEIGHTS,
    )

    return list(WEIGHTS)


def _serve(weights: str) -> None:
    with model_endpoint(weights) as bedrock:
        client = bedrock.client_kwargs()
        url = client["endpoint_url"]
        print(SERVING.format(weights=weights, url=url, **client), flush=True)
        threading.Event().wait()


def _fetch(weights: str) -> None:
    check_extra()
    from langchain_bedrock_continue.local.llama.weights import (  # noqa: PLC0415
        weights_path,
    )

    print(weights_path(weights))


if __name__ == "__main__":
    sys.exit(main())

"""The command `serve`: a Bedrock runtime on this machine, for whatever speaks Bedrock.

python -m langchain_bedrock_continue serve --port 8080
python -m langchain_bedrock_continue serve --script answers.json
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local import serving

if TYPE_CHECKING:
    from contextlib import ExitStack

NAME = "serve"
"""The word that selects this command."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments, without its name."""
    arguments = argparse.ArgumentParser(
        prog=f"python -m langchain_bedrock_continue {NAME}",
        description=serving.DESCRIPTION,
    )
    serving.add_arguments(arguments)
    return arguments


def run(args: argparse.Namespace, _stack: ExitStack) -> None:
    """Serve until Ctrl-C.

    Args:
        args: The parsed arguments.

    Raises:
        Exception: The endpoint cannot be started.
    """
    serving.serve(args)

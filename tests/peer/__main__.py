"""Runs langchain-aws's own tests with ChatBedrockContinuing in place.

    python -m tests.peer

It prints how many tests pass, and what differs. It fails if a test fails that the table
in `differences` does not name, or if the table names one that does not fail. Where the
package registry cannot be reached, it says so and succeeds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peer import source
from tests.peer.differences import DIFFERENCES
from tests.peer.report import Result, compare, lines_of

UNIT_TESTS = (
    "tests/unit_tests/chat_models/test_bedrock_converse.py",
    "tests/unit_tests/chat_models/test_bedrock.py",
    "tests/unit_tests/test_standard.py",
)
"""The modules whose tests use one of the two classes."""

RECORDINGS = ("tests/integration_tests/chat_models/test_bedrock_converse.py",)
"""The modules with recorded conversations."""

OPTIONS = (
    *("-q", "--tb=short", "--no-header", "--durations=0", "--durations-min=5"),
    *("-p", "in_place", "-p", "no:cacheprovider", "-o", "addopts="),
    *("--benchmark-disable", "--record-mode=none", "--block-network"),
)
SETTINGS = """\
[default]
region = us-west-2
aws_access_key_id = none
aws_secret_access_key = none
"""
"""AWS's settings for the recordings: in a file, as the unit tests read variables."""

ERRORED = 2
"""From this exit code on, pytest could not run the tests."""


def run(root: Path, tests: tuple[str, ...], *, bare: bool = False) -> list[Result]:
    """Run tests of langchain-aws in a process of their own.

    Args:
        root: The folder with its tests.
        tests: Their files or ids.
        bare: Whether they run with langchain-aws's own classes.

    Raises:
        RuntimeError: pytest could not run them.
    """
    lines = root / "results.jsonl"
    lines.unlink(missing_ok=True)
    mine = [f"--results={lines}", *(["--bare"] if bare else [])]
    done = subprocess.run(  # noqa: S603 - the arguments are fixed
        [sys.executable, "-m", "pytest", *OPTIONS, *mine, *tests],
        cwd=root,
        env=_environment(root),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode >= ERRORED or not lines.exists():
        raise RuntimeError(f"pytest failed:\n{done.stdout}\n{done.stderr}")
    return [Result(**json.loads(line)) for line in lines.read_text().splitlines()]


def _environment(root: Path) -> dict[str, str]:
    """Return the environment, with AWS's settings from a file alone."""
    settings = root / "aws"
    settings.write_text(SETTINGS)
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parents[1])])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": str(settings),
        "AWS_SHARED_CREDENTIALS_FILE": str(settings),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": path,
    }


def main() -> int:
    """Run the tests, print the report, and return the exit code."""
    installed = f"langchain-aws {version('langchain-aws')}"
    with TemporaryDirectory() as folder:
        try:
            root = source.download(Path(folder))
        except source.UnavailableError as error:
            _say(f"SKIPPED: no source distribution of {installed} here: {error}")
            return 0
        comparison = compare(run(root, UNIT_TESTS + RECORDINGS), DIFFERENCES)
        failing = tuple(result.test for result in comparison.undeclared)
        bare = run(root, failing, bare=True) if failing else []
    _say(f"the tests of {installed}, with ChatBedrockContinuing in place")
    _say(*lines_of(comparison))
    theirs = (result.test for result in bare if result.failed)
    _say(*(f"fails with langchain-aws's own class, too: {test}" for test in theirs))
    return 0 if comparison.is_as_declared else 1


def _say(*lines: str) -> None:
    for line in lines:
        print(line)  # noqa: T201 - a command prints


if __name__ == "__main__":
    sys.exit(main())

"""The typing contract holds under pyright, too. mypy checks it with all tests."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parents[1] / "typing" / "pyrightconfig.json"


@pytest.mark.skipif(
    importlib.util.find_spec("basedpyright") is None,
    reason="basedpyright is not installed: pip install basedpyright",
)
def test_pyright_agrees() -> None:
    command = [sys.executable, "-m", "basedpyright", "--project", str(SETTINGS)]
    done = subprocess.run(  # noqa: S603 - the arguments are fixed
        [*command, "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

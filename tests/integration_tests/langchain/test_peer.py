"""langchain-aws's own tests pass, but for the differences that the table names."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_langchain_aws_own_tests_pass_with_ours_in_place() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.peer"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stdout.startswith("SKIPPED"):
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_bedrock_converse.py" in done.stdout

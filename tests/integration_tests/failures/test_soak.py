"""A small soak, in a process of its own: else other tests' threads would count."""

import subprocess
import sys


def test_nothing_is_lost_and_nothing_left_behind() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.soak"]
    few = ["--turns", "96", "--share", "0.15"]
    ran = subprocess.run(  # noqa: S603 - our own command
        [*command, *few], capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "'exact': 96" in ran.stdout
    assert "left behind: nothing" in ran.stdout
    assert "'recoveries'" in ran.stdout

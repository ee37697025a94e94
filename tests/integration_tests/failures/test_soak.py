"""Many turns at once with random faults; a process of its own, as threads count."""

import subprocess
import sys


def test_no_text_is_lost_and_no_thread_socket_or_memory_leaks() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.soak"]
    few = ["--turns", "96", "--share", "0.15"]
    ran = subprocess.run(  # noqa: S603 - our own command
        [*command, *few], capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "'exact': 96" in ran.stdout
    assert "left behind: nothing" in ran.stdout
    assert "'recoveries'" in ran.stdout

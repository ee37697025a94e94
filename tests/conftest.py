"""What all tests share."""

from typing import Any

from hypothesis import settings

from tests.support import tables

# A busy machine is no bug: no test may depend on the clock.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables that the tests recorded, once."""
    reports = [one for some in terminalreporter.stats.values() for one in some]
    for line in tables.printed(reports):
        terminalreporter.write_line(line)

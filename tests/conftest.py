"""What all tests share."""

import os
from typing import Any

import pytest
from hypothesis import settings

from langchain_bedrock_continue._core.decisions.cache_support import (
    forget_cache_refusals,
)
from langchain_bedrock_continue._core.decisions.context_window import forget_windows
from langchain_bedrock_continue._core.decisions.forms import forget_forms
from langchain_bedrock_continue._core.decisions.prefill_support import forget_refusals
from langchain_bedrock_continue._wrapped.read_timeout import forget_warnings
from tests.support import tables

# A busy machine is no bug: no test may depend on the clock. `make test` tries the same
# examples each time, so that its result depends on the change and not on chance.
# `make properties` tries others.
settings.register_profile(
    "steady", deadline=None, max_examples=60, derandomize=True, database=None
)
settings.register_profile(
    "random", deadline=None, max_examples=int(os.environ.get("EXAMPLES", "1000"))
)
settings.load_profile("random" if "EXAMPLES" in os.environ else "steady")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Forget what models did in earlier tests: the package remembers it in a process.

    It remembers which of them refused a prefill or a cache point, in which form a user
    turn worked, how large their context window is, and for which the client waits too
    short.
    """
    forget_cache_refusals()
    forget_refusals()
    forget_forms()
    forget_windows()
    forget_warnings()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all tests of a real model to the same worker (`--dist loadgroup`).

    Its server is started once per worker, and two of them on the same cores can fall to
    a fiftieth of the speed of one: computing threads spin while they wait.
    """
    for item in items:
        if item.get_closest_marker("model"):
            item.add_marker(pytest.mark.xdist_group("real_model"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables that the tests recorded, once."""
    reports = [one for some in terminalreporter.stats.values() for one in some]
    for line in tables.printed(reports):
        terminalreporter.write_line(line)

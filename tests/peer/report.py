"""Compares the results of langchain-aws's tests with the table, and counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.peer.differences import Difference


@dataclass(frozen=True)
class Result:
    """The outcome of one test."""

    test: str
    outcome: str
    error: str = ""
    recording: bool = False

    @property
    def failed(self) -> bool:
        """Whether it failed, in its setup and teardown too."""
        return self.outcome == "failed"

    @property
    def group(self) -> str:
        """The name under which it is counted."""
        file = PurePosixPath(self.test.partition("::")[0])
        return f"recordings, {file.name}" if self.recording else file.name


@dataclass
class Comparison:
    """What the results are, beside the table.

    Attributes:
        results: All results, one for each test.
        declared: The tests that fail as the table says, by row.
        undeclared: The tests that fail, and have no row.
        contradicted: The rows, each with its tests that do not fail, or with none.
    """

    results: Sequence[Result]
    declared: dict[Difference, list[str]]
    undeclared: list[Result]
    contradicted: dict[Difference, list[str]]

    @property
    def is_as_declared(self) -> bool:
        """Whether the differences are those of the table."""
        return not (self.undeclared or self.contradicted)


def compare(results: Iterable[Result], table: Iterable[Difference]) -> Comparison:
    """Return what the results are, beside the table.

    Args:
        results: The outcome of each test.
        table: What may differ.
    """
    found = {result.test: result for result in results}
    matching = {row: [test for test in found if row.matches(test)] for row in table}
    declared, contradicted = {}, {}
    for row, tests in matching.items():
        wrong = [test for test in tests if not found[test].failed]
        if wrong or not tests:
            contradicted[row] = wrong
        declared[row] = [test for test in tests if found[test].failed]
    known = {test for tests in declared.values() for test in tests}
    undeclared = [r for r in found.values() if r.failed and r.test not in known]
    return Comparison([*found.values()], declared, undeclared, contradicted)


def lines_of(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "tests  passed  failed  of"
    for group, outcomes in _by_group(comparison.results).items():
        failed = outcomes["failed"]
        total = outcomes.total() - outcomes["skipped"]
        yield f"{total:5}  {total - failed:6}  {failed:6}  {group}"
    failing = sum(result.failed for result in comparison.results)
    total = sum(result.outcome != "skipped" for result in comparison.results)
    yield f"{total:5}  {total - failing:6}  {failing:6}  all"
    yield ""
    yield "differences, each with its reason"
    for row, tests in comparison.declared.items():
        yield f"{len(tests):5}  {row.tests}: {row.reason}"
    for result in comparison.undeclared:
        yield f"UNDECLARED: {result.test}: {result.error}"
    for row, tests in comparison.contradicted.items():
        passed = ", ".join(tests) or "no test of that name"
        yield f"DECLARED, BUT DOES NOT FAIL: {row.tests}: {passed}"


def _by_group(results: Iterable[Result]) -> dict[str, Counter[str]]:
    groups: dict[str, Counter[str]] = {}
    for result in results:
        groups.setdefault(result.group, Counter())[result.outcome] += 1
    return groups

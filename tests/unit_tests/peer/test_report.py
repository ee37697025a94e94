"""The table of differences and the results have to say the same."""

from tests.peer.differences import DIFFERENCES, Difference
from tests.peer.report import Comparison, Result, compare, lines_of

TEST = "tests/unit_tests/test_a.py::test_"
ROW = Difference("test_a.py::test_b[*]", "because")


def compared(**outcomes: str) -> Comparison:
    results = [Result(TEST + name, outcome) for name, outcome in outcomes.items()]
    return compare([*results, Result(TEST + "b[x]", "failed")], [ROW])


def test_a_failing_test_with_a_row_is_as_declared() -> None:
    found = compared(c="passed", d="xfailed", e="skipped")
    assert found.is_as_declared
    assert found.declared == {ROW: [TEST + "b[x]"]}


def test_a_failing_test_without_a_row_is_reported() -> None:
    found = compared(c="failed")
    assert not found.is_as_declared
    assert [result.test for result in found.undeclared] == [TEST + "c"]
    assert any("UNDECLARED" in line and "test_c" in line for line in lines_of(found))


def test_a_row_with_a_test_that_passes_is_reported() -> None:
    found = compared(**{"b[y]": "passed"})
    assert not found.is_as_declared
    assert found.contradicted == {ROW: [TEST + "b[y]"]}


def test_a_row_without_a_test_is_reported() -> None:
    found = compare([Result(TEST + "c", "passed")], [ROW])
    assert not found.is_as_declared
    assert any("no test of that name" in line for line in lines_of(found))


def test_a_row_names_the_end_of_an_id() -> None:
    assert ROW.matches("a/test_a.py::test_b[1]")
    assert not ROW.matches("a/not_test_a.py::test_b[1]")
    assert not ROW.matches("a/test_a.py::test_b[1]::more")


def test_the_counts_are_by_file() -> None:
    lines = [*lines_of(compared(c="passed", d="skipped"))]
    assert lines[1].split() == ["2", "1", "1", "test_a.py"]


def test_each_difference_has_a_reason_and_one_row() -> None:
    assert len({row.tests for row in DIFFERENCES}) == len(DIFFERENCES)
    assert all(row.reason for row in DIFFERENCES)

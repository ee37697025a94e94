"""Tests import their helpers from `tests/support`, never from another test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Return every module and name that a file imports, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                f"{'.' * node.level}{node.module}.{name.name}" for name in node.names
            )


def is_of_a_test(name: str) -> bool:
    """Return True if it is a test file, a conftest, or a name in one of them."""
    first, *parts = name.split(".")
    return first in {"tests", ""} and any(
        part == "conftest" or part.startswith("test_") for part in parts
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_a_file_imports_nothing_from_a_test(path: Path) -> None:
    assert [name for name in imported(path) if is_of_a_test(name)] == []


def test_every_folder_of_tests_is_a_package() -> None:
    """So that files in different folders may have the same name."""
    folders = {path.parent for path in FILES}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []

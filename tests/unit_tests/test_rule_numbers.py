"""Rule numbers are unique, and every rule that is cited exists.

A module's docstring, of the package or of the oracle of the tests, states its rules at
the start of a line: a prefix, a number and a full stop. Comments, docstrings and the
names of tests cite them by number.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import langchain_bedrock_continue

PACKAGE = Path(langchain_bedrock_continue.__file__).parent
TESTS = Path(__file__).parents[1]
ORACLE = TESTS / "support" / "oracle"
FILES = [*sorted(PACKAGE.rglob("*.py")), *sorted(TESTS.rglob("*.py"))]

STATEMENT = re.compile(r"^([A-Z][A-Z-]*)-(\d+)\. ", re.MULTILINE)
CITATION = re.compile(r"(?<![\w-])([A-Z][A-Z-]*[A-Z])-(\d+)(?![\w-])")
TEST_NAME = re.compile(r"^ *(?:async )?def test_(\w+)\(", re.MULTILINE)
OTHER_STANDARDS = {"CRC", "ISO", "SHA", "SSH", "UTF"}
"""What also has numbers: `UTF-8`."""


class Rule(NamedTuple):
    """A rule, and the module that states it."""

    prefix: str
    number: int
    module: Path


def stated_rules() -> Iterator[Rule]:
    for path in FILES:
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        if path.is_relative_to(PACKAGE) or path.is_relative_to(ORACLE):
            for prefix, number in STATEMENT.findall(docstring):
                yield Rule(prefix, int(number), path)


RULES = list(stated_rules())
NUMBERS = {(rule.prefix, rule.number) for rule in RULES}
PREFIXES = {prefix for prefix, _ in NUMBERS}


def place(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def test_the_rules_of_the_core_are_found() -> None:
    assert {"TEXT", "ECHO", "CONTENT", "CALL", "NEXT", "USAGE-SUM", "TURN"} <= PREFIXES
    assert len(RULES) > 100


def test_no_rule_number_is_used_twice() -> None:
    counts = Counter((rule.prefix, rule.number) for rule in RULES)
    assert [rule for rule, count in counts.items() if count > 1] == []


def test_a_prefix_belongs_to_one_module_or_to_one_room() -> None:
    rooms = defaultdict(set)
    for rule in RULES:
        rooms[rule.prefix].add(rule.module.parent)
    assert {prefix: sorted(of) for prefix, of in rooms.items() if len(of) > 1} == {}


def test_the_rules_of_a_prefix_are_numbered_without_gaps() -> None:
    for prefix in PREFIXES:
        numbers = sorted(number for own, number in NUMBERS if own == prefix)
        assert numbers == list(range(1, len(numbers) + 1)), prefix


def test_every_rule_that_is_cited_exists() -> None:
    unknown = {
        f"{place(path)}: {prefix}-{number}"
        for path in FILES
        for prefix, number in CITATION.findall(path.read_text())
        if prefix not in OTHER_STANDARDS and (prefix, int(number)) not in NUMBERS
    }
    assert unknown == set()


def test_every_rule_that_a_test_is_named_after_exists() -> None:
    words = "|".join(prefix.lower().replace("-", "_") for prefix in PREFIXES)
    cited = re.compile(rf"(?:^|(?<=\d_))({words})_(\d+)(?=_)")
    unknown = {
        f"{place(path)}: test_{name}"
        for path in TESTS.rglob("test_*.py")
        for name in TEST_NAME.findall(path.read_text())
        for prefix, number in cited.findall(name)
        if (prefix.upper().replace("_", "-"), int(number)) not in NUMBERS
    }
    assert unknown == set()


def test_the_tests_of_the_core_use_no_other_rule_numbers() -> None:
    names = {
        name
        for path in (TESTS / "unit_tests" / "core").rglob("test_*.py")
        for name in TEST_NAME.findall(path.read_text())
    }
    old = re.compile(r"^[a-z]{1,2}\d+_")
    assert {name for name in names if old.match(name)} == set()

"""What `make` installs is locked, and the locks fit pyproject.toml.

Where one of these fails, run `make lock`.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, GROUPS = PYPROJECT["project"], PYPROJECT["dependency-groups"]

DEMO = [
    *PROJECT["dependencies"],
    *PROJECT["optional-dependencies"]["local"],
    *GROUPS["build"],
]
TEST = [*DEMO, *GROUPS["test"], *GROUPS["lint"], *GROUPS["typing"]]
ASKED = {"demo": DEMO, "test": TEST, "bench": GROUPS["bench"]}
LOCKS = {name: (ROOT / f"requirements/{name}.txt").read_text() for name in ASKED}

ENTRY = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; [^\n]+?)? \\\n"
    r"(?:    --hash=sha256:[0-9a-f]{64} \\\n)*"
    r"    --hash=sha256:[0-9a-f]{64}\n"
    r"(?P<why>(?:    #[^\n]*\n)+)",
    re.MULTILINE,
)
"""A package's version, its hashes, and what asks for it."""

each_lock = pytest.mark.parametrize("lock", ASKED)


def pins(lock: str) -> set[tuple[str, str]]:
    """Names and versions; a name comes twice where Pythons need different versions."""
    return {(entry["name"], entry["version"]) for entry in ENTRY.finditer(LOCKS[lock])}


@each_lock
def test_the_lock_satisfies_what_pyproject_asks_for(lock: str) -> None:
    for requirement in map(Requirement, ASKED[lock]):
        name = canonicalize_name(requirement.name)
        versions = [version for pinned, version in pins(lock) if pinned == name]
        assert versions, f"{name} is not locked"
        for version in versions:
            assert requirement.specifier.contains(version), (str(requirement), version)


@each_lock
def test_pyproject_still_asks_for_what_the_lock_says_it_does(lock: str) -> None:
    entries = ENTRY.finditer(LOCKS[lock])
    said = {entry["name"] for entry in entries if "(pyproject.toml" in entry["why"]}
    assert said == {canonicalize_name(Requirement(text).name) for text in ASKED[lock]}


@each_lock
def test_the_lock_has_only_versions_and_hashes(lock: str) -> None:
    assert "://" not in LOCKS[lock]
    rest = ENTRY.sub("", LOCKS[lock]).splitlines()
    assert [line for line in rest if not line.startswith("#")] == []


def test_the_demo_gets_what_the_tests_get() -> None:
    assert pins("demo") < pins("test")


def test_the_build_backend_is_locked() -> None:
    assert set(PYPROJECT["build-system"]["requires"]) <= set(GROUPS["build"])

"""The arrows inside `local/`, and the numbers of its rules."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import langchain_bedrock_continue

PACKAGE = Path(langchain_bedrock_continue.__file__).parent
LOCAL = PACKAGE / "local"
NAME = "langchain_bedrock_continue"
TESTS = Path(__file__).parents[2]

CONTRACT = {"backend", "anthropic_server_tools"}
"""What the endpoint and the backends share."""

MAY_IMPORT = {
    "extra": set(),
    "backend": set(),
    "anthropic_server_tools": {"backend"},
    "wire": CONTRACT,
    "rules": CONTRACT | {"wire"},
    "script": CONTRACT,
    "llama": {"backend"},
    "app": CONTRACT | {"wire", "rules"},
    "http2": set(),
    "server": CONTRACT | {"wire", "rules", "app", "llama", "http2"},
    "demo": {"extra", "llama", "server"},
    "__init__": {"extra", "backend", "wire", "rules", "script", "server"},
    "serving": {"__init__", "backend", "demo", "extra", "llama", "script", "server"},
    "__main__": {"demo", "extra", "llama", "serving"},
}
"""Rooms by room that may import them. A room is a folder or a module of `local/`."""

RULE = re.compile(r"^([A-Z]+)-(\d+)\. ", re.MULTILINE)
CITATION = re.compile(r"\b([A-Z]+)-(\d+)\b")


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports, late imports included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def imports_of_ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.startswith(f"{NAME}.")}


def room_of(path: Path) -> str:
    return path.relative_to(LOCAL).parts[0].removesuffix(".py")


def file_id(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", modules(LOCAL), ids=file_id)
def test_a_room_imports_only_the_rooms_that_it_may(path: Path) -> None:
    room = room_of(path)
    inside = {n for n in imports_of_ours(path) if n.startswith(f"{NAME}.local.")}
    imported = {name.split(".")[2] for name in inside} - {room}
    assert imported <= MAY_IMPORT[room]


def test_every_room_has_its_arrows() -> None:
    assert {room_of(path) for path in modules(LOCAL)} == set(MAY_IMPORT)


def test_the_rooms_have_no_cycle() -> None:
    """Each room imports only rooms whose own imports are already known."""
    known: set[str] = set()
    while ready := {r for r, others in MAY_IMPORT.items() if others <= known} - known:
        known |= ready
    assert known == set(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(LOCAL), ids=file_id)
def test_the_local_runtime_imports_nothing_else_of_the_package(path: Path) -> None:
    outside = {
        name for name in imports_of_ours(path) if not name.startswith(f"{NAME}.local.")
    }
    allowed = {f"{NAME}._demo.one_line"} if path == LOCAL / "__main__.py" else set()
    assert outside <= allowed


def test_only_commands_import_the_local_runtime() -> None:
    importing = {
        file_id(path)
        for path in modules(PACKAGE)
        if LOCAL not in path.parents
        and any(name.startswith(f"{NAME}.local") for name in imports_of_ours(path))
    }
    assert importing == {"_endpoint.py", "_serve.py"}


def test_scripts_do_without_the_dependencies_of_the_real_model() -> None:
    code = f"import sys, {NAME}.local; print('{NAME}.local.llama' in sys.modules)"
    ran = subprocess.run(  # noqa: S603 - the code is this file's
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"


def rules(path: Path) -> list[tuple[str, int]]:
    """Return the rules that a module's docstring defines, as prefix and number."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return [(prefix, int(number)) for prefix, number in RULE.findall(docstring)]


OURS = [*modules(LOCAL), PACKAGE / "_demo.py"]


@pytest.mark.parametrize("path", OURS, ids=file_id)
def test_a_module_numbers_its_rules_from_1_with_one_prefix(path: Path) -> None:
    defined = rules(path)
    assert len({prefix for prefix, _ in defined}) <= 1
    assert [number for _, number in defined] == list(range(1, len(defined) + 1))

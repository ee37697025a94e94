"""From a file's place one knows what it may touch."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import langchain_bedrock_continue

PACKAGE = Path(langchain_bedrock_continue.__file__).parent
CORE = sorted((PACKAGE / "_core").glob("*.py"))
OWN = "langchain_bedrock_continue"

WORLD = (
    *("asyncio", "boto3", "concurrent", "http", "httpx", "io", "os", "pathlib"),
    *("random", "select", "socket", "ssl", "subprocess", "sys", "threading"),
    *("time", "urllib"),
    *("botocore.client", "botocore.session"),
)
"""What makes calls, waits, starts threads, asks for the time or for a chance."""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also where it is for types alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_does_no_io(path: Path) -> None:
    for name in imports(path):
        assert not name.startswith(tuple(f"{world}." for world in WORLD)), name
        assert name not in WORLD
        if name.startswith(f"{OWN}."):
            assert name.startswith((f"{OWN}._core", f"{OWN}.errors")), name


def test_the_core_is_there() -> None:
    assert {"turn", "steps", "ways", "blocks", "seam"} <= {path.stem for path in CORE}


def test_no_file_is_long() -> None:
    long = [p.name for p in PACKAGE.rglob("*.py") if p.read_text().count("\n") >= 300]
    assert long == []

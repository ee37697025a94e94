"""The arrows of the house: what a file may import follows from where it is."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import langchain_bedrock_continue

PACKAGE = Path(langchain_bedrock_continue.__file__).parent
CORE = sorted((PACKAGE / "_core").rglob("*.py"))
FILES = sorted(PACKAGE.rglob("*.py"))
OWN = "langchain_bedrock_continue"

WORLD = (
    *("asyncio", "boto3", "concurrent", "http", "httpx", "io", "os", "pathlib"),
    *("random", "select", "socket", "ssl", "subprocess", "sys", "threading"),
    *("time", "urllib"),
    *("botocore.client", "botocore.session"),
)
"""What makes calls, waits, starts threads, asks for the time or for a chance."""


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path, *, types: bool = True) -> Iterator[str]:
    """Every name that a file imports, with its module.

    Args:
        path: The file.
        types: Whether to include what is imported for type checkers only.
    """
    nodes: list[ast.AST] = [tree(path)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += [*(node.body if types else []), *node.orelse]
        else:
            nodes += ast.iter_child_nodes(node)


def is_of(name: str, *modules: str) -> bool:
    return name in modules or name.startswith(tuple(f"{m}." for m in modules))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", CORE, ids=place)
def test_the_core_does_no_io(path: Path) -> None:
    assert [name for name in imports(path) if is_of(name, *WORLD)] == []


@pytest.mark.parametrize("path", CORE, ids=place)
def test_the_core_never_imports_the_shell(path: Path) -> None:
    own = [name for name in imports(path) if is_of(name, OWN)]
    assert [n for n in own if not is_of(n, f"{OWN}._core", f"{OWN}.errors")] == []


def test_the_core_is_there() -> None:
    assert {"turn", "next_action", "placement", "healed_cut"} <= {
        path.stem for path in CORE
    }


GROUND = ("decisions", "policy")
"""What every room of the core may import; it imports none of the others."""

ALL = (*GROUND, "text", "content", "request", "tool_json", "record")

ARROWS: dict[str, tuple[str, ...]] = {
    "decisions": (),
    "policy": (),
    "text": (),
    "content": ("text", *GROUND),
    "request": ("content", "text", *GROUND),
    "tool_json": ("request", "content", "text", *GROUND),
    "record": ("content", "text", *GROUND),
    "turn_state": ALL,
    "turn": ("turn_state", *ALL),
}
"""What each room of the core may import of the others."""


def room(path: Path) -> str:
    return path.relative_to(PACKAGE / "_core").parts[0].removesuffix(".py")


def test_every_file_of_the_core_is_in_a_room() -> None:
    assert {room(path) for path in CORE} - {"__init__"} == set(ARROWS)


@pytest.mark.parametrize("path", CORE, ids=place)
def test_a_room_of_the_core_imports_along_the_arrows_only(path: Path) -> None:
    core = f"{OWN}._core."
    imported = [name for name in imports(path) if name.startswith(core)]
    rooms = {name.removeprefix(core).split(".")[0] for name in imported}
    assert rooms <= {room(path), *ARROWS.get(room(path), ())}


WHO_MAY_IMPORT = {
    "langchain_aws": ("_wrapped/",),
    "botocore": ("_wrapped/", "_transport/", "_core/decisions/service_errors.py"),
    "urllib3": ("_wrapped/", "_transport/", "_core/decisions/service_errors.py"),
    "boto3": (),
    "langchain": ("middleware.py",),
    "langgraph": ("middleware.py",),
}
"""Where each library is known. The local endpoint is a program of its own. langchain
and langgraph are not installed with the package."""


@pytest.mark.parametrize("library", list(WHO_MAY_IMPORT))
def test_each_library_is_known_in_its_places_only(library: str) -> None:
    importing = {
        place(path) for path in FILES for name in imports(path) if is_of(name, library)
    }
    places = (*WHO_MAY_IMPORT[library], "local/")
    assert {file for file in importing if not file.startswith(places)} == set()


NEVER = {
    "_transport/": ("_core", "_resume", "_wrapped", "chat_models", "errors", "local"),
    "_wrapped/": ("_transport", "chat_models", "local"),
    "_resume.py": ("_transport", "chat_models", "local"),
    "chat_models.py": ("local",),
    "_check/": ("_core", "_resume", "_transport", "_wrapped", "local"),
    "_display/": ("_resume", "_transport", "_wrapped", "chat_models", "local"),
    "callbacks.py": ("_core", "_resume", "_transport", "_wrapped", "chat_models"),
    "errors.py": ("_core", "_resume", "_transport", "_wrapped", "chat_models", "local"),
    "local/": ("_core", "_resume", "_transport", "_wrapped", "chat_models", "errors"),
    "": ("__main__",),
}
"""What a place never imports of this package."""


@pytest.mark.parametrize("who", list(NEVER))
def test_a_place_never_imports_these(who: str) -> None:
    files = [path for path in FILES if place(path).startswith(who)]
    assert files
    modules = [f"{OWN}.{module}" for module in NEVER[who]]
    for path in files:
        assert [name for name in imports(path) if is_of(name, *modules)] == []


LONGEST = 560
"""A file holds one concern: `placement.py` where the blocks of a segment go, and
`content.py` what is withheld of the answer and released. Halves of them would share
their state."""


@pytest.mark.parametrize("path", FILES, ids=place)
def test_no_file_is_long(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= LONGEST

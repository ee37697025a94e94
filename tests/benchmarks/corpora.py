"""Real texts that exist on every machine with Python and the test group.

They are the standard library, the installed packages and the texts of the seam
benchmark. A file's kind follows from its name. Duplicate texts are read once.
"""

from __future__ import annotations

import gzip
import sysconfig
from itertools import islice
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

from tests.seams.texts import Text
from tests.seams.texts import texts as seam_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIXES = {
    "prose": {".txt", ".md", ".rst", ".html"},
    "code": {".py", ".pyi", ".c", ".h", ".js", ".css", ".pyx", ".pxd", ".f90", ".scss"},
    "tables": {".csv", ".json", ".gz", ".dectest", ".pem", ".xml", ".toml"},
}

NAMES = {
    "prose": ("metadata", "license", "copying", "authors", "notice"),
    "tables": ("record", "versions"),
}

TABLE_MODULES = ("encodings", "_unicode_data", "uts46data.py", "html/entities.py")
"""Parts of paths: modules that contain only a table."""

SMALLEST = 400
"""In bytes; a shorter file can't contain a cycle."""


def kind_of(path: Path) -> str | None:
    """Return a file's kind by its name, or None if it is no text."""
    if any(part in path.as_posix() for part in TABLE_MODULES):
        return "tables" if path.suffix == ".py" else None
    name, suffix = path.name.lower(), path.suffix.lower()
    by_name = (kind for kind, starts in NAMES.items() if name.startswith(starts))
    by_suffix = (kind for kind, suffixes in SUFFIXES.items() if suffix in suffixes)
    return next(by_suffix, None) or next(by_name, None)


def read(path: Path) -> str | None:
    """Read a file, or return None if it is not UTF-8."""
    data = path.read_bytes()
    try:
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (UnicodeDecodeError, gzip.BadGzipFile):
        return None


def files(root: Path, *, without: str = "") -> Iterator[tuple[str, Path]]:
    """Find the texts in a folder, with their kinds, in a fixed order."""
    for path in sorted(root.rglob("*")):
        kind = kind_of(path)
        if kind is None or (without and without in path.parts) or not path.is_file():
            continue
        if path.stat().st_size >= SMALLEST:
            yield kind, path


def pydoc() -> Iterator[Text]:
    """Iterate over the topics of the language's documentation."""
    for name, text in topics.items():
        yield Text("prose", f"pydoc {name}", text)


def standard_library(step: int = 1) -> Iterator[Text]:
    """Iterate over Python's own texts: its documentation, and every n-th file."""
    yield from pydoc()
    root = Path(sysconfig.get_path("stdlib"))
    found = files(root, without="site-packages")
    yield from _texts(root, islice(found, 0, None, step))


def installed() -> Iterator[Text]:
    """Iterate over the texts of the installed packages."""
    root = Path(sysconfig.get_path("purelib"))
    yield from _texts(root, files(root))


def _texts(root: Path, found: Iterable[tuple[str, Path]]) -> Iterator[Text]:
    for kind, path in found:
        text = read(path)
        if text is not None:
            yield Text(kind, path.relative_to(root).as_posix(), text)


def real_texts() -> Iterator[Text]:
    """Iterate over all texts: of the seam benchmark, Python and the packages."""
    seen = set()
    for source in (_seams, standard_library, installed):
        for text in source():
            if text.full not in seen:
                seen.add(text.full)
                yield text


def _seams() -> Iterator[Text]:
    for text in seam_texts():
        yield Text("seams", text.name, text.full)

"""The tests of the installed langchain-aws, from its source distribution.

The package registry is the one that pip is set up for. The tests are of the installed
version if each module of the package is the same in both, byte for byte.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib.metadata import distribution, version
from pathlib import Path

PACKAGE = "langchain-aws"
MODULES = "langchain_aws"
SECONDS = 120
"""How long the download may take."""


class UnavailableError(Exception):
    """The source distribution cannot be downloaded here."""


def download(folder: Path) -> Path:
    """Download the source distribution, and unpack what its tests need.

    Args:
        folder: A folder for it.

    Returns:
        The folder with `tests` and `pyproject.toml`.

    Raises:
        UnavailableError: pip cannot get it.
        ValueError: It is not the source of the installed package.
    """
    archive = _archive(folder)
    with tarfile.open(archive) as unpacked:
        unpacked.extractall(folder, filter="data")
    root = folder / archive.name.removesuffix(".tar.gz")
    _check(root / MODULES)
    # The tests are to import the installed package, not this one.
    (root / MODULES).rename(folder / "unused")
    return root


def _archive(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
    pip += ["--retries", "1", "--timeout", "10"]
    source = ["--no-deps", "--no-build-isolation", "--no-binary", PACKAGE]
    command = [*pip, *source, "--dest", str(folder), f"{PACKAGE}=={version(PACKAGE)}"]
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are fixed
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"no answer within {SECONDS} s") from error
    found = next(folder.glob("*.tar.gz"), None)
    if done.returncode != 0 or found is None:
        lines = done.stderr.strip().splitlines() or ["pip downloaded nothing"]
        raise UnavailableError(lines[-1])
    return found


def _check(modules: Path) -> None:
    """Check that the modules are those of the installed package.

    Raises:
        ValueError: One differs, or is not installed.
    """
    installed = distribution(PACKAGE)
    for path in sorted(modules.rglob("*.py")):
        name = path.relative_to(modules.parent)
        other = Path(str(installed.locate_file(name)))
        if not other.is_file() or other.read_bytes() != path.read_bytes():
            raise ValueError(f"{name} is not the installed one.")

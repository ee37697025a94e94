"""What users install: the wheel and the sdist, without the tests' own packages."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PACKAGE = "langchain-bedrock-continue"
README = (ROOT / "README.md").read_text()

SCRIPTED = """
import langchain_bedrock_continue as package
from langchain_bedrock_continue import ChatBedrockContinuing
print(package.__file__)
llm = ChatBedrockContinuing(model="us.amazon.nova-lite-v1:0", region_name="us-east-1")
try:
    from langchain_bedrock_continue.local import LocalBedrock
    LocalBedrock()
except ImportError as error:
    print(error)
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run Python, and return what it printed.

    Raises:
        AssertionError: It failed.
    """
    ran = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, *command], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def run_installed(code: str, folder: Path) -> str:
    """Run code that can import only what is in the folder and the standard library."""
    setup = f"import sys; sys.path.append({str(folder)!r})\n"
    return run("-I", "-S", "-c", setup + code)


def names_of(archive: Path) -> set[str]:
    """Return the files of a wheel or of an sdist, without the sdist's own folder."""
    if archive.suffix == ".whl":
        return set(zipfile.ZipFile(archive).namelist())
    with tarfile.open(archive) as files:
        return {name.partition("/")[2] for name in files.getnames()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel and the sdist of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "hatchling", "build", "--directory", folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


def required(name: str, extra: str) -> Iterator[str]:
    """Yield what a distribution requires on this machine, with or without an extra."""
    for line in metadata.requires(name) or []:
        requirement = Requirement(line)
        if not requirement.marker or requirement.marker.evaluate({"extra": extra}):
            yield requirement.name
            for further in requirement.extras:
                yield from required(requirement.name, further)


def closure(extra: str) -> set[str]:
    """Return all distributions that an installation has, without the package."""
    waiting, found = list(required(PACKAGE, extra)), set[str]()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found.add(name)
            waiting += required(name, "")
    return found


def installation(folder: Path, wheel: Path, extra: str = "") -> Path:
    """Install the wheel and only what it requires, and return where it is.

    The requirements are linked from the environment that runs the tests, so nothing is
    downloaded. What the package imports without requiring it is not there.
    """
    zipfile.ZipFile(wheel).extractall(folder)  # noqa: S202 - our own wheel
    for name in closure(extra):
        for file in metadata.files(name) or []:
            top = file.parts[0]
            source = Path(str(file.locate())).parents[len(file.parts) - 1] / top
            linked = folder / top
            if top not in {"..", "__pycache__"} and not linked.is_symlink():
                _link(source, linked)
    return folder


def _link(source: Path, linked: Path) -> None:
    """Link a package; the parts of a namespace package one by one."""
    if linked.is_dir() or (source.is_dir() and source.name == "google"):
        linked.mkdir(exist_ok=True)
        for part in source.iterdir():
            if not (linked / part.name).is_symlink():
                (linked / part.name).symlink_to(part)
    else:
        linked.symlink_to(source)


def test_the_metadata_is_valid_and_complete(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (path,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    raw = archive.read(path)
    about = Metadata.from_email(raw, validate=True)
    assert about.name == PACKAGE
    assert about.description_content_type == "text/markdown"
    assert str(message_from_bytes(raw).get_payload()).strip()
    assert about.license_expression == "MIT"
    assert about.provides_extra is not None
    assert "local" in about.provides_extra


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    package = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "langchain_bedrock_continue").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    names = names_of(wheel)
    assert {name for name in names if ".dist-info/" not in name} == package
    assert "langchain_bedrock_continue/py.typed" in names


def test_the_sdist_builds_the_same_wheel(
    built: Path, wheel: Path, tmp_path: Path
) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as files:
        files.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    run("-m", "hatchling", "build", "-t", "wheel", cwd=unpacked)
    (again,) = (unpacked / "dist").glob("*.whl")
    assert again.read_bytes() == wheel.read_bytes()
    needed = {"README.md", "CHANGELOG.md", "LICENSE", "Makefile", "tests/conftest.py"}
    assert names_of(sdist) >= needed


def test_it_works_with_only_what_it_requires(wheel: Path, tmp_path: Path) -> None:
    printed = run_installed(SCRIPTED, installation(tmp_path, wheel))
    where, missing = printed.strip().splitlines()
    assert where.startswith(str(tmp_path))
    assert 'pip install "langchain-bedrock-continue[local]"' in missing


@pytest.mark.model
@pytest.mark.usefixtures("real_model")
def test_the_first_example_runs_with_the_extra(wheel: Path, tmp_path: Path) -> None:
    (example, *_) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    printed = run_installed(example, installation(tmp_path, wheel, "local"))
    assert f"```text\n{printed}```" in README

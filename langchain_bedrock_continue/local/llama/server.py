"""llama.cpp's server inside this process: one for each set of settings, shared.

Shared, because computing threads spin while they wait for each other: two servers at
work on the same cores can fall to a fiftieth of the speed of one.

The settings make the answers repeatable to the bit: at `n_ubatch=1` a token is computed
in the same way whether it was generated, read as part of the prompt or found in the
prompt cache, so that an answer continued from its own text is the answer uncut.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SILENT = -1
# The tokens of a prompt that are read before a closed connection is noticed. A batch
# of 1 aborts the process.
_BATCH = 32
_CPU_ONLY = 0
# Callers beyond the one at work wait in llama.cpp, each in a thread of its own.
_HTTP_THREADS = 64


@dataclass(frozen=True)
class ServerSettings:
    """What sets one server apart from another."""

    path: Path
    threads: int
    context_tokens: int


@dataclass
class _Running:
    server: Any
    users: int = 0


_running: dict[ServerSettings, _Running] = {}
_lock = threading.Lock()


def acquire(settings: ServerSettings) -> str:
    """Start the server, or share the running one.

    Returns:
        Its address, `http://127.0.0.1:port`.

    Raises:
        ImportError: xllamacpp is not installed.
        ValueError: llama.cpp cannot load the file.
    """
    with _lock:
        if settings not in _running:
            _running[settings] = _Running(_start(settings))
        running = _running[settings]
        running.users += 1
        return str(running.server.listening_address)


def release(settings: ServerSettings) -> None:
    """Give the server back; the last user's call stops it and frees its memory."""
    with _lock:
        running = _running[settings]
        running.users -= 1
        if not running.users:
            # Dropping the last reference joins its threads; it has no close().
            del _running[settings], running


def _start(settings: ServerSettings) -> Any:
    try:
        import xllamacpp  # noqa: PLC0415 # 100 MB, of an optional extra
    except ImportError as error:
        msg = (
            "The real model needs xllamacpp (Linux or macOS): "
            'pip install "langchain-bedrock-continue[local]"'
        )
        raise ImportError(msg) from error
    try:
        return xllamacpp.Server(_params(xllamacpp.CommonParams(), settings))
    except RuntimeError as error:
        msg = f"weights: llama.cpp cannot load {settings.path} ({error}). Is it a GGUF?"
        raise ValueError(msg) from error


def _params(params: Any, settings: ServerSettings) -> Any:
    params.model.path = str(settings.path)
    params.n_ctx = settings.context_tokens
    params.n_ubatch = 1  # bit-exact; see above
    params.n_batch = _BATCH
    params.n_parallel = 1  # the same: a shared batch would change the sums
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.n_gpu_layers = _CPU_ONLY
    params.fit_params = False  # would choose another context size by free memory
    params.prefill_assistant = False  # a prefill is appended to the prompt instead
    params.cache_ram_mib = 0  # the slot's own cache is enough, and costs nothing
    params.warmup = False
    params.verbosity = _SILENT
    params.n_threads_http = _HTTP_THREADS
    params.port = 0
    params.ui = False
    return params

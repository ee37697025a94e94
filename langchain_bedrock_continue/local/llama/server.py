"""llama.cpp's server in this process: one for each set of settings, shared.

The servers are shared because compute threads spin while they wait for each other: two
busy servers on the same cores can fall to a fiftieth of the speed of one (measured).

The default settings make answers reproducible to the bit. With `n_ubatch=1` a token is
computed in the same way whether it is generated, a part of the prompt, or in the prompt
cache. So an answer that is continued from its own text equals the answer without
truncation. A larger batch reads a prompt faster.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SILENT = -1
# Number of prompt tokens that are read before a closed connection is noticed. A batch
# of 1 aborts the process.
_FEWEST_READ = 32
_CPU_ONLY = 0
# Each waiting request takes a thread of llama.cpp.
_HTTP_THREADS = 64


@dataclass(frozen=True)
class ServerSettings:
    """The settings of one server.

    Attributes:
        path: Absolute path of the GGUF file.
        threads: Number of compute threads.
        context_tokens: Size of the context window, in tokens.
        batch_tokens: How many tokens of a prompt are computed at once.
    """

    path: Path
    threads: int
    context_tokens: int
    batch_tokens: int = 1


@dataclass
class _Running:
    server: Any
    users: int = 0


_running: dict[ServerSettings, _Running] = {}
_lock = threading.Lock()


def acquire(settings: ServerSettings) -> str:
    """Start a server with these settings, or share the running one.

    Args:
        settings: The settings of the server.

    Returns:
        The address of the server, `http://127.0.0.1:<port>`.

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
    """Release a server. The last release stops it and frees its memory.

    Args:
        settings: The settings given to `acquire`.
    """
    with _lock:
        running = _running[settings]
        running.users -= 1
        if not running.users:
            # The server has no close(): the last reference to it joins its threads.
            del _running[settings], running


def _start(settings: ServerSettings) -> Any:
    try:
        import xllamacpp  # noqa: PLC0415 # 100 MB, of an optional extra
    except ImportError as error:
        msg = (
            "LlamaBackend needs xllamacpp (Linux or macOS): "
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
    params.n_ubatch = settings.batch_tokens  # 1 is reproducible to the bit
    params.n_batch = max(_FEWEST_READ, settings.batch_tokens)
    params.n_parallel = 1  # the same: a shared batch changes the sums
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.n_gpu_layers = _CPU_ONLY
    params.fit_params = False  # it fits the context size to the free memory
    params.prefill_assistant = False  # the backend appends the prefill to the prompt
    params.cache_ram_mib = 0  # the slot's own cache is enough and costs nothing
    params.warmup = False
    params.verbosity = _SILENT
    params.n_threads_http = _HTTP_THREADS
    params.port = 0
    params.ui = False
    return params

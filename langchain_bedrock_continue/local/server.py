"""`LocalBedrock`: a Bedrock runtime on this machine, for tests, notebooks and demos."""

from __future__ import annotations

import atexit
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import boto3
import uvicorn

from langchain_bedrock_continue.local.app import Models, Runtime
from langchain_bedrock_continue.local.http2 import EitherProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from botocore.config import Config

    from langchain_bedrock_continue.local.backend import Backend
    from langchain_bedrock_continue.local.rules.models import ModelRules
    from langchain_bedrock_continue.local.wire.http_request import RecordedRequest

REGION = "us-east-1"
LAST_PORT = 65_535

IDLE_SECONDS = 600
"""How long a client's idle connection stays open.

Far longer than a client lets pass between two requests. One that comes at the moment in
which its connection is closed fails, and not every client makes it again.
"""


class LocalBedrock:
    """A Bedrock runtime on 127.0.0.1, in a thread of this process.

    boto3 and `ChatBedrockConverse` call it over real HTTP. The endpoint applies
    Bedrock's rules, error texts and wire format. The backend generates the answers.

    ```python
    with LocalBedrock(Script("Hello there.")) as bedrock:
        llm = ChatBedrockConverse(
            model="us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            max_tokens=2,
            **bedrock.client_kwargs(),
        )
        llm.invoke("Hi")
    ```

    In a notebook, where a `with` cannot span cells, use `start` and `stop`:

    ```python
    bedrock = LocalBedrock().start()
    bedrock.stop()
    ```

    It supports Converse, ConverseStream, CountTokens, InvokeModel and
    InvokeModelWithResponseStream, the last two with Anthropic's body, or Nova's for a
    Nova. It does not check request signatures, listens on 127.0.0.1 only, and refuses
    bodies over 25 MB.

    Args:
        backend: Generates the answers: a `Script`, or any `Backend`. By default
            `LlamaBackend()`, a real small model on this machine.
        profiles: Model id by ARN of an application inference profile. An ARN without an
            entry is an unknown model. Empty by default.
        models: Rules by model id, which take precedence over the built-in ones. Empty
            by default.
        port: The port to listen on. 0 (the default): a free one.
        clock: Returns the time in seconds. It measures the lifetime of cached prefixes,
            and latencies.

    Raises:
        TypeError: `backend` is not a backend.
        ValueError: `port` is not between 0 and 65535.
    """

    def __init__(
        self,
        backend: Backend | None = None,
        *,
        profiles: Mapping[str, str] | None = None,
        models: Mapping[str, ModelRules] | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize the endpoint; see the class."""
        _check_backend(backend)
        self._backend = backend
        self._models = Models(profiles or {}, models or {})
        self._port = _checked_port(port)
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []
        self._abandoned: list[RecordedRequest] = []
        self._serving: _Serving | None = None

    def start(self) -> Self:
        """Start the backend, then the server. If it is running, change nothing.

        What is not stopped before the interpreter exits is stopped then.

        Returns:
            This endpoint.

        Raises:
            OSError: The port is in use, or may not be used.
            Exception: Any error of the backend's `start`.
        """
        if self._serving is not None:
            return self
        self._backend = self._backend or _default_backend()
        runtime = Runtime(
            self._backend, self._models, self._record, self._abandon, self._clock
        )
        listening = _listen(self._port)
        try:
            self._backend.start()
            self._serving = _Serving(runtime.app(), listening)
        except BaseException:
            listening.close()
            self._backend.close()
            raise
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Cancel all running requests, and release every thread and socket.

        The requests stay recorded. If it is not running, change nothing.
        """
        serving, self._serving = self._serving, None
        if serving is None:
            return
        atexit.unregister(self.stop)
        try:
            serving.stop()
        finally:
            if self._backend is not None:
                self._backend.close()

    def __enter__(self) -> Self:
        """Start; see `start`."""
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; see `stop`."""
        self.stop()

    def __repr__(self) -> str:
        """Return the URL, and the backend's class."""
        where = "not running" if self._serving is None else self._serving.url
        backend = (
            "LlamaBackend" if self._backend is None else type(self._backend).__name__
        )
        return f"<LocalBedrock: {where}, {backend}>"

    @property
    def endpoint_url(self) -> str:
        """The URL of the endpoint, `http://127.0.0.1:<port>`.

        Raises:
            RuntimeError: The endpoint is not running.
        """
        if self._serving is None:
            raise RuntimeError(
                "endpoint_url: the endpoint is not running. Use it inside "
                "`with LocalBedrock(...)`, or call start()."
            )
        return self._serving.url

    def client_kwargs(self) -> dict[str, Any]:
        """Return the arguments of a client of this endpoint.

        They are for `ChatBedrockConverse(model=..., **kwargs)` or `boto3.client`. The
        keys are dummies. They keep botocore from searching for credentials in the
        environment and at the instance metadata service.

        Raises:
            RuntimeError: The endpoint is not running.
        """
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": REGION,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def boto3_client(self, config: Config | None = None) -> Any:
        """Return a `bedrock-runtime` client of this endpoint.

        Args:
            config: botocore's configuration, such as timeouts and retries; botocore's
                default if None.

        Raises:
            RuntimeError: The endpoint is not running.
        """
        return boto3.client("bedrock-runtime", config=config, **self.client_kwargs())

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, including refused ones, in the order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def in_flight(self) -> int:
        """Number of requests that are being answered; 0 if it is not running.

        The endpoint finishes a request a moment after its client.
        """
        return self._serving.in_flight if self._serving else 0

    @property
    def open_connections(self) -> int:
        """Number of open connections; 0 if it is not running.

        A client keeps idle connections for its next requests until it is closed. The
        endpoint notices a closed connection a moment later, and itself closes one that
        was idle for ten minutes.
        """
        return self._serving.open_connections if self._serving else 0

    @property
    def abandoned(self) -> list[RecordedRequest]:
        """The requests whose client disconnected early, in that order."""
        with self._lock:
            return list(self._abandoned)

    def clear(self) -> None:
        """Delete the recorded requests."""
        with self._lock:
            self._requests.clear()
            self._abandoned.clear()

    def _record(self, request: RecordedRequest) -> None:
        with self._lock:
            self._requests.append(request)

    def _abandon(self, request: RecordedRequest) -> None:
        with self._lock:
            if request in self._requests:  # False after clear()
                self._abandoned.append(request)


def _check_backend(backend: object) -> None:
    methods = ("start", "close", "count_tokens", "generate")
    is_backend = all(hasattr(backend, name) for name in methods)
    if backend is None or (is_backend and not isinstance(backend, type)):
        return
    raise TypeError(
        f"LocalBedrock: {backend!r} is not a backend. Did you mean "
        "LocalBedrock(Script(...))? A Script answers with given texts; without an "
        "argument, a small model answers."
    )


def _default_backend() -> Backend:
    # A late import: only the real model needs llama.cpp's dependencies.
    from langchain_bedrock_continue.local.llama.backend import (  # noqa: PLC0415
        LlamaBackend,
    )

    backend: Backend = LlamaBackend()
    return backend


class _Serving:
    """A running HTTP server: its socket, its thread and its URL."""

    def __init__(self, app: Any, listening: socket.socket) -> None:
        self._socket = listening
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="local-bedrock",
            daemon=True,
        )
        self._thread.start()

    @property
    def in_flight(self) -> int:
        return len(self._server.server_state.tasks)

    @property
    def open_connections(self) -> int:
        return len(self._server.server_state.connections)

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True  # a silent stream would never end
        self._thread.join()
        self._socket.close()


def _checked_port(port: int) -> int:
    if not 0 <= port <= LAST_PORT:
        raise ValueError(f"port={port}: must be between 0 and {LAST_PORT}")
    return port


def _listen(port: int) -> socket.socket:
    """Return a socket that listens already: an early request waits, it never fails.

    Args:
        port: The port, or 0 for a free one.

    Raises:
        OSError: The port is in use, or may not be used.
    """
    # asyncio sets TCP_NODELAY only if the protocol is named. Without it, Nagle's
    # algorithm adds 40 ms to each request.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if port and os.name == "posix":
        # A port that was in use a moment ago is free. (On Windows this option would
        # share a port that is still in use.)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise OSError(error.errno, f"port {port} of 127.0.0.1: {reason}") from error
    return listening


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=EitherProtocol,
        loop="asyncio",
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        # Since Python 3.12 a server waits for its connections, even with force_exit.
        timeout_graceful_shutdown=0,
        lifespan="off",
        access_log=False,
        log_config=None,
        # uvicorn logs each connection that a fault closes as an error.
        log_level="critical",
    )

"""`LocalBedrock`: a Bedrock runtime on this machine, for tests, notebooks and demos."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import boto3
import uvicorn

from langchain_bedrock_continue.local.app import Models, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from botocore.config import Config

    from langchain_bedrock_continue.local.backend import Backend
    from langchain_bedrock_continue.local.rules.models import ModelRules
    from langchain_bedrock_continue.local.wire.http_request import RecordedRequest

REGION = "us-east-1"

IDLE_SECONDS = 600
"""How long a client's idle connection stays open.

Far longer than a client lets pass between two requests. One that comes at the moment in
which its connection is closed fails, and not every client makes it again.
"""


class LocalBedrock:
    """A Bedrock runtime on 127.0.0.1, in a thread of this process.

    boto3 and `ChatBedrockConverse` talk to it over real HTTP; Bedrock's rules, error
    texts, cuts and stream frames are its own, the words are the backend's.

    ```python
    with LocalBedrock(Script("Hello there.")) as bedrock:
        llm = ChatBedrockConverse(
            model="us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            max_tokens=2,
            **bedrock.client_kwargs(),
        )
        llm.invoke("Hi")
    ```

    It has Converse, ConverseStream, CountTokens, and InvokeModel with Anthropic's body,
    streamed or not. It checks no signature, listens on 127.0.0.1 alone, and refuses
    bodies over 25 MB. An instance serves once: a second `with` needs a second instance.

    Args:
        backend: Who answers: a `Script`, or any `Backend`. By default a real small
            model on this machine, `LlamaBackend()`.
        profiles: Model id by application-inference-profile ARN; without an entry here
            such an ARN is an invalid model identifier.
        models: Rules by model id, in place of what is known of the model.
        clock: Seconds; for the life of cached prefixes, and for latencies.

    Raises:
        Exception: Whatever the backend's `start` raises, from `__enter__`.
    """

    def __init__(
        self,
        backend: Backend | None = None,
        *,
        profiles: Mapping[str, str] | None = None,
        models: Mapping[str, ModelRules] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """See the class."""
        self._backend = backend
        self._models = Models(profiles or {}, models or {})
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []
        self._abandoned: list[RecordedRequest] = []
        self._entered = False
        self._serving: _Serving | None = None

    def __enter__(self) -> Self:
        """Start the backend, then the server."""
        if self._entered:
            raise RuntimeError(
                "this LocalBedrock was entered before; make a new one for each `with`"
            )
        self._entered = True
        self._backend = self._backend or _default_backend()
        runtime = Runtime(
            self._backend, self._models, self._record, self._abandon, self._clock
        )
        try:
            self._backend.start()
            self._serving = _Serving(runtime.app())
        except BaseException:
            self._backend.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Break off what still runs, and leave no thread and no socket behind."""
        try:
            if self._serving is not None:
                self._serving.stop()
        finally:
            self._serving = None
            if self._backend is not None:
                self._backend.close()

    @property
    def endpoint_url(self) -> str:
        """`http://127.0.0.1:port`; inside the `with` only."""
        if self._serving is None:
            raise RuntimeError("endpoint_url: use it inside `with LocalBedrock(...)`")
        return self._serving.url

    def client_kwargs(self) -> dict[str, Any]:
        """Arguments for `ChatBedrockConverse(model=..., **kwargs)` or `boto3.client`.

        The keys are dummies. Because they are given, botocore looks for no others: not
        in the environment, and not at the instance metadata service.
        """
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": REGION,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def boto3_client(self, config: Config | None = None) -> Any:
        """Make a `bedrock-runtime` client of this endpoint.

        Args:
            config: botocore's own, for timeouts and retries.
        """
        return boto3.client("bedrock-runtime", config=config, **self.client_kwargs())

    @property
    def requests(self) -> list[RecordedRequest]:
        """What clients sent so far, refused requests included, in order."""
        with self._lock:
            return list(self._requests)

    @property
    def in_flight(self) -> int:
        """How many requests are being answered now; 0 outside the `with`.

        The endpoint is done with one a moment after its client.
        """
        return self._serving.in_flight if self._serving else 0

    @property
    def open_connections(self) -> int:
        """How many sockets of clients are open now; 0 outside the `with`.

        A client keeps idle ones for its next requests until it is closed. The endpoint
        learns a moment later that one was closed, and itself closes one that was idle
        for ten minutes.
        """
        return self._serving.open_connections if self._serving else 0

    @property
    def abandoned(self) -> list[RecordedRequest]:
        """Those of the requests whose client hung up before the end, in that order."""
        with self._lock:
            return list(self._abandoned)

    def clear(self) -> None:
        """Forget the recorded requests."""
        with self._lock:
            self._requests.clear()
            self._abandoned.clear()

    def _record(self, request: RecordedRequest) -> None:
        with self._lock:
            self._requests.append(request)

    def _abandon(self, request: RecordedRequest) -> None:
        with self._lock:
            if request in self._requests:  # else it was cleared
                self._abandoned.append(request)


def _default_backend() -> Backend:
    # Late: it needs the runtime of a real model, which a scripted one does without.
    from langchain_bedrock_continue.local.llama.backend import (  # noqa: PLC0415
        LlamaBackend,
    )

    backend: Backend = LlamaBackend()
    return backend


class _Serving:
    """A running server: its socket, its thread, its URL."""

    def __init__(self, app: Any) -> None:
        self._socket = _listen()
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
        self._server.force_exit = True  # a silent stream would hold it up for ever
        self._thread.join()
        self._socket.close()


def _listen() -> socket.socket:
    """Bind and listen, so that the first request can only wait, never fail."""
    # With TCP named, asyncio switches Nagle's delay off: else 40 ms for each request.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    return listening


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        # Since Python 3.12 a server waits for its connections, also when forced.
        timeout_graceful_shutdown=0,
        lifespan="off",
        access_log=False,
        log_config=None,
        # uvicorn reports each injected broken connection as an error.
        log_level="critical",
    )

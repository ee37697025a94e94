"""Calls that fail without a response, each in one way, and how often they are sent.

A `Sender` counts the HTTP requests of a client that fail, at botocore's last event
before the network, so that one which reaches no server is counted too.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
)
from tests.support.scripts import rest_of

NEVER = 3600.0
"""Seconds until an answer that no test waits for."""


@dataclass(frozen=True)
class Failure:
    """One way to fail.

    Attributes:
        fault: What the endpoint does; None if the request does not reach it.
        delay: Seconds before the endpoint sends the head of its response.
        refuses: No server listens.
        hangs_up: The server closes the connection before it sends a head.
    """

    fault: Fault | None = None
    delay: float = 0.0
    refuses: bool = False
    hangs_up: bool = False


def status(code: str, number: int) -> Failure:
    """Return the failure with an error of the service before a stream opens."""
    return Failure(Fault("exception", code, "m", number))


FAILURES: dict[str, Failure] = {
    "read timeout": Failure(delay=NEVER),
    "connect error": Failure(refuses=True),
    "connection closed": Failure(hangs_up=True),
    "throttled": status("ThrottlingException", 429),
    "internal error": status("InternalServerException", 500),
    "unavailable": status("ServiceUnavailableException", 503),
    "model error": status("ModelErrorException", 424),
    "model timeout": status("ModelTimeoutException", 408),
}
"""Failures before there is a response."""


class Failing:
    """A model of one answer that fails, each time.

    Attributes:
        failure: How.
        later: Only the requests fail that continue a text.
    """

    def __init__(self, answer: Answer, failure: Failure, *, later: bool) -> None:
        self._answer = answer
        self.failure = failure
        self.later = later

    def __call__(self, request: Request) -> Answer:
        if not self.fails(request.messages):
            return self._answer
        fault, delay = self.failure.fault, self.failure.delay
        faults = [FaultAt(fault, request=None)] if fault else []
        content = rest_of(self._answer, request).content
        return Answer(content, faults=faults, first_delay=delay)

    def fails(self, messages: list[Any]) -> bool:
        """Return True if a request with these messages fails."""
        return not self.later or len(messages) > 1


class Sender:
    """A client whose failing requests are counted, and led astray.

    Attributes:
        client: The boto3 client.
        sent: The number of requests that failed.
        astray: Where the requests go that must not reach the endpoint.
    """

    def __init__(self, bedrock: LocalBedrock, failing: Failing, config: Config) -> None:
        self.client: Any = boto3.client(
            "bedrock-runtime", config=config, **bedrock.client_kwargs()
        )
        self.sent = 0
        self._lock = threading.Lock()
        self._failing = failing
        self.astray = bedrock.endpoint_url
        self.client.meta.events.register("before-send", self._before_send)

    def _before_send(self, request: Any, **_: Any) -> None:
        if not self._failing.fails(json.loads(request.body)["messages"]):
            return
        with self._lock:
            self.sent += 1
        failure = self._failing.failure
        if failure.refuses or failure.hangs_up:
            path = request.url.split("/model/", 1)[1]
            request.url = f"{self.astray}/model/{path}"


@contextmanager
def hanging_up() -> Iterator[str]:
    """Serve an address whose connections are closed as soon as a request came."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connection.recv(1)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def unused_address() -> str:
    """Return an address where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"http://127.0.0.1:{unused.getsockname()[1]}"

"""Start, end and failures of the local endpoint."""

import asyncio
import gc
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import TypeAlias

import psutil
import pytest
from botocore.exceptions import ClientError

from langchain_bedrock_continue.local import (
    LocalBedrock,
    Request,
    Script,
)
from langchain_bedrock_continue.local.backend import Finish, Piece, Text
from tests.support.boto3_requests import HI, ONCE
from tests.support.models import MODEL

Threads: TypeAlias = Callable[[], list[str]]


@pytest.fixture
def endpoint_threads() -> Threads:
    """Return the names of the endpoint threads that the test has started.

    Other endpoints of this process are not the test's: the session's own runs from the
    first test that needs it to the end of the session.
    """
    before = set(threading.enumerate())
    return lambda: [
        thread.name
        for thread in threading.enumerate()
        if thread.name == "local-bedrock" and thread not in before
    ]


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def is_listening(url: str) -> bool:
    """Return True if this process listens on the URL's port.

    A connection would also succeed to another process that got the port meanwhile.
    """
    _, port = address(url)
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in psutil.Process().net_connections("tcp4")
    )


def test_leaving_the_with_releases_threads_and_sockets(
    endpoint_threads: Threads,
) -> None:
    with LocalBedrock(Script("x")) as bedrock:
        url = bedrock.endpoint_url
        client = bedrock.boto3_client()
        client.converse(modelId=MODEL, messages=HI)
        assert url.startswith("http://127.0.0.1:")
        assert endpoint_threads() == ["local-bedrock"]
        assert is_listening(url)
    assert endpoint_threads() == []
    assert not is_listening(url)
    client.close()
    gc.collect()  # an unclosed socket warns, and warnings are errors


class ExpectedError(Exception):
    pass


def test_an_exception_in_the_with_releases_threads_and_sockets(
    endpoint_threads: Threads,
) -> None:
    urls = []

    def fail(url: str) -> None:
        urls.append(url)
        raise ExpectedError

    with pytest.raises(ExpectedError), LocalBedrock(Script("x")) as bedrock:
        fail(bedrock.endpoint_url)
    assert endpoint_threads() == []
    assert not is_listening(urls[0])


class RecordingBackend(Script):
    """Records its calls."""

    def __init__(self, broken: BaseException | None = None) -> None:
        super().__init__("x")
        self.broken = broken
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")
        if self.broken is not None:
            raise self.broken

    def close(self) -> None:
        self.calls.append("close")


def test_the_backend_is_started_and_closed() -> None:
    backend = RecordingBackend()
    with LocalBedrock(backend):
        assert backend.calls == ["start"]
    assert backend.calls == ["start", "close"]


def test_a_backend_that_fails_to_start_is_closed(
    endpoint_threads: Threads,
) -> None:
    backend = RecordingBackend(ExpectedError("no weights"))
    with pytest.raises(ExpectedError, match="no weights"), LocalBedrock(backend):
        pytest.fail("the body must not run")
    assert backend.calls == ["start", "close"]
    assert endpoint_threads() == []


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from langchain_bedrock_continue.local import LocalBedrock"
    )
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert 'pip install "langchain-bedrock-continue[local]"' in ran.stderr


def test_an_endpoint_can_be_started_and_stopped_without_a_with(
    endpoint_threads: Threads,
) -> None:
    backend = RecordingBackend()
    bedrock = LocalBedrock(backend)
    assert repr(bedrock) == "<LocalBedrock: not running, RecordingBackend>"
    with pytest.raises(RuntimeError, match="call start"):
        _ = bedrock.endpoint_url
    assert bedrock.start() is bedrock.start() is bedrock
    url = bedrock.endpoint_url
    assert repr(bedrock) == f"<LocalBedrock: {url}, RecordingBackend>"
    client = bedrock.boto3_client()
    client.converse(modelId=MODEL, messages=HI)
    client.close()
    bedrock.stop()
    bedrock.stop()
    assert backend.calls == ["start", "close"]
    assert (endpoint_threads(), is_listening(url)) == ([], False)
    with bedrock:  # it can be started again
        assert len(bedrock.requests) == 1
    assert backend.calls == ["start", "close"] * 2
    gc.collect()  # an unclosed socket warns, and warnings are errors


def test_an_endpoint_that_is_not_stopped_ends_with_the_interpreter() -> None:
    code = (
        "from langchain_bedrock_continue.local import *\n"
        "class Backend(Script):\n"
        "    def close(self): print('closed')\n"
        "print(LocalBedrock(Backend('x')).start().endpoint_url)"
    )
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    url, closed = ran.stdout.split()
    assert url.startswith("http://127.0.0.1:")
    assert closed == "closed"


def test_an_endpoint_can_have_a_port_of_its_own() -> None:
    with LocalBedrock(Script("x")) as other:
        _, port = address(other.endpoint_url)
        taken = LocalBedrock(backend := RecordingBackend(), port=port)
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1: Address already"):
            taken.start()
        assert backend.calls == []
    with taken:
        assert taken.endpoint_url == f"http://127.0.0.1:{port}"
    with pytest.raises(ValueError, match="port=65536: must be between"):
        LocalBedrock(Script("x"), port=65_536)


class SilentBackend(Script):
    """Generates one word and then nothing; records when it is closed."""

    def __init__(self) -> None:
        super().__init__("x")
        self.waiting = threading.Event()
        self.closed = threading.Event()

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        try:
            yield Text("One")
            self.waiting.set()
            await asyncio.Event().wait()
            yield Finish("end_turn", 1)
        finally:
            self.closed.set()


def test_a_client_that_closes_its_stream_stops_the_backend() -> None:
    """BACKEND-5, HTTP-3."""
    backend = SilentBackend()
    with LocalBedrock(backend) as bedrock:
        stream = bedrock.boto3_client().converse_stream(modelId=MODEL, messages=HI)
        events = iter(stream["stream"])
        assert next(events) == {"messageStart": {"role": "assistant"}}
        assert backend.waiting.wait(10)
        assert not backend.closed.is_set()
        stream["stream"].close()
        assert backend.closed.wait(10)


def test_a_client_that_disconnects_before_the_response_stops_the_backend() -> None:
    """BACKEND-5, HTTP-3: also if nothing was sent yet."""
    backend = SilentBackend()
    with LocalBedrock(backend) as bedrock:
        raw = json.dumps({"messages": HI}).encode()
        head = f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: x\r\n"
        head += f"Content-Length: {len(raw)}\r\n\r\n"
        with socket.create_connection(address(bedrock.endpoint_url)) as client:
            client.sendall(head.encode() + raw)
            assert backend.waiting.wait(10)
            assert not backend.closed.is_set()
        assert backend.closed.wait(10)


def test_leaving_the_with_cancels_running_requests(
    endpoint_threads: Threads,
) -> None:
    backend = SilentBackend()
    with LocalBedrock(backend) as bedrock:
        client = bedrock.boto3_client()
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        assert backend.waiting.wait(10)
    assert backend.closed.is_set()
    assert endpoint_threads() == []
    stream.close()


class FailingBackend(Script):
    """Has a bug."""

    def __init__(self, *, after_text: bool) -> None:
        super().__init__("x")
        self.after_text = after_text

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        if self.after_text:
            yield Text("One")
        raise ExpectedError("a bug")


def test_a_bug_in_the_backend_is_an_error_that_is_not_retried() -> None:
    """HTTP-4."""
    with LocalBedrock(FailingBackend(after_text=False)) as bedrock:
        client = bedrock.boto3_client()
        for operation in (client.converse, client.converse_stream):
            with pytest.raises(client.exceptions.ValidationException, match="a bug"):
                operation(modelId=MODEL, messages=HI)
        assert len(bedrock.requests) == 2


def test_a_bug_after_the_first_piece_is_an_exception_event() -> None:
    with LocalBedrock(FailingBackend(after_text=True)) as bedrock:
        client = bedrock.boto3_client(ONCE)
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        with closing(stream), pytest.raises(ClientError, match="a bug"):
            list(stream)


class UnfinishedBackend(Script):
    """Generates no Finish."""

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        yield Text("One")


def test_pieces_without_a_finish_are_an_error() -> None:
    with LocalBedrock(UnfinishedBackend("x")) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(ClientError, match="without a Finish"):
            client.converse(modelId=MODEL, messages=HI)
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        with closing(stream), pytest.raises(ClientError, match="without a Finish"):
            list(stream)

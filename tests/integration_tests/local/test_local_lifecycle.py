"""The local endpoint as a thing that is started, left and let down."""

import asyncio
import gc
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from langchain_bedrock_continue.local import (
    LocalBedrock,
    Request,
    Script,
)
from langchain_bedrock_continue.local.backend import Finish, Piece, Text
from tests.integration_tests.local.test_local_server import HI, MODEL, ONCE


def alive() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "local-bedrock"]


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def refused(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address(url)) != 0


def test_nothing_is_left_behind() -> None:
    with LocalBedrock(Script("x")) as bedrock:
        url = bedrock.endpoint_url
        client = bedrock.boto3_client()
        client.converse(modelId=MODEL, messages=HI)
        assert url.startswith("http://127.0.0.1:")
        assert alive() == ["local-bedrock"]
        assert not refused(url)
    assert alive() == []
    assert refused(url)
    client.close()
    gc.collect()  # an unclosed socket would warn, and warnings are errors


class Boom(Exception):  # noqa: N818 - what it is called does not matter
    pass


def test_nothing_is_left_behind_when_the_body_raises() -> None:
    urls = []

    def fail(url: str) -> None:
        urls.append(url)
        raise Boom

    with pytest.raises(Boom), LocalBedrock(Script("x")) as bedrock:
        fail(bedrock.endpoint_url)
    assert alive() == []
    assert refused(urls[0])


class Backend(Script):
    """Notes what is done to it."""

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
    backend = Backend()
    with LocalBedrock(backend):
        assert backend.calls == ["start"]
    assert backend.calls == ["start", "close"]


def test_a_backend_that_cannot_start() -> None:
    backend = Backend(Boom("no weights"))
    with pytest.raises(Boom, match="no weights"), LocalBedrock(backend):
        pytest.fail("the body must not run")
    assert backend.calls == ["start", "close"]
    assert alive() == []


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; "
        "import langchain_bedrock_continue.local"
    )
    ran = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert 'pip install "langchain-bedrock-continue[local]"' in ran.stderr


def test_one_instance_serves_once() -> None:
    bedrock = LocalBedrock(Script("x"))
    with pytest.raises(RuntimeError, match="inside `with"):
        _ = bedrock.endpoint_url
    with bedrock:
        pass
    with pytest.raises(RuntimeError, match="make a new one"), bedrock:
        pytest.fail("the body must not run")


class Hanging(Script):
    """Says one word, then nothing more; knows when it was closed."""

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


def test_a_client_that_goes_away_stops_the_backend() -> None:
    """B5, N2."""
    backend = Hanging()
    with LocalBedrock(backend) as bedrock:
        stream = bedrock.boto3_client().converse_stream(modelId=MODEL, messages=HI)
        events = iter(stream["stream"])
        assert next(events) == {"messageStart": {"role": "assistant"}}
        assert backend.waiting.wait(10)
        assert not backend.closed.is_set()
        stream["stream"].close()
        assert backend.closed.wait(10)


def test_a_client_that_gives_up_waiting_stops_the_backend() -> None:
    """B5, N2: also where nothing has been sent yet."""
    backend = Hanging()
    with LocalBedrock(backend) as bedrock:
        raw = json.dumps({"messages": HI}).encode()
        head = f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: x\r\n"
        head += f"Content-Length: {len(raw)}\r\n\r\n"
        with socket.create_connection(address(bedrock.endpoint_url)) as client:
            client.sendall(head.encode() + raw)
            assert backend.waiting.wait(10)
            assert not backend.closed.is_set()
        assert backend.closed.wait(10)


def test_leaving_stops_what_still_runs() -> None:
    backend = Hanging()
    with LocalBedrock(backend) as bedrock:
        client = bedrock.boto3_client()
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        assert backend.waiting.wait(10)
    assert backend.closed.is_set()
    assert alive() == []
    stream.close()


class Broken(Script):
    """Fails as a backend with a bug does."""

    def __init__(self, *, said: bool) -> None:
        super().__init__("x")
        self.said = said

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        if self.said:
            yield Text("One")
        raise Boom("a bug")


def test_a_bug_in_the_backend_is_told_at_once() -> None:
    """N4: an error that a client retries could pass unseen."""
    with LocalBedrock(Broken(said=False)) as bedrock:
        client = bedrock.boto3_client()
        for operation in (client.converse, client.converse_stream):
            with pytest.raises(client.exceptions.ValidationException, match="a bug"):
                operation(modelId=MODEL, messages=HI)
        assert len(bedrock.requests) == 2


def test_a_bug_in_mid_stream_is_an_exception_event() -> None:
    with LocalBedrock(Broken(said=True)) as bedrock:
        client = bedrock.boto3_client(ONCE)
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        with closing(stream), pytest.raises(ClientError, match="a bug"):
            list(stream)


class Endless(Script):
    """Forgets its Finish."""

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        yield Text("One")


def test_a_backend_without_an_end_is_told_so() -> None:
    with LocalBedrock(Endless("x")) as bedrock:
        client = bedrock.boto3_client(ONCE)
        with pytest.raises(ClientError, match="without a Finish"):
            client.converse(modelId=MODEL, messages=HI)
        stream = client.converse_stream(modelId=MODEL, messages=HI)["stream"]
        with closing(stream), pytest.raises(ClientError, match="without a Finish"):
            list(stream)

"""The endpoint speaks HTTP/2 to clients that begin with it, on the same port."""

import asyncio
import importlib.util
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Script,
)
from langchain_bedrock_continue.local.http2 import PREFACE
from tests.support.boto3_requests import HI
from tests.support.endpoint import Serve
from tests.support.models import PREFILL_MODEL as MODEL
from tests.support.waiting import eventually

pytest.importorskip("h2", reason="the extra [local] is not installed")

BODY = {"messages": HI, "inferenceConfig": {"maxTokens": 64_000}}
LARGE = "wordy " * 20_000
"""120 kB: more than the windows of a stream and of a connection."""


def url(bedrock: LocalBedrock, operation: str = "converse") -> str:
    return f"{bedrock.endpoint_url}/model/{MODEL}/{operation}"


def address(bedrock: LocalBedrock) -> tuple[str, int]:
    host, port = bedrock.endpoint_url.removeprefix("http://").split(":")
    return host, int(port)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Make a client that begins with HTTP/2."""
    with httpx.Client(http1=False, http2=True, timeout=60) as client:
        yield client


def test_both_protocols_have_the_same_responses(
    serve: Serve, client: httpx.Client
) -> None:
    """FRAMES-1."""
    bedrock = serve("Hello there, and good day.")
    for operation in ("converse", "converse-stream", "no-such-operation"):
        new = client.post(url(bedrock, operation), json=BODY)
        old = httpx.post(url(bedrock, operation), json=BODY)
        assert (new.http_version, old.http_version) == ("HTTP/2", "HTTP/1.1")
        assert new.status_code == old.status_code
        assert new.headers["content-type"] == old.headers["content-type"]
        assert len(new.content) == pytest.approx(len(old.content), abs=4)  # latencyMs
    assert bedrock.requests[0].body == BODY
    unknown = client.post(url(bedrock).replace(MODEL, "nosuch"), json=BODY)
    assert unknown.headers["x-amzn-errortype"] == "ValidationException"


def test_bodies_larger_than_the_windows(serve: Serve, client: httpx.Client) -> None:
    """FRAMES-5."""
    bedrock = serve(LARGE)
    body = BODY | {"messages": [{"role": "user", "content": [{"text": LARGE}]}]}
    response = client.post(url(bedrock), json=body).json()
    assert response["output"]["message"]["content"] == [{"text": LARGE}]
    assert bedrock.requests[0].body == body


async def test_requests_share_a_connection(serve: Serve) -> None:
    bedrock = serve(Answer("Hello there.", first_delay=0.05))
    open_before = bedrock.open_connections
    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as client:
        calls = (client.post(url(bedrock), json=BODY) for _ in range(20))
        responses = await asyncio.gather(*calls)
        assert bedrock.open_connections == open_before + 1
    assert {one.status_code for one in responses} == {200}
    assert len({one.headers["x-amzn-requestid"] for one in responses}) == 20


def request_frames(operation: str) -> tuple[Any, bytes]:
    """Return a client's state, and the bytes of a request on stream 1."""
    config = importlib.import_module("h2.config").H2Configuration()
    h2 = importlib.import_module("h2.connection").H2Connection(config)
    h2.initiate_connection()
    path = f"/model/{MODEL}/{operation}"
    h2.send_headers(1, [*_names(path), ("content-type", "application/json")])
    h2.send_data(1, json.dumps(BODY).encode(), end_stream=True)
    return h2, h2.data_to_send()


def test_a_client_that_resets_its_stream_stops_the_answer(serve: Serve) -> None:
    """FRAMES-3. httpx closes no stream early, so this client is h2's."""
    bedrock = serve(Answer(LARGE, delay=0.01))
    h2, sent = request_frames("converse-stream")
    with socket.create_connection(address(bedrock), timeout=60) as connection:
        connection.sendall(sent)
        eventually(lambda: bedrock.in_flight)
        h2.reset_stream(1)
        connection.sendall(h2.data_to_send())
        eventually(lambda: bedrock.abandoned)
        eventually(lambda: not bedrock.in_flight)
        assert connection.recv(100)  # the connection is open


GOAWAY = b"\0\0\x08\x07\0\0\0\0\0" + bytes(8)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_client_that_goes_away_gets_the_rest_of_its_response(
    serve: Serve, size: int
) -> None:
    """FRAMES-4: as the JavaScript SDK does, in pieces of any size."""
    bedrock = serve(Answer("Hello there, and good day.", delay=0.01))
    h2, sent = request_frames("converse-stream")
    events = []
    with socket.create_connection(address(bedrock), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent + GOAWAY), size):
            connection.sendall((sent + GOAWAY)[at : at + size])
        while data := connection.recv(10_000):  # until the endpoint closes it
            events += h2.receive_data(data)
    names = [type(event).__name__ for event in events]
    assert names[-1] == "StreamEnded"
    assert "StreamReset" not in names


def _names(path: str) -> list[tuple[str, str]]:
    return [
        *((":method", "POST"), (":scheme", "http")),
        *((":authority", "x"), (":path", path)),
    ]


def test_a_response_that_breaks_resets_its_stream(
    serve: Serve, client: httpx.Client
) -> None:
    """FRAMES-3."""
    fault = FaultAt(Fault("close"), at=2, request=None)
    bedrock = serve(Answer("Hello there, and good day.", faults=[fault]))
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(url(bedrock, "converse-stream"), json=BODY)


def test_stopping_the_endpoint_ends_its_connections(client: httpx.Client) -> None:
    """FRAMES-2."""
    slow = Script(Answer(LARGE, delay=0.01))
    with LocalBedrock(slow) as bedrock:
        sent: Any = client.stream("POST", url(bedrock, "converse-stream"), json=BODY)
        with sent as stream:
            parts = stream.iter_raw()
            next(parts)
            bedrock.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                list(parts)


@pytest.mark.parametrize("first", [1, 5, len(PREFACE) - 1])
def test_the_first_bytes_may_come_in_pieces(serve: Serve, first: int) -> None:
    """FRAMES-1: `P` may begin either protocol."""
    bedrock = serve("Hello.")
    raw = json.dumps(BODY).encode()
    post = (
        f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
    ).encode()
    settings = b"\0\0\0\4\0\0\0\0\0"
    for begin, answer in ((PREFACE + settings, b"\0\0"), (post + raw, b"HTTP/1.1 200")):
        with socket.create_connection(address(bedrock), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(begin[:first])
            connection.sendall(begin[first:])
            assert connection.recv(100).startswith(answer)


@pytest.mark.parametrize("junk", [b"\0\0\0\1\0\0\0\0\0", b"\xff" * 100])
def test_what_is_no_http2_after_its_preface_ends_the_connection(
    serve: Serve, junk: bytes
) -> None:
    bedrock = serve("Hello.")
    with socket.create_connection(address(bedrock), timeout=60) as connection:
        connection.sendall(PREFACE + junk)
        while connection.recv(100):
            pass  # the server's greeting, and why it ends


def test_without_h2_the_client_is_refused_and_the_log_says_why(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bedrock = serve("Hello.")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with socket.create_connection(address(bedrock), timeout=60) as connection:
        connection.sendall(PREFACE)
        assert connection.recv(100).startswith(b"HTTP/1.1 404")
    assert "needs h2: pip install h2" in caplog.text

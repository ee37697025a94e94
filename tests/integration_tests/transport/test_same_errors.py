"""Each way to fail raises the same error to a sync and to an async caller."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.config import Config
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._transport.awaiting_client import awaiting_session
from langchain_bedrock_continue.local.wire.frames import event
from tests.support.entrances import by_ainvoke, by_astream, by_invoke, by_stream
from tests.support.raw_clients import client_for, wrapping
from tests.support.raw_endpoint import (
    CERTIFICATES,
    Behaviour,
    RawEndpoint,
    answering,
    deaf,
    full_endpoint,
    proxy,
    server_context,
    silent,
)

SOON = {"connect_timeout": 0.3, "read_timeout": 0.3}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


START = chunk(event("messageStart", {"role": "assistant"}))
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Way:
    """A way to fail.

    Attributes:
        error: The class of the error, with botocore's retries off. Two where it is
            another one for an answer that does not stream.
        behave: What the endpoint does.
        scheme: Of the endpoint's URL.
        url: The endpoint's URL, if it is none of this process.
        certificate: The endpoint's certificate, if it speaks TLS.
        streams: Whether it happens to an answer that streams, to one that does not.
        client: Settings of the client.
        config: Settings of its Config.
    """

    error: str
    behave: Behaviour | None = None
    scheme: str = "http"
    url: Callable[[ExitStack], str] | None = None
    certificate: str = ""
    streams: tuple[bool, ...] = (True, False)
    client: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


def closed_port(_: ExitStack) -> str:
    with RawEndpoint(deaf) as endpoint:
        return endpoint.url()


def hanging_up(connection: socket.socket) -> None:
    connection.recv(4096)


def speaking_plainly(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 No\r\n\r\n")


def tls(name: str, error: str = "SSLError") -> Way:
    return Way(error, deaf, "https", certificate=name)


WAYS = {
    "nobody listens": Way("EndpointConnectionError", url=closed_port),
    "unknown host": Way("EndpointConnectionError", url=lambda _: "http://no.invalid"),
    "connect timeout": Way("ConnectTimeoutError", url=full_endpoint),
    "read timeout": Way("ReadTimeoutError", silent),
    "closed at once": Way("ConnectionClosedError", hanging_up),
    "closed before the response": Way("ConnectionClosedError", answering()),
    "closed in the head": Way("ConnectionError|ValueError", answering(HEAD)),
    "no HTTP": Way("ConnectionClosedError", answering(b"SSH-2.0-x\r\n")),
    "body too short": Way(
        "ConnectionError|ValueError", answering(HEAD + b"Content-Length: 99\r\n\r\n")
    ),
    "JSON too short": Way(
        "ValueError",
        answering(JSON + b'Content-Length: 99\r\n\r\n{"output"'),
        streams=(False,),
    ),
    "chunks end early": Way(
        "ProtocolError|ConnectionClosedError", answering(CHUNKED + START)
    ),
    "chunk without a length": Way(
        "ProtocolError|ConnectionClosedError", answering(CHUNKED + b"zz\r\n")
    ),
    "silence in the stream": Way(
        "ReadTimeoutError", answering(CHUNKED + START, 1.0), streams=(True,)
    ),
    "a damaged frame": Way(
        "ChecksumMismatch",
        answering(CHUNKED + chunk(b"\0" * 64) + chunk(b"")),
        streams=(True,),
    ),
    "TLS to a plain port": Way("SSLError", speaking_plainly, "https"),
    "closed in the handshake": Way("SSLError", hanging_up, "https"),
    "silence in the handshake": Way(
        "ConnectTimeoutError|ReadTimeoutError", deaf, "https"
    ),
    "certificate not trusted": tls("server.pem"),
    "certificate of another host": Way(
        "SSLError",
        deaf,
        "https",
        certificate="other.pem",
        client={"verify": str(CERTIFICATES / "ca.pem")},
    ),
    "no CA bundle": Way(
        "SSLError|HTTPClientError",
        deaf,
        "https",
        certificate="server.pem",
        client={"verify": "/no/such/file.pem"},
    ),
    "no proxy": Way(
        "ProxyConnectionError",
        deaf,
        "https",
        config={"proxies": {"https": "http://127.0.0.1:9"}},
    ),
    "plain HTTP without a proxy": Way(
        "ProxyConnectionError", deaf, config={"proxies": {"http": "127.0.0.1:9"}}
    ),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def model(url: str, way: Way) -> ChatBedrockContinuing:
    once = {"retries": {"total_max_attempts": 1}, **SOON, **way.config}
    client = client_for(url, Config(**once), **way.client)
    return wrapping(client, stream_recoveries=0)


def failure(ask: Any, llm: Runnable[Any, Any]) -> list[str]:
    """Return the error and its causes, without addresses in memory and ports."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - any; they are compared
        ask(llm, "Hi")
    error: BaseException | None = raised.value
    assert error is not None
    return [type(error).__name__, re.sub(r"0x\w+|port=\d+|:\d+", "", str(error))]


@pytest.mark.parametrize("name", list(WAYS))
def test_sync_and_async_callers_get_the_same_error(name: str, stack: ExitStack) -> None:
    way = WAYS[name]
    context = server_context(way.certificate) if way.certificate else None
    if way.url is not None:
        url = way.url(stack)
    else:
        assert way.behave is not None
        url = stack.enter_context(RawEndpoint(way.behave, context)).url(way.scheme)
    llm = model(url, way)
    check_is_awaited(llm)
    pairs = {True: (by_stream, by_astream), False: (by_invoke, by_ainvoke)}
    for streams in way.streams:
        ask, ask_async = pairs[streams]
        expected = failure(ask, llm)
        assert expected[0] in way.error.split("|")
        assert failure(ask_async, llm) == expected


def check_is_awaited(llm: Any) -> None:
    async def check() -> None:
        assert awaiting_session(llm.llm.client, asyncio.get_running_loop())

    asyncio.run(check())


def test_a_proxy_that_refuses_a_tunnel(stack: ExitStack) -> None:
    seen: list[bytes] = []
    refusing = RawEndpoint(proxy(seen, "407 Proxy Authentication Required"))
    url = stack.enter_context(refusing).url()
    llm = model("https://127.0.0.1:9", Way("", config={"proxies": {"https": url}}))
    expected = failure(by_invoke, llm)
    assert expected[0] == "ProxyConnectionError"
    assert failure(by_ainvoke, llm) == expected
    assert len(seen) == 2

"""A socket in a worker: it waits for the event loop where a plain one would block."""

import asyncio
import selectors
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from langchain_bedrock_continue._transport import Cancellation
from langchain_bedrock_continue._transport.awaiting_socket import AwaitingSocket
from langchain_bedrock_continue._transport.event_loop import run
from langchain_bedrock_continue._transport.worker import wait_for
from tests.support.raw_endpoint import CERTIFICATES, server_context

PATIENCE_SECONDS = 20.0
BIG = b"0123456789abcdef" * 500_000


async def work(function: Callable[[AwaitingSocket], Any], sock: AwaitingSocket) -> Any:
    """Run a function with a socket, in a worker."""

    def with_it(_: Cancellation) -> Any:
        return function(sock)

    return await asyncio.wait_for(run(with_it, None, 8), PATIENCE_SECONDS)


@pytest.fixture
def pair() -> Any:
    """Make a socket, and the plain socket at its other end."""
    near, far = socket.socketpair()
    sock = AwaitingSocket(near, PATIENCE_SECONDS)
    far.settimeout(PATIENCE_SECONDS)
    yield sock, far
    sock.abort()
    far.close()


def descriptors() -> set[Any]:
    loop: Any = asyncio.get_running_loop()
    return set(loop._selector.get_map())


async def test_more_than_the_buffers_hold_is_sent(pair: Any) -> None:
    sock, far = pair
    loop = asyncio.get_running_loop()

    def receive() -> bytes:
        got = bytearray()
        while len(got) < len(BIG):
            got += far.recv(1 << 20)
        return bytes(got)

    receiving = loop.run_in_executor(None, receive)
    await work(lambda s: s.sendall(BIG), sock)
    assert await receiving == BIG


async def test_it_reads_what_comes_while_other_tasks_run(pair: Any) -> None:
    sock, far = pair

    async def send() -> None:
        for part in (b"on", b"e\ntwo", b"\nend"):
            await asyncio.sleep(0)
            far.sendall(part)
        far.close()

    def read(s: AwaitingSocket) -> list[bytes]:
        with s.makefile("rb") as file:
            return file.readlines()

    sending = asyncio.create_task(send())
    assert await work(read, sock) == [b"one\n", b"two\n", b"end"]
    await sending


async def test_socket_1_between_two_calls_it_belongs_to_no_loop(pair: Any) -> None:
    sock, far = pair
    before = descriptors()
    far.sendall(b"a")
    buffer = bytearray(1)
    assert await work(lambda s: s.recv_into(buffer), sock) == 1
    # A call that is over leaves none; a pool takes it back before.
    assert descriptors() == before


async def test_socket_2_data_that_nobody_waits_for_does_not_wake_the_loop(
    pair: Any,
) -> None:
    sock, far = pair
    before, during = descriptors(), []
    buffer = bytearray(1)

    def read(s: AwaitingSocket) -> bytes:
        s.recv_into(buffer)
        far.sendall(b"b")
        wait_for(asyncio.sleep(0.05))
        during.append(descriptors())
        s.recv_into(buffer)
        return bytes(buffer)

    far.sendall(b"a")
    assert await work(read, sock) == b"b"
    assert during == [before]


async def test_socket_2_nor_while_it_waits_to_write(pair: Any) -> None:
    sock, far = pair
    loop: Any = asyncio.get_running_loop()

    def write(s: AwaitingSocket) -> None:
        s.recv_into(bytearray(1))
        far.sendall(b"nobody reads this")
        s.sendall(BIG)

    far.sendall(b"a")
    task = asyncio.create_task(work(write, sock))
    for _ in range(20):
        await asyncio.sleep(0)
    events = loop._selector.get_map()[sock.fileno()].events
    task.cancel()
    await asyncio.wait([task])
    assert events == selectors.EVENT_WRITE


async def test_a_closed_socket_is_not_watched(pair: Any) -> None:
    """Another socket can have its number."""
    (sock, _), before = pair, descriptors()
    sock.settimeout(0.05)

    def read(s: AwaitingSocket) -> None:
        number = s.fileno()
        s.abort()
        others = socket.socketpair()
        assert number in {other.fileno() for other in others}
        with pytest.raises(OSError, match="descriptor"):
            s.recv_into(bytearray(1))
        for other in others:
            other.close()

    await work(read, sock)
    assert descriptors() == before


async def test_each_wait_has_its_own_timeout(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sock, far = pair
    sock.settimeout(1.0)
    now = 100.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    buffer = bytearray(1)

    def read(s: AwaitingSocket) -> int:
        read = 0
        try:
            while True:
                read += s.recv_into(buffer)
        except TimeoutError:
            far.sendall(b"x")
            return read + s.recv_into(buffer)

    reading = asyncio.create_task(run(lambda _: read(sock), None, 8))
    for _ in range(4):
        far.sendall(b"x")
        for _ in range(5):
            await asyncio.sleep(0)
        now += 0.6
    while not reading.done():  # silence now
        now += 0.6
        await asyncio.sleep(0)
    assert await reading == 5


async def test_loop_2_a_turn_that_is_over_has_closed_its_connection(pair: Any) -> None:
    sock, far = pair
    buffer = bytearray(1)
    task = asyncio.create_task(work(lambda s: s.recv_into(buffer), sock))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sock.fileno() == -1
    assert far.recv(1) == b""


async def test_it_closes_with_the_last_file(pair: Any) -> None:
    sock, _ = pair
    file = sock.makefile("rb")
    sock.close()
    assert sock.fileno() != -1
    file.close()
    assert sock.fileno() == -1
    with pytest.raises(ValueError, match="closed"):
        file.read()


# TLS ----------------------------------------------------------------------------------


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.pem"))
    context.check_hostname = False
    return context


def serve_tls(far: socket.socket, behave: Callable[[ssl.SSLSocket], Any]) -> Any:
    def serve() -> Any:
        with server_context().wrap_socket(far, server_side=True) as tls:
            return behave(tls)

    return asyncio.get_running_loop().run_in_executor(None, serve)


async def test_tls(pair: Any) -> None:
    sock, far = pair
    serving = serve_tls(far, lambda tls: tls.sendall(tls.recv(1 << 16) + BIG))

    def talk(s: AwaitingSocket) -> bytes:
        s.start_tls(trusting(), "127.0.0.1")
        assert s.version() == "TLSv1.3"
        s.sendall(b"hello ")
        with s.makefile("rb") as file:
            return file.read(6 + len(BIG))

    assert await work(talk, sock) == b"hello " + BIG
    await serving


async def test_much_is_sent_over_tls(pair: Any) -> None:
    sock, far = pair

    def receive(tls: ssl.SSLSocket) -> int:
        size = 0
        while size < len(BIG):
            size += len(tls.recv(1 << 16))
        return size

    serving = serve_tls(far, receive)

    def talk(s: AwaitingSocket) -> None:
        s.start_tls(trusting(), "127.0.0.1")
        s.sendall(BIG)

    await work(talk, sock)
    assert await serving == len(BIG)


async def test_a_handshake_that_fails_closes_the_socket(pair: Any) -> None:
    sock, far = pair
    far.sendall(b"no TLS at all\r\n")
    with pytest.raises(ssl.SSLError):
        await work(lambda s: s.start_tls(trusting(), "127.0.0.1"), sock)
    assert sock.fileno() == -1

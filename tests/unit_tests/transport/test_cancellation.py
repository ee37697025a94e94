"""Cancellation: its effect on sockets, calls, and their errors."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter

from langchain_bedrock_continue._transport import (
    CallCancelled,
    Cancellation,
    cancellable_client,
)
from langchain_bedrock_continue._transport.cancellable_client import _CancellableBody

PATIENCE_SECONDS = 20.0

Pair: TypeAlias = tuple[Any, Any]


def plain_pair() -> Pair:
    return socket.socketpair()


def tls_pair() -> Pair:
    """Return two ends of a TLS connection that needs no certificate."""
    ends, out = socket.socketpair(), {}

    def serve() -> None:
        out["server"] = anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(
            ends[1], server_side=True
        )

    thread = threading.Thread(target=serve)
    thread.start()
    client = anonymous(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(ends[0])
    thread.join()
    return client, out["server"]


def anonymous(protocol: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    if protocol is ssl.PROTOCOL_TLS_CLIENT:
        context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.set_ciphers("AECDH:ADH:@SECLEVEL=0")
    except ssl.SSLError:
        pytest.skip("this OpenSSL has no anonymous ciphers")
    return context


def tunnelled_pair() -> Pair:
    """Return a connection within another, as urllib3 has them: no socket itself."""
    near, far = plain_pair()
    reader = SimpleNamespace(socket=near, recv=near.recv, close=near.close)
    return reader, far


@pytest.fixture(params=[plain_pair, tls_pair, tunnelled_pair])
def ends(request: pytest.FixtureRequest) -> Iterator[Pair]:
    pair = request.param()
    yield pair
    for end in pair:
        end.close()


def connection(sock: Any) -> Any:
    return SimpleNamespace(sock=sock)


def test_a_thread_that_waits_for_a_socket_is_woken(ends: Pair) -> None:
    cancellation, got = Cancellation(), []
    near, far = ends
    cancellation.attach(connection(near))
    thread = threading.Thread(target=lambda: got.append(near.recv(1)), daemon=True)
    thread.start()
    cancellation.cancel()
    thread.join(PATIENCE_SECONDS)
    assert got == [b""]
    far.settimeout(PATIENCE_SECONDS)
    assert far.recv(1) == b""


def test_cancel_2_a_detached_connection_is_not_touched() -> None:
    cancellation, (near, far) = Cancellation(), plain_pair()
    mine = connection(near)
    cancellation.attach(mine)
    cancellation.detach(mine)
    cancellation.cancel()
    far.send(b"x")
    assert near.recv(1) == b"x"
    near.close()
    far.close()


def test_cancel_2_an_earlier_connection_is_detached_late() -> None:
    cancellation, (near, far) = Cancellation(), plain_pair()
    earlier = connection(None)
    cancellation.attach(earlier)
    cancellation.attach(connection(near))
    cancellation.detach(earlier)
    cancellation.cancel()
    assert near.recv(1) == b""
    near.close()
    far.close()


def test_a_closed_socket_is_no_error() -> None:
    cancellation, (near, far) = Cancellation(), plain_pair()
    cancellation.attach(connection(near))
    near.close()
    far.close()
    cancellation.cancel()


@pytest.mark.parametrize("sock", [None, object(), SimpleNamespace(socket=None)])
def test_an_object_that_is_no_socket_is_ignored(sock: object) -> None:
    cancellation = Cancellation()
    cancellation.attach(connection(sock))
    cancellation.cancel()
    assert cancellation.cancelled


def test_cancel_1_a_connection_that_is_made_too_late_is_refused() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CallCancelled):
        cancellation.attach(connection(None))


def test_cancel_1_nothing_is_read_after_a_cancellation() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CallCancelled), cancellation.reading():
        pytest.fail("it read")


def test_cancel_3_an_error_after_a_cancellation_becomes_call_cancelled() -> None:
    cancellation, cause = Cancellation(), ConnectionError("reset")

    def read() -> None:
        cancellation.cancel()
        raise cause

    with pytest.raises(CallCancelled) as raised, cancellation.reading():
        read()
    assert raised.value.__cause__ is cause


def test_cancel_3_an_error_without_a_cancellation_is_unchanged() -> None:
    with pytest.raises(ConnectionError, match="reset"), Cancellation().reading():
        raise ConnectionError("reset")


def test_cancel_3_a_response_truncated_without_an_error_becomes_call_cancelled() -> (
    None
):
    cancellation = Cancellation()

    def read() -> None:
        cancellation.attach(connection(object()))
        cancellation.cancel()

    with pytest.raises(CallCancelled), cancellation.reading():
        read()


def test_cancel_3_a_response_that_was_complete_before_is_returned() -> None:
    cancellation, mine = Cancellation(), connection(object())
    with cancellation.reading():
        cancellation.attach(mine)
        cancellation.detach(mine)
        cancellation.cancel()


@pytest.mark.parametrize("how", ["read", "stream"])
def test_cancel_3_a_body_that_breaks_after_a_cancellation(how: str) -> None:
    cancellation = Cancellation()

    def broken(*_: Any) -> Iterator[bytes]:
        cancellation.cancel()
        raise ConnectionError("reset")

    raw = SimpleNamespace(read=broken, stream=broken)
    body = _CancellableBody(raw, cancellation)
    with pytest.raises(CallCancelled):
        b"".join(getattr(body, how)())


def test_cancel_3_libraries_do_not_catch_it() -> None:
    assert not issubclass(CallCancelled, Exception)


@pytest.mark.parametrize(
    "wait",
    [
        lambda cancellation: cancellation.sleep(3600),
        lambda cancellation: cancellation.acquire(
            InMemoryRateLimiter(requests_per_second=1e-6)
        ),
    ],
)
def test_a_wait_ends_with_the_cancellation(
    wait: Callable[[Cancellation], None],
) -> None:
    cancellation = Cancellation()
    threading.Timer(0.02, cancellation.cancel).start()
    with pytest.raises(CallCancelled):
        wait(cancellation)


def test_a_sleep_without_a_cancellation_is_a_sleep() -> None:
    Cancellation().sleep(0.001)


def test_client_3_the_double_of_a_client_is_used_as_it_is() -> None:
    client = object()
    assert cancellable_client(client, Cancellation()) is client

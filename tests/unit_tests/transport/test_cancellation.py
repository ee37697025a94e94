"""The line: what a hang-up does to sockets, to calls, and to their errors."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter

from langchain_bedrock_continue._transport.cancellable_client import _Body, calling_copy
from langchain_bedrock_continue._transport.cancellation import HungUp, Line

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


def test_who_waits_for_a_socket_is_woken(ends: Pair) -> None:
    line, got = Line(), []
    near, far = ends
    line.hold(connection(near))
    thread = threading.Thread(target=lambda: got.append(near.recv(1)), daemon=True)
    thread.start()
    line.hang_up()
    thread.join(PATIENCE_SECONDS)
    assert got == [b""]
    far.settimeout(PATIENCE_SECONDS)
    assert far.recv(1) == b""


def test_l2_a_connection_that_was_given_back_is_not_touched() -> None:
    line, (near, far) = Line(), plain_pair()
    mine = connection(near)
    line.hold(mine)
    line.let_go(mine)
    line.hang_up()
    far.send(b"x")
    assert near.recv(1) == b"x"
    near.close()
    far.close()


def test_l2_an_earlier_connection_is_given_back_late() -> None:
    line, (near, far) = Line(), plain_pair()
    earlier = connection(None)
    line.hold(earlier)
    line.hold(connection(near))
    line.let_go(earlier)
    line.hang_up()
    assert near.recv(1) == b""
    near.close()
    far.close()


def test_a_closed_socket_is_no_error() -> None:
    line, (near, far) = Line(), plain_pair()
    line.hold(connection(near))
    near.close()
    far.close()
    line.hang_up()


@pytest.mark.parametrize("sock", [None, object(), SimpleNamespace(socket=None)])
def test_what_is_no_socket_is_left_alone(sock: object) -> None:
    line = Line()
    line.hold(connection(sock))
    line.hang_up()
    assert line.hung_up


def test_l1_a_connection_that_is_made_too_late_is_refused() -> None:
    line = Line()
    line.hang_up()
    with pytest.raises(HungUp):
        line.hold(connection(None))


def test_l1_nothing_is_read_after_a_hang_up() -> None:
    line = Line()
    line.hang_up()
    with pytest.raises(HungUp), line.reading():
        pytest.fail("it read")


def test_l3_an_error_after_a_hang_up_is_the_hang_up() -> None:
    line, cause = Line(), ConnectionError("reset")

    def read() -> None:
        line.hang_up()
        raise cause

    with pytest.raises(HungUp) as raised, line.reading():
        read()
    assert raised.value.__cause__ is cause


def test_l3_an_error_before_it_is_itself() -> None:
    with pytest.raises(ConnectionError, match="reset"), Line().reading():
        raise ConnectionError("reset")


def test_l3_a_response_that_was_cut_short_in_silence_is_the_hang_up() -> None:
    line = Line()

    def read() -> None:
        line.hold(connection(object()))
        line.hang_up()

    with pytest.raises(HungUp), line.reading():
        read()


def test_l3_a_response_that_was_whole_before_is_one() -> None:
    line, mine = Line(), connection(object())
    with line.reading():
        line.hold(mine)
        line.let_go(mine)
        line.hang_up()


@pytest.mark.parametrize("how", ["read", "stream"])
def test_l3_a_body_that_breaks_after_a_hang_up_is_the_hang_up(how: str) -> None:
    line = Line()

    def broken(*_: Any) -> Iterator[bytes]:
        line.hang_up()
        raise ConnectionError("reset")

    body = _Body(SimpleNamespace(read=broken, stream=broken), line)
    with pytest.raises(HungUp):
        b"".join(getattr(body, how)())


def test_l3_libraries_do_not_catch_it() -> None:
    assert not issubclass(HungUp, Exception)


@pytest.mark.parametrize(
    "wait",
    [
        lambda line: line.sleep(3600),
        lambda line: line.acquire(InMemoryRateLimiter(requests_per_second=1e-6)),
    ],
)
def test_a_wait_ends_with_the_hang_up(wait: Callable[[Line], None]) -> None:
    line = Line()
    threading.Timer(0.02, line.hang_up).start()
    with pytest.raises(HungUp):
        wait(line)


def test_a_sleep_without_a_hang_up_is_a_sleep() -> None:
    Line().sleep(0.001)


class Doubled:
    """A model with a client that is not botocore's."""

    def __init__(self, client: object) -> None:
        self.client = client

    def model_copy(self, *, update: dict[str, Any]) -> "Doubled":
        return Doubled(**update)


def test_t3_the_double_of_a_client_is_used_as_it_is() -> None:
    client, llm = object(), Doubled(object())
    llm.client = client
    copied: Any = calling_copy(llm, Line())  # type: ignore[type-var]
    assert copied is not llm
    assert copied.client is client

"""A copy of a boto3 client whose calls a worker makes without blocking its event loop.

botocore and urllib3 run as they are. What would block is replaced, in copies:

| what blocks | what replaces it |
|---|---|
| the socket | an `AwaitingSocket`, in connection pools of the copy's own |
| the lookup of the host's name, and the first load of a CA bundle | a thread |
| the pause before a retry | a sleep that is awaited |
| the refresh of credentials | the request is signed on a thread |

AWAIT-1. The caller's client and session are never changed. Its settings are read by
    botocore's own code: timeouts, the size of the pools, proxies, certificates. The
    pools are new ones in the session's store of them, so they close with the client.
AWAIT-2. A client keeps one such session, for all event loops, as long as it lives.
AWAIT-3. What may block and cannot be awaited goes over threads, with the same results:
    see `awaiting_session`.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import socket
import ssl
import sys
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from botocore.hooks import first_non_none_response
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NewConnectionError,
)
from urllib3.util.connection import allowed_gai_family

from langchain_bedrock_continue._transport import private_names
from langchain_bedrock_continue._transport.awaiting_socket import AwaitingSocket
from langchain_bedrock_continue._transport.threads import NAME, executor
from langchain_bedrock_continue._transport.worker import current_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

HELPERS = 32
"""The most threads for what only a thread can do, such as looking up a name."""

_OPERATIONS = (
    "Converse",
    "ConverseStream",
    "InvokeModel",
    "InvokeModelWithResponseStream",
)
_SENDING = tuple(f"before-send.bedrock-runtime.{name}" for name in _OPERATIONS)
"""The events whose handlers can make the request themselves, or wait before it."""


def awaiting_session(client: Any, loop: asyncio.AbstractEventLoop) -> Any | None:
    """Return the session through which a worker makes a client's calls.

    Args:
        client: A boto3 client, or what stands in for one.
        loop: The event loop of the caller.

    Returns:
        The session, or None if the calls must be made on threads: the client is a test
        double or of an unknown version; a handler of `before-send` answers in the place
        of Bedrock, or waits (retries in adaptive mode); there is TLS to the proxy
        itself; or the loop cannot watch a socket (Windows' default loop).
    """
    session = private_names.awaitable_session(client)
    if session is None or not _can_watch(loop):
        return None
    proxy = private_names.proxy_for(session, client.meta.endpoint_url)
    if proxy is not None and proxy.lower().startswith("https:"):
        return None
    if private_names.has_handlers(client, _SENDING):
        return None
    return _sessions.session_of(session)


def _can_watch(loop: asyncio.AbstractEventLoop) -> bool:
    return getattr(type(loop), "add_reader", None) not in {
        None,
        asyncio.AbstractEventLoop.add_reader,
    }


def awaiting_client(client: Any, session: Any) -> Any:
    """Return a shallow copy of a client that a worker calls.

    Args:
        client: The client. It is not changed.
        session: What `awaiting_session` returned for it.
    """
    emitter = partial(_Emitter, client)
    return private_names.copy_with_http_session(client, session, emitter)


# Sessions -----------------------------------------------------------------------------


class _Sessions:
    """The awaiting sessions of this process, each as long as its original lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_original: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def session_of(self, original: Any) -> Any:
        session = self._by_original.get(original)
        if session is not None:
            return session
        with self._lock:
            session = self._by_original.get(original)
            if session is None:
                session = private_names.copy_with_pools(
                    original,
                    connect=_connect,
                    prepare_context=_prepare_context,
                    release=_release,
                )
                self._by_original[original] = session
            return session


_sessions = _Sessions()

_of_the_parent: list[_Sessions] = []
"""Never collected: a forked child must not touch the connections of its parent."""


def _forget_sessions() -> None:
    global _sessions  # noqa: PLW0603 - the lock may be held by a thread of the parent
    _of_the_parent.append(_sessions)
    _sessions = _Sessions()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_sessions)


# Connections --------------------------------------------------------------------------


def _connect(connection: Any) -> AwaitingSocket:
    """Open a connection's socket, as urllib3's `create_connection` does.

    Raises:
        ConnectTimeoutError: No address answered in time.
        NewConnectionError: The name is unknown, or no address accepts.
    """
    timeout = _seconds(connection.timeout)
    try:
        addresses = _addresses(connection)
        opened = _open_first(addresses, connection, timeout)
    except TimeoutError as error:
        raise ConnectTimeoutError(
            connection,
            f"Connection to {connection.host} timed out. (connect timeout={timeout})",
        ) from error
    except OSError as error:
        raise NewConnectionError(
            connection, f"Failed to establish a new connection: {error}"
        ) from error
    sys.audit("http.client.connect", connection, connection.host, connection.port)
    return opened


def _seconds(timeout: Any) -> float | None:
    known = timeout is None or isinstance(timeout, (int, float))
    return timeout if known else socket.getdefaulttimeout()


def _open_first(
    addresses: list[Any], connection: Any, timeout: float | None
) -> AwaitingSocket:
    """Return a socket that is connected to the first address that accepts."""
    failed: OSError = OSError("getaddrinfo returns an empty list")
    for family, kind, protocol, _, address in addresses:
        try:
            inner = socket.socket(family, kind, protocol)
        except OSError as error:
            failed = error
            continue
        opened = AwaitingSocket(inner, timeout)
        try:
            for option in connection.socket_options or ():
                inner.setsockopt(*option)
            if connection.source_address:
                inner.bind(connection.source_address)
            opened.connect(address)
        except OSError as error:
            opened.abort()
            failed = error
        except BaseException:
            opened.abort()
            raise
        else:
            return opened
    raise failed


def _addresses(connection: Any) -> list[Any]:
    """Look up a connection's host, on a thread unless it is an address itself."""
    host = connection.host.strip("[]")
    try:
        host.encode("idna")
    except UnicodeError:
        raise LocationParseError(f"'{host}', label empty or too long") from None
    load = _load_of(connection)
    if load is None and _is_address(host):
        return _look_up(host, connection.port)
    return _on_thread(partial(_look_up, host, connection.port, load))


def _look_up(host: str, port: int, load: Callable[[], None] | None = None) -> list[Any]:
    if load is not None:
        load()
    return socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False


def _release(connection: Any) -> None:
    opened = getattr(connection, "sock", None)
    if isinstance(opened, AwaitingSocket):
        opened.release()


# TLS ----------------------------------------------------------------------------------


def _prepare_context(context: ssl.SSLContext) -> None:
    """Let a context start TLS on an AwaitingSocket, and load a CA bundle only once.

    urllib3 has every new connection load the bundle. That takes 10 to 20 ms, in which
    the event loop would do nothing else.
    """
    lock, loaded, load = threading.Lock(), set(), context.load_verify_locations

    def load_once(cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        key = (cafile, _changed_at(cafile), capath, cadata)
        if key in loaded:
            return
        with lock:
            if key not in loaded:
                load(cafile, capath, cadata)
                loaded.add(key)

    def wrap_socket(sock: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(sock, AwaitingSocket):
            return ssl.SSLContext.wrap_socket(context, sock, *args, **kwargs)
        sock.start_tls(context, kwargs.get("server_hostname"))
        return sock

    own: Any = context
    own.load_verify_locations, own.wrap_socket = load_once, wrap_socket


def _changed_at(path: Any) -> int | None:
    with suppress(OSError, TypeError):
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - a path of any type
    return None


def _load_of(connection: Any) -> Callable[[], None] | None:
    """Return what loads a connection's CA bundle before it is needed, or None."""
    bundle = getattr(connection, "ca_certs", None)
    context = getattr(connection, "ssl_context", None)
    if not bundle or context is None:
        return None

    def load() -> None:
        with suppress(OSError):  # urllib3 loads it again, and reports the error
            context.load_verify_locations(bundle)

    return load


# Events -------------------------------------------------------------------------------


class _Emitter:
    """The emitter of one client's requests, which awaits what would block."""

    def __init__(self, client: Any, emitter: Any) -> None:
        self._client = client
        self._emitter = emitter

    def emit(self, event_name: str, **kwargs: Any) -> Any:
        emit = partial(self._emitter.emit, event_name, **kwargs)
        if event_name.startswith("request-created."):  # its handlers sign the request
            blocks = private_names.signing_may_block(self._client)
            return _on_thread(emit) if blocks else emit()
        if event_name.startswith("needs-retry."):
            return _without_pause(emit())
        return emit()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emitter, name)


def _without_pause(responses: Any) -> Any:
    """Await the pause before a retry here, and tell botocore that there is none."""
    pause = first_non_none_response(responses)
    if not pause:  # None and False: no retry
        return responses
    current_worker().cancellation.sleep(pause)
    return [(handler, answer and 0) for handler, answer in responses]


def _on_thread(job: Callable[[], T]) -> T:
    """Run a blocking function on a thread, in the same context, and await it."""
    run = partial(contextvars.copy_context().run, job)
    done = asyncio.wrap_future(executor(HELPERS, f"{NAME}-helper").submit(run))
    return current_worker().cancellation.wait(done)

"""A copy of a boto3 client whose calls a `Cancellation` can interrupt.

    client -> endpoint -> HTTP session -> connection pool -> connections

All but the connections are copied, shallowly and for one turn. The connections and
their queue are shared. The copies attach the connection of each call to the
cancellation.

CLIENT-1. The caller's client and connection pool are never changed.
CLIENT-2. A connection is attached from before its request is written until it goes back
    to the queue.
CLIENT-3. An object of another make (a test double, a future botocore) is used as it is.
    A call in progress is then not interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient

from langchain_bedrock_continue._transport import private_names
from langchain_bedrock_continue._transport.call_cancelled import CallCancelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_bedrock_continue._transport.cancellation import Cancellation


def cancellable_client(client: Any, cancellation: Cancellation) -> Any:
    """Return a copy of a client whose calls can be cancelled.

    Args:
        client: A boto3 client. Never changed (CLIENT-1). Any other object is returned
            as it is (CLIENT-3).
        cancellation: The turn's cancellation.

    Returns:
        A shallow copy for this turn. It is made in microseconds.
    """
    known = isinstance(client, BaseClient)
    session = private_names.http_session(client) if known else None
    if session is None:
        return client
    cancellable = _CancellableSession(session, cancellation)
    return private_names.copy_with_http_session(client, cancellable)


class _CancellableSession:
    """botocore's HTTP session, with connections that are attached."""

    def __init__(self, session: Any, cancellation: Cancellation) -> None:
        self._session = private_names.copy_with_connection_manager(
            session, lambda manager: _ConnectionManager(manager, cancellation)
        )
        self._cancellation = cancellation

    def send(self, request: Any) -> Any:
        response = None
        try:
            with self._cancellation.reading():
                response = self._session.send(request)
        except CallCancelled:
            if response is not None:  # its head arrived, and no one else can close it
                response.raw.close()
            raise
        response.raw = _CancellableBody(response.raw, self._cancellation)
        return response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _ConnectionManager:
    """urllib3's pool manager, reduced to the one method that botocore calls."""

    def __init__(self, manager: Any, cancellation: Cancellation) -> None:
        self._manager = manager
        self._cancellation = cancellation

    def connection_from_url(self, url: str) -> Any:
        pool = self._manager.connection_from_url(url)
        attach, detach = self._cancellation.attach, self._cancellation.detach
        return private_names.copy_with_hooks(pool, attach, detach)  # CLIENT-2


class _CancellableBody:
    """A response's body that raises `CallCancelled` after a cancellation."""

    def __init__(self, raw: Any, cancellation: Cancellation) -> None:
        self._raw = raw
        self._cancellation = cancellation

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        with self._cancellation.reading():
            yield from self._raw.stream(*args, **kwargs)

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        with self._cancellation.reading():
            return bytes(self._raw.read(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

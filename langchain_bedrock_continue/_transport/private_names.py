"""The private names of botocore and urllib3 that cancellation needs, all of them.

Neither library lets a caller reach the connection of a call in progress. Every access
to their private names is in this module. A version without one of them still works: its
calls are made as usual, and `cancel` takes effect when the call in progress returns.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._private_name import PrivateName

if TYPE_CHECKING:
    from collections.abc import Callable

_CALL_NOT_INTERRUPTED = "Fallback: the call in progress cannot be interrupted."

PRIVATE_NAMES = (
    PrivateName(
        library="botocore",
        owner="botocore.client.BaseClient",
        name="_endpoint",
        needed_to="give a copy of a client its own HTTP session",
        if_missing=_CALL_NOT_INTERRUPTED,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.httpsession.URLLib3Session",
        name="_get_connection_manager",
        needed_to="reach the connection pool that a call uses",
        if_missing=_CALL_NOT_INTERRUPTED,
    ),
    PrivateName(
        library="urllib3",
        owner="urllib3.connectionpool.HTTPConnectionPool",
        name="_validate_conn",
        needed_to="know the connection of a call before its request is sent",
        if_missing=_CALL_NOT_INTERRUPTED,
    ),
    PrivateName(
        library="urllib3",
        owner="urllib3.connectionpool.HTTPConnectionPool",
        name="_put_conn",
        needed_to="know when a connection goes back to the pool",
        if_missing=_CALL_NOT_INTERRUPTED,
    ),
)
"""Every private name that `_transport` uses."""

# ruff: noqa: SLF001 - this module is the place for them


def http_session(client: Any) -> Any | None:
    """Return the HTTP session of a botocore client, or None if it can't be replaced."""
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    return session if hasattr(session, "_get_connection_manager") else None


def copy_with_http_session(client: Any, session: Any) -> Any:
    """Return a shallow copy of a client that sends its requests through `session`."""
    endpoint = copy.copy(client._endpoint)
    endpoint.http_session = session
    # By hand: copy.copy makes a client without attributes first, whose __getattr__
    # recurses.
    copied = object.__new__(type(client))
    copied.__dict__.update(client.__dict__, _endpoint=endpoint)
    return copied


def copy_with_connection_manager(session: Any, wrap: Callable[[Any], Any]) -> Any:
    """Return a shallow copy of an HTTP session that wraps each connection manager."""
    copied = copy.copy(session)
    original = session._get_connection_manager
    copied._get_connection_manager = lambda *args, **kwargs: wrap(
        original(*args, **kwargs)
    )
    return copied


def copy_with_hooks(
    pool: Any, attach: Callable[[Any], None], detach: Callable[[Any], None]
) -> Any:
    """Return a shallow copy of a connection pool that reports its connections.

    Args:
        pool: A urllib3 connection pool. Its queue of connections is shared. Returned as
            it is if this version of urllib3 lacks one of the two names.
        attach: Called with each connection before a request is sent on it.
        detach: Called with each connection before it goes back to the queue.
    """
    if not (hasattr(pool, "_validate_conn") and hasattr(pool, "_put_conn")):
        return pool
    copied = copy.copy(pool)

    def validate(connection: Any) -> None:
        pool._validate_conn(connection)
        if connection.sock is None:  # otherwise http.client connects when it sends
            connection.connect()
        attach(connection)

    def put_back(connection: Any) -> None:
        detach(connection)
        pool._put_conn(connection)

    copied._validate_conn, copied._put_conn = validate, put_back
    return copied

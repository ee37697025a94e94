"""The private names of botocore and urllib3 that the transport needs, all of them.

Neither library lets a caller reach the connection of a call in progress, or give it
another one. Every access to their private names is in this module. A version without
one of them still works: its calls are made as usual, those of an async caller on
threads, and `cancel` may take effect only when the call in progress returns.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.tokens import FrozenAuthToken
from urllib3 import PoolManager

from langchain_bedrock_continue._private_name import PrivateName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CALL_NOT_INTERRUPTED = "Fallback: the call in progress cannot be interrupted."
_ON_THREADS = "Fallback: async callers' calls are made on threads."
_SIGNED_ON_A_THREAD = "Fallback: each request of an async caller is signed on a thread."
_SESSION = "botocore.httpsession.URLLib3Session"

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
        owner=_SESSION,
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
    PrivateName(
        library="urllib3",
        owner="urllib3.connection.HTTPConnection",
        name="_new_conn",
        needed_to="connect without blocking the event loop",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.endpoint.Endpoint",
        name="_event_emitter",
        needed_to="await the pause before a retry",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.hooks.EventAliaser",
        name="_emitter",
        needed_to="know whether a handler makes the HTTP request, and may block",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.hooks.HierarchicalEmitter",
        name="_handlers",
        needed_to="know whether a handler makes the HTTP request, and may block",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner=_SESSION,
        name="_get_pool_manager_kwargs",
        needed_to="give async callers connection pools of the same settings",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner=_SESSION,
        name="_get_ssl_context",
        needed_to="do TLS without blocking the event loop",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner=_SESSION,
        name="_manager",
        needed_to="give async callers connection pools of their own",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner=_SESSION,
        name="_pool_classes_by_scheme",
        needed_to="give async callers connections that do not block",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner=_SESSION,
        name="_proxy_config",
        needed_to="know whether there is TLS to the proxy itself",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner=_SESSION,
        name="_proxy_managers",
        needed_to="give async callers connections to a proxy of their own",
        if_missing=_ON_THREADS,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.client.BaseClient",
        name="_request_signer",
        needed_to="know whether the credentials are about to be refreshed",
        if_missing=_SIGNED_ON_A_THREAD,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.signers.RequestSigner",
        name="_credentials",
        needed_to="know whether the credentials are about to be refreshed",
        if_missing=_SIGNED_ON_A_THREAD,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.signers.RequestSigner",
        name="_auth_token",
        needed_to="know whether the bearer token is about to be refreshed",
        if_missing=_SIGNED_ON_A_THREAD,
    ),
)
"""Every private name that `_transport` uses."""

# ruff: noqa: SLF001 - this module is the place for them


def http_session(client: Any) -> Any | None:
    """Return the HTTP session of a botocore client, or None if it can't be replaced."""
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    return session if hasattr(session, "_get_connection_manager") else None


def copy_with_http_session(
    client: Any, session: Any, wrap_emitter: Callable[[Any], Any] | None = None
) -> Any:
    """Return a shallow copy of a client that sends its requests through `session`.

    Args:
        client: A botocore client.
        session: What has the `send` of an HTTP session.
        wrap_emitter: Returns what emits the events of a request, given the client's
            own emitter. Default: the client's own.
    """
    endpoint = copy.copy(client._endpoint)
    endpoint.http_session = session
    if wrap_emitter is not None:
        endpoint._event_emitter = wrap_emitter(endpoint._event_emitter)
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


# For callers on an event loop ---------------------------------------------------------

_OF_SESSION = (
    "_get_pool_manager_kwargs",
    "_get_ssl_context",
    "_manager",
    "_pool_classes_by_scheme",
    "_proxy_config",
    "_proxy_managers",
)


def awaitable_session(client: Any) -> Any:
    """Return the HTTP session of a client if another can stand in for it, or None."""
    known = isinstance(client, BaseClient)
    endpoint = getattr(client, "_endpoint", None) if known else None
    session = getattr(endpoint, "http_session", None)
    if not isinstance(session, URLLib3Session):
        return None
    needed = [(endpoint, "_event_emitter"), *((session, n) for n in _OF_SESSION)]
    if not all(hasattr(owner, name) for owner, name in needed):
        return None
    pools = session._pool_classes_by_scheme.values()
    complete = all(
        hasattr(pool, "_put_conn")
        and hasattr(getattr(pool, "ConnectionCls", None), "_new_conn")
        for pool in pools
    )
    return session if complete else None


def proxy_for(session: Any, url: str) -> str | None:
    """Return the URL of the proxy for a URL, or None."""
    found: str | None = session._proxy_config.proxy_url_for(url)
    return found


def has_handlers(client: Any, events: Sequence[str]) -> bool:
    """Return True if an event of the client has a handler, or if that is unknown."""
    emitter = getattr(client.meta.events, "_emitter", None)
    handlers = getattr(emitter, "_handlers", None)
    if handlers is None:
        return True
    return any(handlers.prefix_search(event) for event in events)


def copy_with_pools(
    session: Any,
    *,
    connect: Callable[[Any], Any],
    prepare_context: Callable[[Any], None],
    release: Callable[[Any], None],
) -> Any:
    """Return a copy of an HTTP session that has connection pools of its own.

    Args:
        session: A session that `awaitable_session` returned. It is not changed.
        connect: Opens a connection's socket; called with the connection.
        prepare_context: Called with each SSL context that the copy creates.
        release: Called with each connection before it goes back to its pool.
    """
    copied = copy.copy(session)
    # Without a reference to the original: the copy is kept for as long as that lives.
    make_context = type(session)._get_ssl_context

    def ssl_context() -> Any:
        context = make_context(copied)
        prepare_context(context)
        return context

    copied._get_ssl_context = ssl_context
    copied._pool_classes_by_scheme = {
        scheme: _pool_class(pool, connect, release)
        for scheme, pool in session._pool_classes_by_scheme.items()
    }
    copied._proxy_managers = {}
    # As URLLib3Session.__init__ does.
    copied._manager = PoolManager(**copied._get_pool_manager_kwargs())
    copied._manager.pool_classes_by_scheme = copied._pool_classes_by_scheme
    # The same store of pools: `client.close()` closes the copy's too. They are stored
    # under other keys, since the SSL context is a part of the key. (Those of a proxy
    # are closed when the client is collected.)
    copied._manager.pools = session._manager.pools
    return copied


def _pool_class(
    pool: Any, connect: Callable[[Any], Any], release: Callable[[Any], None]
) -> Any:
    """Return a subclass of a connection pool, with connections of a subclass.

    Its name is the original's: it is in the text of errors.
    """
    original = pool.ConnectionCls
    connection: Any = type(original.__name__, (original,), {})
    connection._new_conn = connect
    made: Any = type(pool.__name__, (pool,), {"ConnectionCls": connection})

    def put_back(self: Any, conn: Any) -> None:
        release(conn)
        pool._put_conn(self, conn)

    made._put_conn = put_back
    return made


_PLAIN = (Credentials, FrozenAuthToken, type(None))
"""What a request is signed with, if it never needs a refresh."""


def signing_may_block(client: Any) -> bool:
    """Return True if signing a request may refresh the credentials, or is unknown."""
    signer = getattr(client, "_request_signer", None)
    unknown = object()
    return any(
        type(secret) not in _PLAIN and _needs_refresh(secret)
        for secret in (
            getattr(signer, "_credentials", unknown),
            getattr(signer, "_auth_token", unknown),
        )
    )


def _needs_refresh(secret: Any) -> bool:
    refresh_needed = getattr(secret, "refresh_needed", None)
    return refresh_needed is None or bool(refresh_needed())

"""The copy of the wrapped model that calls go through, tapped by a `Line`.

    model -> client -> endpoint -> HTTP session -> connection pool -> connections

All but the connections are copied, shallowly and for one turn; the connections and
their queue are shared. What botocore and urllib3 do on the way to a response is told to
the line.

T1. The caller's model, client and connection pool are never changed.
T2. A connection is the line's from before its request is written until it goes back to
    the queue.
T3. What is not made as expected (a client's double, a later botocore) is used as it is:
    a hang-up then does no more than the shell can do without.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.client import BaseClient

from langchain_bedrock_continue._transport.cancellation import HungUp
from langchain_bedrock_continue._wrapped.reasoning_split import stop_splitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.language_models import BaseChatModel

    from langchain_bedrock_continue._transport.cancellation import Line

Model = TypeVar("Model", bound="BaseChatModel")


def calling_copy(llm: Model, line: Line) -> Model:
    """Return a copy of a model whose calls the line can hang up.

    Args:
        llm: A ChatBedrockConverse or a ChatBedrock; never changed (T1).
        line: The turn's line.

    Returns:
        A shallow copy for this turn, made in microseconds. It leaves thinking in the
        text where the model wrote it (see `_unsplit`).
    """
    client = _client(getattr(llm, "client", None), line)
    copied = llm.model_copy(update={"client": client})
    stop_splitting(copied)
    return copied


def _client(client: Any, line: Line) -> Any:
    if not isinstance(client, BaseClient):
        return client
    try:
        endpoint = copy.copy(client._endpoint)  # noqa: SLF001 - it has no other name
        endpoint.http_session = _Session(endpoint.http_session, line)
    except AttributeError:
        return client  # T3
    # By hand: a client without its attributes, as copy.copy makes one, recurses.
    tapped = object.__new__(type(client))
    tapped.__dict__.update(client.__dict__, _endpoint=endpoint)
    return tapped


class _Session:
    """botocore's HTTP session, tapped."""

    def __init__(self, session: Any, line: Line) -> None:
        tapped = copy.copy(session)
        manager_for = session._get_connection_manager  # noqa: SLF001 - as above
        tapped._get_connection_manager = partial(_manager, manager_for, line)  # noqa: SLF001 - as above
        self._session = tapped
        self._line = line

    def send(self, request: Any) -> Any:
        response = None
        try:
            with self._line.reading():
                response = self._session.send(request)
        except HungUp:
            if response is not None:  # its head came, and nobody else has it
                response.raw.close()
            raise
        response.raw = _Body(response.raw, self._line)
        return response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _Manager:
    """urllib3's pool manager, for the one question that botocore asks."""

    def __init__(self, manager: Any, line: Line) -> None:
        self._manager = manager
        self._line = line

    def connection_from_url(self, url: str) -> Any:
        return _pool(self._manager.connection_from_url(url), self._line)


def _manager(
    manager_for: Callable[..., Any], line: Line, *args: Any, **kwargs: Any
) -> _Manager:
    return _Manager(manager_for(*args, **kwargs), line)


def _pool(pool: Any, line: Line) -> Any:
    """Tap a connection pool where it hands out a connection and takes it back (T2)."""
    tapped = copy.copy(pool)

    def validate(connection: Any) -> None:
        pool._validate_conn(connection)  # noqa: SLF001 - as above
        if connection.sock is None:  # else http.client connects when it sends
            connection.connect()
        line.hold(connection)

    def put_back(connection: Any) -> None:
        line.let_go(connection)
        pool._put_conn(connection)  # noqa: SLF001 - as above

    tapped._validate_conn, tapped._put_conn = validate, put_back  # noqa: SLF001 - as above
    return tapped


class _Body:
    """A response's body, tapped: what a hang-up does to it is `HungUp`."""

    def __init__(self, raw: Any, line: Line) -> None:
        self._raw = raw
        self._line = line

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        with self._line.reading():
            yield from self._raw.stream(*args, **kwargs)

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        with self._line.reading():
            return bytes(self._raw.read(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

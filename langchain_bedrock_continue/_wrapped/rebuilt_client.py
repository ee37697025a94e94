"""A wrapped model in another process: its boto3 client is made anew.

REBUILD-1. A boto3 client can't be pickled. Its public settings are pickled instead:
    region, endpoint, timeouts, connections, retries, proxies. The model's own fields
    name the credentials, or have them. Handlers that were registered on the client are
    lost.
REBUILD-2. A key is pickled only if it was given to the model. What langchain-aws has
    read from an environment variable is read again in the other process.
REBUILD-3. A client that the caller made, with credentials that the model does not have,
    is refused: in the other process, it would be another account's.
REBUILD-4. A process makes one client for the same settings: that takes about 0.3 s, and
    a worker gets the model with each task.
REBUILD-5. A deep copy shares the client, as boto3's clients are safe for threads.
"""

from __future__ import annotations

import os
import pickle
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from langchain_aws import ChatBedrockConverse
from pydantic import SecretStr

from langchain_bedrock_continue._wrapped import private_names

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = ("client", "bedrock_client")
"""The fields with a client: of the runtime, which makes the calls, and of the control
plane, which langchain-aws asks for an inference profile when a model is created."""

CREDENTIALS = (
    "credentials_profile_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "bedrock_api_key",
)
OPTIONS = (
    "auth_scheme_preference",
    "client_cert",
    "connect_timeout",
    "max_pool_connections",
    "parameter_validation",
    "proxies",
    "proxies_config",
    "read_timeout",
    "retries",
    "tcp_keepalive",
    "user_agent_appid",
    "user_agent_extra",
)
"""botocore's settings of a client that are taken over."""

TIMEOUTS = ("connect_timeout", "read_timeout")
"""The options for which None is a value: no timeout. langchain-aws's `max_retries` sets
it, where `timeout` is not given."""

FROM_FILES = frozenset({"config-file", "shared-credentials-file"})
"""What botocore calls credentials that it found in the caller's files."""

REFUSED = (
    "client: a boto3 client can't be pickled, and this one has credentials that the "
    "model does not have, so it can't be made anew in another process. Give the model "
    "its credentials in place of a client: credentials_profile_name=..., "
    "aws_access_key_id=... and aws_secret_access_key=..., or api_key=...; or none of "
    "them, so that each process finds its own."
)
_MODEL = "anthropic.claude-3-haiku-20240307-v1:0"  # any: a client is made for all


class Packed(NamedTuple):
    """A wrapped model, as it is pickled.

    Attributes:
        kind: Its class.
        state: Its state, with None for the clients and for the keys that were not given
            to it.
        missing: The names of those keys.
        clients: The settings of each client, by the field that has it.
    """

    kind: type[Any]
    state: dict[str, Any]
    missing: tuple[str, ...]
    clients: dict[str, dict[str, Any]]


def packed(llm: Any) -> Packed:
    """Return what is pickled of a wrapped model.

    Raises:
        PicklingError: Its client has credentials that the model lacks (REBUILD-3).
    """
    state = llm.__getstate__()
    fields = dict(state["__dict__"])
    clients: dict[str, dict[str, Any]] = {}
    for name in CLIENTS:
        client = fields.get(name)
        if isinstance(client, BaseClient):  # else a test double
            _check_credentials(llm, client)
            clients[name] = _settings(client)
            fields[name] = None
    missing = tuple(_keys_not_given(llm, fields))
    fields |= dict.fromkeys(missing)
    return Packed(type(llm), {**state, "__dict__": fields}, missing, clients)


def unpacked(pack: Packed) -> Any:
    """Return the model of which `packed` was pickled, with clients of this process."""
    llm = object.__new__(pack.kind)
    llm.__setstate__(pack.state)
    fields = vars(llm)
    for name in pack.missing:
        default = type(llm).model_fields[name]
        fields[name] = default.get_default(call_default_factory=True)
    for name, settings in pack.clients.items():
        fields[name] = _client(llm, name, settings)
    return llm


def shared(*models: Any) -> dict[int, Any]:
    """Return what deep copies of models share with them, by id (REBUILD-5).

    A rate limiter limits both. The one of langchain-core can't be copied.
    """
    names = (*CLIENTS, "rate_limiter")
    found = [vars(model).get(name) for model in models for name in names]
    return {id(one): one for one in found if one is not None}


def _settings(client: BaseClient) -> dict[str, Any]:
    """Return the public settings of a client (REBUILD-1)."""
    meta = client.meta
    options = {name: getattr(meta.config, name, None) for name in OPTIONS}
    given = {
        name: value
        for name, value in options.items()
        if value is not None or name in TIMEOUTS
    }
    return {
        "region_name": meta.region_name,
        "endpoint_url": meta.endpoint_url,
        "config": given,
    }


def _keys_not_given(llm: Any, fields: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the keys that are not the caller's arguments (REBUILD-2)."""
    for name, value in fields.items():
        if isinstance(value, SecretStr) and name not in llm.model_fields_set:
            yield name


def _check_credentials(llm: Any, client: BaseClient) -> None:
    """Check that the model's fields say which credentials a client has (REBUILD-3)."""
    found = private_names.credentials_of(client)
    if found.has_token:
        known = llm.bedrock_api_key is not None
    elif found.method == "explicit":
        key = llm.aws_access_key_id
        known = key is not None and key.get_secret_value() == found.access_key
    elif found.method in FROM_FILES:
        known = _key_in_files(llm.credentials_profile_name) == found.access_key
    else:
        known = True
    if not known:
        raise pickle.PicklingError(REFUSED)


def _key_in_files(profile: str | None) -> str | None:
    credentials = botocore.session.Session(profile=profile).get_credentials()
    return None if credentials is None else str(credentials.access_key)


def _client(llm: Any, name: str, settings: dict[str, Any]) -> Any:
    """Return a client of this process with the settings of another's."""
    given = {one: _in_clear(getattr(llm, one)) for one in CREDENTIALS}
    if name == "client":
        given["default_headers"] = getattr(llm, "default_headers", None)
    return _made_once(os.getpid(), name, pickle.dumps((given, settings)))


def _in_clear(value: SecretStr | str | None) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@lru_cache(maxsize=32)
def _made_once(_process: int, name: str, key: bytes) -> Any:
    """Return a client that langchain-aws makes for these settings (REBUILD-4).

    A client of a parent process is not used: both would read from its connections.
    """
    given, settings = pickle.loads(key)  # noqa: S301 - made by `_client`
    config = Config(**settings.pop("config"))
    arguments: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    other = {one: object() for one in CLIENTS if one != name}
    arguments |= {"config": config, **settings, **other}
    made = ChatBedrockConverse(model=_MODEL, **arguments)
    return getattr(made, name)

"""An async call keeps to the settings of its client, as botocore reads them."""

import asyncio
import gc
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

import botocore.endpoint
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError
from botocore.stub import Stubber
from langchain_core.messages import AIMessage

from langchain_bedrock_continue._transport.awaiting_cancellation import (
    AwaitingCancellation,
)
from langchain_bedrock_continue._transport.awaiting_client import awaiting_session
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, LocalBedrock
from tests.support.endpoint import Serve
from tests.support.entrances import (
    ENTRANCES,
    Entrance,
    by_ainvoke,
    by_astream,
    by_invoke,
    by_stream,
)
from tests.support.models import model
from tests.support.raw_clients import client_for, wrapping
from tests.support.raw_endpoint import (
    CERTIFICATES,
    RawEndpoint,
    answering,
    before,
    proxy,
    server_context,
    shut,
)
from tests.support.texts import LONG
from tests.support.waiting import PATIENCE_SECONDS

CA = str(CERTIFICATES / "ca.pem")
PAIRS: dict[str, tuple[Entrance, Entrance]] = {
    "invoke": (by_invoke, by_ainvoke),
    "stream": (by_stream, by_astream),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture(params=list(PAIRS))
def pair(request: pytest.FixtureRequest) -> tuple[Entrance, Entrance]:
    """Ask in a synchronous way, and in the async way that corresponds to it."""
    return PAIRS[request.param]


def port_of(bedrock: LocalBedrock) -> int:
    return int(bedrock.endpoint_url.rsplit(":", 1)[1])


def is_awaited(client: Any) -> bool:
    async def session() -> Any:
        return awaiting_session(client, asyncio.get_running_loop())

    return asyncio.run(session()) is not None


# The request --------------------------------------------------------------------------

OF_ONE_CALL = re.compile(
    rb"(?i)(authorization|x-amz-date|amz-sdk-invocation-id|amz-sdk-request): [^\r]*"
)
REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("by_proxy", [False, True])
def test_the_request_is_that_of_a_sync_call(
    stack: ExitStack, pair: Any, *, by_proxy: bool
) -> None:
    seen: list[bytes] = []
    answer = answering(REFUSED)

    def behave(connection: Any) -> None:
        seen.append(connection.recv(65536, 2))  # MSG_PEEK
        answer(connection)

    url = stack.enter_context(RawEndpoint(behave)).url()
    config = Config(proxies={"http": url}) if by_proxy else None
    llm = wrapping(client_for("http://bedrock.invalid" if by_proxy else url, config))
    for ask in pair:
        with pytest.raises(Exception, match="400"):
            ask(llm, "Hi" * 5000)
    heads = [OF_ONE_CALL.sub(b"", one.split(b"\r\n\r\n")[0]) for one in seen]
    assert heads[0] == heads[1]
    assert b"authorization" in seen[1].lower()


# TLS and proxies ----------------------------------------------------------------------


def tls_front(stack: ExitStack, bedrock: LocalBedrock, **kwargs: Any) -> RawEndpoint:
    context = server_context(**kwargs)
    return stack.enter_context(RawEndpoint(before(port_of(bedrock)), context))


@pytest.mark.parametrize(
    ("client", "mutual"),
    [
        ({"verify": CA}, False),
        ({"verify": False}, False),
        (
            {
                "verify": CA,
                "config": Config(client_cert=str(CERTIFICATES / "client.pem")),
            },
            True,
        ),
    ],
    ids=["CA bundle", "no verification", "client certificate"],
)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_tls(serve: Serve, stack: ExitStack, client: Any, *, mutual: bool) -> None:
    url = tls_front(stack, serve(LONG), mutual=mutual).url("https")
    llm = wrapping(client_for(url, **client), max_tokens=20)
    assert is_awaited(llm.llm.client)
    assert by_astream(llm, "Hi").text == by_ainvoke(llm, "Hi").text == LONG


def test_the_ca_bundle_of_the_environment(
    serve: Serve, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", CA)
    url = tls_front(stack, serve(LONG)).url("https")
    assert by_ainvoke(wrapping(client_for(url)), "Hi").text == LONG


def test_a_long_stream_over_tls(serve: Serve, stack: ExitStack) -> None:
    text = " ".join(f"word{n}" for n in range(1500))
    url = tls_front(stack, serve(Answer(text))).url("https")
    llm = wrapping(client_for(url, verify=CA), max_tokens=4000)
    assert by_astream(llm, "Hi" * 300_000).text == text


def test_a_tunnel_through_a_proxy(
    serve: Serve, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    through = stack.enter_context(RawEndpoint(proxy(seen)))
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{through.port}")
    url = tls_front(stack, serve(LONG)).url("https")
    assert by_astream(wrapping(client_for(url, verify=CA)), "Hi").text == LONG
    assert seen[0].startswith(b"CONNECT 127.0.0.1:")
    assert b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in seen[0]


def test_no_proxy_for_a_host_that_is_excepted(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    llm = wrapping(client_for(serve(LONG).endpoint_url))
    assert by_ainvoke(llm, "Hi").text == LONG


# Connections --------------------------------------------------------------------------


def test_a_connection_is_kept_from_one_event_loop_to_the_next(
    serve: Serve, stack: ExitStack
) -> None:
    front = stack.enter_context(RawEndpoint(before(port_of(serve(LONG)))))
    llm = wrapping(client_for(front.url()), max_tokens=4)
    for ask in (by_ainvoke, by_astream, by_ainvoke):
        assert ask(llm, "Hi").text == LONG
    assert front.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(
    serve: Serve, stack: ExitStack
) -> None:
    front = stack.enter_context(RawEndpoint(before(port_of(serve(LONG)))))
    llm = wrapping(client_for(front.url()))
    assert by_astream(llm, "Hi").text == LONG
    for one in front.open:
        shut(one)
    assert by_astream(llm, "Hi").text == LONG
    assert front.connections == 2


@pytest.mark.parametrize("how", ["close", "collect"])
def test_connections_close_with_their_client(
    serve: Serve, stack: ExitStack, how: str
) -> None:
    front = stack.enter_context(RawEndpoint(before(port_of(serve(LONG)))))
    client = client_for(front.url())
    by_ainvoke(wrapping(client), "Hi")
    assert not front.left.is_set()
    if how == "close":
        client.close()
    else:
        del client
    gc.collect()
    assert front.left.wait(PATIENCE_SECONDS)


async def test_max_pool_connections_is_how_many_are_kept(serve: Serve) -> None:
    client = client_for(serve(LONG).endpoint_url, Config(max_pool_connections=2))
    llm = wrapping(client)
    await asyncio.gather(*[llm.ainvoke("Hi") for _ in range(6)])
    session: Any = awaiting_session(client, asyncio.get_running_loop())
    (key,) = session._manager.pools.keys()
    kept = session._manager.pools[key].pool.queue
    assert len([one for one in kept if one is not None]) == 2


# Retries and events -------------------------------------------------------------------

BUSY = Fault("exception", "ServiceUnavailableException", "Busy.", 503)


def test_the_pause_before_a_retry_is_awaited(
    serve: Serve, pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocking: list[float] = []
    awaited: list[float] = []
    monkeypatch.setattr(
        botocore.endpoint, "time", SimpleNamespace(sleep=blocking.append)
    )
    monkeypatch.setattr(
        AwaitingCancellation, "sleep", lambda _, seconds: awaited.append(seconds)
    )
    bedrock = serve("")
    llm = wrapping(client_for(bedrock.endpoint_url), max_tokens=50)
    messages = []
    for ask in pair:
        serve(Answer(LONG, faults=[FaultAt(BUSY)]))
        messages.append(ask(llm, "Hi"))
        assert len(bedrock.requests) == 2
    assert [message.text for message in messages] == [LONG] * 2
    (pause, none), (instead,) = blocking, awaited
    assert pause > 0
    assert none == 0
    assert instead > 0


def test_handlers_of_the_client_are_called(serve: Serve, every_entrance: Any) -> None:
    client = client_for(serve(LONG).endpoint_url)
    seen: list[str] = []
    for name in ("provide-client-params", "before-call", "response-received"):
        client.meta.events.register(
            f"{name}.bedrock-runtime", lambda event_name, **_: seen.append(event_name)
        )
    assert every_entrance(wrapping(client), "Hi").text == LONG
    assert [name.split(".")[0] for name in seen] == [
        "provide-client-params",
        "before-call",
        "response-received",
    ]


# What cannot be awaited ---------------------------------------------------------------


def answers(client: Any) -> list[AIMessage]:
    llm = wrapping(client, max_tokens=7)
    return [ask(llm, "Hi") for ask in ENTRANCES.values()]


def check_as_awaited(messages: list[AIMessage], serve: Serve) -> None:
    expected = by_invoke(model(serve(LONG), max_tokens=7), "Hi")
    for message in messages:
        assert message.text == expected.text
        assert message.usage_metadata == expected.usage_metadata


def test_adaptive_retries_go_over_threads(serve: Serve) -> None:
    adaptive = Config(retries={"mode": "adaptive"})
    client = client_for(serve(LONG).endpoint_url, adaptive)
    assert not is_awaited(client)
    check_as_awaited(answers(client), serve)


def test_a_handler_that_answers_goes_over_threads(serve: Serve) -> None:
    url = serve(LONG).endpoint_url
    client, other, used = client_for(url), client_for(url), []

    def send(request: Any, **_: Any) -> Any:
        used.append(threading.current_thread())
        return other._endpoint.http_session.send(request)

    client.meta.events.register("before-send.bedrock-runtime.*", send)
    assert not is_awaited(client)
    check_as_awaited(answers(client), serve)
    assert {one is threading.main_thread() for one in used} == {True, False}


class Double:
    """What stands in for a client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.meta = client.meta

    def converse(self, **kwargs: Any) -> Any:
        return self._client.converse(**kwargs)

    def converse_stream(self, **kwargs: Any) -> Any:
        return self._client.converse_stream(**kwargs)


def test_a_double_of_a_client_goes_over_threads(serve: Serve) -> None:
    double = Double(client_for(serve(LONG).endpoint_url))
    assert not is_awaited(double)
    check_as_awaited(answers(double), serve)


def test_a_stubbed_client(serve: Serve) -> None:
    client = client_for(serve(LONG).endpoint_url)
    said: Any = lambda: {  # noqa: E731 - langchain-aws takes it apart
        "output": {"message": {"role": "assistant", "content": [{"text": "Stub."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
    with Stubber(client) as stub:
        for ask in (by_invoke, by_ainvoke):
            stub.add_response("converse", said())
            assert ask(wrapping(client), "Hi").text == "Stub."


def test_tls_to_the_proxy_itself_goes_over_threads() -> None:
    config = Config(proxies={"https": "https://127.0.0.1:9"})
    assert not is_awaited(client_for("https://127.0.0.1:9", config))


def test_a_loop_that_cannot_watch_sockets_goes_over_threads(serve: Serve) -> None:
    class Loop:
        """Like Windows' default loop."""

        add_reader = asyncio.AbstractEventLoop.add_reader

    client, loop = client_for(serve(LONG).endpoint_url), cast("Any", Loop())
    assert awaiting_session(client, loop) is None


def test_without_greenlet_it_goes_over_threads(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "langchain_bedrock_continue._transport.async_calls.awaiting_client"
    monkeypatch.setattr(module, None)
    check_as_awaited(answers(client_for(serve(LONG).endpoint_url)), serve)


# Credentials --------------------------------------------------------------------------


def refreshable(client: Any, refresh: Any) -> None:
    """Give a client credentials that have expired."""
    past = refresh_result("2000-01-01T00:00:00Z")
    client._request_signer._credentials = RefreshableCredentials.create_from_metadata(
        past, refresh, "test"
    )


def refresh_result(expiry: str = "2999-01-01T00:00:00Z") -> dict[str, str]:
    keys = dict.fromkeys(("access_key", "secret_key", "token"), "local")
    return {**keys, "expiry_time": expiry}


async def test_credentials_are_refreshed_while_the_loop_runs(serve: Serve) -> None:
    client = client_for(serve(LONG).endpoint_url)
    loop, went_on, refreshed = asyncio.get_running_loop(), threading.Event(), []

    def refresh() -> dict[str, str]:
        loop.call_soon_threadsafe(went_on.set)
        refreshed.append(went_on.wait(20))
        return refresh_result()

    refreshable(client, refresh)
    llm = wrapping(client, max_tokens=5)
    messages = await asyncio.gather(*[llm.ainvoke("Hi") for _ in range(5)])
    assert [message.text for message in messages] == [LONG] * 5
    assert refreshed == [True]


def test_credentials_that_cannot_be_refreshed(serve: Serve) -> None:
    def refresh() -> dict[str, str]:
        raise CredentialRetrievalError(provider="test", error_msg="gone")

    for ask in (by_invoke, by_ainvoke, by_astream):
        client = client_for(serve(LONG).endpoint_url)
        refreshable(client, refresh)
        with pytest.raises(CredentialRetrievalError, match="gone"):
            ask(wrapping(client), "Hi")

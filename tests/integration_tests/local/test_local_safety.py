"""The endpoint is reachable from this machine only, and counts open connections."""

import asyncio
import gc
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from langchain_bedrock_continue.local import LocalBedrock, Request, Script
from langchain_bedrock_continue.local.__main__ import main
from langchain_bedrock_continue.local.backend import Finish, Piece, Text
from langchain_bedrock_continue.local.server import _listen
from tests.support.boto3_requests import HI
from tests.support.models import MODEL


def test_the_endpoint_listens_on_loopback_only() -> None:
    with _listen(0) as listening:
        host, port = listening.getsockname()
        assert host == "127.0.0.1"
        assert listening.family == socket.AF_INET
        assert port > 0


@pytest.mark.parametrize("flag", ["--host", "--bind", "--address", "-H"])
def test_no_flag_of_the_command_changes_the_address(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", flag, "0.0.0.0"])  # noqa: S104 - it must be refused
    assert caught.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["host", "bind", "address"])
def test_no_argument_changes_the_address(name: str) -> None:
    elsewhere: dict[str, Any] = {name: "0.0.0.0"}  # noqa: S104 - it must be refused
    with pytest.raises(TypeError, match="unexpected keyword"):
        LocalBedrock(Script("x"), **elsewhere)


class BlockedScript(Script):
    """Finishes its answer when it is released."""

    def __init__(self) -> None:
        super().__init__("x")
        self.released = threading.Event()

    async def generate(self, request: Request) -> AsyncIterator[Piece]:
        yield Text("One")
        await asyncio.to_thread(self.released.wait, 10)
        yield Finish("end_turn", 1)


def becomes_true(holds: Callable[[], bool]) -> bool:
    """Wait up to ten seconds for a condition: the server notices events later."""
    until = time.monotonic() + 10
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


def test_requests_and_connections_are_counted() -> None:
    backend = BlockedScript()
    with LocalBedrock(backend) as bedrock:
        assert (bedrock.in_flight, bedrock.open_connections) == (0, 0)
        client = bedrock.boto3_client()
        streams = [
            client.converse_stream(modelId=MODEL, messages=HI)["stream"]
            for _ in range(3)
        ]
        assert (bedrock.in_flight, bedrock.open_connections) == (3, 3)
        streams[0].close()
        assert becomes_true(
            lambda: (bedrock.in_flight, bedrock.open_connections) == (2, 2)
        )
        backend.released.set()
        assert all(list(stream) for stream in streams[1:])
        assert becomes_true(lambda: bedrock.in_flight == 0)
        assert bedrock.open_connections == 2
        # A stream that was read to its end keeps its connection out of the pool.
        streams.clear()
        gc.collect()
        client.close()
        assert becomes_true(lambda: bedrock.open_connections == 0)
    assert (bedrock.in_flight, bedrock.open_connections) == (0, 0)


def test_an_idle_connection_is_not_closed_under_a_clients_hands() -> None:
    """A request that comes at that moment fails, and not every client retries."""
    with LocalBedrock(Script("x")) as bedrock:
        client = bedrock.boto3_client()
        client.converse(modelId=MODEL, messages=HI)
        time.sleep(6)  # uvicorn itself would wait for five
        assert bedrock.open_connections == 1

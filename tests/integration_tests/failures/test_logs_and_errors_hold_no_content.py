"""Logs and errors say what happened, and nothing of what was asked or answered."""

import logging
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from langchain_bedrock_continue import chat_models
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Think,
)
from tests.integration_tests.conftest import REFUSING_MODEL, Serve, model
from tests.support.entrances import ENTRANCES
from tests.support.tool_models import (
    PREFILL_MODEL,
    THINKING,
    going_on,
    tools,
)

ASKED, SAID, THOUGHT, ARGUED = "QUESTIONMARK", "ANSWERMARK", "THOUGHTMARK", "ARGUMENT"
KEY, SECRET, TOKEN = "AKIAKEYMARK", "SECRETMARK", "SESSIONMARK"
MARKS = (ASKED, SAID, THOUGHT, ARGUED, KEY, SECRET, TOKEN)
OURS = "langchain_bedrock_continue"

TALK = Answer(f"{SAID} " * 12)
CALLS = Answer([Think(THOUGHT), SAID, CallTool("write", {"text": f"{ARGUED} " * 9})])
FATAL = Fault("exception", "ValidationException", "No.", 400)


def failing(fault: Fault, request: int | None = 2, piece: int = 2) -> Answer:
    return Answer(f"{SAID} " * 12, faults=[FaultAt(fault, at=piece, request=request)])


CASES: dict[str, tuple[Answer, dict[str, Any]]] = {
    "whole": (TALK, {}),
    "continuations": (TALK, {"max_continuations": 1}),
    "raised": (TALK, {"max_continuations": 1, "on_limit": "raise"}),
    "tokens": (TALK, {"max_total_tokens": 9}),
    "user turn": (TALK, {"model": REFUSING_MODEL, "max_tokens": 20}),
    "refused": (TALK, {"model": REFUSING_MODEL, "strategy": "prefill"}),
    "recovered": (failing(Fault("close")), {}),
    "given up": (failing(Fault("no_stop", ""), None), {}),
    "event": (failing(Fault("exception", status=200), None), {}),
    "fatal": (failing(FATAL, 2, 0), {}),
    "first call": (failing(FATAL, 1, 0), {}),
    "malformed": (Answer(SAID, stop_reason="malformed_model_output"), {}),
    "filtered": (Answer(SAID, stop_reason="content_filtered"), {}),
    "cut call": (CALLS, {"tool_call_recovery": "return", **THINKING}),
    "cut call raised": (CALLS, {"tool_call_recovery": "raise", **THINKING}),
    "cut call resumed": (CALLS, {"tool_call_recovery": "resume", **THINKING}),
    "not in time": (TALK, {"max_seconds": 1e-9}),
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_models, "waiting_time", lambda _most: 0.0)


@pytest.fixture(scope="module")
def client(endpoint: tuple[LocalBedrock, Any]) -> Any:
    """A client whose keys can be told from any other text."""
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=endpoint[0].endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        aws_session_token=TOKEN,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Collect what any logger says from INFO on, and ours above DEBUG."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG + 1, OURS)
    everything = logging.Formatter("%(name)s %(message)s %(args)s")

    def texts() -> str:
        return "\n".join(everything.format(record) for record in caplog.records)

    return texts


@pytest.mark.parametrize("entrance", list(ENTRANCES))
@pytest.mark.parametrize("name", list(CASES))
def test_nothing_is_told(
    serve: Serve, client: Any, said: Callable[[], str], name: str, entrance: str
) -> None:
    answer, settings = CASES[name]
    shared = {"client": client, "bedrock_client": client, "model": PREFILL_MODEL}
    # The script itself fails where it is told to: it goes on from prefills alone.
    script = answer if answer.faults else going_on(answer)
    llm = model(serve(script), **{**shared, "max_tokens": 5, **settings})
    told = repr(llm)
    with warnings.catch_warnings(record=True) as warned:
        try:
            ENTRANCES[entrance](llm.bind_tools(tools("write")), f"{ASKED}?")
        except Exception as error:  # noqa: BLE001 - whatever it says is looked through
            told += f"{error} {error!r} " + "".join(
                traceback.format_exception_only(type(error), error)
            )
    told += said() + "".join(str(warning.message) for warning in warned)
    assert not [mark for mark in MARKS if mark in told]

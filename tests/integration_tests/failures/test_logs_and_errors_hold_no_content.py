"""Logs, warnings and errors hold no prompt, no answer and no credentials."""

import logging
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Think,
)
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL, THINKING, model
from tests.support.scripts import continuing

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
    "complete": (TALK, {}),
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
    "truncated call": (CALLS, {"tool_call_recovery": "return", **THINKING}),
    "truncated call raised": (CALLS, {"tool_call_recovery": "raise", **THINKING}),
    "truncated call resumed": (CALLS, {"tool_call_recovery": "resume", **THINKING}),
    "not in time": (TALK, {"max_seconds": 1e-9}),
}


@pytest.fixture(scope="module")
def client(endpoint: tuple[LocalBedrock, Any]) -> Any:
    """Make a client whose credentials can be told from any other text."""
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
    """Collect what any logger says from INFO on, and our own above DEBUG."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG + 1, OURS)
    everything = logging.Formatter("%(name)s %(message)s %(args)s")

    def texts() -> str:
        return "\n".join(everything.format(record) for record in caplog.records)

    return texts


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("name", list(CASES))
def test_nothing_secret_is_logged_or_raised(
    serve: Serve,
    client: Any,
    said: Callable[[], str],
    name: str,
    every_entrance: Entrance,
) -> None:
    answer, settings = CASES[name]
    shared = {"client": client, "bedrock_client": client, "model": PREFILL_MODEL}
    # An answer with faults is said as it is, and continues prefills alone.
    script = answer if answer.faults else continuing(answer)
    llm = model(serve(script), **{**shared, "max_tokens": 5, **settings})
    told = repr(llm)
    with warnings.catch_warnings(record=True) as warned:
        try:
            every_entrance(llm.bind_tools(tools("write")), f"{ASKED}?")
        except Exception as error:  # noqa: BLE001 - whatever it says is searched
            told += f"{error} {error!r} " + "".join(
                traceback.format_exception_only(type(error), error)
            )
    told += said() + "".join(str(warning.message) for warning in warned)
    assert not [mark for mark in MARKS if mark in told]

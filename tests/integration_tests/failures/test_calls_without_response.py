"""A call that got no response is sent as often as ChatBedrockConverse sends it.

botocore has tried it already. A try of ours on top would multiply the generations.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.config import Config
from langchain_aws import ChatBedrockConverse
from urllib3.exceptions import ReadTimeoutError

from langchain_bedrock_continue import ChatBedrockContinuing, SegmentError, chat_models
from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Script,
)
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, by_stream
from tests.support.failing_calls import (
    FAILURES,
    Failing,
    Sender,
    hanging_up,
    unused_address,
)
from tests.support.messages import continuation, ending
from tests.support.models import MODEL, REFUSING_MODEL, model
from tests.support.texts import LONG

THREE = Config(retries={"mode": "standard", "total_max_attempts": 3})
IMPATIENT = Config(retries={"total_max_attempts": 2}, read_timeout=3)
"""Two tries, so that the test waits for six seconds; it makes all calls at once."""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once: botocore, and the package."""
    clock = SimpleNamespace(sleep=lambda _: None, time=time.time)
    monkeypatch.setattr(botocore.endpoint, "time", clock)
    monkeypatch.setattr(chat_models, "waiting_time", lambda _most: 0.0)


def error_of(ask: Any, llm: Any) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - of many classes
        ask(llm, "Hi")
    return raised.value


def sent(
    bedrock: LocalBedrock, make: Any, config: Config, failing: Failing, **settings: Any
) -> int:
    """Ask by each entrance; return how many requests that failed were sent for all."""
    sender = Sender(bedrock, failing, config)
    clients = {"client": sender.client, "bedrock_client": sender.client}
    llm = make(**{"model": MODEL, "max_tokens": 12, **clients, **settings})
    with hanging_up() as address, ThreadPoolExecutor(len(ENTRANCES)) as pool:
        sender.astray = unused_address() if failing.failure.refuses else address
        errors = list(pool.map(lambda ask: error_of(ask, llm), ENTRANCES.values()))
    assert {isinstance(error, SegmentError) for error in errors} == {failing.later}
    return sender.sent


def failing(name: str, *, later: bool = False) -> Failing:
    return Failing(Answer(LONG), FAILURES[name], later=later)


RUNS: list[tuple[Any, str, bool]] = [
    (ChatBedrockConverse, MODEL, False),
    (ChatBedrockContinuing, MODEL, False),
    (ChatBedrockContinuing, MODEL, True),
    (ChatBedrockContinuing, REFUSING_MODEL, True),
]
"""The bare model; ours, where the first call fails; and where one that continues by
prefill, or in a user turn, fails."""


@pytest.mark.parametrize("name", list(FAILURES))
def test_a_failing_call_is_sent_as_often_as_by_the_bare_model(name: str) -> None:
    config = IMPATIENT if FAILURES[name].delay else THREE

    def run(one: tuple[Any, str, bool]) -> int:
        make, model_id, later = one
        answers = failing(name, later=later)
        with LocalBedrock(Script(answers)) as bedrock:
            return sent(bedrock, make, config, answers, model=model_id)

    with ThreadPoolExecutor(len(RUNS)) as pool:
        bare, *ours = pool.map(run, RUNS)
    assert ours == [bare] * 3


RETRIES: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "legacy": ({"mode": "legacy"}, {}, 5),
    "standard": ({"mode": "standard"}, {}, 3),
    "adaptive": ({"mode": "adaptive"}, {}, 3),
    "none": ({"max_attempts": 0}, {}, 1),
    "two more": ({"max_attempts": 2}, {}, 3),
    "two in all": ({"total_max_attempts": 2}, {}, 2),
    "environment": ({}, {"AWS_MAX_ATTEMPTS": "4"}, 4),
    "environment, legacy": ({}, {"AWS_RETRY_MODE": "legacy"}, 5),
}
"""What a client may say, what the environment may say, and the tries of a call."""


@pytest.mark.parametrize("name", list(RETRIES))
def test_error_4_the_client_says_how_often_a_call_is_tried(
    serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    retries, environment, tries = RETRIES[name]
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    config = Config(retries=retries)
    for later in (False, True):
        answers = failing("unavailable", later=later)
        bedrock = serve(Script(answers))
        ours = sent(bedrock, ChatBedrockContinuing, config, answers)
        assert ours == tries * len(ENTRANCES)


TRIES = {"model error": 1, "model timeout": 1}
"""The tries of a call in each mode, where they are not the mode's own number."""


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize(
    "name", [key for key, one in FAILURES.items() if not one.delay]
)
def test_error_4_botocore_tries_a_call_again_by_its_error(
    serve: Serve, name: str, mode: str
) -> None:
    """The table that the rule has, for botocore as it is installed."""
    config = Config(retries={"mode": mode})
    answers = failing(name)
    tries = TRIES.get(name, RETRIES[mode][2])
    bare = sent(serve(Script(answers)), ChatBedrockConverse, config, answers)
    assert bare == tries * len(ENTRANCES)


@pytest.mark.parametrize("model_id", [MODEL, REFUSING_MODEL], ids=["prefill", "user"])
def test_next_7_a_stream_that_broke_after_content_is_continued_once(
    serve: Serve, model_id: str
) -> None:
    """If the call that continues it gets no response, the turn ends."""
    broken = Answer(LONG, faults=[FaultAt(Fault("close"), at=8)])
    answers = Failing(broken, FAILURES["unavailable"], later=True)
    bedrock = serve(Script(answers))
    sender = Sender(bedrock, answers, THREE)
    llm = model(bedrock, client=sender.client, model=model_id, max_tokens=50)
    error = error_of(by_stream, llm)
    assert isinstance(error, SegmentError)
    assert LONG.startswith(error.partial.text)
    assert error.partial.text
    assert ending(error.partial) == ("error", False)
    assert sender.sent == 3
    assert len(bedrock.requests) == 4
    assert len(continuation(error.partial)["segments"]) == 2


def test_next_7_a_stream_that_is_silent_from_its_begin_is_the_callers_own_error(
    serve: Serve,
) -> None:
    """Its response had begun, so botocore does not try it again, and neither do we."""
    bedrock = serve(Answer(LONG, faults=[FaultAt(Fault("silence"), request=None)]))
    client = bedrock.boto3_client(Config(read_timeout=2))
    error = error_of(by_stream, model(bedrock, client=client))
    assert type(error) is ReadTimeoutError
    assert len(bedrock.requests) == 1

"""A process that is killed while it has an answer: the next one goes on with it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
    Script,
)
from tests.integration_tests.conftest import MODEL, REFUSING_MODEL
from tests.support.echo import written_so_far
from tests.support.graphs import SIZE, WAYS
from tests.support.tool_models import behind
from tests.support.waiting import eventually

TEXT = (
    'Do:\n\n```py\nx = {\n    "日": 1,\n    "本": 2,\n}\n```\n\nha ha! Done, all.\n\n'
    "- one, and a few words more\n- two, and that is all there is to say\n"
)
KILLED_IN = 3
PIECE = SIZE - 2
"""Where the third segment falls silent: behind any echo, before its end."""
PATIENCE_SECONDS = 120


class Silent:
    """A model that goes on, and falls silent for ever in its third request."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: Request) -> Answer:
        self.asked += 1
        answer = behind(Answer(TEXT), request)
        fault = FaultAt(Fault("silence"), at=PIECE, request=None)
        faults = [fault] if self.asked == KILLED_IN else []
        return Answer(answer.content, faults=faults)


@pytest.fixture
def bedrock() -> Iterator[LocalBedrock]:
    with LocalBedrock(Script(Silent())) as bedrock:
        yield bedrock


@pytest.mark.parametrize("model", [MODEL, REFUSING_MODEL], ids=["prefill", "user turn"])
@pytest.mark.parametrize("way", list(WAYS))
def test_the_next_process_has_the_whole_answer(
    bedrock: LocalBedrock, tmp_path: Path, way: str, model: str
) -> None:
    program = [sys.executable, "-m", "tests.support.graphs"]
    told = [way, model, bedrock.endpoint_url, str(tmp_path / "checkpoints.db")]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*program, *told], stdout=subprocess.PIPE
    ) as first:
        try:
            eventually(lambda: is_silent(bedrock) or first.poll() is not None)
            assert first.poll() is None
        finally:
            first.kill()  # SIGKILL: no handler, no `finally` runs in it
    assert len(bedrock.requests) == KILLED_IN
    second = subprocess.run(  # noqa: S603 - as above
        [*program, *told], stdout=subprocess.PIPE, check=True, timeout=PATIENCE_SECONDS
    )
    assert second.stdout.decode() == TEXT
    stood = [stands(request.body["messages"]) for request in bedrock.requests]
    assert len(stood) > KILLED_IN
    # The first two segments are not asked for again.
    assert TEXT.startswith(stood[KILLED_IN])
    assert len(stood[KILLED_IN]) > len(stood[KILLED_IN - 2])


def is_silent(bedrock: LocalBedrock) -> bool:
    backend: Any = bedrock._backend
    return bool(backend.faults_played["silence"])


def stands(messages: list[Any]) -> str:
    """Return what a request goes on from."""
    texts = ["".join(b.get("text", "") for b in one["content"]) for one in messages]
    return written_so_far(texts)[0] if len(texts) > 1 else ""

"""A process is killed within an answer; the next process resumes it."""

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
from tests.support.graphs import GRAPHS, SIZE
from tests.support.models import MODEL, REFUSING_MODEL
from tests.support.scripts import rest_of, written_so_far
from tests.support.waiting import START_SECONDS, eventually

TEXT = (
    'Do:\n\n```py\nx = {\n    "日": 1,\n    "本": 2,\n}\n```\n\nha ha! Done, all.\n\n'
    "- one, and a few words more\n- two, and that is all there is to say\n"
)
KILLED_IN = 3
PIECE = SIZE - 2
"""Where the third segment falls silent: after any echo, and before its end."""


class Silent:
    """A model that falls silent for ever in its third request."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: Request) -> Answer:
        self.asked += 1
        answer = rest_of(Answer(TEXT), request)
        fault = FaultAt(Fault("silence"), at=PIECE, request=None)
        faults = [fault] if self.asked == KILLED_IN else []
        return Answer(answer.content, faults=faults)


@pytest.fixture
def bedrock() -> Iterator[LocalBedrock]:
    with LocalBedrock(Script(Silent())) as bedrock:
        yield bedrock


# Each takes two processes: a prefill in one graph, a user turn in the other.
@pytest.mark.parametrize(
    ("graph", "model"), list(zip(GRAPHS, (MODEL, REFUSING_MODEL), strict=True))
)
def test_the_next_process_has_the_complete_answer(
    bedrock: LocalBedrock, tmp_path: Path, graph: str, model: str
) -> None:
    program = [sys.executable, "-m", "tests.support.graphs"]
    told = [graph, model, bedrock.endpoint_url, str(tmp_path / "checkpoints.db")]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*program, *told], stdout=subprocess.PIPE
    ) as first:
        try:
            eventually(
                lambda: is_silent(bedrock) or first.poll() is not None, START_SECONDS
            )
            assert first.poll() is None
        finally:
            first.kill()  # SIGKILL: no handler, no `finally` runs in it
    assert len(bedrock.requests) == KILLED_IN
    second = subprocess.run(  # noqa: S603 - as above
        [*program, *told], stdout=subprocess.PIPE, check=True, timeout=START_SECONDS
    )
    assert second.stdout.decode() == TEXT
    resumed = [written(request.body["messages"]) for request in bedrock.requests]
    assert len(resumed) > KILLED_IN
    # The first two segments are not generated again.
    assert TEXT.startswith(resumed[KILLED_IN])
    assert len(resumed[KILLED_IN]) > len(resumed[KILLED_IN - 2])


def is_silent(bedrock: LocalBedrock) -> bool:
    backend: Any = bedrock._backend
    return bool(backend.faults_played["silence"])


def written(messages: list[Any]) -> str:
    """Return the text that a request continues."""
    texts = ["".join(b.get("text", "") for b in one["content"]) for one in messages]
    return written_so_far(texts)[0] if len(texts) > 1 else ""

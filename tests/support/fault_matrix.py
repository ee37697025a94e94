"""Turns that fail once, at each event of each of their segments.

A `Kind` is an answer of three segments and the model that gives it. A `Place` is one
event of one request: the fault matrix runs a turn for each place, and lets it fail
there. What the caller has then is an `Outcome`.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from os.path import commonprefix
from typing import Any, NamedTuple, TypeAlias

from botocore.config import Config
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
    Think,
)
from langchain_bedrock_continue.local.wire.http_request import RecordedRequest
from tests.support.answers import tools
from tests.support.entrances import added
from tests.support.messages import content_shape
from tests.support.models import (
    MODEL,
    PREFILL_MODEL,
    REFUSING_MODEL,
    THINKING,
    chat_bedrock,
    plain_model,
)
from tests.support.scripts import rest_of, texts_of

Llm: TypeAlias = Runnable[Any, Any]

# What fails ------------------------------------------------------------------------

FAILURES: dict[str, Fault] = {
    "exception event": Fault("exception", status=200),
    "unknown event": Fault("unknown_exception"),
    "no messageStop": Fault("no_stop"),
    "socket closed": Fault("close"),
    "silence": Fault("silence"),
    "bad checksum": Fault("checksum"),
    "no metadata": Fault("no_metadata"),
}
"""Transient failures of a stream."""

FATAL: dict[str, Fault] = {
    "validation event": Fault("exception", "ValidationException", "No.", status=200),
    "access denied": Fault("exception", "AccessDeniedException", "No.", status=403),
    "no such model": Fault("exception", "ResourceNotFoundException", "No.", status=404),
}
"""Failures that the same request would meet again. The last two are errors before the
stream opens: the service model has no such events."""

AT_ONCE = 64
"""Turns that wait at the same time, where they meet silence."""

AT_WORK = 16
"""Turns that work at the same time: more of them only wait for each other."""

ONCE = Config(retries={"total_max_attempts": 1}, max_pool_connections=AT_ONCE)
IMPATIENT = ONCE.merge(Config(read_timeout=4))
"""For the rows that meet silence only: on a busy machine an answer can take as long.
The turns of a row wait for it at the same time."""


# What is answered ------------------------------------------------------------------

SEGMENTS = 3


@dataclass(frozen=True)
class Kind:
    """An answer and its model, with a segment size that makes three segments of it."""

    answer: Answer
    model: str
    size: int
    settings: dict[str, Any] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    wraps: Any = plain_model

    def llm(self, bedrock: LocalBedrock, client: Any, **settings: Any) -> Llm:
        """Make the model under test."""
        clients = {"client": client, "bedrock_client": client}
        sizes = {"model": self.model, "max_tokens": self.size}
        wrapped = self.wraps(bedrock, **clients, **sizes, **self.settings)
        llm = ChatBedrockContinuing(llm=wrapped, max_concurrency=AT_ONCE, **settings)
        return llm.bind_tools(tools(*self.tools)) if self.tools else llm


# Both have what makes a seam hard; the longer one has enough text for echoes.
SHORT = 'Do:\n\n```py\nx = {\n    "日": 1,\n}\n```\n\nha ha ha! Done.\n'
LONG = SHORT.replace("1,\n", '1,\n    "本": 2,\n').replace("Done", "Done, all")

TEXT_KINDS = {
    "prefill": Kind(Answer(SHORT), MODEL, 10),
    "user turn": Kind(Answer(LONG), REFUSING_MODEL, 15),
    "InvokeModel": Kind(
        Answer("Do: {\n  1,\n}\n\nha ha! 日"), MODEL, 5, wraps=chat_bedrock
    ),
}

SAYS = "I write it, and read it again, and again. "
WRITE = CallTool("write", {"n": 7}, tool_use_id="t1")
READ = CallTool("read", {"q": '"日'}, tool_use_id="t2")
NAMES = ("write", "read")
CALL = Answer([SAYS, WRITE, READ], fine_grained=True)
THOUGHT = Answer([Think("A file."), SAYS, WRITE, READ], fine_grained=True)

# The first model does not think: no prefill may follow thinking.
TOOL_KINDS = {
    "prefill": Kind(CALL, PREFILL_MODEL, 9, {}, NAMES),
    "user turn": Kind(THOUGHT, REFUSING_MODEL, 12, THINKING, NAMES),
}

# Where it fails --------------------------------------------------------------------


class Place(NamedTuple):
    """Where a turn fails: requests count from 1, their events from 0."""

    request: int
    event: int

    @property
    def asked(self) -> str:
        """The question of its turn: each place has a conversation of its own."""
        return f"Fail at {self.request} {self.event}"

    @classmethod
    def named(cls, text: str) -> "Place":
        """Return the place of a question."""
        request, event = text.removeprefix("Fail at ").split()
        return cls(int(request), int(event))


NOWHERE = Place(0, 0)


class Failing:
    """A model of one answer that fails once in each conversation."""

    def __init__(self, answer: Answer, fault: Fault) -> None:
        self._answer = answer
        self.fault = fault
        self.requests: Counter[Place] = Counter()

    def __call__(self, request: Request) -> Answer:
        place = Place.named(texts_of(request)[0])
        self.requests[place] += 1
        answer = rest_of(self._answer, request)
        if self.requests[place] != place.request:
            return answer
        if self.fault.kind == "no_metadata":
            return replace(answer, faults=[FaultAt(self.fault, request=None)])
        fault = FaultAt(self.fault, event=place.event, request=None)
        return replace(answer, faults=[fault])


def places_of(bedrock: LocalBedrock, client: Any, fault: Fault) -> list[Place]:
    """Return every place for the fault in the turn that the endpoint has just seen."""
    counts = [events_of(client, request) for request in bedrock.requests]
    if fault.kind == "no_metadata":
        return [Place(n, 0) for n, _ in enumerate(counts, 1)]
    # Also after the last event; before a stream opens there is one place alone.
    opens = fault.kind != "exception" or fault.status == 200
    return [
        Place(n, event)
        for n, count in enumerate(counts, 1)
        for event in range(count + 1 if opens else 1)
    ]


def events_of(client: Any, request: RecordedRequest) -> int:
    """Count the events of the answer to a request, by sending it again."""
    if request.operation == "ConverseStream":
        events = client.converse_stream(modelId=request.model_id, **request.body)
        return len(list(events["stream"]))
    asked = {"modelId": request.model_id, "body": json.dumps(request.body)}
    return len(list(client.invoke_model_with_response_stream(**asked)["body"]))


def half(places: Sequence[Place], which: int) -> list[Place]:
    """Return every second place, the even or the odd ones, and all at a border."""
    taken = {places.index(place) for place in borders(places)}
    return [
        place for at, place in enumerate(places) if at % 2 == which % 2 or at in taken
    ]


def borders(places: Sequence[Place]) -> list[Place]:
    """Return the first two, the middle and the last two places of each segment."""
    found = []
    for _, group in groupby(places, key=lambda place: place.request):
        of_one = list(group)
        few = {0, 1, len(of_one) // 2, len(of_one) - 2, len(of_one) - 1}
        found += [place for at, place in enumerate(of_one) if at in few]
    return found


# What the caller has ---------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a caller has after a turn."""

    place: Place
    shown: list[AIMessageChunk]
    error: Exception | None
    requests: int

    @cached_property
    def message(self) -> AIMessage:
        """The sum of what was shown."""
        return added(self.shown) if self.shown else AIMessageChunk(content="")

    @cached_property
    def lasting(self) -> dict[str, Any]:
        """The message without what differs from turn to turn."""
        return content_shape(self.message)

    def compared(self, complete: "Outcome") -> str:
        """Say how the turn ended, and how its message differs from the complete one."""
        got, expected = self.message.text, complete.message.text
        at = len(commonprefix([got, expected]))  # noqa: RUF071 - no paths
        partial = getattr(self.error, "partial", self.message)
        summary = dict(partial.response_metadata.get("continuation", {}))
        segments = summary.pop("segments", [])
        cause = self.error and self.error.__cause__
        lines = [
            f"request {self.place.request}, event {self.place.event}: {self.error!r}",
            f"from {cause!r}; {self.requests} requests, {len(segments)} segments:",
            *map(str, segments),
            f"{summary}",
            f"text, the same up to {at}: {got[at:]!r}, not {expected[at:]!r}",
            f"partial: {partial.content!r}",
            *(
                f"{name}: {value!r}, not {complete.lasting[name]!r}"
                for name, value in self.lasting.items()
                if value != complete.lasting[name]
            ),
        ]
        return "\n    ".join(lines)


def by_stream(llm: Llm, place: Place, shown: list[AIMessageChunk]) -> None:
    """Add to `shown` what `stream` yields."""
    for chunk in llm.stream(place.asked):
        shown.append(chunk)  # noqa: PERF402 - kept when the stream raises


def by_astream(llm: Llm, place: Place, shown: list[AIMessageChunk]) -> None:
    """Add to `shown` what `astream` yields."""

    async def collected() -> None:
        async for chunk in llm.astream(place.asked):
            shown.append(chunk)  # noqa: PERF401 - kept when the stream raises

    asyncio.run(collected())


STREAMS = {"stream": by_stream, "astream": by_astream}

AT_BORDERS = ("astream",)
"""The streams that fail at the borders of each segment only.

`astream` runs the function of `stream` in a greenlet, on urllib3 and the same frames of
events; so its rows try a few events of each segment.
"""


def outcomes(
    model: Failing, llm: Llm, entrance: str, places: Sequence[Place]
) -> list[Outcome]:
    """Run a turn for each place, many at once, each failing there."""

    def outcome(place: Place) -> Outcome:
        shown: list[AIMessageChunk] = []
        error = None
        try:
            STREAMS[entrance](llm, place, shown)
        except Exception as raised:  # noqa: BLE001 - the tests look at it
            error = raised
        return Outcome(place, shown, error, model.requests[place])

    silent = model.fault.kind == "silence"
    with ThreadPoolExecutor(AT_ONCE if silent else AT_WORK) as pool:
        return list(pool.map(outcome, places))

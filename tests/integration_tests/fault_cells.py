"""Turns that fail once: at an event of one of their segments, each of them a cell."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os.path import commonprefix
from typing import Any, NamedTuple, TypeAlias

from botocore.config import Config
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import Runnable

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    Request,
)
from langchain_bedrock_continue.local._http import RecordedRequest
from tests.integration_tests.echo import texts_of
from tests.integration_tests.entrances import added
from tests.integration_tests.tool_models import behind

Llm: TypeAlias = Runnable[Any, Any]

FAILURES: dict[str, Fault] = {
    "exception event": Fault("exception", status=200),
    "unknown event": Fault("unknown_exception"),
    "no messageStop": Fault("no_stop"),
    "socket closed": Fault("close"),
    "silence": Fault("silence"),
    "bad checksum": Fault("checksum"),
    "no metadata": Fault("no_metadata"),
}
"""What can befall a stream."""

FATAL: dict[str, Fault] = {
    "validation event": Fault("exception", "ValidationException", "No.", status=200),
    "access denied": Fault("exception", "AccessDeniedException", "No.", status=403),
    "no such model": Fault("exception", "ResourceNotFoundException", "No.", status=404),
}
"""What the same request would bring again. The last two come before a stream opens:
in one, the service model knows no such event."""

AT_ONCE = 64
ONCE = Config(retries={"total_max_attempts": 1}, max_pool_connections=AT_ONCE)
# All silences of a row are waited out at the same time; nothing else shall be too late.
IMPATIENT = ONCE.merge(Config(read_timeout=4))


class Place(NamedTuple):
    """Where a turn fails: at an event of one of its requests; both count from 1, 0."""

    request: int
    event: int

    @property
    def asked(self) -> str:
        """What is asked in its turn, so that each has a conversation of its own."""
        return f"Fail at {self.request} {self.event}"

    @classmethod
    def named(cls, text: str) -> "Place":
        request, event = text.removeprefix("Fail at ").split()
        return cls(int(request), int(event))


NOWHERE = Place(0, 0)


class Outcome(NamedTuple):
    """What a caller has when a turn is over."""

    place: Place
    shown: list[AIMessageChunk]
    error: Exception | None
    requests: int

    @property
    def message(self) -> AIMessage:
        """The sum of what was shown."""
        return added(self.shown) if self.shown else AIMessageChunk(content="")

    @property
    def lasting(self) -> dict[str, Any]:
        """All of the message but what is another's in each turn."""
        volatile = {"id", "response_metadata", "usage_metadata"}
        return self.message.model_dump(exclude=volatile)

    def beside(self, whole: "Outcome") -> str:
        """Say what came of a turn, and in what it differs from the whole one."""
        got, expected = self.message.text, whole.message.text
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
                f"{name}: {value!r}, not {whole.lasting[name]!r}"
                for name, value in self.lasting.items()
                if value != whole.lasting[name]
            ),
        ]
        return "\n    ".join(lines)


class Failing:
    """A model that says one answer, and fails once in each conversation."""

    def __init__(self, answer: Answer, fault: Fault) -> None:
        self._answer = answer
        self.fault = fault
        self.requests: Counter[Place] = Counter()

    def __call__(self, request: Request) -> Answer:
        place = Place.named(texts_of(request)[0])
        self.requests[place] += 1
        answer = behind(self._answer, request)
        if self.requests[place] != place.request:
            return answer
        if self.fault.kind == "no_metadata":
            return replace(answer, faults=[FaultAt(self.fault, request=None)])
        fault = FaultAt(self.fault, event=place.event, request=None)
        return replace(answer, faults=[fault])


def places_of(bedrock: LocalBedrock, client: Any, fault: Fault) -> list[Place]:
    """Return every place of the fault in the turn that the endpoint has just seen."""
    counts = [events_of(client, request) for request in bedrock.requests]
    if fault.kind == "no_metadata":
        return [Place(n, 0) for n, _ in enumerate(counts, 1)]
    # Also behind the last event; before a stream opens there is one place alone.
    opens = fault.kind != "exception" or fault.status == 200
    return [
        Place(n, event)
        for n, count in enumerate(counts, 1)
        for event in range(count + 1 if opens else 1)
    ]


def by_stream(llm: Llm, place: Place, shown: list[AIMessageChunk]) -> None:
    for chunk in llm.stream(place.asked):
        shown.append(chunk)  # noqa: PERF402 - what came must outlive an error


def by_astream(llm: Llm, place: Place, shown: list[AIMessageChunk]) -> None:
    async def collected() -> None:
        async for chunk in llm.astream(place.asked):
            shown.append(chunk)  # noqa: PERF401 - as above

    asyncio.run(collected())


def events_of(client: Any, request: RecordedRequest) -> int:
    """Count the events of the answer to a request, by asking once more."""
    if request.operation == "ConverseStream":
        events = client.converse_stream(modelId=request.model_id, **request.body)
        return len(list(events["stream"]))
    asked = {"modelId": request.model_id, "body": json.dumps(request.body)}
    return len(list(client.invoke_model_with_response_stream(**asked)["body"]))


STREAMS = {"stream": by_stream, "astream": by_astream}


def outcomes(
    model: Failing, llm: Llm, entrance: str, places: Sequence[Place]
) -> list[Outcome]:
    """Have the answer once a place, each time failing there."""

    def outcome(place: Place) -> Outcome:
        shown: list[AIMessageChunk] = []
        error = None
        try:
            STREAMS[entrance](llm, place, shown)
        except Exception as raised:  # noqa: BLE001 - the tests look at it
            error = raised
        return Outcome(place, shown, error, model.requests[place])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(outcome, places))

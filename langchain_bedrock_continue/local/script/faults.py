"""The faults of a response: those that an answer names, and random ones.

FAULTS-1. Random faults are data. The same seed gives the n-th request with the same
    messages the same fault, in whatever order the requests of many conversations
    arrive.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.backend import EventFault, Fault
from langchain_bedrock_continue.local.script.answers import FaultAt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CODES = {
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ModelStreamErrorException": 424,
    "ServiceUnavailableException": 503,
}

TRANSIENT_FAULTS: tuple[Fault, ...] = (
    *(Fault("exception", code, "Try again.", n) for code, n in _CODES.items()),
    Fault("unknown_exception"),
    Fault("no_stop"),
    Fault("close"),
    Fault("checksum"),
    Fault("no_metadata"),
)
"""Faults after which a retry may succeed.

`silence` is not among them: it takes the client's read timeout.
"""


@dataclass(frozen=True)
class RandomFaults:
    """Random faults, for a soak test.

    Attributes:
        seed: The same seed gives the same faults.
        share: Share of the responses that fail, from 0 to 1.
        faults: The possible faults, each with the same probability. By default
            `TRANSIENT_FAULTS`.

    Raises:
        ValueError: `share` is out of range, or `faults` is empty.
    """

    seed: int
    share: float
    faults: Sequence[Fault] = TRANSIENT_FAULTS

    def __post_init__(self) -> None:
        """Check the fields."""
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: must be from 0 to 1, got {self.share}")
        if not self.faults:
            raise ValueError("faults: give at least one")

    def draw(self, request_key: str, nth: int, pieces: int) -> FaultAt | None:
        """Return the fault of one response, or None (FAULTS-1).

        Args:
            request_key: Equal for requests with the same messages.
            nth: Number of requests with this key, including this one.
            pieces: Number of pieces of the response. Each is an equally likely place.
        """
        generator = random.Random(f"{self.seed} {request_key} {nth}")  # noqa: S311 - no secret
        if generator.random() >= self.share:
            return None
        fault = generator.choice(self.faults)
        return FaultAt(fault, at=generator.randrange(pieces))


def faults_of_request(faults: Iterable[FaultAt], nth: int) -> list[FaultAt]:
    """Return the faults of the n-th request.

    Args:
        faults: The faults of an answer.
        nth: Number of the request, from 1.
    """
    return [fault for fault in faults if fault.request in (None, nth)]


def by_piece(faults: Iterable[FaultAt], pieces: int) -> dict[int, Fault]:
    """Return the faults that replace a piece, by the piece's index.

    Args:
        faults: The faults of a response.
        pieces: Number of pieces of the response.

    Raises:
        ValueError: There is no such piece.
    """
    placed = [fault for fault in faults if fault.event is None]
    for fault in placed:
        if not -pieces < fault.at < pieces:
            raise ValueError(
                f"FaultAt.at={fault.at}: the response has only {pieces} pieces; "
                "choose a smaller number"
            )
    # -1 is before the last piece, the Finish.
    return {(f.at if f.at >= 0 else pieces + f.at): f.fault for f in placed}


def event_faults(faults: Iterable[FaultAt]) -> list[EventFault]:
    """Return the faults that replace an event of the stream.

    Args:
        faults: The faults of a response.
    """
    return [EventFault(f.event, f.fault) for f in faults if f.event is not None]

"""Which faults befall a response: those that an answer names, or some at random.

F1. Random faults are data: the same seed gives the n-th request that asks for the same
    the same fault, in whatever order the requests of many conversations arrive.
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
"""What a client may hope to mend by asking again.

`silence` is not among them: it lasts for the client's whole read timeout.
"""


@dataclass(frozen=True)
class RandomFaults:
    """Faults at random, for a soak.

    Attributes:
        seed: The same seed gives the same faults.
        share: Of all responses, how many fail: between 0 and 1.
        faults: What can happen, each as likely as the others.

    Raises:
        ValueError: The share is out of range, or there is no fault to choose from.
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

    def draw(self, asked: str, nth: int, pieces: int) -> FaultAt | None:
        """Draw the fault of one response, if it has one (F1).

        Args:
            asked: Stands for what was asked.
            nth: How often it was asked, this request included.
            pieces: Of the response; each is as likely a place as the others.
        """
        chance = random.Random(f"{self.seed} {asked} {nth}")  # noqa: S311 - no secret
        if chance.random() >= self.share:
            return None
        return FaultAt(chance.choice(self.faults), at=chance.randrange(pieces))


def due(faults: Iterable[FaultAt], nth: int) -> list[FaultAt]:
    """Choose the faults that befall the n-th request."""
    return [fault for fault in faults if fault.request in (None, nth)]


def at_pieces(faults: Iterable[FaultAt], pieces: int) -> dict[int, Fault]:
    """Number the faults by the piece that they happen instead of.

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


def at_events(faults: Iterable[FaultAt]) -> list[EventFault]:
    """Name the faults that wait for an event of the stream."""
    return [EventFault(f.event, f.fault) for f in faults if f.event is not None]

"""Tries situations at random, and finds the smallest one that shows a difference."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, find, given, seed, settings

from tests.support.messages import ending
from tests.support.oracle.promise import Difference, differences, is_complete
from tests.support.oracle.runs import Comparison, Outcome
from tests.support.oracle.situation import Situation
from tests.support.oracle.situations import situations
from tests.support.tables import Legend

LEGEND: Legend = {
    "=": "not truncated: the same message",
    "+": "truncated: complete",
    "~": "truncated: a limit, or what cannot be continued, ended it",
    "x": "truncated: an error that the caller asked for",
    "!": "both raise",
}
"""How a situation went."""

FAST = settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))


def sign_of(bare: Outcome, ours: Outcome) -> str:
    """Return the sign of how a situation went."""
    if bare.error is not None:
        return "!"
    if is_complete(bare):
        return "="
    if ours.error is not None or ours.message is None:
        return "x"
    _, complete = ending(ours.message)
    return "+" if complete else "~"


@dataclass
class Found:
    """What a search has seen.

    Attributes:
        tried: How many situations went how, by sign.
        made: How many requests ours made.
        worse: The differences by kind, each with its situation.
    """

    tried: Counter[str] = field(default_factory=Counter)
    made: int = 0
    worse: dict[str, list[tuple[Situation, Difference]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def search(comparison: Comparison, number: int, count: int) -> Found:
    """Try situations, and go on after a difference.

    Args:
        comparison: The endpoint.
        number: The seed.
        count: How many situations.
    """
    found = Found()

    @seed(number)
    @settings(FAST, max_examples=count, phases=[Phase.generate])
    @given(situations())
    def try_one(situation: Situation) -> None:
        bare, ours = comparison.outcomes(situation)
        found.tried[sign_of(bare, ours)] += 1
        found.made += len(ours.sent)
        for difference in differences(situation, bare, ours):
            found.worse[difference.kind].append((situation, difference))

    try_one()
    return found


def smallest(
    comparison: Comparison, kind: str, known: list[Situation], count: int
) -> Situation:
    """Return the smallest situation that shows a difference.

    Args:
        comparison: The endpoint.
        kind: The kind of the difference.
        known: Situations that show it.
        count: How many others may be tried.
    """
    shortest = min(known, key=lambda situation: len(repr(situation)))
    with_it = settings(FAST, max_examples=count)
    try:
        return find(
            situations(),
            lambda one: kind in kinds_of(comparison, one),
            settings=with_it,
            random=random.Random(0),  # noqa: S311 - no secret
        )
    except Exception:  # noqa: BLE001 - hypothesis has several errors for not found
        return shortest


def kinds_of(comparison: Comparison, situation: Situation) -> Iterator[str]:
    """Yield the kinds of difference that a situation shows."""
    bare, ours = comparison.outcomes(situation)
    yield from (one.kind for one in differences(situation, bare, ours))

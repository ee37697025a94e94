"""Random faults, and the places that a fault can have (FAULTS)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    RandomFaults,
    Request,
    Script,
)
from langchain_bedrock_continue.local.script.faults import TRANSIENT_FAULTS
from tests.support.pieces import make_request, pieces_of


@given(st.integers(), st.text(), st.integers(1, 9), st.integers(1, 50))
def test_a_seed_gives_the_same_faults(
    seed: int, request_key: str, nth: int, pieces: int
) -> None:
    """FAULTS-1."""
    one, other = (
        RandomFaults(seed, 0.5).draw(request_key, nth, pieces) for _ in range(2)
    )
    assert one == other
    assert one is None or 0 <= one.at < pieces


def test_the_share_of_responses_that_fail() -> None:
    faults = RandomFaults(7, 0.05)
    drawn = [faults.draw(f"{i}", 1, 10) for i in range(4000)]
    failed = [fault for fault in drawn if fault is not None]
    assert 150 < len(failed) < 250
    assert {f.at for f in failed} == set(range(10))
    assert {f.fault for f in failed} == set(TRANSIENT_FAULTS)
    none, all_of_them = RandomFaults(7, 0), RandomFaults(7, 1)
    assert not any(none.draw(f"{i}", 1, 10) for i in range(100))
    assert all(all_of_them.draw(f"{i}", 1, 10) for i in range(100))


def request_of(name: str) -> Request:
    request = make_request()
    request.messages[0]["content"] = [{"text": name}]
    return request


async def pieces_of_requests(
    script: Script, names: list[str]
) -> dict[tuple[str, int], Any]:
    """Return the pieces of each conversation's n-th request."""
    seen: Counter[str] = Counter()
    found = {}
    for name in names:
        seen[name] += 1
        found[name, seen[name]] = await pieces_of(script, request_of(name))
    return found


async def test_the_order_of_conversations_does_not_matter() -> None:
    """FAULTS-1."""
    names = [f"talk {i}" for i in range(20)] * 3
    runs = [
        await pieces_of_requests(Script("One two three.", RandomFaults(3, 0.4)), order)
        for order in (names, sorted(names), names[::-1])
    ]
    assert runs[0] == runs[1] == runs[2]
    other = await pieces_of_requests(
        Script("One two three.", RandomFaults(4, 0.4)), names
    )
    assert other != runs[0]


async def test_random_faults_are_added_to_those_of_the_answer() -> None:
    close = Fault("close")
    answer = Answer("One two three.", faults=[FaultAt(Fault("no_stop"), at=-1)])
    script = Script(answer, RandomFaults(1, 1, [close]))
    for _ in range(5):
        pieces = await pieces_of(script, make_request())
        assert pieces[-1] in (close, Fault("no_stop"))
    assert script.faults_played["close"] >= 4


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: RandomFaults(1, 1.5), "share: must be from 0 to 1, got 1.5"),
        (lambda: RandomFaults(1, -1), "share: must be from 0 to 1, got -1"),
        (lambda: RandomFaults(1, 1, []), "faults: give at least one"),
        (lambda: FaultAt(Fault("close"), at=1, event=1), "not both"),
        (lambda: FaultAt(Fault("close"), event=-1), "event=-1: events count from 0"),
        (lambda: FaultAt(Fault("no_metadata"), event=1), "no_metadata needs at="),
    ],
)
def test_an_invalid_fault_is_an_error_that_says_what_is_wrong(
    make: Any, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        make()

"""Promise 9: in no situation is ours worse than the model that it wraps.

`make oracle` tries as many situations as you like, from any seed.
"""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, seed, settings

from tests.support.oracle.promise import differences
from tests.support.oracle.runs import Comparison
from tests.support.oracle.search import FAST, LEGEND, sign_of
from tests.support.oracle.situation import Situation
from tests.support.oracle.situations import situations
from tests.support.tables import record_row

SITUATIONS = 40
"""For each seed, in a run of all tests."""


@pytest.fixture(scope="module")
def comparison() -> Iterator[Comparison]:
    with Comparison.running() as running:
        yield running


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_situation_is_worse(
    comparison: Comparison,
    record_property: Callable[[str, object], None],
    number: int,
) -> None:
    signs: list[str] = []

    @seed(number)
    @settings(FAST, max_examples=SITUATIONS)
    @given(situations())
    def is_never_worse(situation: Situation) -> None:
        bare, ours = comparison.outcomes(situation)
        signs.append(sign_of(bare, ours))
        assert differences(situation, bare, ours) == []

    is_never_worse()
    title = "Situations for the bare model and ours"
    record_row(record_property, LEGEND, title, f"seed {number}", "".join(signs))

"""The numbered invariants of `budget`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue._core.decisions.limits import (
    ASSUMED_CEILING,
    GROWTH,
    Budget,
)
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.record.record import Record
from langchain_bedrock_continue._core.record.segment import Segment
from langchain_bedrock_continue._core.request.messages import UNSET_MAX_TOKENS

SIZES = st.integers(1, 100_000)
MAYBE = st.none() | SIZES
MANY: Any = {"tools": ["t"], "temperature": 0.5}


def begun(
    kwargs: dict[str, Any] | None = None, **policy: int | None
) -> tuple[Budget, Record]:
    record = Record()
    allowed: Any = policy
    return Budget(Policy(**allowed), kwargs or {}, record), record


def call(budget: Budget, record: Record, wrote: int | None = None) -> int | None:
    """Make a call; return the `max_tokens` that were asked for."""
    _, asked = budget.arguments()
    segment = Segment(asked, None)
    if wrote is not None:
        segment.usage = UsageMetadata(
            input_tokens=1, output_tokens=wrote, total_tokens=1 + wrote
        )
    record.segments.append(segment)
    return asked


@given(MAYBE, MAYBE, st.sampled_from([{}, MANY, {**MANY, "max_tokens": 7}]))
def test_g1_a_call_is_the_callers_own_while_nothing_is_raised(
    own: int | None, limit: int | None, kwargs: dict[str, Any]
) -> None:
    budget, record = begun(kwargs, max_tokens=own, max_output_tokens=limit)
    for _ in range(3):
        sent, asked = budget.arguments()
        assert sent == kwargs
        assert sent is not kwargs
        assert asked == kwargs.get("max_tokens", own)
        call(budget, record)


@given(SIZES, SIZES, st.lists(st.integers(0, 50_000), max_size=6))
def test_g1_no_call_asks_for_more_than_is_left(
    total: int, own: int, wrote: list[int]
) -> None:
    budget, record = begun(max_tokens=own, max_total_tokens=total)
    for tokens in wrote:
        left = budget.left()
        assert left == max(
            0, total - sum(s.output_tokens or 0 for s in record.segments)
        )
        if left == 0:
            break
        sent, asked = budget.arguments()
        assert asked == min(own, left)
        assert sent.get("max_tokens", own) == asked
        call(budget, record, wrote=min(tokens, asked or 0))


@given(st.integers(1, 1_000), st.integers(1, 6))
def test_g2_each_try_has_growth_times_as_much_and_all_before_cost_less_than_half(
    own: int, tries: int
) -> None:
    budget, record = begun(max_tokens=own, max_output_tokens=own * GROWTH**6)
    asked = [call(budget, record)]
    for _ in range(tries):
        assert budget.can_raise()
        budget.raise_size()
        asked.append(call(budget, record))
    assert asked == [own * GROWTH**at for at in range(tries + 1)]
    *before, last = [tokens or 0 for tokens in asked]
    assert sum(before) < last / 2


def test_g2_the_turn_does_not_go_back_to_less() -> None:
    budget, record = begun(max_tokens=10)
    call(budget, record)
    budget.raise_size()
    assert [call(budget, record) for _ in range(3)] == [40, 40, 40]


@given(MAYBE, MAYBE, MAYBE)
def test_g3_it_is_raised_to_the_ceiling_and_no_further(
    own: int | None, callers: int | None, models: int | None
) -> None:
    budget, record = begun(
        max_tokens=own, max_tokens_ceiling=callers, max_output_tokens=models
    )
    ceiling = callers or models or ASSUMED_CEILING
    largest = call(budget, record, wrote=1) or UNSET_MAX_TOKENS
    for _ in range(40):
        if not budget.can_raise():
            break
        budget.raise_size()
        asked = call(budget, record, wrote=1)
        assert asked is not None
        assert largest < asked <= ceiling
        largest = asked
    assert not budget.can_raise()
    assert largest >= ceiling


@given(st.integers(2, 100_000), st.integers(1, 100_000), MAYBE)
def test_g4_the_services_word_goes_before_every_other(
    own: int, limit: int, callers: int | None
) -> None:
    budget, record = begun(max_tokens=own, max_tokens_ceiling=callers)
    call(budget, record, wrote=own)
    budget.learn(limit)
    assert budget.can_raise() == (limit > own)
    assert call(budget, record) == limit
    assert not budget.can_raise()


@given(SIZES, st.lists(st.none() | st.integers(0, 100), max_size=5))
def test_g5_a_segment_that_does_not_tell_costs_all_that_it_asked_for(
    own: int, wrote: list[int | None]
) -> None:
    budget, record = begun(max_tokens=own, max_total_tokens=10**9)
    for tokens in wrote:
        call(budget, record, wrote=tokens)
    spent = sum(own if tokens is None else tokens for tokens in wrote)
    assert budget.left() == 10**9 - spent


@pytest.mark.parametrize(("total", "fits"), [(11, False), (12, True), (10**9, True)])
def test_a_retry_fits_where_more_is_left_than_the_last_segment_had(
    total: int, fits: bool
) -> None:
    budget, record = begun(max_tokens=10, max_total_tokens=total)
    call(budget, record, wrote=1)
    assert budget.fits() is fits


@given(st.integers(-(10**30), 10**30), st.booleans())
def test_a_usage_from_outside_may_be_any_number(wrote: int, bounded: bool) -> None:
    budget, record = begun(max_total_tokens=100 if bounded else None)
    call(budget, record, wrote=wrote)
    if budget.can_raise():
        budget.raise_size()
    assert budget.size >= 0
    _, asked = budget.arguments()
    assert asked is None or asked >= 0


@pytest.mark.parametrize("key", ["inference_config", "inferenceConfig"])
def test_a_raised_size_stands_where_the_caller_set_his(key: str) -> None:
    config = {"maxTokens": 10, "temperature": 0.1}
    budget, record = begun({key: config})
    assert call(budget, record) == 10
    budget.raise_size()
    sent, asked = budget.arguments()
    assert (sent, asked) == ({key: {**config, "maxTokens": 40}}, 40)
    assert config["maxTokens"] == 10

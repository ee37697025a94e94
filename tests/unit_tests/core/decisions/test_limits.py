"""The rules of `limits`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue._core.decisions.limits import (
    ASSUMED_CEILING,
    GROWTH,
    LONGEST_WAIT,
    UNSET_MAX_TOKENS,
    Deadline,
    MaxTokens,
    reached_limit,
    recovery_wait,
)
from langchain_bedrock_continue._core.decisions.vocabulary import Ending
from langchain_bedrock_continue._core.record.record import Record
from langchain_bedrock_continue._core.record.segment import Segment

SIZES = st.integers(1, 100_000)
MAYBE = st.none() | SIZES


class Turn:
    """The sizes of a turn's calls, as a turn asks for them."""

    def __init__(self, **limits: int | None) -> None:
        self.sizes = MaxTokens(**limits)
        self.record = Record()

    def call(self, wrote: int | None = None) -> int | None:
        """Make a call; return the `max_tokens` that it asks for."""
        asked, _ = self.sizes.of_next_call(self.record.output_tokens)
        segment = Segment(asked)
        if wrote is not None:
            segment.response.usage = UsageMetadata(
                input_tokens=1, output_tokens=wrote, total_tokens=1 + wrote
            )
        self.record.begin_segment(segment)
        return asked

    def can_grow(self) -> bool:
        return self.sizes.can_grow(self.record.last.size)

    def grow(self) -> None:
        self.sizes.grow(self.record.last.size)

    def left(self) -> int | None:
        return self.sizes.left(self.record.output_tokens)


@given(MAYBE, MAYBE)
def test_limit_1_a_call_is_the_callers_own_while_nothing_is_raised(
    requested: int | None, model_limit: int | None
) -> None:
    turn = Turn(requested=requested, model_limit=model_limit)
    for _ in range(3):
        used = turn.record.output_tokens
        assert turn.sizes.of_next_call(used) == (requested, None)
        turn.call()


@given(SIZES, SIZES, st.lists(st.integers(0, 50_000), max_size=6))
def test_limit_1_no_call_asks_for_more_than_is_left(
    total: int, requested: int, wrote: list[int]
) -> None:
    turn, spent = Turn(requested=requested, total=total), 0
    for tokens in wrote:
        left = turn.left()
        assert left == max(0, total - spent)
        if left == 0:
            break
        asked, changed = turn.sizes.of_next_call(turn.record.output_tokens)
        assert asked == min(requested, left)
        assert changed in {None, asked}
        turn.call(wrote=min(tokens, asked))
        spent += min(tokens, asked)


@given(st.integers(1, 1_000), st.integers(1, 6))
def test_limit_2_a_retry_has_growth_times_as_much_and_all_before_cost_less_than_half(
    requested: int, retries: int
) -> None:
    turn = Turn(requested=requested, model_limit=requested * GROWTH**6)
    asked = [turn.call()]
    for _ in range(retries):
        assert turn.can_grow()
        turn.grow()
        asked.append(turn.call())
    assert asked == [requested * GROWTH**at for at in range(retries + 1)]
    *before, last = [tokens or 0 for tokens in asked]
    assert sum(before) < last / 2


def test_limit_2_the_turn_does_not_return_to_less() -> None:
    turn = Turn(requested=10)
    turn.call()
    turn.grow()
    assert [turn.call() for _ in range(3)] == [40, 40, 40]


@given(MAYBE, MAYBE, MAYBE)
def test_limit_3_it_is_raised_to_the_ceiling_and_no_further(
    requested: int | None, callers: int | None, models: int | None
) -> None:
    turn = Turn(requested=requested, ceiling=callers, model_limit=models)
    ceiling = callers or models or ASSUMED_CEILING
    largest = turn.call(wrote=1) or UNSET_MAX_TOKENS
    for _ in range(40):
        if not turn.can_grow():
            break
        turn.grow()
        asked = turn.call(wrote=1)
        assert asked is not None
        assert largest < asked <= ceiling
        largest = asked
    assert not turn.can_grow()
    assert largest >= ceiling


@given(st.integers(2, 100_000), st.integers(1, 100_000), MAYBE)
def test_limit_4_a_reported_limit_takes_precedence(
    requested: int, limit: int, callers: int | None
) -> None:
    turn = Turn(requested=requested, ceiling=callers)
    turn.call(wrote=requested)
    turn.sizes.accept(limit)
    assert turn.can_grow() == (limit > requested)
    assert turn.call() == limit
    assert not turn.can_grow()


def test_limit_4_only_a_size_that_we_chose_and_only_once() -> None:
    turn = Turn(requested=10)
    assert not turn.sizes.may_accept
    turn.call()
    turn.grow()
    assert turn.sizes.may_accept
    turn.sizes.accept(20)
    assert not turn.sizes.may_accept


@given(SIZES, st.lists(st.none() | st.integers(0, 100), max_size=5))
def test_limit_5_a_segment_of_unknown_usage_counts_as_all_that_it_asked_for(
    requested: int, wrote: list[int | None]
) -> None:
    turn = Turn(requested=requested, total=10**9)
    for tokens in wrote:
        turn.call(wrote=tokens)
    spent = sum(requested if tokens is None else tokens for tokens in wrote)
    assert turn.left() == 10**9 - spent


@given(st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=5))
def test_a_dropped_segment_is_not_counted(wrote: list[int | None]) -> None:
    turn = Turn(requested=7)
    for tokens in wrote:
        turn.call(wrote=tokens)
    before = turn.record.output_tokens
    turn.call(wrote=5)
    turn.record.drop_last()
    assert turn.record.output_tokens == before
    turn.call(wrote=3)
    assert turn.record.output_tokens == before + 3


@pytest.mark.parametrize(("total", "fits"), [(11, False), (12, True), (10**9, True)])
def test_a_retry_fits_where_more_is_left_than_the_last_segment_had(
    total: int, fits: bool
) -> None:
    turn = Turn(requested=10, total=total)
    turn.call(wrote=1)
    used = turn.record.output_tokens
    assert turn.sizes.fits(turn.record.last.size, used) is fits


@given(st.integers(-(10**30), 10**30), st.booleans())
def test_a_usage_from_outside_may_be_any_number(wrote: int, bounded: bool) -> None:
    turn = Turn(total=100 if bounded else None)
    turn.call(wrote=wrote)
    if turn.can_grow():
        turn.grow()
    used = turn.record.output_tokens
    assert turn.sizes.expected(used) >= 0
    asked, changed = turn.sizes.of_next_call(used)
    assert asked is None or asked >= 0
    assert changed is None or changed >= 0


def test_the_first_limit_that_is_reached_is_named() -> None:
    assert reached_limit(1, 0, None, None) is Ending.MAX_CONTINUATIONS
    assert reached_limit(1, 1, 0, None) is Ending.MAX_TOTAL_TOKENS
    assert reached_limit(1, 1, 1, 0.0) is Ending.MAX_SECONDS
    assert reached_limit(1, 1, 1, 0.1) is None
    assert reached_limit(1, 1, None, None) is None


def test_a_deadline_counts_from_the_turns_begin_and_ends_at_zero() -> None:
    now = [5.0]
    deadline = Deadline(2.0, lambda: now[0], 5.0)
    assert deadline.left() == 2.0
    now[0] = 6.5
    assert deadline.left() == 0.5
    now[0] = 60.0
    assert deadline.left() == 0.0
    assert Deadline(None, lambda: now[0], 5.0).left() is None


def test_each_wait_is_twice_as_long_up_to_a_longest() -> None:
    waits = [recovery_wait(recoveries) for recoveries in range(8)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert max(waits) == LONGEST_WAIT

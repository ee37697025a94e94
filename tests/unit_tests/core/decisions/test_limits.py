"""The rules LIMIT-1 to LIMIT-8, the deadline, and the waits of recoveries."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue._core.decisions.limits import (
    ASSUMED_CEILING,
    GROWTH,
    LONGEST_WAIT,
    MAX_REFUSALS,
    UNSET_MAX_TOKENS,
    Deadline,
    MaxTokens,
    reached_limit,
    recovery_wait,
)
from langchain_bedrock_continue._core.decisions.size_refusals import (
    WINDOW,
    Reason,
    SizeRefusal,
)
from langchain_bedrock_continue._core.decisions.vocabulary import Ending
from langchain_bedrock_continue._core.record.record import Record
from langchain_bedrock_continue._core.record.segment import Segment

SIZES = st.integers(1, 100_000)
OPTIONAL_SIZES = st.none() | SIZES


class Calls:
    """The calls of a turn, with the `max_tokens` that each one asks for."""

    def __init__(self, **limits: Any) -> None:
        self.max_tokens = MaxTokens(**limits)
        self.record = Record()

    def call(self, output: int | None = None) -> int | None:
        """Make a call; return the `max_tokens` that it asks for."""
        max_tokens, _ = self.max_tokens.of_next_call(self.record.output_tokens)
        segment = Segment(max_tokens)
        segment.response.metadata = {"stopReason": "max_tokens"}
        if output is not None:
            segment.response.usage = UsageMetadata(
                input_tokens=1, output_tokens=output, total_tokens=1 + output
            )
        self.record.begin_segment(segment)
        return max_tokens

    def can_grow(self) -> bool:
        return self.max_tokens.can_grow(self.record.last.size)

    def grow(self) -> None:
        self.max_tokens.grow(self.record.last.size)

    def left(self) -> int | None:
        return self.max_tokens.left(self.record.output_tokens)


@given(OPTIONAL_SIZES, OPTIONAL_SIZES)
def test_limit_1_a_call_asks_for_the_callers_max_tokens(
    requested: int | None, model_limit: int | None
) -> None:
    calls = Calls(requested=requested, model_limit=model_limit)
    for _ in range(3):
        used = calls.record.output_tokens
        assert calls.max_tokens.of_next_call(used) == (requested, None)
        calls.call()


@given(SIZES, SIZES, st.lists(st.integers(0, 50_000), max_size=6))
def test_limit_1_no_call_asks_for_more_than_is_left_of_the_total(
    total: int, requested: int, outputs: list[int]
) -> None:
    calls, spent = Calls(requested=requested, total=total), 0
    for tokens in outputs:
        left = calls.left()
        assert left == max(0, total - spent)
        if left == 0:
            break
        asked, changed = calls.max_tokens.of_next_call(calls.record.output_tokens)
        assert asked == min(requested, left)
        assert changed in {None, asked}
        calls.call(output=min(tokens, asked))
        spent += min(tokens, asked)


@given(st.integers(1, 1_000), st.integers(1, 6))
def test_limit_2_a_retry_asks_for_growth_times_as_much(
    requested: int, retries: int
) -> None:
    calls = Calls(requested=requested, model_limit=requested * GROWTH**6)
    asked = [calls.call()]
    for _ in range(retries):
        assert calls.can_grow()
        calls.grow()
        asked.append(calls.call())
    assert asked == [requested * GROWTH**at for at in range(retries + 1)]
    *before, last = [tokens or 0 for tokens in asked]
    assert sum(before) < last / 3


def test_limit_2_max_tokens_is_not_lowered_again() -> None:
    calls = Calls(requested=10)
    calls.call()
    calls.grow()
    assert [calls.call() for _ in range(3)] == [40, 40, 40]


@given(OPTIONAL_SIZES, OPTIONAL_SIZES, OPTIONAL_SIZES)
def test_limit_3_max_tokens_is_raised_up_to_the_ceiling(
    requested: int | None, ceiling: int | None, model_limit: int | None
) -> None:
    calls = Calls(requested=requested, ceiling=ceiling, model_limit=model_limit)
    highest = ceiling or model_limit or ASSUMED_CEILING
    largest = calls.call(output=1) or 1
    for _ in range(40):
        if not calls.can_grow():
            break
        calls.grow()
        asked = calls.call(output=1)
        assert asked is not None
        assert largest < asked <= highest
        largest = asked
    assert not calls.can_grow()
    assert largest >= highest


# A size that was refused -----------------------------------------------------------


def named(most: int | None, reason: Reason = Reason.MODEL_LIMIT) -> SizeRefusal:
    return SizeRefusal(reason, most)


UNNAMED = named(None, Reason.UNNAMED)


@given(st.integers(2, 10_000), st.integers(1, 100_000), OPTIONAL_SIZES)
def test_limit_4_a_reported_limit_takes_precedence(
    requested: int, limit: int, ceiling: int | None
) -> None:
    calls = Calls(requested=requested, ceiling=ceiling)
    calls.call(output=requested)
    if not calls.can_grow():
        return
    calls.grow()
    asked = calls.call()
    assert asked is not None
    calls.record.drop_last()
    ending = calls.max_tokens.refuse(named(limit), asked, requested)
    again = calls.call(output=1)
    assert again is not None
    if requested < limit - 1 < asked:
        assert (ending, again) == (None, limit - 1)  # the limit itself may be refused
        assert not calls.can_grow()
    elif limit - 1 <= requested:
        assert ending is not None
        assert again == requested
    assert again < asked


class Service:
    """A service that refuses sizes, and may say why.

    Attributes:
        most: The largest size that it accepts.
        names: Whether it names the limit.
        refused: The sizes that it refused.
    """

    def __init__(self, most: int, *, names: bool, reason: Reason) -> None:
        self.most, self.names, self.reason = most, names, reason
        self.refused: list[int | None] = []

    def refusal(self, asked: int | None) -> SizeRefusal | None:
        if asked is None or asked <= self.most:
            return None
        self.refused.append(asked)
        return SizeRefusal(self.reason, self.most if self.names else None)


REASONS = st.sampled_from([Reason.MODEL_LIMIT, Reason.NO_ROOM, Reason.UNNAMED])


GIVEN = st.fixed_dictionaries(
    dict.fromkeys(("requested", "ceiling", "model_limit"), OPTIONAL_SIZES)
)
SERVICES = st.tuples(SIZES, st.booleans(), REASONS)


@given(GIVEN, SERVICES, SIZES)
def test_limit_6_a_refused_retry_ends_between_what_had_been_and_what_was_refused(
    given: dict[str, int | None], of_service: tuple[int, bool, Reason], output: int
) -> None:
    (accepted, names, reason), requested = of_service, given["requested"]
    calls = Calls(**given)
    calls.call(output=output)
    last = calls.record.last.size
    service = Service(max(accepted, last), names=names, reason=reason)
    if not calls.can_grow():
        return
    calls.grow()
    ending = None
    while refusal := service.refusal(calls.max_tokens.of_next_call(0)[0]):
        ending = calls.max_tokens.refuse(refusal, service.refused[-1], last)
        if ending is not None:
            break
    sizes = [size or 0 for size in service.refused]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= MAX_REFUSALS + 1
    if ending is None:
        asked, changed = calls.max_tokens.of_next_call(0)
        assert last < (asked or 0) <= service.most
        assert changed == asked
    else:
        assert not calls.can_grow()
        assert calls.max_tokens.of_next_call(0)[0] == requested


@given(SIZES, st.integers(1, 5), SERVICES)
def test_limit_6_a_refused_continuation_falls_back_to_the_callers_size(
    requested: int, retries: int, of_service: tuple[int, bool, Reason]
) -> None:
    most, names, reason = of_service
    calls = Calls(requested=requested, ceiling=10**9)
    for _ in range(retries):
        calls.call(output=1)
        calls.grow()
    service = Service(max(most, requested), names=names, reason=reason)
    while refusal := service.refusal(calls.max_tokens.of_next_call(0)[0]):
        ending = calls.max_tokens.refuse(refusal, service.refused[-1], None)
        assert ending is None or reason is Reason.NO_ROOM
        if ending is not None:
            return
    asked = calls.max_tokens.of_next_call(0)[0] or 0
    assert requested <= asked <= service.most or reason is Reason.NO_ROOM


def test_a_service_that_reports_limit_after_limit_is_not_asked_for_ever() -> None:
    calls = Calls(requested=10)
    calls.call()
    calls.grow()
    asked, refusals = 10**6, 0
    while calls.max_tokens.refuse(named(asked), asked + 1, 10) is None:
        asked, refusals = asked - 1, refusals + 1
    assert refusals == MAX_REFUSALS


@pytest.mark.parametrize("reason", sorted(WINDOW, key=str))
def test_a_continuation_without_room_ends_at_the_context_window(reason: Reason) -> None:
    for requested in (None, 20):
        calls = Calls(requested=requested)
        calls.call(output=20)
        ending = calls.max_tokens.refuse(named(0, reason), requested, None)
        assert ending is Ending.CONTEXT_WINDOW


def test_a_segment_that_had_all_the_room_leaves_none() -> None:
    calls = Calls(requested=20)
    assert not calls.max_tokens.is_window_full(20)
    calls.call(output=20)
    assert calls.max_tokens.refuse(named(8, Reason.NO_ROOM), 20, None) is None
    assert calls.call(output=7) == 7
    assert calls.max_tokens.is_window_full(7)


@given(SIZES, st.integers(0, 2_000), SIZES, st.integers(0, 100_000))
def test_limit_7_no_call_has_less_than_the_thinking_budget(
    requested: int, budget: int, total: int, used: int
) -> None:
    calls = Calls(requested=requested, total=total, thinking_budget=budget)
    left = calls.max_tokens.left(used)
    assert left is not None
    if used and reached_limit(1, 9, left, None) is None:
        asked, _ = calls.max_tokens.of_next_call(used)
        assert asked is not None
        assert asked > budget or asked == requested


def test_limit_7_a_total_below_the_thinking_budget_is_that_limit() -> None:
    calls = Calls(requested=20, total=15)
    asked = calls.call()
    ending = calls.max_tokens.refuse(named(None, Reason.THINKING_BUDGET), asked, None)
    assert ending is Ending.MAX_TOTAL_TOKENS


def test_a_size_is_the_callers_own_if_it_is_below_the_thinking_budget_anyway() -> None:
    assert Calls(requested=20, thinking_budget=10).max_tokens.is_chosen(12)
    assert not Calls(requested=20, thinking_budget=20).max_tokens.is_chosen(12)
    assert not Calls(requested=20).max_tokens.is_chosen(20)


@pytest.mark.parametrize(
    ("default", "ceiling", "asked"),
    [
        (20, None, UNSET_MAX_TOKENS),
        (20, 512, 512),
        (512, 1_024, 1_024),
        (UNSET_MAX_TOKENS, None, UNSET_MAX_TOKENS * GROWTH),
        (UNSET_MAX_TOKENS, UNSET_MAX_TOKENS, None),
    ],
)
def test_limit_8_a_small_default_is_raised(
    default: int, ceiling: int | None, asked: int | None
) -> None:
    calls = Calls(model_limit=ceiling)
    assert calls.call(output=default) is None
    assert calls.can_grow() is (asked is not None)
    if asked is not None:
        calls.grow()
        assert calls.call() == asked


@given(SIZES, st.lists(st.none() | st.integers(0, 100), max_size=5))
def test_limit_5_a_segment_of_unknown_usage_counts_as_its_max_tokens(
    requested: int, outputs: list[int | None]
) -> None:
    calls = Calls(requested=requested, total=10**9)
    for tokens in outputs:
        calls.call(output=tokens)
    spent = sum(requested if tokens is None else tokens for tokens in outputs)
    assert calls.left() == 10**9 - spent


@given(st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=5))
def test_a_dropped_segment_is_not_counted(outputs: list[int | None]) -> None:
    calls = Calls(requested=7)
    for tokens in outputs:
        calls.call(output=tokens)
    before = calls.record.output_tokens
    calls.call(output=5)
    calls.record.drop_last()
    assert calls.record.output_tokens == before
    calls.call(output=3)
    assert calls.record.output_tokens == before + 3


@pytest.mark.parametrize(("total", "fits"), [(11, False), (12, True), (10**9, True)])
def test_a_retry_fits_if_more_is_left_than_the_last_segment_had(
    total: int, fits: bool
) -> None:
    calls = Calls(requested=10, total=total)
    calls.call(output=1)
    used = calls.record.output_tokens
    assert calls.max_tokens.fits(calls.record.last.size, used) is fits


@given(st.integers(-(10**30), 10**30), st.booleans())
def test_no_reported_usage_breaks_the_limits(output: int, bounded: bool) -> None:
    calls = Calls(total=100 if bounded else None)
    calls.call(output=output)
    if calls.can_grow():
        calls.grow()
    used = calls.record.output_tokens
    assert calls.max_tokens.expected(used) >= 0
    asked, changed = calls.max_tokens.of_next_call(used)
    assert asked is None or asked >= 0
    assert changed is None or changed >= 0


def test_the_limit_that_is_reached_is_returned() -> None:
    assert reached_limit(1, 0, None, None) is Ending.MAX_CONTINUATIONS
    assert reached_limit(1, 1, 0, None) is Ending.MAX_TOTAL_TOKENS
    assert reached_limit(1, 1, 1, 0.0) is Ending.MAX_SECONDS
    assert reached_limit(1, 1, 1, 0.1) is None
    assert reached_limit(1, 1, None, None) is None


def test_a_deadline_counts_down_to_zero_from_the_start_of_the_turn() -> None:
    now = [5.0]
    deadline = Deadline(2.0, lambda: now[0], 5.0)
    assert deadline.left() == 2.0
    now[0] = 6.5
    assert deadline.left() == 0.5
    now[0] = 60.0
    assert deadline.left() == 0.0
    assert Deadline(None, lambda: now[0], 5.0).left() is None


def test_waits_double_up_to_the_longest() -> None:
    waits = [recovery_wait(recoveries) for recoveries in range(8)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert max(waits) == LONGEST_WAIT


@given(
    st.integers(1, 5000),
    st.integers(0, 60),
    st.integers(1, 5000) | st.none(),
    st.integers(1, 5000) | st.none(),
    st.integers(0, 5000),
)
def test_quote_5_an_echo_is_on_top_within_every_limit(
    requested: int, echo: int, ceiling: int | None, total: int | None, used: int
) -> None:
    sizes = MaxTokens(requested=requested, ceiling=ceiling, total=total)
    without, _ = sizes.of_next_call(used)
    sizes.echo = echo
    asked, changed = sizes.of_next_call(used)
    assert asked == requested or changed
    assert without is not None
    assert asked is not None
    assert without <= asked <= without + echo
    if asked > without:
        assert ceiling is None or asked <= ceiling
        assert total is None or asked <= total - used


def test_quote_5_a_retry_with_more_room_has_the_echo_in_its_size() -> None:
    sizes = MaxTokens(requested=10)
    sizes.echo = 15
    assert sizes.of_next_call(0) == (25, 25)
    sizes.grow(25)
    assert sizes.of_next_call(0) == (100, 100)

"""The rules HEADROOM-1 to HEADROOM-4: what the context window leaves."""

from typing import Any

import pytest

from langchain_bedrock_continue._core.decisions.context_window import (
    ALLOWANCE,
    LEAST_ROOM,
    ContextWindow,
    known_window,
    remember_window,
)
from langchain_bedrock_continue._core.decisions.limits import MaxTokens
from langchain_bedrock_continue._core.decisions.size_refusals import window_in
from langchain_bedrock_continue._core.decisions.vocabulary import Action
from tests.support.responses import usage_of


def used(window: int | None, tokens: int, **limits: Any) -> MaxTokens:
    """Return the sizes after a response whose input and output are so many tokens."""
    sizes = MaxTokens(window=ContextWindow(window), **limits)
    usage = usage_of(100)
    usage["input_tokens"] = tokens - 100
    sizes.note_usage(usage)
    return sizes


@pytest.mark.parametrize(
    ("room", "requested", "budget", "lacks"),
    [
        (LEAST_ROOM, 4_000, 0, False),
        (LEAST_ROOM - 1, 4_000, 0, True),
        (20, 20, 0, False),
        (19, 20, 0, True),
        (0, 1, 0, True),
        (-100, 1, 0, True),
        (1_024, 4_000, 1_024, True),
        (1_025, 4_000, 1_024, False),
    ],
)
def test_headroom_2_a_call_gets_what_is_left_or_is_not_made(
    room: int, requested: int, budget: int, *, lacks: bool
) -> None:
    used_up = 10_000 - ALLOWANCE - room
    sizes = used(10_000, used_up, requested=requested, thinking_budget=budget)
    assert sizes.lacks_headroom() is lacks
    sizes.begin_continuation(100, Action.CONTINUE)
    asked, _ = sizes.of_next_call(100)
    assert asked == (min(room, requested) if room > budget else requested)


def test_headroom_2_an_unset_size_is_set_only_where_less_is_left() -> None:
    for tokens, asked in ((1_000, None), (9_000, 1_000 - ALLOWANCE)):
        sizes = used(10_000, tokens)
        sizes.begin_continuation(100, Action.CONTINUE)
        assert sizes.of_next_call(100) == (asked, asked)


def test_a_retry_gets_what_is_left_beside_the_same_input() -> None:
    sizes = used(10_000, 9_000, requested=400)
    assert not sizes.is_window_full(400)
    sizes.grow(400)
    assert sizes.of_next_call(100)[0] == 1_100
    assert sizes.is_window_full(1_100)
    assert not sizes.can_grow(1_100)


def test_headroom_3_what_the_service_names_is_remembered() -> None:
    error = Exception("exceed context limit: 190 + 20 > 200, decrease input length")
    assert known_window("one", 1_000) == 1_000
    assert known_window("one", None) is None
    remember_window("one", 1_000, error)
    no_window = Exception("max_tokens: 300 > 100, which is the maximum")
    remember_window("one", 1_000, no_window)
    assert known_window("one", 1_000) == 200
    assert known_window("one", None) is None
    assert known_window("other", 1_000) == 1_000


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("exceed context limit: 198 + 4096 > 200,000", 200_000),
        ("maximum context length is 128 tokens; 100 input tokens (64 > 28)", 128),
        ("`inputs` tokens + `max_new_tokens` must be <= 64. Given: 60 `inputs`", 64),
        ("The maximum tokens you requested exceeds the model limit of 64.", None),
        ("maximum context length exceeded by max_tokens", None),
        ("prompt is too long: 300 tokens > 200 maximum", None),
        ("", None),
    ],
)
def test_a_refusal_names_the_window(text: str, window: int | None) -> None:
    assert window_in(Exception(text)) == window


def test_headroom_4_a_larger_response_shows_that_the_size_is_wrong() -> None:
    sizes = used(10_000, 10_001, requested=20)
    assert not sizes.lacks_headroom()
    assert not sizes.is_window_full(20)
    assert sizes.window.tokens is None


def test_headroom_4_without_a_size_or_a_usage_nothing_changes() -> None:
    unknown, without_usage = used(None, 10_000), used(10_000, 9_990)
    without_usage.note_usage(None)
    for sizes in (unknown, without_usage):
        assert not sizes.lacks_headroom()
        sizes.begin_continuation(20, Action.CONTINUE)
        assert sizes.of_next_call(20) == (None, None)

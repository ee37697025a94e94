"""The rules USAGE-SUM-1 to USAGE-SUM-3: the two sums of a turn's usage."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.record.usage import billed, response

TOKENS = st.integers(0, 10_000)


@st.composite
def usages(draw: st.DrawFn) -> Any:
    """Draw the usage of one call, with or without details."""
    input_tokens, output_tokens = draw(TOKENS), draw(TOKENS)
    usage: dict[str, Any] = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }
    if draw(st.booleans()):
        usage["input_token_details"] = {"cache_read": draw(TOKENS)}
    if draw(st.booleans()):
        usage["output_token_details"] = {"reasoning": draw(TOKENS)}
    return usage


USAGES = st.lists(usages(), min_size=1, max_size=4)


def detail(usage: Any, kind: str, name: str) -> int:
    value: int = usage.get(f"{kind}_token_details", {}).get(name, 0)
    return value


@given(USAGES)
def test_usage_sum_1_billed_is_the_sum_over_all_calls(calls: list[Any]) -> None:
    total: Any = billed(calls)
    for key in ("input_tokens", "output_tokens", "total_tokens"):
        assert total[key] == sum(usage[key] for usage in calls)
    for kind, name in (("input", "cache_read"), ("output", "reasoning")):
        expected = sum(detail(usage, kind, name) for usage in calls)
        assert detail(total, kind, name) == expected


@given(USAGES)
def test_usage_sum_2_response_has_the_first_input_and_all_output(
    calls: list[Any],
) -> None:
    first = calls[0]
    total: Any = response(calls)
    assert total["input_tokens"] == first["input_tokens"]
    assert total["output_tokens"] == sum(usage["output_tokens"] for usage in calls)
    assert total["total_tokens"] == total["input_tokens"] + total["output_tokens"]
    cached = detail(first, "input", "cache_read")
    assert detail(total, "input", "cache_read") == cached
    reasoning = sum(detail(usage, "output", "reasoning") for usage in calls)
    assert detail(total, "output", "reasoning") == reasoning


def test_usage_sum_3_nothing_known_is_no_usage() -> None:
    assert billed([]) is None
    assert response([]) is None


@given(USAGES)
@pytest.mark.parametrize("total", [billed, response])
def test_the_usage_of_a_call_is_not_changed(total: Any, calls: list[Any]) -> None:
    before = copy.deepcopy(calls)
    total(calls)
    assert calls == before

"""The rules GROWTH-1 to GROWTH-3: how much each continuation asks for."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from langchain_core.messages import AIMessage

from langchain_bedrock_continue._core.decisions.growth import Growth, check_growth
from langchain_bedrock_continue._core.decisions.limits import MaxTokens
from langchain_bedrock_continue._core.decisions.vocabulary import Action
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.request.prompts import DEFAULT_PROMPT
from langchain_bedrock_continue._core.turn import Turn
from tests.support.responses import complete_message
from tests.support.turns import QUESTION, TurnRun, policy, run_turn

SEGMENTS = (
    "Every night has its own stars, and this one had none. We walked",
    " along the river until the lamps of the town were behind us, and",
    " nobody said a word about the letter. The dog ran ahead of us",
    " into the reeds. Somewhere an owl called twice, then it was so",
    " quiet that I heard my watch. She stopped at the old bridge and",
    " asked me what I would have done in her place; I did not know,",
    " and said so.",
)
BEFORE_QUOTE, _, AFTER_QUOTE = DEFAULT_PROMPT.partition("{tail}")


def echo_of(request: SegmentRequest) -> str:
    """Return what a user turn asks the model to repeat."""
    prompt = request.messages[-1].text
    if not prompt.startswith(BEFORE_QUOTE):
        return ""
    return prompt.removeprefix(BEFORE_QUOTE).removesuffix(AFTER_QUOTE)


def run(fails: Any = None, **allowed: Any) -> TurnRun:
    """Run a turn of seven responses.

    Args:
        fails: Returns the error of a request, or None, given its number and size.
        allowed: What the policy allows.
    """
    answered = 0

    def model(request: SegmentRequest) -> Iterator[AIMessage | Exception]:
        nonlocal answered
        size = request.max_tokens or allowed.get("max_tokens")
        error = fails(answered + 1, size) if fails else None
        if error is not None:
            yield error
            return
        text = echo_of(request) + SEGMENTS[answered]
        answered += 1
        reason = "end_turn" if answered == len(SEGMENTS) else "max_tokens"
        message = complete_message([{"type": "text", "text": text}], reason)
        written = size or 100
        message.usage_metadata = {
            "input_tokens": 10,
            "output_tokens": written,
            "total_tokens": 10 + written,
        }
        yield message

    return run_turn(Turn(QUESTION, {}, policy(**allowed)), model)


def sizes(one: TurnRun) -> list[int | None]:
    """Return what the metadata says of each segment's size."""
    return [entry["max_tokens"] for entry in one.continuation["segments"]]


def sent(one: TurnRun, own: int | None) -> list[int | None]:
    """Return what each request asks for."""
    return [request.max_tokens or own for request in one.requests]


@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
@pytest.mark.parametrize(
    ("growth", "more", "expected"),
    [
        (1.0, {}, [100] * 7),
        (2.0, {}, [100, 200, 400, 800, 1_600, 3_200, 6_400]),
        (1.15, {}, [100, 115, 132, 152, 175, 201, 231]),
        (2.0, {"max_tokens_ceiling": 500}, [100, 200, 400, 500, 500, 500, 500]),
        (2.0, {"max_tokens_ceiling": 50}, [100] * 7),
        (2.0, {"max_output_tokens": 300}, [100, 200, 300, 300, 300, 300, 300]),
        (1e300, {}, [100] + [16_384] * 6),
        (2.0, {"max_total_tokens": 1_000}, [100, 200, 400, 300]),
    ],
)
def test_growth_1_each_continuation_asks_for_more(
    growth: float, more: dict[str, Any], expected: list[int], strategy: str
) -> None:
    allowed = {"max_tokens": 100, "max_tokens_growth": growth, **more}
    one = run(strategy=strategy, **allowed)
    assert sent(one, 100) == expected
    assert sizes(one) == expected
    assert one.message.text == "".join(SEGMENTS[: len(expected)])


def test_growth_1_an_unset_size_grows_from_what_the_first_segment_had() -> None:
    one = run(max_tokens=None, max_tokens_growth=3.0)
    assert sizes(one) == [None, 300, 900, 2_700, 8_100, 16_384, 16_384]


REFUSALS = {
    "with its limit": (
        "The maximum tokens you requested exceeds the model limit of 450.",
        [100, 200, 400, 449, 449, 449, 449],
    ),
    "without": ("max_tokens: not valid", [100, 200, 400, 400, 400, 400, 400]),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_growth_3_a_size_that_is_refused_ends_the_growth(reason: str) -> None:
    text, expected = REFUSALS[reason]
    one = run(
        lambda _n, size: validation(text) if size >= 450 else None,
        max_tokens=100,
        max_tokens_growth=2.0,
    )
    assert one.error is None
    assert sizes(one) == expected
    assert sent(one, 100).count(800) == 1
    assert one.continuation["complete"]


def test_growth_3_a_service_that_refuses_each_larger_size_gets_the_first() -> None:
    one = run(
        lambda n, size: validation("max_tokens: no") if size > 100 and n > 3 else None,
        max_tokens=100,
        max_tokens_growth=2.0,
    )
    assert sizes(one) == [100, 200, 400, 100, 100, 100, 100]
    assert sent(one, 100) == [100, 200, 400, 800, 400, 100, 100, 100, 100]


def test_growth_3_a_size_that_takes_too_long_is_not_asked_for_again() -> None:
    one = run(
        lambda _n, size: ReadTimeoutError(endpoint_url="") if size > 250 else None,
        max_tokens=100,
        max_tokens_growth=2.0,
    )
    assert sizes(one) == [100, 200, 200, 200, 200, 200, 200]
    assert sent(one, 100).count(400) == 1


def test_growth_3_a_second_timeout_is_raised_with_what_arrived() -> None:
    one = run(
        lambda n, _size: ReadTimeoutError(endpoint_url="") if n > 2 else None,
        max_tokens=100,
        max_tokens_growth=2.0,
    )
    assert sent(one, 100) == [100, 200, 400, 200]
    assert one.message.text == "".join(SEGMENTS[:2])


def validation(text: str) -> ClientError:
    """Return how boto3 reports a request that is not valid."""
    response: Any = {"Error": {"Code": "ValidationException", "Message": text}}
    return ClientError(response, "Converse")


def test_growth_2_a_retry_has_a_size_of_its_own_and_the_turn_keeps_the_larger() -> None:
    sizes = MaxTokens(requested=100, growth=Growth(2.0))
    sizes.begin_continuation(100, Action.CONTINUE)
    assert sizes.of_next_call(100)[0] == 200
    sizes.grow(200)
    assert sizes.of_next_call(300)[0] == 800
    for grown in (800, 800, 1_600):
        sizes.begin_continuation(800, Action.CONTINUE)
        assert sizes.of_next_call(300)[0] == grown
    sizes.begin_continuation(800, Action.ASK_AGAIN)
    assert sizes.of_next_call(300)[0] == 1_600


def test_growth_3_the_growth_does_not_begin_again() -> None:
    growth = Growth(2.0)
    growth.grow(100, 1_000)
    assert growth.may_shrink
    growth.shrink()
    assert growth.size is None
    assert not growth.may_shrink
    growth.grow(100, 1_000)
    assert growth.size is None


@pytest.mark.parametrize("factor", [0.5, 0, -1, float("nan"), float("inf")])
def test_a_factor_that_is_not_valid_is_named(factor: float) -> None:
    with pytest.raises(ValueError, match=r"max_tokens_growth: .* got .*Use 2 "):
        check_growth(factor)

"""When a request gets cache points, and where (POINT-1 to POINT-7)."""

from typing import Any

import pytest
from langchain_core.messages.ai import UsageMetadata

from langchain_bedrock_continue._core.decisions.cache_support import (
    NOVA,
    CacheSupport,
    Lifetime,
)
from langchain_bedrock_continue._core.policy import Policy, PromptCaching
from langchain_bedrock_continue._core.request.cache_points import (
    CachePlan,
    Caching,
    Place,
    chosen_places,
)

CLAUDE_ID = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE = CacheSupport(1_024, has_hour=True, look_back=18, beside_tools=True)
REFUSED = RuntimeError("your request did not allow prompt caching")
CONTROL = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def usage(size: int, read: int = 0, written: int = 0, **details: int) -> UsageMetadata:
    """Return the usage of a response with 10 output tokens."""
    known: Any = {"cache_read": read, "cache_creation": written, **details}
    return UsageMetadata(
        input_tokens=size,
        output_tokens=10,
        total_tokens=size + 10,
        input_token_details=known,
    )


def caching(
    mode: PromptCaching = "auto", model_id: str = CLAUDE_ID, **kwargs: Any
) -> Caching:
    return Caching(Policy(prompt_caching=mode, model_id=model_id), kwargs)


# When ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kwargs", "first", "second"),
    [
        ("auto", {}, None, "5m"),
        (True, {}, "5m", "5m"),
        ("5m", {}, "5m", "5m"),
        ("1h", {}, "1h", "1h"),
        (False, {}, None, None),
        ("auto", CONTROL, None, "1h"),
        ("5m", CONTROL, None, "1h"),
        (False, CONTROL, None, None),
    ],
)
def test_which_requests_get_points(
    mode: PromptCaching, kwargs: Any, first: Lifetime | None, second: Lifetime | None
) -> None:
    """POINT-6, POINT-7."""
    decides = caching(mode, **kwargs)
    requests = [(0, first), (0, first), (1, second)]  # the second one is a retry
    for answer, expected in requests:
        plan = decides.plan(None, answer)
        assert (plan and plan.lifetime) == expected
        assert decides.is_refused(REFUSED) == (plan is not None)
    if second:
        assert plan is not None
        assert plan.everywhere == (mode != "auto" or bool(kwargs))


@pytest.mark.parametrize(
    ("size", "model_id", "of_prompt"),
    [
        (1_023, CLAUDE_ID, False),
        (1_024, CLAUDE_ID, True),
        (900_000, CLAUDE_ID, True),
        (999, "us.amazon.nova-pro-v1:0", False),
        (20_000, "us.amazon.nova-pro-v1:0", True),
        (20_001, "us.amazon.nova-pro-v1:0", False),
    ],
)
def test_point_5_the_size_of_the_prompt(
    size: int, model_id: str, of_prompt: bool
) -> None:
    decides = caching(model_id=model_id)
    decides.plan(None, 0)
    assert (decides.plan(usage(size), 1) is not None) == of_prompt


def test_point_5_the_size_of_the_history() -> None:
    decides = caching()
    decides.plan(None, 0)
    assert decides.plan(usage(1_000), 2) is None
    plan = decides.plan(usage(1_014), 4)
    assert plan is not None
    assert (plan.of_prompt, plan.of_history) == (False, True)


@pytest.mark.parametrize("mode", ["auto", "5m"])
def test_point_6_a_miss_ends_it(mode: PromptCaching) -> None:
    """Written once, not read: with "auto" the turn pays for no third write."""
    decides = caching(mode)
    decides.plan(None, 0)
    assert decides.plan(usage(2_000), 1) is not None
    assert decides.plan(usage(2_000, written=2_000), 1) is not None
    after = decides.plan(usage(2_000, ephemeral_5m_input_tokens=2_000), 1)
    assert (after is None) == (mode == "auto")


def test_point_6_what_is_read_goes_on() -> None:
    decides = caching()
    decides.plan(None, 0)
    decides.plan(usage(2_000), 1)
    decides.plan(usage(2_000, written=2_000), 1)
    for _ in range(3):
        assert decides.plan(usage(2_000, read=2_000), 1) is not None
    # A usage that is not known says nothing, and one that is seen twice counts once.
    assert decides.plan(None, 1) is not None
    again = usage(2_000, written=2_000)
    fresh = caching()
    fresh.plan(None, 0)
    fresh.plan(usage(2_000), 1)
    assert fresh.plan(again, 1) is not None
    assert fresh.plan(again, 1) is not None


def test_a_refusal_ends_it() -> None:
    decides = caching("1h")
    assert decides.plan(None, 0) is not None
    decides.stop(REFUSED)
    assert decides.plan(None, 0) is None
    assert not decides.is_refused(REFUSED)
    assert caching("1h").plan(None, 0) is None


def test_another_error_is_no_refusal() -> None:
    decides = caching("1h")
    assert decides.plan(None, 0) is not None
    assert not decides.is_refused(RuntimeError("Too many requests."))


# Where -----------------------------------------------------------------------------

T, S = "tools", "system"


def layout(text: str) -> list[Place]:
    """Return places from words: `T`, `S`, and one word a message of blocks.

    A block is `u` or `a` by role, with `5` or `1` after it for a point of five minutes
    or an hour, and `!` where none is allowed.
    """
    places: list[Place] = []
    message = 0
    for word in text.split():
        blocks = [word[at : at + 2] for at in range(0, len(word), 2)]
        for block in blocks:
            lifetime = {"5": "5m", "1": "1h"}.get(block[1])
            allowed = block[1] != "!"
            if block[0] in "TS":
                section: Any = {"T": T, "S": S}[block[0]]
                places.append(Place(section, 0, "", lifetime, allowed))
                continue
            role = {"u": "user", "a": "assistant"}[block[0]]
            places.append(Place("messages", message, role, lifetime, allowed))
        message += blocks[0][0] in "ua"
    return places


@pytest.mark.parametrize(
    ("text", "plan", "expected"),
    [
        # POINT-1.
        ("u_", CachePlan(CLAUDE), [0]),
        ("u_u_ a_", CachePlan(CLAUDE, answer=1), [1]),
        ("u_ a_ u_", CachePlan(CLAUDE, answer=2, of_history=True), [0, 2]),
        ("u_ a_ u_ a_ u_", CachePlan(CLAUDE, answer=4, of_history=True), [0, 4]),
        ("u_ a_ u_ a_", CachePlan(CLAUDE, answer=1), [2]),
        ("u_ a_", CachePlan(CLAUDE), [0]),  # the caller's own prefill
        # POINT-2.
        ("u_ a_ u_ a_ u_", CachePlan(NOVA, answer=4, of_history=True), [0, 2, 4]),
        (
            "u_ a_ u_ " + "a_" * 19 + " u_",
            CachePlan(CLAUDE, answer=4, of_history=True),
            [0, 2, 22],
        ),
        (
            "u_ " + "a_" * 19 + " u_",
            CachePlan(CLAUDE, everywhere=True),
            [0, 20],
        ),
        ("u_ a_ u_", CachePlan(CLAUDE, everywhere=True), [2]),
        # POINT-3.
        ("T_ S_ u_", CachePlan(CLAUDE, everywhere=True), [0, 1, 2]),
        ("T_ S_ u_", CachePlan(CLAUDE), [2]),
        ("T_ S_ u_", CachePlan(NOVA, everywhere=True), [1, 2]),
        ("T5 S_ u_", CachePlan(CLAUDE, everywhere=True), [1, 2]),
        ("T_ S5S_ u5", CachePlan(CLAUDE, everywhere=True), [0]),
        ("u5 a_ u5 a5 u5 a_ u_", CachePlan(CLAUDE, answer=2, of_history=True), []),
        ("S5 u5u5 a_ u_", CachePlan(CLAUDE, answer=2, of_history=True), [4]),
        # POINT-5.
        ("u_ a_ u! a_", CachePlan(NOVA, answer=1), [0]),
        ("S_ u! a_", CachePlan(NOVA, answer=1), [0]),
        ("u! a_", CachePlan(CLAUDE, answer=1), []),
        (
            "u_ a_ u_",
            CachePlan(CLAUDE, answer=2, of_prompt=False, of_history=True),
            [2],
        ),
    ],
)
def test_the_places(text: str, plan: CachePlan, expected: list[int]) -> None:
    assert sorted(chosen_places(layout(text), plan)) == expected


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("T_ S_ u_", "1h", {0: "1h", 1: "1h", 2: "1h"}),
        ("T5 S_ u_", "1h", {1: "5m", 2: "5m"}),
        ("T1 S_ u_", "5m", {1: "5m", 2: "5m"}),
        ("T_ S1 u_", "5m", {2: "5m"}),
        ("T_ S5 u_", "1h", {0: "1h", 2: "5m"}),
        ("T_ S_ u1", "5m", {}),
        ("T_ S_ u5", "1h", {0: "1h", 1: "1h"}),
    ],
)
def test_point_4_the_lifetimes(
    text: str, wanted: Lifetime, expected: dict[int, Lifetime]
) -> None:
    plan = CachePlan(CLAUDE, wanted, everywhere=True)
    assert chosen_places(layout(text), plan) == expected

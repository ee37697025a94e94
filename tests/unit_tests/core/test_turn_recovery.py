"""Whatever breaks, nothing that arrived is lost (I1, I2, I5 to I7 of `turn`)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue import SegmentError
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import text as text_block
from tests.support.players import (
    QUESTION,
    QUOTED,
    FaultyModelError,
    Played,
    Said,
    Teller,
    chunks,
    play,
)

STRATEGIES = st.sampled_from(["prefill", "user_turn"])
WORDS = st.sampled_from(
    ["alpha", "beta ", "gamma,", " delta", "\n", ".\n\n", "日本", " - ", "{", "}", "é"]
)


@st.composite
def stories(draw: st.DrawFn) -> str:
    """A text in which every word is told once, so that an echo can't be mistaken."""
    words = draw(st.lists(WORDS, min_size=1, max_size=25))
    return "".join(f"{word}{at}" for at, word in enumerate(words))


SIZES = st.lists(st.integers(4, 60), min_size=1, max_size=5)
FAULTS = st.dictionaries(st.integers(0, 6), st.integers(0, 25), max_size=4)


def policy(strategy: str, **kwargs: Any) -> Policy:
    return Policy(**{"strategy": strategy, "max_continuations": 400, **kwargs})


def tell(teller: Teller, allowed: Policy) -> Played:
    played = play(Turn(QUESTION, {}, allowed), teller)
    if isinstance(played.error, FaultyModelError):
        raise played.error
    return played


@given(stories(), SIZES, FAULTS, st.integers(1, 9), STRATEGIES)
def test_i1_a_broken_stream_is_a_seam_too(
    text: str, sizes: list[int], faults: dict[int, int], chunk: int, strategy: str
) -> None:
    teller = Teller(text, sizes, chunk, faults)
    played = tell(teller, policy(strategy, stream_recoveries=50))
    assert played.error is None
    assert played.text == played.message.text
    assert played.text == text
    assert played.summary["complete"]
    entries = played.summary["segments"]
    assert len(entries) == teller.calls
    broken = [at for at, entry in enumerate(entries) if "error" in entry]
    assert all(at in faults for at in broken)
    assert {entries[at]["error"] for at in broken} <= {"ConnectionError"}


@given(stories(), SIZES, st.integers(0, 4), st.integers(0, 25), STRATEGIES)
def test_the_partial_is_what_was_shown_to_the_character(
    text: str, sizes: list[int], call: int, at: int, strategy: str
) -> None:
    error = ValueError("gone")
    teller = Teller(text, sizes, 2, {call: at}, error)
    played = tell(teller, policy(strategy, stream_recoveries=50))
    if played.error is None:
        assert played.text == text
        return
    if played.error is error:  # I6
        assert played.text == ""
        assert teller.calls == 1
        return
    assert isinstance(played.error, SegmentError)
    assert isinstance(played.error, ValueError)
    assert played.error.partial.text == played.text
    assert text.startswith(played.text)
    assert not played.summary["complete"]
    assert played.summary["ended_by"] == "error"
    assert played.error.segments == played.summary["segments"]
    assert played.error.segments[-1]["error"] == "ValueError"


@given(stories(), SIZES, FAULTS, st.integers(0, 3), STRATEGIES)
def test_i5_no_more_recoveries_than_are_allowed(
    text: str, sizes: list[int], faults: dict[int, int], most: int, strategy: str
) -> None:
    teller = Teller(text, sizes, 2, faults)
    played = tell(teller, policy(strategy, stream_recoveries=most))
    assert text.startswith(played.text)
    waits = [request.wait for request in played.requests if request.wait]
    assert len(waits) <= most
    assert waits == sorted(waits)
    if played.error is None:
        assert played.text == text
    elif isinstance(played.error, SegmentError):
        assert played.error.partial.text == played.text
        assert len(waits) == most


@given(stories(), SIZES, FAULTS, st.integers(0, 3))
def test_a_broken_call_of_invoke_is_made_again(
    text: str, sizes: list[int], faults: dict[int, int], most: int
) -> None:
    broken = dict.fromkeys(faults, 0)
    teller = Teller(text, sizes, 0, broken)
    played = tell(teller, policy("prefill", stream_recoveries=most))
    if played.error is None:
        assert played.message.text == text
    elif isinstance(played.error, SegmentError):
        assert text.startswith(played.error.partial.text)


@given(stories(), SIZES, FAULTS)
def test_a_segment_of_unknown_usage_says_so(
    text: str, sizes: list[int], faults: dict[int, int]
) -> None:
    teller = Teller(text, sizes, 2, faults)
    played = tell(teller, policy("prefill", stream_recoveries=50))
    known = 0
    for entry in played.summary["segments"]:
        arrived = entry["output_tokens"]
        assert arrived == 100 or (arrived is None and "error" in entry)
        known += arrived or 0
    billed = played.summary["billed"]
    assert (billed["output_tokens"] if billed else 0) == known


@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
@pytest.mark.parametrize("at", range(12))
def test_every_place_of_a_text_with_line_breaks(at: int, strategy: str) -> None:
    text = "def f(x):\n    return {\n        'a': x,\n    }\n\n\nend"
    for call in range(3):
        teller = Teller(text, [20], 2, {call: at})
        assert tell(teller, policy(strategy)).text == text


def test_what_a_broken_join_still_held_is_not_lost() -> None:
    def model(request: SegmentRequest) -> Said:
        found = QUOTED.search(request.messages[-1].text)
        quote = found[2] if found else ""
        if not quote:
            yield from chunks([text_block("alpha beta ")], "max_tokens", 4)
        elif quote.endswith("beta"):
            yield AIMessageChunk(content=[text_block("I")])  # a lead-in, or not
            yield ConnectionError()
        else:
            yield from chunks([text_block(f"{quote} delta")], "end_turn", 4)

    played = play(Turn(QUESTION, {}, policy("user_turn")), model)
    assert played.text == played.message.text == "alpha beta I delta"


def test_i6_the_first_calls_own_error_is_the_callers() -> None:
    error = ValueError("own")
    played = tell(Teller("text", [9], 2, {0: 0}, error), policy("prefill"))
    assert played.error is error


def test_i7_a_refused_prefill_is_no_segment() -> None:
    refusal = ValueError("This model does not support assistant message prefill.")
    teller = Teller("alpha beta gamma delta", [6, 9], 2, {1: 0}, refusal)
    model_id = "anthropic.claude-sonnet-4-5-test"
    played = tell(teller, policy("auto", model_id=model_id))
    assert played.text == "alpha beta gamma delta"
    strategies = [entry["strategy"] for entry in played.summary["segments"]]
    assert strategies[:2] == [None, "user_turn"]
    assert teller.calls == len(strategies) + 1


@pytest.mark.parametrize("left", [0.0, 0.2])
def test_no_recovery_starts_that_the_deadline_would_end(left: float) -> None:
    now = iter([0.0])
    allowed = policy("prefill", max_seconds=10.0)
    turn = Turn(QUESTION, {}, allowed, clock=lambda: next(now, 10.0 - left))
    played = play(turn, Teller("alpha beta gamma", [30], 2, {0: 3}))
    assert isinstance(played.error, SegmentError)
    assert played.error.partial.text == played.text != ""

"""What the progress of a run says, as its callbacks tell it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_bedrock_continue._display.bar import MOST_PARTS, cells, parts_of
from langchain_bedrock_continue._display.run import Run
from langchain_bedrock_continue._display.words import seconds, short_model


def entry(output: int | None, strategy: str | None = None, **more: Any) -> Any:
    return {
        "stop_reason": "max_tokens",
        "input_tokens": 9,
        "output_tokens": output,
        "max_tokens": 100,
        "request_id": f"r{output}",
        "strategy": strategy,
        **more,
    }


def event(kind: str, segment: Any) -> Any:
    return {"type": kind, "offset": 0, "segment": segment}


def finished(*entries: Any, **turn: Any) -> AIMessage:
    turn = {"complete": True, "ended_by": "model", "segments": [*entries]} | turn
    return AIMessage("x", response_metadata={"continuation": turn})


def running() -> Run:
    return Run("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 100, began=10.0)


def test_the_tokens_of_the_running_segment_are_an_estimate_until_it_ends() -> None:
    """RUN-1: by four characters a token, then by what the finished segments had."""
    run = running()
    run.receive(200)
    assert run.facts(12.0) == ["segment 1", "~50 tokens", "25 tok/s", "2.0 s"]
    run.continue_with(event("seam", entry(100)))
    assert run.facts(12.0) == ["segment 2", "100 tokens", "50 tok/s", "2.0 s"]
    run.receive(40)
    assert run.facts(12.0)[1] == "~120 tokens"
    run.end(finished(entry(100), entry(33, "prefill")), 14.0)
    assert run.facts(99.0) == ["2 segments", "133 tokens", "33 tok/s", "4.0 s"]


def test_a_response_is_counted_once() -> None:
    """RUN-2: a refused prefill is announced with the response before it."""
    run = running()
    assert run.continue_with(event("seam", entry(100)))
    assert not run.continue_with(event("prefill_refused", entry(100)))
    assert (run.written, run.doing()) == (100, "prefill refused, user turn")


def test_the_tokens_of_a_resumed_turn_are_not_those_of_the_run() -> None:
    run = running()
    run.continue_with(event("resume", entry(100)))
    assert (run.written, run.facts(11.0)[0]) == (0, "segment 2")
    earlier = [entry(70), entry(100)]
    run.end(finished(*earlier, entry(30, "prefill", max_tokens=50)), 12.0)
    assert run.facts(12.0) == ["3 segments", "30 tokens", "15 tok/s", "2.0 s"]


def test_what_a_run_is_doing() -> None:
    run = running()
    run.tool = {"name": "search", "id": "1", "characters": 1_204}
    assert run.doing() == "calling search(1,204 characters…)"
    run.continue_with(event("retry", entry(100)))
    assert run.doing() == "retrying"
    assert [part.kind for part in run.parts()] == ["replaced", "open"]
    run.receive(1)
    assert run.doing() == ""
    refused = entry(40, "user_turn", problem="first_line")
    run.continue_with(event("asked_again", refused))
    assert run.doing() == "asking again: first_line"
    run.continue_with(event("recovery", entry(7, error="EventStreamError")))
    assert run.doing() == "recovering from EventStreamError"


@pytest.mark.parametrize(
    ("end", "state", "words"),
    [
        (finished(entry(1)), "complete", ""),
        (
            finished(entry(1), complete=False, ended_by="max_seconds"),
            "incomplete",
            "incomplete: max_seconds",
        ),
        (ValueError("no\n such  model"), "failed", "ValueError: no such model"),
        (GeneratorExit(), "closed", "closed"),
        (AIMessage("of another model"), "complete", ""),
    ],
    ids=["complete", "incomplete", "failed", "closed", "another model"],
)
def test_what_became_of_a_run(end: Any, state: str, words: str) -> None:
    run = running()
    if isinstance(end, BaseException):
        run.fail(end, 11.0)
    else:
        run.end(end, 11.0)
    assert (run.state, run.doing()) == (state, words)


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 80),
)
def test_a_bar_has_its_width_and_every_part_can_be_seen(segments: Any, width: int):
    entries = [
        entry(tokens, "retry" if at and retried else "prefill" if at else None)
        for at, (tokens, retried) in enumerate(segments)
    ]
    parts = parts_of(entries)
    lengths = cells(parts, width)
    assert len(parts) == len(lengths) == min(len(entries), MOST_PARTS)
    assert min(lengths) >= 1
    seams = len(parts) - 1
    assert sum(lengths) + seams == max(width, len(parts) + seams)
    covered = [n for p in parts for n in range(p.first or p.number, p.number + 1)]
    assert covered == [*range(1, len(entries) + 1)]


@pytest.mark.parametrize(
    ("model", "short"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("global.amazon.nova-2-lite-v1:0", "nova-2-lite"),
        ("us-gov.anthropic.claude-sonnet-5", "claude-sonnet-5"),
        ("meta.llama3-3-70b-instruct-v1:0", "llama3-3-70b-instruct"),
        ("deepseek.v3.2", "v3.2"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b-1"),
        (
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc12",
            "abc12",
        ),
        ("gpt-4.1", "gpt-4.1"),
        (None, "model"),
    ],
)
def test_a_model_has_a_short_name(model: str | None, short: str) -> None:
    assert short_model(model) == short


def test_durations() -> None:
    assert [seconds(at) for at in (0, 59.94, 59.96, 125)] == [
        *("0.0 s", "59.9 s", "1 min 0 s", "2 min 5 s")
    ]

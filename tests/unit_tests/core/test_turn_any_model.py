"""Whatever a model and a service do, the turn ends in its bounds and is honest.

The model's behaviour is drawn at random: what it says, why it stops, where it breaks
off. Every turn is played to its end, by every strategy and with every limit.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import exceptions as botocore_errors
from botocore.eventstream import ChecksumMismatch
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.decisions import prefill_support as models
from langchain_bedrock_continue._core.decisions.stop_reasons import STOP_REASONS
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import call, image, text, thought
from tests.support.players import (
    QUESTION,
    Block,
    Played,
    chunks,
    play,
    usage_of,
    whole,
)

WORDS = ("a ", "word ", "\n", "  \n", "x", "{", "日本", "\ufffd", ".\n", "<st", "op>")
REASONS = (*["max_tokens"] * 10, *sorted(STOP_REASONS), None, "odd")
CUT = {"max_tokens", "malformed_tool_use", "model_context_window_exceeded", None}
ARGUMENTS = {"path": "a.md", "content": "hello { } \\\n x" * 3}
RAW = json.dumps(ARGUMENTS)
TOOLS: dict[str, Any] = {
    "tools": [
        {
            "toolSpec": {
                "name": "write",
                "inputSchema": {"json": {"type": "object", "required": ["path"]}},
            }
        }
    ]
}


def service_error(code: str, message: str, *, event: bool = False) -> Exception:
    kind = botocore_errors.EventStreamError if event else botocore_errors.ClientError
    response = {"Error": {"Code": code, "Message": message}}
    error: Exception = kind(response, "ConverseStream")
    return error


LIMIT = "The maximum tokens you requested exceeds the model limit of {}. Try again"
REFUSAL = "This model does not support assistant message prefill."
ERRORS = (
    ConnectionError("missing messageStop"),
    ChecksumMismatch(1, 2),
    service_error("throttlingException", "m", event=True),
    service_error("ThrottlingException", "m"),
    service_error("ValidationException", "m"),
    service_error("ValidationException", REFUSAL),
    *(service_error("ValidationException", LIMIT.format(n)) for n in (0, 1, 300, 5000)),
    ValueError("v"),
)


def policies(chance: random.Random) -> Policy:
    one = chance.choice
    return Policy(
        max_continuations=one([0, 1, 3, 16]),
        max_total_tokens=one([None, None, 10, 5000]),
        strategy=one(["auto", "prefill", "user_turn"]),
        model_id=one(["", "anthropic.claude-sonnet-4-5"]),
        tool_call_recovery=one(["retry", "resume", "return", "raise"]),
        max_tokens_ceiling=one([None, 64, 1000]),
        stream_recoveries=one([0, 1, 2, 5]),
        max_seconds=one([None, None, 5.0]),
        thinks=one([False, False, True]),
        stops=one([(), ("<stop>",)]),
        constrained=one([False] * 5 + [True]),
        max_tokens=one([None, 1, 10, 100]),
        max_output_tokens=one([None, 64, 2000]),
        on_limit=one(["return", "raise"]),
        guards_last_turn=one([False] * 5 + [True]),
    )


class AnyModel:
    """A model that does anything."""

    def __init__(self, chance: random.Random, *, streams: bool) -> None:
        self.chance, self.streams = chance, streams
        self.always_cut = chance.random() < 0.3
        self.breaks = chance.choice([0.0, 0.0, 0.2, 0.9])
        self.requests: list[SegmentRequest] = []
        self.cut_calls: list[str] = []

    def __call__(self, request: SegmentRequest) -> Iterator[AIMessage | Exception]:
        self.requests.append(request)
        reason = "max_tokens" if self.always_cut else self.chance.choice(REASONS)
        said = list(self._said(reason))
        breaks = self.chance.random() < self.breaks
        at = self.chance.randrange(len(said)) if breaks else len(said)
        yield from said[:at]
        if breaks:
            yield self.chance.choice(ERRORS)

    def _said(self, reason: str | None) -> Iterator[AIMessage]:
        blocks = [self._block() for _ in range(self.chance.choice([0, 1, 1, 1, 2, 4]))]
        if blocks and blocks[-1]["type"] == "tool_use" and reason in CUT:
            self.cut_calls.append(blocks[-1]["id"])
        usage = usage_of(self.chance.choice([0, 1, 50, 5000]))
        if self.streams:
            yield from chunks(blocks, reason, self.chance.randint(1, 9))
            yield AIMessageChunk(content="", usage_metadata=usage)
        else:
            message = whole(blocks, reason)
            message.usage_metadata = self.chance.choice([None, usage])
            yield message

    def _block(self) -> Block:
        kind = self.chance.choice(["text"] * 5 + ["think", "call", "call", "image"])
        if kind == "text":
            words = "".join(self.chance.choices(WORDS, k=self.chance.randint(0, 12)))
            cited = {"citations": [{"source": 1}]} if self.chance.random() < 0.1 else {}
            return {**text(words), **cited}
        if kind == "call":
            return self._call()
        return thought("hm") if kind == "think" else image("eA==")

    def _call(self) -> Block:
        size = self.chance.choice([0, 1, 5, 20, len(RAW) - 1, len(RAW), len(RAW)])
        args: Any = ARGUMENTS if size == len(RAW) else {}
        begun: Any = {**call(f"id{self.chance.random()}", args)}
        return {**begun, "input": RAW[:size]} if self.streams else begun


def played(chance: random.Random, **fixed: Any) -> tuple[Played, AnyModel, Policy]:
    """Play a turn of any policy with a model that does anything."""
    models.forget_refusals()
    allowed, streams = policies(chance), chance.random() < 0.6
    partial = AIMessage("so far ", response_metadata={"stopReason": "max_tokens"})
    model = AnyModel(chance, streams=streams)
    seconds = 0.0

    def clock() -> float:
        nonlocal seconds
        seconds += chance.random() / 4
        return seconds

    turn = Turn(
        QUESTION,
        chance.choice([{}, TOOLS]),
        allowed,
        partial=chance.choice([None, None, None, partial]),
        clock=clock,
    )
    return play(turn, model), model, allowed


def finished(chance: random.Random) -> tuple[Played, AnyModel, Policy]:
    """Play turns until one does not end in the caller's own error (I6)."""
    while True:
        result = played(chance)
        error = result[0].error
        if error is None or isinstance(error, ContinuationError):
            return result
        assert error in ERRORS
        assert result[0].text == ""


def _settled(turn: Turn) -> ContinuationError | None:
    try:
        turn.raise_or_warn()
    except ContinuationError as error:
        return error
    return None


RANDOM = st.integers(0, 2**64).map(random.Random)


@given(RANDOM)
def test_i5_every_turn_ends_in_its_bounds(chance: random.Random) -> None:
    done, model, allowed = finished(chance)
    segments = done.turn._record.segments
    assert len(segments) <= allowed.max_continuations + 1
    # A refused prefill, and one that the model's limit refused, are no segments.
    assert len(model.requests) <= len(segments) + 4
    for request in model.requests:
        content = request.messages[-1].content
        kinds = {block["type"] for block in content if isinstance(block, dict)}
        assert content
        assert kinds != {"reasoning_content"}


@given(RANDOM)
def test_i2_what_was_shown_is_the_message(chance: random.Random) -> None:
    done, model, _ = finished(chance)
    if not model.streams and done.error is None:
        return
    assert done.text == done.message.text
    if done.error is None:
        added = done.streamed()
        assert added.tool_calls == done.message.tool_calls
        assert added.content == (done.message.content or added.content)
        assert added.response_metadata == done.message.response_metadata
        assert added.usage_metadata == done.message.usage_metadata


@given(RANDOM)
def test_no_cut_call_is_ever_valid(chance: random.Random) -> None:
    done, model, _ = finished(chance)
    for one in done.message.tool_calls:
        assert one["args"] in ({}, ARGUMENTS)
        assert one["id"] not in model.cut_calls
    if done.error is None and model.streams:
        assert done.streamed().tool_calls == done.message.tool_calls


@given(RANDOM)
def test_the_summary_is_sound(chance: random.Random) -> None:
    done, _, _ = finished(chance)
    summary, message = done.summary, done.message
    json.dumps(summary)
    assert summary["ended_by"] is not None
    assert summary["seams"] == sorted(summary["seams"])
    assert all(0 <= at <= len(message.text) for at in summary["seams"])
    if done.error is None and not summary["complete"]:
        paused = message.response_metadata.get("stopReason") == "pause_turn"
        assert (summary["ended_by"] == "model") <= paused
    settled = _settled(done.turn)
    if settled is not None and done.error is None:
        assert settled.partial == message


@pytest.mark.parametrize("seed", range(100))
def test_a_model_that_always_cuts_is_left_at_last(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    model = AnyModel(chance, streams=bool(seed % 2))
    model.always_cut, model.breaks = True, 0.0
    allowed = Policy(max_continuations=10_000, max_tokens=1, strategy="prefill")
    most = 3_000
    turn = Turn(QUESTION, {}, allowed)
    ended = False
    for _ in turn.requests():
        for message in model._said("max_tokens"):
            turn.receive(message)
        turn.end_segment()
        most -= 1
        if not most:
            break
        ended = turn._record.ending is not None
    assert ended

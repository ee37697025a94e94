"""Turns with a random policy, and a model that behaves at random.

The model chooses at random what it writes, why each response ends, and where a call
fails.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

from botocore import exceptions as botocore_errors
from botocore.eventstream import ChecksumMismatch
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.decisions import forms, prefill_support
from langchain_bedrock_continue._core.decisions.stop_reasons import STOP_REASONS
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import call_block, image_block, reasoning_block, text_block
from tests.support.responses import (
    Block,
    complete_message,
    streamed_chunks,
    usage_of,
)
from tests.support.turns import QUESTION, Response, TurnRun, run_turn

RANDOM = st.integers(0, 2**64).map(random.Random)

ARGUMENTS = {"path": "a.md", "content": "hello { } \\\n x" * 3}
"""The arguments of every complete tool call."""

WORDS = ("a ", "word ", "\n", "  \n", "x", "{", "日本", "\ufffd", ".\n", "<st", "op>")
_JSON = json.dumps(ARGUMENTS)
_STOP_REASONS = (*["max_tokens"] * 10, *sorted(STOP_REASONS), None, "odd")
_TRUNCATING = {
    "max_tokens",
    "malformed_tool_use",
    "model_context_window_exceeded",
    None,
}
_TOOLS: dict[str, Any] = {
    "tools": [
        {
            "toolSpec": {
                "name": "write",
                "inputSchema": {"json": {"type": "object", "required": ["path"]}},
            }
        }
    ]
}


def _service_error(code: str, message: str, *, in_stream: bool = False) -> Exception:
    kind: Any = botocore_errors.ClientError
    kind = botocore_errors.EventStreamError if in_stream else kind
    response = {"Error": {"Code": code, "Message": message}}
    error: Exception = kind(response, "ConverseStream")
    return error


_LIMIT = "The maximum tokens you requested exceeds the model limit of {}. Try again"
_REFUSAL = "This model does not support assistant message prefill."

NO_STOP_REASON = ConnectionError("missing messageStop")
ERRORS = (
    NO_STOP_REASON,
    ChecksumMismatch(1, 2),
    _service_error("throttlingException", "m", in_stream=True),
    _service_error("ThrottlingException", "m"),
    _service_error("ValidationException", "m"),
    _service_error("ValidationException", _REFUSAL),
    *(
        _service_error("ValidationException", _LIMIT.format(limit))
        for limit in (0, 1, 300, 5000)
    ),
    ValueError("v"),
)
"""The errors with which a call fails."""


def random_policy(chance: random.Random) -> Policy:
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


class RandomModel:
    """A model that behaves at random.

    Attributes:
        streams: Whether its responses arrive in chunks.
        always_truncates: Whether every response ends at `max_tokens`.
        failure_rate: The share of calls that fail.
        requests: The requests that it has received.
        truncated_calls: The ids of the tool calls that it truncated.
    """

    def __init__(self, chance: random.Random, *, streams: bool) -> None:
        self.chance, self.streams = chance, streams
        self.always_truncates = chance.random() < 0.3
        self.failure_rate = chance.choice([0.0, 0.0, 0.2, 0.9])
        self.requests: list[SegmentRequest] = []
        self.truncated_calls: list[str] = []

    def __call__(self, request: SegmentRequest) -> Response:
        """Answer a request."""
        self.requests.append(request)
        always = self.always_truncates
        stop_reason = "max_tokens" if always else self.chance.choice(_STOP_REASONS)
        messages = list(self.response(stop_reason))
        fails = self.chance.random() < self.failure_rate
        received = self.chance.randrange(len(messages)) if fails else len(messages)
        yield from messages[:received]
        if fails:
            yield self.chance.choice(ERRORS)
        elif self.streams and stop_reason is None:
            yield NO_STOP_REASON  # as the shell raises it: `Turn.check_end`

    def response(self, stop_reason: str | None) -> Iterator[AIMessage]:
        """Write a response."""
        blocks = [self._block() for _ in range(self.chance.choice([0, 1, 1, 1, 2, 4]))]
        if blocks and blocks[-1]["type"] == "tool_use" and stop_reason in _TRUNCATING:
            self.truncated_calls.append(blocks[-1]["id"])
        usage = usage_of(self.chance.choice([0, 1, 50, 5000]))
        if self.streams:
            yield from streamed_chunks(blocks, stop_reason, self.chance.randint(1, 9))
            yield AIMessageChunk(content="", usage_metadata=usage)
        else:
            message = complete_message(blocks, stop_reason)
            message.usage_metadata = self.chance.choice([None, usage])
            yield message

    def _block(self) -> Block:
        kinds = ["text"] * 5 + ["reasoning", "call", "call", "image"]
        kind = self.chance.choice(kinds)
        if kind == "text":
            text = "".join(self.chance.choices(WORDS, k=self.chance.randint(0, 12)))
            is_cited = self.chance.random() < 0.1
            cited = {"citations": [{"source": 1}]} if is_cited else {}
            return {**text_block(text), **cited}
        if kind == "call":
            return self._call()
        return reasoning_block("hm") if kind == "reasoning" else image_block("eA==")

    def _call(self) -> Block:
        sizes = [0, 1, 5, 20, len(_JSON) - 1, len(_JSON), len(_JSON)]
        size = self.chance.choice(sizes)
        args: Any = ARGUMENTS if size == len(_JSON) else {}
        block: Any = {**call_block(f"id{self.chance.random()}", args)}
        return {**block, "input": _JSON[:size]} if self.streams else block


def run_random_turn(chance: random.Random) -> tuple[TurnRun, RandomModel, Policy]:
    """Run random turns until one does not end in the caller's own error (TURN-6)."""
    while True:
        run, model, policy = _run_any_turn(chance)
        if run.error is None or isinstance(run.error, ContinuationError):
            return run, model, policy
        assert run.error in ERRORS
        assert run.text == ""


def _run_any_turn(chance: random.Random) -> tuple[TurnRun, RandomModel, Policy]:
    prefill_support.forget_refusals()
    forms.forget_forms()
    policy, streams = random_policy(chance), chance.random() < 0.6
    partial = AIMessage("so far ", response_metadata={"stopReason": "max_tokens"})
    model = RandomModel(chance, streams=streams)
    seconds = 0.0

    def clock() -> float:
        nonlocal seconds
        seconds += chance.random() / 4
        return seconds

    turn = Turn(
        QUESTION,
        chance.choice([{}, _TOOLS]),
        policy,
        partial=chance.choice([None, None, None, partial]),
        clock=clock,
    )
    return run_turn(turn, model), model, policy

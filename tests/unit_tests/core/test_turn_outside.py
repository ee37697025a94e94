"""What comes from outside may be anything: no turn breaks, and none loses its work."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.players import QUESTION, play
from tests.unit_tests.core.test_turn_any_model import RANDOM, policies

ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["text", "RequestId", "a"]), inner, max_size=2
        )
    ),
    max_leaves=3,
)
METADATA = st.fixed_dictionaries(
    {"stopReason": ODD | st.sampled_from(["max_tokens", "malformed_tool_use"])},
    optional={
        "stop_reason": ODD,
        "ResponseMetadata": ODD,
        "model_provider": ODD,
        "usage": ODD,
        "continuation": ODD,
    },
)
ODD_BLOCKS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "tool_use", "reasoning_content"]) | ODD},
        optional={"text": ODD, "index": ODD, "id": ODD, "name": ODD, "input": ODD},
    )
    | st.text(max_size=3),
    max_size=3,
)
COUNTS = st.integers(-(10**30), 10**30)
USAGE = st.none() | st.fixed_dictionaries(
    {"input_tokens": COUNTS, "output_tokens": COUNTS, "total_tokens": COUNTS}
)
ANYTHING = st.tuples(ODD_BLOCKS, METADATA, USAGE)


@given(st.lists(ANYTHING, min_size=1, max_size=4), st.booleans(), RANDOM)
def test_nothing_that_comes_from_outside_breaks_a_turn(
    said: list[Any], streams: bool, chance: random.Random
) -> None:
    kind: Any = AIMessageChunk if streams else AIMessage
    messages = [
        kind(content=content, response_metadata=dict(metadata), usage_metadata=usage)
        for content, metadata, usage in said
    ]
    allowed = replace(policies(chance), max_continuations=3)
    turn = Turn(QUESTION, {}, allowed)
    done = play(turn, _Repeating(messages), most=20)
    if done.turn.content.is_empty and done.error is not None:
        return  # I6
    assert done.error is None or isinstance(done.error, ContinuationError)
    assert done.summary["ended_by"] is not None
    if streams:
        assert done.text == done.message.text


class _Repeating:
    """A model that says one message a call."""

    def __init__(self, messages: list[AIMessage]) -> None:
        self.messages, self.calls = messages, 0

    def __call__(self, _request: SegmentRequest) -> Iterator[AIMessage | Exception]:
        self.calls += 1
        yield self.messages[self.calls % len(self.messages)]

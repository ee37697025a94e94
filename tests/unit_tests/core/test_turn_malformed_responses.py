"""No response, however malformed, breaks a turn or makes it lose what arrived."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import ContinuationError
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.turn import Turn
from tests.support.random_turns import RANDOM, random_policy
from tests.support.turns import QUESTION, Response, policy, run_turn

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
RESPONSES = st.lists(st.tuples(ODD_BLOCKS, METADATA, USAGE), min_size=1, max_size=4)


class RepeatingModel:
    """A model that returns one message per call, in rotation."""

    def __init__(self, messages: list[AIMessage]) -> None:
        self.messages, self.calls = messages, 0

    def __call__(self, _request: SegmentRequest) -> Response:
        self.calls += 1
        yield self.messages[self.calls % len(self.messages)]


@given(RESPONSES, st.booleans(), RANDOM)
def test_no_response_breaks_a_turn(
    responses: list[Any], streamed: bool, chance: random.Random
) -> None:
    kind: Any = AIMessageChunk if streamed else AIMessage
    messages = [
        kind(content=content, response_metadata=dict(metadata), usage_metadata=usage)
        for content, metadata, usage in responses
    ]
    allowed = replace(random_policy(chance), max_continuations=3)
    turn = Turn(QUESTION, {}, allowed)
    run = run_turn(turn, RepeatingModel(messages), max_calls=20)
    if run.turn.content.is_empty and run.error is not None:
        return  # TURN-6
    assert run.error is None or isinstance(run.error, ContinuationError)
    assert run.continuation["ended_by"] is not None
    if streamed:
        assert run.text == run.message.text


STRANGE = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers())
KEYS = st.sampled_from(["stopReason", "stop_reason", "ResponseMetadata", "model_name"])


@given(st.dictionaries(KEYS, STRANGE | st.just("max_tokens")), st.booleans())
def test_no_metadata_breaks_a_turn(metadata: dict[str, Any], streamed: bool) -> None:
    turn = Turn(QUESTION, {}, policy(max_continuations=2))
    kind = AIMessageChunk if streamed else AIMessage
    for _request in turn.requests():
        turn.receive(kind(content="some text", response_metadata=dict(metadata)))
        turn.end_segment()
    assert turn.message().text.startswith("some text")
    continuation = turn.message().response_metadata["continuation"]
    assert continuation["ended_by"] in {"model", "max_continuations"}

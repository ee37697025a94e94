"""The rules PARTIAL-1 to PARTIAL-3: a turn resumes a partial message of any origin."""

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumpd, load
from langchain_core.messages import AIMessage

from langchain_bedrock_continue._core.decisions.stop_reasons import STOP_REASONS
from langchain_bedrock_continue._core.decisions.vocabulary import Action
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.record.partial import (
    check_partial,
    needs_resuming,
    read_partial,
)
from langchain_bedrock_continue._core.turn import Turn
from langchain_bedrock_continue._wrapped.private_names import v1_to_converse
from langchain_bedrock_continue._wrapped.v1_messages import from_v1
from tests.support.contents import (
    call_block,
    image_block,
    reasoning_block,
    text_block,
)
from tests.support.fake_models import OUTPUT_TOKENS, FakeTextModel
from tests.support.random_texts import texts_without_repetition
from tests.support.responses import usage_of
from tests.support.turns import (
    QUESTION,
    STRATEGIES,
    TurnRun,
    policy,
    run_turn_strictly,
)

SIZES = st.lists(st.integers(4, 60), min_size=1, max_size=5)

TRANSPORTS: dict[str, Callable[[AIMessage], AIMessage]] = {
    "none": lambda partial: partial,
    "pickle": lambda partial: pickle.loads(pickle.dumps(partial)),  # noqa: S301 - ours
    "json": lambda partial: load(dumpd(partial), allowed_objects="messages"),
    "model_dump": lambda partial: AIMessage(**partial.model_dump()),
}
"""How a message gets into another process."""

LIMITS: list[dict[str, Any]] = [
    {"max_continuations": 1},
    {"max_total_tokens": 250},
    {"max_seconds": 2.0},
    {"stream_recoveries": 0},
]


def in_converse_form(partial: AIMessage) -> AIMessage:
    """Return a message as the shell gives it to the turn."""
    return from_v1(partial, v1_to_converse)


def in_v1_form(partial: AIMessage) -> AIMessage:
    """Return a message as the wrapped model returns it with `output_version="v1"`."""
    metadata = {**partial.response_metadata, "model_provider": "bedrock_converse"}
    message = partial.model_copy(update={"response_metadata": metadata})
    v1 = {**metadata, "output_version": "v1"}
    content = message.content_blocks
    return message.model_copy(update={"content": content, "response_metadata": v1})


def run_stopped_turn(model: FakeTextModel, allowed: Policy) -> TurnRun:
    """Run a turn that a limit or an error may end; each look at the clock takes 1 s."""
    seconds = iter(range(1000))
    turn = Turn(QUESTION, {}, allowed, clock=lambda: float(next(seconds)))
    return run_turn_strictly(turn, model)


def resume(model: FakeTextModel, allowed: Policy, partial: AIMessage) -> TurnRun:
    """Run a turn that resumes a partial message."""
    turn = Turn(QUESTION, {}, allowed, partial=in_converse_form(partial))
    return run_turn_strictly(turn, model)


class StoppedTurn(NamedTuple):
    """How a turn was stopped, and how its message was transported.

    Attributes:
        sizes: The sizes of its segments.
        fault: The number of the call that fails, if it streams.
        limit: The limit that stops it.
        strategy: How it continues.
        transport: A key of TRANSPORTS.
        v1: Whether the message is in the v1 form.
        chunk_size: The characters of a chunk; 0 if it does not stream.
    """

    sizes: list[int]
    fault: int
    limit: dict[str, Any]
    strategy: str
    transport: str
    v1: bool
    chunk_size: int

    def message(self, text: str) -> AIMessage:
        """Return the message of the turn, which may be complete."""
        faults = {self.fault: 4} if self.chunk_size else {}
        model = FakeTextModel(text, self.sizes, self.chunk_size, faults)
        allowed = policy(self.strategy, **self.limit)
        message = run_stopped_turn(model, allowed).message
        return TRANSPORTS[self.transport](in_v1_form(message) if self.v1 else message)


STOPPED_TURNS = st.builds(
    StoppedTurn,
    SIZES,
    st.integers(0, 5),
    st.sampled_from(LIMITS),
    STRATEGIES,
    st.sampled_from(sorted(TRANSPORTS)),
    st.booleans(),
    st.sampled_from([0, 3]),
)


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
@given(texts_without_repetition(), STOPPED_TURNS)
def test_a_resumed_text_is_the_text_of_a_turn_that_was_not_stopped(
    text: str, stopped: StoppedTurn
) -> None:
    partial = stopped.message(text)
    assert text.startswith(partial.text)
    if not needs_resuming(partial):
        assert partial.text == text
        return
    model = FakeTextModel(text, stopped.sizes, stopped.chunk_size)
    resumed = resume(model, policy(stopped.strategy), partial)
    assert resumed.message.text == text
    assert resumed.continuation["complete"]
    if stopped.chunk_size:
        assert resumed.text == text


@given(texts_without_repetition(), SIZES, st.integers(1, 6), STRATEGIES)
def test_partial_3_segments_seams_and_usage_of_the_partial_message_come_first(
    text: str, sizes: list[int], continuations: int, strategy: str
) -> None:
    allowed = policy(strategy, max_continuations=continuations)
    stopped = run_stopped_turn(FakeTextModel(text, sizes), allowed)
    if stopped.continuation["complete"]:
        return
    resumed = resume(FakeTextModel(text, sizes), policy(strategy), stopped.message)
    before, after = stopped.continuation, resumed.continuation
    assert after["segments"][: len(before["segments"])] == before["segments"]
    assert after["seams"][: len(before["seams"])] == before["seams"]
    *earlier, last = after["segments"]
    used = [entry for entry in earlier if "problem" not in entry]
    unused = [entry for entry in earlier if "problem" in entry]
    assert {entry["problem"] for entry in unused} <= {"nothing_new"}
    assert not unused or last["problem"] == "nothing_new"
    assert len(after["seams"]) == len(used)
    assert after["seams"] == sorted(after["seams"])
    tokens = sum(entry["output_tokens"] for entry in after["segments"])
    assert after["billed"]["output_tokens"] == tokens
    assert after["response"]["input_tokens"] == 3


@given(texts_without_repetition(), SIZES, STRATEGIES)
def test_a_turn_can_be_resumed_any_number_of_times(
    text: str, sizes: list[int], strategy: str
) -> None:
    allowed = policy(strategy, max_continuations=0)
    partial = run_stopped_turn(FakeTextModel(text, sizes), allowed).message
    for calls in range(2, 200):
        if not needs_resuming(partial):
            break
        partial = resume(FakeTextModel(text, sizes), allowed, partial).message
        segments = partial.response_metadata["continuation"]["segments"]
        assert len(segments) == calls
    assert partial.text == text


@pytest.mark.parametrize("reason", [*STOP_REASONS, None, "odd", 5])
def test_partial_1_the_stop_reason_counts_if_there_is_no_continuation(
    reason: Any,
) -> None:
    message = AIMessage("so far", response_metadata={"stopReason": reason})
    known = STOP_REASONS.get(reason)
    assert needs_resuming(message) == (
        known is not None and known.action is not Action.END
    )


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("reason", ["end_turn", "max_tokens", "tool_use", None])
def test_partial_1_the_continuation_takes_precedence_over_the_stop_reason(
    reason: str | None, complete: bool
) -> None:
    metadata = {"stopReason": reason, "continuation": {"complete": complete}}
    message = AIMessage("so far", response_metadata=metadata)
    assert needs_resuming(message) is not complete


@pytest.mark.parametrize("v1", [False, True], ids=["v0", "v1"])
def test_partial_2_the_blocks_before_a_truncated_call_are_kept(v1: bool) -> None:
    invalid = {"name": "write", "args": '{"a', "id": "t", "error": "truncated"}
    content: Any = [
        reasoning_block("hm"),
        {**text_block("one"), "index": 1},
        image_block("eA=="),
        text_block("two"),
        {**invalid, "type": "invalid_tool_call"},
    ]
    partial = AIMessage(
        content, invalid_tool_calls=[{**invalid, "type": "invalid_tool_call"}]
    )
    message = in_converse_form(in_v1_form(partial)) if v1 else partial
    resumed = read_partial(message)
    kinds = [block["type"] for block in resumed.blocks]
    assert kinds == ["reasoning_content", "text", "image", "text"]
    assert resumed.has_tool_call
    assert [b["text"] for b in resumed.blocks if b["type"] == "text"] == ["one", "two"]
    assert all("index" not in block for block in resumed.blocks)


@pytest.mark.parametrize("v1", [False, True], ids=["v0", "v1"])
def test_partial_2_reasoning_before_a_call_is_not_kept(v1: bool) -> None:
    content: Any = [reasoning_block("hm"), call_block("t", {})]
    partial = AIMessage(content, tool_calls=[{"name": "write", "args": {}, "id": "t"}])
    message = in_converse_form(in_v1_form(partial)) if v1 else partial
    resumed = read_partial(message)
    assert resumed.blocks == []
    assert resumed.has_tool_call


def test_a_message_of_chatbedrockconverse_is_resumed() -> None:
    http = {"RequestId": "r", "HTTPStatusCode": 200}
    metadata = {"stopReason": "max_tokens", "ResponseMetadata": http}
    partial = AIMessage("one", response_metadata=metadata, usage_metadata=usage_of(7))
    resumed = resume(FakeTextModel("one two", [99]), policy("prefill"), partial)
    assert resumed.message.text == "one two"
    entry = resumed.continuation["segments"][0]
    assert (entry["request_id"], entry["output_tokens"]) == ("r", 7)
    assert resumed.continuation["billed"]["output_tokens"] == 7 + OUTPUT_TOKENS


def test_an_error_about_the_input_names_the_argument() -> None:
    with pytest.raises(ValueError, match=r"^partial: must be an AIMessage.*str"):
        check_partial(QUESTION, "so far")
    partial = AIMessage("so far")
    with pytest.raises(ValueError, match=r"^messages: must end before the partial"):
        check_partial([*QUESTION, partial], partial)
    assert check_partial([], partial) is partial


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**30) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["strategy", "output_tokens", "a"]), inner)
    ),
    max_leaves=4,
)
KEYS = ["complete", "segments", "seams", "billed", "response", "strategy", "ended_by"]
CONTINUATIONS: Any = st.dictionaries(st.sampled_from(KEYS), JSON) | JSON
BLOCKS: Any = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "image", "tool_use", "odd", None, []])},
        optional={"text": JSON, "index": JSON, "id": JSON, "name": JSON},
    ),
    max_size=4,
)


@given(
    CONTINUATIONS, BLOCKS | st.sampled_from(["", " ", "so far"]), JSON, st.booleans()
)
def test_no_partial_message_breaks_a_turn(
    continuation: Any, content: Any, version: Any, prefills: bool
) -> None:
    metadata = {
        "continuation": continuation,
        "stopReason": "max_tokens",
        "output_version": version,
    }
    partial = AIMessage(content, response_metadata=metadata)
    needs_resuming(partial)
    strategy = "prefill" if prefills else "user_turn"
    message = in_converse_form(partial)
    turn = Turn(QUESTION, {}, policy(strategy), partial=message)
    for _ in turn.requests():
        turn.receive(AIMessage("end", response_metadata={"stopReason": "end_turn"}))
        turn.end_segment()
    assert turn.message().text.endswith("end")
    written = turn.message().response_metadata["continuation"]
    assert written["complete"]
    seams = written["seams"]
    assert seams == sorted(seams)
    assert all(0 <= at <= len(turn.message().text) for at in seams)

"""The numbered invariants of `partial`: whatever ended a turn, it can be taken up."""

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
from tests.support.contents import call, image, text, thought
from tests.support.players import (
    QUESTION,
    FaultyModelError,
    Played,
    Teller,
    play,
    usage_of,
)
from tests.unit_tests.core.test_turn_recovery import (
    SIZES,
    STRATEGIES,
    policy,
    stories,
)

Border = Callable[[AIMessage], AIMessage]

BORDERS: dict[str, Border] = {
    "fresh": lambda partial: partial,
    "pickle": lambda partial: pickle.loads(pickle.dumps(partial)),  # noqa: S301 - ours
    "json": lambda partial: load(dumpd(partial), allowed_objects="messages"),
    "dump": lambda partial: AIMessage(**partial.model_dump()),
}


def in_converse_form(partial: AIMessage) -> AIMessage:
    """Return a message as the shell gives it to the turn."""
    return from_v1(partial, v1_to_converse)


def as_v1(partial: AIMessage) -> AIMessage:
    """Return a message as the wrapped model gives it with `output_version="v1"`."""
    metadata = {**partial.response_metadata, "model_provider": "bedrock_converse"}
    given = partial.model_copy(update={"response_metadata": metadata})
    v1 = {**metadata, "output_version": "v1"}
    content = given.content_blocks
    return given.model_copy(update={"content": content, "response_metadata": v1})


LIMITS: list[dict[str, Any]] = [
    {"max_continuations": 1},
    {"max_total_tokens": 250},
    {"max_seconds": 2.0},
    {"stream_recoveries": 0},
]


def ended(teller: Teller, allowed: Policy) -> Played:
    """Play a turn to the end that a limit or an error makes."""
    seconds = iter(range(1000))
    turn = Turn(QUESTION, {}, allowed, clock=lambda: float(next(seconds)))
    return without_mistake(play(turn, teller))


def resumed(teller: Teller, allowed: Policy, partial: AIMessage) -> Played:
    turn = Turn(QUESTION, {}, allowed, partial=in_converse_form(partial))
    return without_mistake(play(turn, teller))


def without_mistake(played: Played) -> Played:
    if isinstance(played.error, FaultyModelError):
        raise played.error
    return played


class Ended(NamedTuple):
    """How a turn came to its end, and how its message came here."""

    sizes: list[int]
    fault: int
    limit: dict[str, Any]
    strategy: str
    border: str
    v1: bool
    chunk: int

    def partial(self, story: str) -> AIMessage:
        """Return the message; it may be whole."""
        faults = {self.fault: 4} if self.chunk else {}
        teller = Teller(story, self.sizes, self.chunk, faults)
        message = ended(teller, policy(self.strategy, **self.limit)).message
        return BORDERS[self.border](as_v1(message) if self.v1 else message)


ENDED = st.builds(
    Ended,
    SIZES,
    st.integers(0, 5),
    st.sampled_from(LIMITS),
    STRATEGIES,
    st.sampled_from(sorted(BORDERS)),
    st.booleans(),
    st.sampled_from([0, 3]),
)


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
@given(stories(), ENDED)
def test_a_resumed_text_is_the_uncut_one(story: str, how: Ended) -> None:
    partial = how.partial(story)
    assert story.startswith(partial.text)
    if not needs_resuming(partial):
        assert partial.text == story
        return
    teller = Teller(story, how.sizes, how.chunk)
    then = resumed(teller, policy(how.strategy), partial)
    assert then.message.text == story
    assert then.summary["complete"]
    if how.chunk:
        assert then.text == story


@given(stories(), SIZES, st.integers(1, 6), STRATEGIES)
def test_p3_what_was_before_goes_first(
    story: str, sizes: list[int], steps: int, strategy: str
) -> None:
    teller = Teller(story, sizes)
    first = ended(teller, policy(strategy, max_continuations=steps))
    if first.summary["complete"]:
        return
    then = resumed(Teller(story, sizes), policy(strategy), first.message)
    before, after = first.summary, then.summary
    assert after["segments"][: len(before["segments"])] == before["segments"]
    assert after["seams"][: len(before["seams"])] == before["seams"]
    assert len(after["seams"]) == len(after["segments"]) - 1
    assert after["seams"] == sorted(after["seams"])
    tokens = sum(entry["output_tokens"] for entry in after["segments"])
    assert after["billed"]["output_tokens"] == tokens
    assert after["response"]["input_tokens"] == 3


@given(stories(), SIZES, STRATEGIES)
def test_a_turn_may_be_taken_up_again_and_again(
    story: str, sizes: list[int], strategy: str
) -> None:
    allowed = policy(strategy, max_continuations=0)
    partial = ended(Teller(story, sizes), allowed).message
    for calls in range(2, 200):
        if not needs_resuming(partial):
            break
        partial = resumed(Teller(story, sizes), allowed, partial).message
        segments = partial.response_metadata["continuation"]["segments"]
        assert len(segments) == calls
    assert partial.text == story


@pytest.mark.parametrize("reason", [*STOP_REASONS, None, "odd", 5])
def test_p1_by_the_stop_reason_of_a_message_that_says_nothing(reason: Any) -> None:
    message = AIMessage("so far", response_metadata={"stopReason": reason})
    known = STOP_REASONS.get(reason)
    assert needs_resuming(message) == (
        known is not None and known.action is not Action.END
    )


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("reason", ["end_turn", "max_tokens", "tool_use", None])
def test_p1_what_a_message_says_of_itself_goes_first(
    reason: str | None, complete: bool
) -> None:
    said = {"complete": complete}
    metadata = {"stopReason": reason, "continuation": said}
    message = AIMessage("so far", response_metadata=metadata)
    assert needs_resuming(message) is not complete


@pytest.mark.parametrize("v1", [False, True], ids=["v0", "v1"])
def test_p2_whole_blocks_are_kept_and_nothing_of_a_cut_call(v1: bool) -> None:
    invalid = {"name": "write", "args": '{"a', "id": "t", "error": "cut"}
    content: Any = [
        thought("hm"),
        {**text("one"), "index": 1},
        image("eA=="),
        text("two"),
        {**invalid, "type": "invalid_tool_call"},
    ]
    partial = AIMessage(
        content, invalid_tool_calls=[{**invalid, "type": "invalid_tool_call"}]
    )
    past = read_partial(in_converse_form(as_v1(partial)) if v1 else partial)
    kinds = [block["type"] for block in past.blocks]
    assert kinds == ["reasoning_content", "text", "image", "text"]
    assert past.has_tool_call
    assert [b["text"] for b in past.blocks if b["type"] == "text"] == ["one", "two"]
    assert all("index" not in block for block in past.blocks)


@pytest.mark.parametrize("v1", [False, True], ids=["v0", "v1"])
def test_p2_reasoning_alone_is_nothing_to_go_on_from(v1: bool) -> None:
    content: Any = [thought("hm"), call("t", {})]
    partial = AIMessage(content, tool_calls=[{"name": "write", "args": {}, "id": "t"}])
    past = read_partial(in_converse_form(as_v1(partial)) if v1 else partial)
    assert past.blocks == []
    assert past.has_tool_call


def test_a_message_of_chatbedrockconverse_itself_is_taken_up() -> None:
    usage = usage_of(7)
    http = {"RequestId": "r", "HTTPStatusCode": 200}
    metadata = {"stopReason": "max_tokens", "ResponseMetadata": http}
    partial = AIMessage("one", response_metadata=metadata, usage_metadata=usage)
    then = resumed(Teller("one two", [99]), policy("prefill"), partial)
    assert then.message.text == "one two"
    entry = then.summary["segments"][0]
    assert (entry["request_id"], entry["output_tokens"]) == ("r", 7)
    assert then.summary["billed"]["output_tokens"] == 107


def test_bad_input_names_its_field() -> None:
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
SAID: Any = st.dictionaries(st.sampled_from(KEYS), JSON) | JSON
BLOCKS: Any = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "image", "tool_use", "odd", None, []])},
        optional={"text": JSON, "index": JSON, "id": JSON, "name": JSON},
    ),
    max_size=4,
)


@given(SAID, BLOCKS | st.sampled_from(["", " ", "so far"]), JSON, st.booleans())
def test_no_partial_from_outside_breaks_a_turn(
    said: Any, content: Any, version: Any, prefills: bool
) -> None:
    metadata = {
        "continuation": said,
        "stopReason": "max_tokens",
        "output_version": version,
    }
    partial = AIMessage(content, response_metadata=metadata)
    needs_resuming(partial)
    strategy = "prefill" if prefills else "user_turn"
    given = in_converse_form(partial)
    turn = Turn(QUESTION, {}, policy(strategy), partial=given)
    for _ in turn.requests():
        turn.receive(AIMessage("end", response_metadata={"stopReason": "end_turn"}))
        turn.end_segment()
    assert turn.message().text.endswith("end")
    summary = turn.message().response_metadata["continuation"]
    assert summary["complete"]
    seams = summary["seams"]
    assert seams == sorted(seams)
    assert all(0 <= at <= len(turn.message().text) for at in seams)

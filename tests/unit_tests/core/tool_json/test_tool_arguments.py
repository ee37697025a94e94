"""The arguments of a cut tool call, finished as text: whole, or no call at all."""

import json
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue._core.content.tool_calls import Call
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import Composer, SegmentRequest
from langchain_bedrock_continue._core.tool_json.tool_arguments import ToolArguments
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import call, text
from tests.support.players import (
    QUESTION,
    QUOTED,
    FaultyModelError,
    Played,
    Said,
    chunks,
    play,
    whole,
)

SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
    "required": ["path", "content"],
}
TOOLS: dict[str, Any] = {
    "tools": [{"toolSpec": {"name": "write", "inputSchema": {"json": SCHEMA}}}],
    "tool_choice": {"tool": {"name": "write"}},
}
LINES = st.lists(
    st.sampled_from(['"a": [1],', "{}", "\n", "\\n", "日本", "é", " ", "```\n", "'"]),
    min_size=1,
    max_size=20,
)
ARGUMENTS = LINES.map(
    lambda lines: {
        "path": "a.md",
        "content": "".join(f"{line}{at}" for at, line in enumerate(lines)),
    }
)
SIZES = st.lists(st.integers(8, 40), min_size=1, max_size=4)
STRATEGIES = st.sampled_from(["prefill", "user_turn"])


class Finisher:
    """A model whose call is cut, and which finishes it as it is asked to.

    Attributes:
        raw: The call's JSON.
        cut: So much of it comes in the call.
        sizes: How much text it writes in each call after it.
        fault: The number of the call that breaks off after its first chunks.
        behind: What it writes behind the object.
    """

    def __init__(self, raw: str, cut: int, sizes: list[int], **how: Any) -> None:
        self.raw, self.cut, self.sizes = raw, cut, sizes
        self.streams = how.get("streams", True)
        self.fault = how.get("fault")
        self.behind = how.get("behind", "")
        self.calls = 0

    def __call__(self, request: SegmentRequest) -> Said:
        self.calls += 1
        if self.calls == 1:
            blocks = [text("I write. "), call("t", {})]
            streamed = [blocks[0], {**blocks[1], "input": self.raw[: self.cut]}]
            yield from self._said(streamed if self.streams else blocks, "max_tokens")
            return
        assert "tool_choice" not in request.kwargs
        assert request.kwargs["tools"] == TOOLS["tools"]
        quote, at = self._begun(request)
        left = quote + (self.raw + self.behind)[at:]
        size = len(quote) + self.sizes[self.calls % len(self.sizes)]
        reason = "end_turn" if len(left) < size else "max_tokens"
        said = list(self._said([text(left[:size])], reason))
        if self.calls == self.fault:
            yield from said[:3]
            yield ConnectionError()
        else:
            yield from said

    def _said(self, blocks: Any, reason: str) -> Iterator[Any]:
        if self.streams:
            return chunks(blocks, reason, 3)
        return iter([whole(blocks, reason)])

    def _begun(self, request: SegmentRequest) -> tuple[str, int]:
        """Return what is to be repeated, and how much of the JSON stands."""
        last = request.messages[-1]
        if isinstance(last, HumanMessage):
            return self._asked(last.text)
        _, _, written = last.text.partition(":\n\n")
        if not self.raw.startswith(written):
            raise FaultyModelError(written)
        return "", len(written)

    def _asked(self, prompt: str) -> tuple[str, int]:
        found = QUOTED.search(prompt)
        if found is None:
            return "", 0
        end = self.raw.find(found[2])
        if end < 0 or end != self.raw.rfind(found[2]):
            raise FaultyModelError(found[2])
        return found[2], end + len(found[2])


def finish(model: Any, strategy: Any = "prefill", **kwargs: Any) -> Played:
    allowed = Policy(
        **{
            "strategy": strategy,
            "tool_call_recovery": "resume",
            "max_tokens": 64,
            "max_tokens_ceiling": 64,
            "max_continuations": 300,
            **kwargs,
        }
    )
    played = play(Turn(QUESTION, dict(TOOLS), allowed), model)
    if isinstance(played.error, FaultyModelError | AssertionError):
        raise played.error
    return played


def is_whole(played: Played, args: dict[str, Any]) -> None:
    message = played.message
    assert [(one["id"], one["args"]) for one in message.tool_calls] == [("t", args)]
    assert message.invalid_tool_calls == []
    assert message.text == "I write. "
    assert message.response_metadata["stopReason"] == "tool_use"
    assert played.summary["complete"]
    assert played.summary["ended_by"] == "model"


@given(ARGUMENTS, st.floats(0, 1), SIZES, STRATEGIES)
def test_a_streamed_call_cut_anywhere_is_finished(
    args: dict[str, Any], cut: float, sizes: list[int], strategy: str
) -> None:
    raw = json.dumps(args, ensure_ascii=False)
    at = int(cut * (len(raw) - 1))
    try:
        played = finish(Finisher(raw, at, sizes), strategy)
    except FaultyModelError:
        assume(False)  # noqa: FBT003 - the quote stands twice: no model could tell
    is_whole(played, args)
    assert played.text == "I write. "
    assert played.streamed().tool_calls == played.message.tool_calls


@given(ARGUMENTS, SIZES, STRATEGIES)
def test_a_whole_responses_call_is_written_anew(
    args: dict[str, Any], sizes: list[int], strategy: str
) -> None:
    raw = json.dumps(args, ensure_ascii=False)
    try:
        played = finish(Finisher(raw, 0, sizes, streams=False), strategy)
    except FaultyModelError:
        assume(False)  # noqa: FBT003 - as above
    is_whole(played, args)


@given(ARGUMENTS, SIZES, st.integers(2, 6), st.integers(1, 30))
def test_a_broken_stream_is_taken_up_in_the_arguments_too(
    args: dict[str, Any], sizes: list[int], fault: int, cut: int
) -> None:
    raw = json.dumps(args, ensure_ascii=False)
    model = Finisher(raw, min(cut, len(raw) - 1), sizes, fault=fault)
    is_whole(finish(model), args)


@pytest.mark.parametrize("behind", ["", "\n", "\n```", "\n\nThat is the file."])
@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
def test_what_a_model_writes_behind_the_object_is_no_part_of_it(
    behind: str, strategy: str
) -> None:
    args = {"path": "a.md", "content": string.ascii_letters}
    model = Finisher(json.dumps(args), 30, [200], behind=behind)
    is_whole(finish(model, strategy), args)


SENTENCES = st.sampled_from(
    ["Sorry", '"', "}", '{"path": "b"}', '{"path": 1}', "\\", "```", "\n", "x", "", "{"]
)


@given(
    st.lists(SENTENCES, max_size=5).map("".join),
    st.integers(0, 40),
    st.sampled_from(["max_tokens", "end_turn", "tool_use", "refusal", None]),
    STRATEGIES,
    st.booleans(),
)
def test_nothing_but_whole_arguments_that_fit_become_a_call(
    said: str, cut: int, reason: str | None, strategy: str, streams: bool
) -> None:
    raw = json.dumps({"path": "a.md", "content": "long"})[:cut]
    calls = 0

    def model(_request: SegmentRequest) -> Said:
        nonlocal calls
        calls += 1
        input_: Any = raw if streams else {}
        first = [text("I write. "), {**call("t", {}), "input": input_}]
        blocks = first if calls == 1 else [text(said)]
        why = "max_tokens" if calls == 1 else reason
        yield from chunks(blocks, why, 4) if streams else [whole(blocks, why)]

    played = finish(model, strategy)
    message = played.message
    assert calls <= 301
    assert played.text in ("I write. ", "")
    if not message.tool_calls:
        (invalid,) = message.invalid_tool_calls
        assert "Truncated at max_tokens" in (invalid["error"] or "")
        assert not played.summary["complete"]
        assert played.summary["ended_by"] != "model"
    for one in message.tool_calls:
        assert set(one["args"]) == {"path", "content"}
        assert all(isinstance(value, str) for value in one["args"].values())


def test_a_limit_ends_it_with_what_arrived() -> None:
    raw = json.dumps({"path": "a.md", "content": "x" * 500})
    played = finish(Finisher(raw, 40, [20]), max_continuations=3)
    (invalid,) = played.message.invalid_tool_calls
    assert invalid["args"] == raw[:40]
    assert played.summary["ended_by"] == "max_continuations"
    assert len(played.requests) == 4


def test_the_text_before_the_call_comes_before_its_arguments() -> None:
    begun = Call(1, streamed=True, name="write", json_chunks=['{"path"'])
    composer = Composer(QUESTION, {})
    composer.start_arguments("write", [text("I write.")])
    arguments = ToolArguments(begun, SCHEMA)
    arguments.begin_segment()
    arguments.end_for_prefill()
    composer.continue_in_prefill(arguments.sendable())
    _, sent = composer.messages()
    assert isinstance(sent, AIMessage)
    assert sent.text.startswith("I write.")
    assert sent.text.endswith('`write`, as one JSON object:\n\n{"path"')
    assert arguments.text == '{"path"'

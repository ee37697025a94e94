"""The rules ARGS-1 to ARGS-3: a truncated tool call, completed as text or invalid."""

import json
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue._core.content.incoming import text_only
from langchain_bedrock_continue._core.content.tool_calls import Call
from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.request.composer import Composer, SegmentRequest
from langchain_bedrock_continue._core.request.prompts import arguments_lead_in
from langchain_bedrock_continue._core.text.continuation_join import ExpectedEcho
from langchain_bedrock_continue._core.text.quote import WORDS
from langchain_bedrock_continue._core.tool_json.tool_arguments import ToolArguments
from langchain_bedrock_continue._core.turn import Turn
from tests.support.contents import call_block, text_block
from tests.support.prompts import QUOTED
from tests.support.responses import complete_message, streamed_chunks
from tests.support.turns import (
    QUESTION,
    STRATEGIES,
    FakeModelError,
    Response,
    TurnRun,
    run_turn,
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


@dataclass
class FakeToolModel:
    """A model whose tool call is truncated, and which completes it as it is asked to.

    Attributes:
        json_text: The call's arguments as JSON.
        truncation: How much of the JSON arrives in the call.
        sizes: How much text each later call writes, in rotation.
        streams: Whether its responses arrive in chunks.
        fault: The number of the call that fails after its first chunks.
        remark: What it writes after the object.
        calls: The number of calls so far.
    """

    json_text: str
    truncation: int
    sizes: list[int]
    streams: bool = True
    fault: int | None = None
    remark: str = ""
    calls: int = 0

    def __call__(self, request: SegmentRequest) -> Response:
        """Answer a request.

        Raises:
            FakeModelError: The request does not continue the JSON.
        """
        self.calls += 1
        if self.calls == 1:
            blocks = [text_block("I write. "), call_block("t", {})]
            input_ = self.json_text[: self.truncation]
            streamed = [blocks[0], {**blocks[1], "input": input_}]
            blocks = streamed if self.streams else blocks
            yield from self._response(blocks, "max_tokens")
            return
        assert "tool_choice" not in request.kwargs
        assert request.kwargs["tools"] == TOOLS["tools"]
        echo, written = self._position(request)
        rest = echo + (self.json_text + self.remark)[written:]
        size = len(echo) + self.sizes[self.calls % len(self.sizes)]
        stop_reason = "end_turn" if len(rest) < size else "max_tokens"
        messages = list(self._response([text_block(rest[:size])], stop_reason))
        if self.calls == self.fault:
            yield from messages[:3]
            yield ConnectionError()
        else:
            yield from messages

    def _response(self, blocks: Any, stop_reason: str) -> Iterator[Any]:
        if self.streams:
            return streamed_chunks(blocks, stop_reason, 3)
        return iter([complete_message(blocks, stop_reason)])

    def _position(self, request: SegmentRequest) -> tuple[str, int]:
        """Return the echo to begin with, and how much of the JSON is written."""
        last = request.messages[-1]
        if isinstance(last, HumanMessage):
            return self._position_after_quote(last.text)
        _, _, written = last.text.partition(":\n\n")
        if not self.json_text.startswith(written):
            raise FakeModelError(written)
        return "", len(written)

    def _position_after_quote(self, prompt: str) -> tuple[str, int]:
        found = QUOTED.search(prompt)
        if found is None:
            return "", 0
        at = self.json_text.find(found[2])
        if at < 0 or at != self.json_text.rfind(found[2]):
            raise FakeModelError(found[2])
        return found[2], at + len(found[2])


def run(model: Any, strategy: Any = "prefill", **kwargs: Any) -> TurnRun:
    """Run a turn that may not retry a tool call, only complete it as text."""
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
    result = run_turn(Turn(QUESTION, dict(TOOLS), allowed), model)
    if isinstance(result.error, FakeModelError | AssertionError):
        raise result.error
    return result


def assert_complete(result: TurnRun, args: dict[str, Any]) -> None:
    message = result.message
    assert [(call["id"], call["args"]) for call in message.tool_calls] == [("t", args)]
    assert message.invalid_tool_calls == []
    assert message.text == "I write. "
    assert message.response_metadata["stopReason"] == "tool_use"
    assert result.continuation["complete"]
    assert result.continuation["ended_by"] == "model"


@given(ARGUMENTS, st.floats(0, 1), SIZES, STRATEGIES)
def test_a_streamed_call_truncated_anywhere_is_completed(
    args: dict[str, Any], truncation: float, sizes: list[int], strategy: str
) -> None:
    text = json.dumps(args, ensure_ascii=False)
    at = int(truncation * (len(text) - 1))
    try:
        result = run(FakeToolModel(text, at, sizes), strategy)
    except FakeModelError:
        assume(False)  # noqa: FBT003 - the quote occurs twice: no model could tell
    assert_complete(result, args)
    assert result.text == "I write. "
    assert result.added_chunks().tool_calls == result.message.tool_calls


@given(ARGUMENTS, SIZES, STRATEGIES)
def test_args_3_the_call_of_a_response_that_was_not_streamed_is_written_anew(
    args: dict[str, Any], sizes: list[int], strategy: str
) -> None:
    text = json.dumps(args, ensure_ascii=False)
    try:
        result = run(FakeToolModel(text, 0, sizes, streams=False), strategy)
    except FakeModelError:
        assume(False)  # noqa: FBT003 - as above
    assert_complete(result, args)


@given(ARGUMENTS, SIZES, st.integers(2, 6), st.integers(1, 30))
def test_a_broken_stream_of_arguments_is_continued(
    args: dict[str, Any], sizes: list[int], fault: int, truncation: int
) -> None:
    text = json.dumps(args, ensure_ascii=False)
    at = min(truncation, len(text) - 1)
    assert_complete(run(FakeToolModel(text, at, sizes, fault=fault)), args)


@pytest.mark.parametrize("remark", ["", "\n", "\n```", "\n\nThat is the file."])
@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
def test_a_remark_after_the_object_is_not_part_of_it(
    remark: str, strategy: str
) -> None:
    args = {"path": "a.md", "content": string.ascii_letters}
    model = FakeToolModel(json.dumps(args), 30, [200], remark=remark)
    assert_complete(run(model, strategy), args)


REPLIES = st.lists(
    st.sampled_from(
        [
            *("Sorry", '"', "}", '{"path": "b"}', '{"path": 1}'),
            *("\\", "```", "\n", "x", "", "{"),
        ]
    ),
    max_size=5,
).map("".join)


@given(
    REPLIES,
    st.integers(0, 40),
    st.sampled_from(["max_tokens", "end_turn", "tool_use", "refusal", None]),
    STRATEGIES,
    st.booleans(),
)
def test_only_complete_arguments_that_conform_to_the_schema_become_a_call(
    reply: str, truncation: int, stop_reason: str | None, strategy: str, streams: bool
) -> None:
    text = json.dumps({"path": "a.md", "content": "long"})[:truncation]
    calls = 0

    def model(_request: SegmentRequest) -> Response:
        nonlocal calls
        calls += 1
        input_: Any = text if streams else {}
        first = [text_block("I write. "), {**call_block("t", {}), "input": input_}]
        blocks = first if calls == 1 else [text_block(reply)]
        reason = "max_tokens" if calls == 1 else stop_reason
        if streams:
            yield from streamed_chunks(blocks, reason, 4)
        else:
            yield complete_message(blocks, reason)

    result = run(model, strategy)
    message = result.message
    assert calls <= 301
    assert result.text in ("I write. ", "")
    if not message.tool_calls:
        (invalid,) = message.invalid_tool_calls
        assert "Truncated at max_tokens" in (invalid["error"] or "")
        assert not result.continuation["complete"]
        assert result.continuation["ended_by"] != "model"
    for call in message.tool_calls:
        assert set(call["args"]) == {"path", "content"}
        assert all(isinstance(value, str) for value in call["args"].values())


def test_a_limit_ends_the_turn_with_the_arguments_that_arrived() -> None:
    text = json.dumps({"path": "a.md", "content": "x" * 500})
    result = run(FakeToolModel(text, 40, [20]), max_continuations=3)
    (invalid,) = result.message.invalid_tool_calls
    assert invalid["args"] == text[:40]
    assert result.continuation["ended_by"] == "max_continuations"
    assert len(result.requests) == 4


@pytest.mark.parametrize("separator", ["", "\n\n"])
def test_args_1_a_lead_in_that_the_model_repeats_is_not_joined(separator: str) -> None:
    arguments = ToolArguments(truncated_call('{"path": "a.md", '), SCHEMA)
    arguments.end_for_prefill()
    arguments.begin_segment()
    lead_in = arguments_lead_in("write").rstrip()
    arguments.receive(text_only(f'{lead_in}{separator} "content": "long"}}'))
    arguments.end_text(truncated=False)
    assert arguments.text == '{"path": "a.md", "content": "long"}'


def ask_in_user_turn(arguments: ToolArguments) -> None:
    arguments.end_for_user_turn(ExpectedEcho(arguments.choose_quote(1024, WORDS)))


@pytest.mark.parametrize(
    ("reply", "is_proven"),
    [
        ('"content": "long"}', False),  # the quote was not repeated
        ('{"path": "a.md", "content": "long"}', True),
        ('Sure:\n\n{"path": "a.md", "content": "long"}', True),
    ],
)
def test_args_2_a_reply_counts_only_if_the_end_of_the_json_is_in_it(
    reply: str, is_proven: bool
) -> None:
    arguments = ToolArguments(truncated_call('{"path": "a.md", '), SCHEMA)
    ask_in_user_turn(arguments)
    assert arguments.quote == '{"path": "a.md",'
    arguments.begin_segment()
    arguments.receive(text_only(reply))
    arguments.end_text(truncated=False)
    expected = {"path": "a.md", "content": "long"} if is_proven else None
    assert arguments.parsed(truncated=False) == expected
    assert is_proven or not arguments.can_continue()


@pytest.mark.parametrize("arrived", ["", "{", "no JSON"])
def test_args_3_if_nothing_is_known_the_model_is_asked_for_the_complete_object(
    arrived: str,
) -> None:
    arguments = ToolArguments(truncated_call(arrived), SCHEMA)
    ask_in_user_turn(arguments)
    assert arguments.quote == ""
    assert arguments.sendable() == [text_block("{")]
    arguments.begin_segment()
    args = {"path": "a.md", "content": "long"}
    arguments.receive(text_only(f"Here it is:\n\n{json.dumps(args)}"))
    arguments.end_text(truncated=False)
    assert arguments.parsed(truncated=False) == args


def truncated_call(json_text: str) -> Call:
    return Call(1, streamed=True, name="write", json_chunks=[json_text])


def test_args_1_the_lead_in_is_sent_before_the_json_and_not_joined_to_it() -> None:
    composer = Composer(QUESTION, {})
    composer.start_arguments("write", [text_block("I write.")])
    arguments = ToolArguments(truncated_call('{"path"'), SCHEMA)
    arguments.begin_segment()
    arguments.end_for_prefill()
    composer.continue_in_prefill(arguments.sendable())
    _, sent = composer.messages()
    assert isinstance(sent, AIMessage)
    assert sent.text.startswith("I write.")
    assert sent.text.endswith('`write`, as one JSON object:\n\n{"path"')
    assert arguments.text == '{"path"'

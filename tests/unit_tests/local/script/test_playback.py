"""The pieces of scripted answers: truncation and continuation (SCRIPT, PLAYBACK)."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Request,
    Say,
    Think,
)
from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Citation,
    Finish,
    Piece,
    Reasoning,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.script.playback import play
from langchain_bedrock_continue.local.script.tokenizer import tokenize
from tests.support.pieces import finish_of, make_request, stop_reason_of, text_of

Json = dict[str, Any]


def play_text(text: str, request: Request) -> list[Piece]:
    return play(Answer(text), request, 0)


# Text.


def test_an_answer_within_max_tokens() -> None:
    pieces = play_text("One two.", make_request())
    assert pieces == [
        Text("One"),
        Text(" two"),
        Text("."),
        BlockEnd(),
        Finish("end_turn", 3),
    ]


def test_an_answer_is_truncated_after_a_token() -> None:
    """PLAYBACK-1."""
    pieces = play_text("One two.", make_request(max_tokens=2))
    assert pieces == [
        Text("One"),
        Text(" two"),
        BlockEnd(),
        Finish("max_tokens", 2),
    ]


def test_an_answer_that_fills_max_tokens_is_truncated() -> None:
    """SCRIPT-4."""
    assert (
        stop_reason_of(play_text("One two.", make_request(max_tokens=3)))
        == "max_tokens"
    )
    assert play_text("One two.", make_request("One two.", 3)) == [Finish("end_turn", 0)]


@given(st.text(min_size=1), st.integers(1, 7))
@example("```\nx = {\n    'a': 1,\n}\n```\n", 1)
def test_segments_over_prefills_join_to_the_full_text(
    text: str, max_tokens: int
) -> None:
    """SCRIPT-2, with prefills that Claude accepts and all whitespace of the answers."""
    so_far, stop_reason, sent = "", "max_tokens", "nothing yet"
    while stop_reason == "max_tokens" and so_far.rstrip() != sent:
        sent = so_far.rstrip()
        pieces = play_text(text, make_request(sent, max_tokens))
        so_far, stop_reason = sent + text_of(pieces), stop_reason_of(pieces)
        assert text.startswith(so_far)
    if stop_reason == "end_turn":
        assert so_far == text
    else:  # a segment of whitespace only: the next request would be the same
        assert so_far[len(sent) :].isspace()


@given(st.text(min_size=1), st.integers(1, 5))
def test_segments_over_unstripped_prefills_join_to_the_full_text(
    text: str, max_tokens: int
) -> None:
    """SCRIPT-2, for models that accept trailing whitespace."""
    so_far, stop_reason = "", "max_tokens"
    while stop_reason == "max_tokens":
        pieces = play_text(text, make_request(so_far, max_tokens))
        so_far, stop_reason = so_far + text_of(pieces), stop_reason_of(pieces)
    assert (so_far, stop_reason) == (text, "end_turn")


def test_the_rest_of_a_text_is_tokenized_anew() -> None:
    """SCRIPT-2."""
    complete = play_text("tokenization", make_request())
    rest = play_text("tokenization", make_request("tok"))
    assert [p for p in complete if isinstance(p, Text)] == [
        Text("tokeni"),
        Text("zation"),
    ]
    assert [p for p in rest if isinstance(p, Text)] == [Text("enizat"), Text("ion")]


def test_a_prefill_that_is_not_the_beginning_restarts_the_answer() -> None:
    """SCRIPT-3."""
    assert text_of(play_text("One two.", make_request("One  two"))) == "One two."


def test_a_prefill_of_several_blocks_is_one_text() -> None:
    content = [
        {"text": "One"},
        {"citationsContent": {"content": [{"text": " two"}], "citations": []}},
        {"cachePoint": {"type": "default"}},
    ]
    request = make_request()
    request.messages.append({"role": "assistant", "content": content})
    assert text_of(play_text("One two three", request)) == " three"


@pytest.mark.parametrize(
    ("stops", "max_tokens", "text", "reason"),
    [
        ((), 99, "One two. Three", "end_turn"),
        (("two.",), 99, "One ", "stop_sequence"),
        (("e t", "two"), 99, "On", "stop_sequence"),
        (("Three",), 4, "One two. ", "stop_sequence"),
        (("Three",), 3, "One two.", "max_tokens"),
        (("wo. T",), 3, "One two.", "max_tokens"),
        (("absent",), 99, "One two. Three", "end_turn"),
    ],
)
def test_stop_sequences(
    stops: tuple[str, ...], max_tokens: int, text: str, reason: str
) -> None:
    """PLAYBACK-3."""
    request = make_request(max_tokens=max_tokens, stop_sequences=stops)
    pieces = play_text("One two. Three", request)
    assert (text_of(pieces), stop_reason_of(pieces)) == (text, reason)


def test_a_stop_sequence_in_the_prefill_is_ignored() -> None:
    request = make_request("One", stop_sequences=("One",))
    assert text_of(play_text("One two", request)) == " two"


def test_citations_come_with_the_complete_block() -> None:
    """PLAYBACK-2."""
    answer = Answer(Say("One two", [{"title": "t"}]))
    assert Citation({"title": "t"}) in play(answer, make_request(), 0)
    assert Citation({"title": "t"}) not in play(answer, make_request(max_tokens=1), 0)


# Reasoning.


def test_thinking() -> None:
    pieces = play(Answer([Think("Mm hm", signature="s"), "Yes"]), make_request(), 0)
    assert pieces == [
        Reasoning("Mm"),
        Reasoning(" hm"),
        Reasoning(signature="s"),
        BlockEnd(),
        Text("Yes"),
        BlockEnd(),
        Finish("end_turn", 3),
    ]


def test_truncated_thinking_has_no_signature() -> None:
    """PLAYBACK-1, PLAYBACK-2."""
    pieces = play(Answer([Think("Mm hm"), "Yes"]), make_request(max_tokens=1), 0)
    assert pieces == [Reasoning("Mm"), BlockEnd(), Finish("max_tokens", 1)]


def test_thinking_only() -> None:
    pieces = play(Answer([Think("Mm hm", "s"), "Yes"]), make_request(max_tokens=2), 0)
    assert pieces[-2:] == [BlockEnd(), Finish("max_tokens", 2)]
    assert Reasoning(signature="s") in pieces


def test_redacted_thinking() -> None:
    pieces = play(Answer([Think(redacted=b"x"), "Yes"]), make_request(), 0)
    assert pieces[:2] == [Reasoning(redacted=b"x"), BlockEnd()]
    assert finish_of(pieces).output_tokens == 2


def test_a_continuation_skips_the_blocks_before_it() -> None:
    """PLAYBACK-4."""
    answer = Answer([Think("Mm"), "One two", Think("Hm"), " three", CallTool("f", {})])
    assert text_of(play(answer, make_request("One"), 0)) == " two three"
    at_a_block_boundary = play(answer, make_request("One two"), 0)
    assert at_a_block_boundary[0] == Reasoning("Hm")
    assert text_of(at_a_block_boundary) == " three"
    assert isinstance(play(answer, make_request("One two three"), 0)[0], ToolStart)


# Tool calls.

CALL = CallTool("f", {"path": "a.md", "n": 12, "content": "one two three"})


def inputs(pieces: list[Piece]) -> list[str]:
    return [p.json_text for p in pieces if isinstance(p, ToolInput)]


def test_a_tool_call() -> None:
    pieces = play(Answer(["Now.", CALL]), make_request(), 2)
    assert ToolStart("tooluse_2_1", "f") in pieces
    assert inputs(pieces) == [
        "",
        '{"path": "a.md"',
        ', "n": 12',
        ', "content": "one two three"',
        "}",
    ]
    assert json.loads("".join(inputs(pieces))) == CALL.input
    assert stop_reason_of(pieces) == "tool_use"


def test_a_truncated_tool_call_ends_after_a_member() -> None:
    complete = finish_of(play(Answer(CALL), make_request(), 0)).output_tokens
    seen = set()
    for max_tokens in range(1, complete):
        pieces = play(Answer(CALL), make_request(max_tokens=max_tokens), 0)
        assert finish_of(pieces) == Finish("max_tokens", max_tokens)
        seen.add("".join(inputs(pieces)))
    keys = ["", '{"path": "a.md"', ', "n": 12', ', "content": "one two three"']
    assert seen == {"".join(keys[: i + 1]) for i in range(4)}


def test_a_truncated_tool_call_can_be_empty() -> None:
    answer = Answer(CALL, truncated_tool_input="empty")
    assert inputs(play(answer, make_request(max_tokens=12), 0)) == [""]
    assert inputs(play(answer, make_request(), 0)) == inputs(
        play(Answer(CALL), make_request(), 0)
    )


def test_fine_grained_tool_streaming_is_truncated_anywhere() -> None:
    text = json.dumps(CALL.input)
    tokens = tokenize(text)
    answer = Answer(CALL, fine_grained=True)
    for n in range(1, len(tokens) + 1):
        pieces = play(answer, make_request(max_tokens=n), 0)
        assert inputs(pieces) == ["", *tokens[:n]]
        assert stop_reason_of(pieces) == "max_tokens"
    assert stop_reason_of(play(answer, make_request(max_tokens=n + 1), 0)) == "tool_use"


def test_a_truncation_between_parallel_calls() -> None:
    answer = Answer([CallTool("f", {}), CallTool("g", {})])
    one = finish_of(play(Answer(CallTool("f", {})), make_request(), 0)).output_tokens
    pieces = play(answer, make_request(max_tokens=one), 0)
    assert [p.name for p in pieces if isinstance(p, ToolStart)] == ["f"]
    assert stop_reason_of(pieces) == "max_tokens"


def test_a_given_stop_reason() -> None:
    answer = Answer("No.", stop_reason="guardrail_intervened")
    assert stop_reason_of(play(answer, make_request(), 0)) == "guardrail_intervened"
    assert stop_reason_of(play(answer, make_request(max_tokens=1), 0)) == "max_tokens"

"""Scripted answers: cuts, continuations, faults (S1-S4, P1-P4)."""

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

Json = dict[str, Any]


def asked(prefill: str = "", max_tokens: int = 1000, **fields: Any) -> Request:
    messages: list[Json] = [{"role": "user", "content": [{"text": "Go"}]}]
    if prefill:
        messages.append({"role": "assistant", "content": [{"text": prefill}]})
    return Request("m", messages, max_tokens, **fields)


def text_of(pieces: list[Piece]) -> str:
    return "".join(p.text for p in pieces if isinstance(p, Text))


def finish_of(pieces: list[Piece]) -> Finish:
    finish = pieces[-1]
    assert isinstance(finish, Finish)
    return finish


def stop(pieces: list[Piece]) -> str:
    return finish_of(pieces).stop_reason


def say(text: str, request: Request) -> list[Piece]:
    return play(Answer(text), request, 0)


# Text.


def test_uncut() -> None:
    pieces = say("One two.", asked())
    assert pieces == [
        Text("One"),
        Text(" two"),
        Text("."),
        BlockEnd(),
        Finish("end_turn", 3),
    ]


def test_cut_on_a_token() -> None:
    """P1."""
    pieces = say("One two.", asked(max_tokens=2))
    assert pieces == [
        Text("One"),
        Text(" two"),
        BlockEnd(),
        Finish("max_tokens", 2),
    ]


def test_no_room_for_the_end() -> None:
    """S4."""
    assert stop(say("One two.", asked(max_tokens=3))) == "max_tokens"
    assert say("One two.", asked("One two.", 3)) == [Finish("end_turn", 0)]


@given(st.text(min_size=1), st.integers(1, 7))
@example("```\nx = {\n    'a': 1,\n}\n```\n", 1)
def test_pieces_over_prefills_give_the_uncut_text(text: str, max_tokens: int) -> None:
    """S2: with requests that Bedrock takes, and whitespace kept as it comes."""
    said, ended, sent = "", "max_tokens", "nothing yet"
    while ended == "max_tokens" and said.rstrip() != sent:
        sent = said.rstrip()
        pieces = say(text, asked(sent, max_tokens))
        said, ended = sent + text_of(pieces), stop(pieces)
        assert text.startswith(said)
    if ended == "end_turn":
        assert said == text
    else:  # a segment of pure whitespace: the next request would be the same for ever
        assert said[len(sent) :].isspace()


@given(st.text(min_size=1), st.integers(1, 5))
def test_pieces_over_unstripped_prefills_always_give_the_text(
    text: str, max_tokens: int
) -> None:
    """S2: as models do that take trailing whitespace."""
    said, ended = "", "max_tokens"
    while ended == "max_tokens":
        pieces = say(text, asked(said, max_tokens))
        said, ended = said + text_of(pieces), stop(pieces)
    assert (said, ended) == (text, "end_turn")


def test_what_is_left_is_tokenized_anew() -> None:
    """S2."""
    whole = say("tokenization", asked())
    rest = say("tokenization", asked("tok"))
    assert [p for p in whole if isinstance(p, Text)] == [Text("tokeni"), Text("zation")]
    assert [p for p in rest if isinstance(p, Text)] == [Text("enizat"), Text("ion")]


def test_a_prefill_that_is_not_the_beginning_confuses() -> None:
    """S3."""
    assert text_of(say("One two.", asked("One  two"))) == "One two."


def test_a_prefill_of_several_blocks_is_one_text() -> None:
    content = [
        {"text": "One"},
        {"citationsContent": {"content": [{"text": " two"}], "citations": []}},
        {"cachePoint": {"type": "default"}},
    ]
    request = asked()
    request.messages.append({"role": "assistant", "content": content})
    assert text_of(say("One two three", request)) == " three"


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
    """P3."""
    request = asked(max_tokens=max_tokens, stop_sequences=stops)
    pieces = say("One two. Three", request)
    assert (text_of(pieces), stop(pieces)) == (text, reason)


def test_a_stop_sequence_in_the_prefill_is_past() -> None:
    request = asked("One", stop_sequences=("One",))
    assert text_of(say("One two", request)) == " two"


def test_citations_come_with_the_whole_block() -> None:
    """P2."""
    answer = Answer(Say("One two", [{"title": "t"}]))
    assert Citation({"title": "t"}) in play(answer, asked(), 0)
    assert Citation({"title": "t"}) not in play(answer, asked(max_tokens=1), 0)


# Reasoning.


def test_thinking() -> None:
    pieces = play(Answer([Think("Mm hm", signature="s"), "Yes"]), asked(), 0)
    assert pieces == [
        Reasoning("Mm"),
        Reasoning(" hm"),
        Reasoning(signature="s"),
        BlockEnd(),
        Text("Yes"),
        BlockEnd(),
        Finish("end_turn", 3),
    ]


def test_cut_thinking_is_unsigned() -> None:
    """P1, P2."""
    pieces = play(Answer([Think("Mm hm"), "Yes"]), asked(max_tokens=1), 0)
    assert pieces == [Reasoning("Mm"), BlockEnd(), Finish("max_tokens", 1)]


def test_thinking_only() -> None:
    pieces = play(Answer([Think("Mm hm", "s"), "Yes"]), asked(max_tokens=2), 0)
    assert pieces[-2:] == [BlockEnd(), Finish("max_tokens", 2)]
    assert Reasoning(signature="s") in pieces


def test_redacted_thinking() -> None:
    pieces = play(Answer([Think(redacted=b"x"), "Yes"]), asked(), 0)
    assert pieces[:2] == [Reasoning(redacted=b"x"), BlockEnd()]
    assert finish_of(pieces).output_tokens == 2


def test_a_continuation_skips_what_came_before() -> None:
    """P4."""
    answer = Answer([Think("Mm"), "One two", Think("Hm"), " three", CallTool("f", {})])
    assert text_of(play(answer, asked("One"), 0)) == " two three"
    at_a_border = play(answer, asked("One two"), 0)
    assert at_a_border[0] == Reasoning("Hm")
    assert text_of(at_a_border) == " three"
    assert isinstance(play(answer, asked("One two three"), 0)[0], ToolStart)


# Tool calls.

CALL = CallTool("f", {"path": "a.md", "n": 12, "content": "one two three"})


def inputs(pieces: list[Piece]) -> list[str]:
    return [p.json_text for p in pieces if isinstance(p, ToolInput)]


def test_a_tool_call() -> None:
    pieces = play(Answer(["Now.", CALL]), asked(), 2)
    assert ToolStart("tooluse_2_1", "f") in pieces
    assert inputs(pieces) == [
        "",
        '{"path": "a.md"',
        ', "n": 12',
        ', "content": "one two three"',
        "}",
    ]
    assert json.loads("".join(inputs(pieces))) == CALL.input
    assert stop(pieces) == "tool_use"


def test_a_cut_tool_call_ends_at_a_key() -> None:
    whole = finish_of(play(Answer(CALL), asked(), 0)).output_tokens
    seen = set()
    for max_tokens in range(1, whole):
        pieces = play(Answer(CALL), asked(max_tokens=max_tokens), 0)
        assert finish_of(pieces) == Finish("max_tokens", max_tokens)
        seen.add("".join(inputs(pieces)))
    keys = ["", '{"path": "a.md"', ', "n": 12', ', "content": "one two three"']
    assert seen == {"".join(keys[: i + 1]) for i in range(4)}


def test_a_cut_tool_call_can_be_empty() -> None:
    answer = Answer(CALL, cut_tool_input="empty")
    assert inputs(play(answer, asked(max_tokens=12), 0)) == [""]
    assert inputs(play(answer, asked(), 0)) == inputs(play(Answer(CALL), asked(), 0))


def test_fine_grained_tool_streaming_is_cut_anywhere() -> None:
    text = json.dumps(CALL.input)
    tokens = tokenize(text)
    answer = Answer(CALL, fine_grained=True)
    for n in range(1, len(tokens) + 1):
        pieces = play(answer, asked(max_tokens=n), 0)
        assert inputs(pieces) == ["", *tokens[:n]]
        assert stop(pieces) == "max_tokens"
    assert stop(play(answer, asked(max_tokens=n + 1), 0)) == "tool_use"


def test_a_cut_between_parallel_calls() -> None:
    answer = Answer([CallTool("f", {}), CallTool("g", {})])
    one = finish_of(play(Answer(CallTool("f", {})), asked(), 0)).output_tokens
    pieces = play(answer, asked(max_tokens=one), 0)
    assert [p.name for p in pieces if isinstance(p, ToolStart)] == ["f"]
    assert stop(pieces) == "max_tokens"


def test_a_stop_reason_of_ones_own() -> None:
    answer = Answer("No.", stop_reason="guardrail_intervened")
    assert stop(play(answer, asked(), 0)) == "guardrail_intervened"
    assert stop(play(answer, asked(max_tokens=1), 0)) == "max_tokens"

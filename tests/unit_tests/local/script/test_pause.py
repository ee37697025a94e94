"""Paused turns and server tools, in a script and on the wire (SERVERTOOL)."""

from dataclasses import replace
from typing import Any

import pytest

from langchain_bedrock_continue.local import (
    Answer,
    Pause,
    Request,
    ServerBlock,
    Think,
)
from langchain_bedrock_continue.local.anthropic_server_tools import (
    is_paused,
    to_converse,
)
from langchain_bedrock_continue.local.backend import BlockEnd, Finish, Piece, Text
from langchain_bedrock_continue.local.script.playback import play
from langchain_bedrock_continue.local.wire.anthropic_events import (
    AnthropicEvents,
    AnthropicMessage,
)
from langchain_bedrock_continue.local.wire.anthropic_request import converse_body
from tests.support.pieces import make_request, stop_reason_of, text_of

Json = dict[str, Any]


def use(n: int) -> ServerBlock:
    call = {"id": f"s{n}", "name": "web_search", "input": {"query": "a b"}}
    return ServerBlock({"type": "server_tool_use", **call})


def result(n: int) -> ServerBlock:
    kind = "web_search_tool_result"
    return ServerBlock(
        {"type": kind, "tool_use_id": f"s{n}", "content": [{"url": "u"}]}
    )


def request_after(*so_far: Json) -> Request:
    """Return a request that sends back the content so far."""
    request = make_request()
    final = {"role": "assistant", "content": list(so_far)}
    return replace(request, messages=[*request.messages, final])


def converse_block(block: ServerBlock) -> Json:
    return to_converse(block.block)


ANSWER = Answer(
    ["One ", use(1), Pause(), result(1), use(2), result(2), Pause(), "two.", Think("x")]
)


def test_a_pause_ends_the_response() -> None:
    """PLAYBACK-5."""
    pieces = play(ANSWER, make_request(), 0)
    assert pieces[:4] == [Text("One"), Text(" "), BlockEnd(), use(1)]
    assert pieces[4:-1] == [BlockEnd()]
    assert stop_reason_of(pieces) == "pause_turn"


def test_a_paused_turn_that_is_sent_back_is_continued() -> None:
    """PLAYBACK-4, PLAYBACK-5."""
    so_far: list[Json] = [{"text": "One "}, converse_block(use(1))]
    pieces = play(ANSWER, request_after(*so_far), 0)
    assert pieces[:-1:2] == [result(1), use(2), result(2)]
    assert stop_reason_of(pieces) == "pause_turn"
    so_far += [
        converse_block(result(1)),
        converse_block(use(2)),
        converse_block(result(2)),
    ]
    pieces = play(ANSWER, request_after(*so_far), 0)
    assert (text_of(pieces), stop_reason_of(pieces)) == ("two.", "end_turn")


def test_a_truncation_after_a_pause_is_continued() -> None:
    """PLAYBACK-4."""
    so_far = [
        {"text": "One "},
        *map(converse_block, (use(1), result(1), use(2), result(2))),
    ]
    pieces = play(ANSWER, request_after(*so_far, {"text": "tw"}), 0)
    assert (text_of(pieces), stop_reason_of(pieces)) == ("o.", "end_turn")


def test_a_pause_between_texts() -> None:
    answer = Answer(["One ", Pause(), "two."])
    assert text_of(play(answer, make_request(), 0)) == "One "
    pieces = play(answer, make_request("One "), 0)
    assert (text_of(pieces), stop_reason_of(pieces)) == ("two.", "end_turn")


def test_a_full_response_is_truncated_and_not_paused() -> None:
    """PLAYBACK-1 takes precedence over PLAYBACK-5."""
    assert (
        stop_reason_of(play(Answer(["One", Pause()]), make_request(max_tokens=1), 0))
        == "max_tokens"
    )


@pytest.mark.parametrize("max_tokens", range(1, 20))
def test_a_server_block_comes_complete_or_not_at_all(max_tokens: int) -> None:
    """PLAYBACK-5."""
    pieces = play(Answer([use(1), result(1)]), make_request(max_tokens=max_tokens), 0)
    finish = pieces[-1]
    assert isinstance(finish, Finish)
    if use(1) in pieces:
        assert finish.output_tokens == 7
    else:
        assert (pieces, finish.output_tokens) == ([finish], max_tokens)
    assert (use(1) in pieces) == (max_tokens >= 7)
    assert (result(1) in pieces) == (max_tokens > 7)
    assert (finish.stop_reason == "end_turn") == (max_tokens > 7)


def test_a_body_with_server_tools_is_translated() -> None:
    """INVOKE-3, SERVERTOOL-1."""
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}
    final = {"role": "assistant", "content": [use(1).block, result(1).block]}
    translated = converse_body(
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 10,
            "messages": [{"role": "user", "content": "Hi"}, final],
            "tools": [search],
        }
    )
    assert translated["toolConfig"] == {
        "tools": [{"systemTool": {"name": "web_search"}}]
    }
    call, found = translated["messages"][1]["content"]
    assert call["toolUse"]["type"] == "server_tool_use"
    assert found["toolResult"]["content"] == [{"json": [{"url": "u"}]}]
    assert found["toolResult"]["toolUseId"] == call["toolUse"]["toolUseId"] == "s1"


@pytest.mark.parametrize(
    ("role", "block", "paused"),
    [
        ("assistant", converse_block(use(1)), True),
        ("assistant", converse_block(result(1)), True),
        ("assistant", {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}, False),
        ("assistant", {"text": "a"}, False),
        ("user", converse_block(result(1)), False),
    ],
)
def test_the_messages_that_are_a_paused_turn(
    role: str, block: Json, paused: bool
) -> None:
    """SERVERTOOL-2."""
    assert is_paused({"role": role, "content": [{"text": "a"}, block]}) == paused


USAGE = dict.fromkeys(
    ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), 0
)


def test_server_blocks_in_the_stream_and_in_the_message() -> None:
    """ANTHROPIC-4, ANTHROPIC-5."""
    events, message = AnthropicEvents("m", USAGE), AnthropicMessage()
    pieces: list[Piece] = [use(1), BlockEnd(), result(1), BlockEnd()]
    opened = events.open()
    fed = [event for piece in pieces for event in events.feed(piece)]
    for event in [*opened, *fed]:
        message.feed(event)
    assert message.response()["content"] == [use(1).block, result(1).block]
    start, delta, stopped, result_start, _ = (payload for _, payload in fed)
    assert start["content_block"] == {**use(1).block, "input": {}}
    assert delta["delta"]["partial_json"] == '{"query": "a b"}'
    assert stopped["type"] == "content_block_stop"
    assert result_start["content_block"] == result(1).block

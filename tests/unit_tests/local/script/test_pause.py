"""Paused turns and server tools in a script (P4, P5, T1, T2, Q3, V4)."""

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
from tests.unit_tests.local.script.test_playback import asked, stop, text_of

Json = dict[str, Any]


def use(n: int) -> ServerBlock:
    call = {"id": f"s{n}", "name": "web_search", "input": {"query": "a b"}}
    return ServerBlock({"type": "server_tool_use", **call})


def result(n: int) -> ServerBlock:
    kind = "web_search_tool_result"
    return ServerBlock(
        {"type": kind, "tool_use_id": f"s{n}", "content": [{"url": "u"}]}
    )


def after(*said: Json) -> Request:
    """A request that sends back what was said so far."""
    request = asked()
    final = {"role": "assistant", "content": list(said)}
    return replace(request, messages=[*request.messages, final])


def sent(block: ServerBlock) -> Json:
    return to_converse(block.block)


ANSWER = Answer(
    ["One ", use(1), Pause(), result(1), use(2), result(2), Pause(), "two.", Think("x")]
)


def test_a_pause_ends_the_response() -> None:
    """P5."""
    pieces = play(ANSWER, asked(), 0)
    assert pieces[:4] == [Text("One"), Text(" "), BlockEnd(), use(1)]
    assert pieces[4:-1] == [BlockEnd()]
    assert stop(pieces) == "pause_turn"


def test_what_is_sent_back_is_gone_on_from() -> None:
    """P4, P5."""
    said: list[Json] = [{"text": "One "}, sent(use(1))]
    pieces = play(ANSWER, after(*said), 0)
    assert pieces[:-1:2] == [result(1), use(2), result(2)]
    assert stop(pieces) == "pause_turn"
    said += [sent(result(1)), sent(use(2)), sent(result(2))]
    pieces = play(ANSWER, after(*said), 0)
    assert (text_of(pieces), stop(pieces)) == ("two.", "end_turn")


def test_a_cut_behind_a_pause_is_gone_on_from_too() -> None:
    """P4."""
    said = [{"text": "One "}, *map(sent, (use(1), result(1), use(2), result(2)))]
    pieces = play(ANSWER, after(*said, {"text": "tw"}), 0)
    assert (text_of(pieces), stop(pieces)) == ("o.", "end_turn")


def test_a_pause_between_texts() -> None:
    answer = Answer(["One ", Pause(), "two."])
    assert text_of(play(answer, asked(), 0)) == "One "
    pieces = play(answer, asked("One "), 0)
    assert (text_of(pieces), stop(pieces)) == ("two.", "end_turn")


def test_a_full_response_is_cut_and_not_paused() -> None:
    """P1 before P5: there was no room for the end."""
    assert stop(play(Answer(["One", Pause()]), asked(max_tokens=1), 0)) == "max_tokens"


@pytest.mark.parametrize("max_tokens", range(1, 20))
def test_a_server_block_comes_whole_or_not_at_all(max_tokens: int) -> None:
    """P5."""
    pieces = play(Answer([use(1), result(1)]), asked(max_tokens=max_tokens), 0)
    finish = pieces[-1]
    assert isinstance(finish, Finish)
    if use(1) in pieces:
        assert finish.output_tokens == 7
    else:
        assert (pieces, finish.output_tokens) == ([finish], max_tokens)
    assert (use(1) in pieces) == (max_tokens >= 7)
    assert (result(1) in pieces) == (max_tokens > 7)
    assert (finish.stop_reason == "end_turn") == (max_tokens > 7)


def test_a_body_with_server_tools() -> None:
    """Q3, T1."""
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
        ("assistant", sent(use(1)), True),
        ("assistant", sent(result(1)), True),
        ("assistant", {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}, False),
        ("assistant", {"text": "a"}, False),
        ("user", sent(result(1)), False),
    ],
)
def test_a_paused_turn(role: str, block: Json, paused: bool) -> None:
    """T2."""
    assert is_paused({"role": role, "content": [{"text": "a"}, block]}) == paused


USAGE = dict.fromkeys(
    ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), 0
)


def test_server_blocks_in_the_stream_and_in_the_message() -> None:
    """V4, V5."""
    events, message = AnthropicEvents("m", USAGE), AnthropicMessage()
    pieces: list[Piece] = [use(1), BlockEnd(), result(1), BlockEnd()]
    opened = events.open()
    fed = [event for piece in pieces for event in events.feed(piece)]
    for event in [*opened, *fed]:
        message.feed(event)
    assert message.response()["content"] == [use(1).block, result(1).block]
    start, delta, stopped, whole, _ = (payload for _, payload in fed)
    assert start["content_block"] == {**use(1).block, "input": {}}
    assert delta["delta"]["partial_json"] == '{"query": "a b"}'
    assert stopped["type"] == "content_block_stop"
    assert whole["content_block"] == result(1).block

"""Thinking that is bound to its prefix (BINDING)."""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from langchain_bedrock_continue.local import Request
from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Finish,
    Piece,
    Reasoning,
    ServerBlock,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.rules.thinking_binding import (
    Conversation,
    bind_signatures,
)

Json = dict[str, Any]
SYSTEM = [{"text": "Be brief."}]
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}
POINT = {"cachePoint": {"type": "default"}}
USE = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}


def user(text: str) -> Json:
    return {"role": "user", "content": [{"text": text}]}


def thinking_block(text: str, signature: str) -> Json:
    return {
        "reasoningContent": {"reasoningText": {"text": text, "signature": signature}}
    }


def accepted(
    messages: list[Json], system: Any = SYSTEM, tools: Any = TOOLS
) -> list[bool | None]:
    """Return whether each thinking block of a conversation is accepted at its place."""
    conversation, found = Conversation(system, tools), []
    for message in messages:
        for block in message["content"]:
            if "reasoningContent" in block:
                text = block["reasoningContent"]["reasoningText"]
                found.append(conversation.accepts(text["text"], text["signature"]))
            conversation.add(message["role"], block)
    return found


async def answer(messages: list[Json], pieces: list[Piece]) -> list[str]:
    """Return the signatures of an answer."""

    async def generate() -> AsyncIterator[Piece]:
        for piece in pieces:
            yield piece

    request = Request("m", messages, 100, system=SYSTEM, tool_config=TOOLS)
    out = [piece async for piece in bind_signatures(generate(), request)]
    assert [type(p) for p in out] == [type(p) for p in pieces]
    return [p.signature for p in out if isinstance(p, Reasoning) and p.signature]


THINKS: list[Piece] = [Reasoning("M"), Reasoning("m", "s"), BlockEnd()]
SAYS: list[Piece] = [Text("On"), Text("e"), BlockEnd()]
END = Finish("end_turn", 1)


async def two_turns() -> list[Json]:
    """Return a conversation of two turns, each with a thinking block."""
    messages = [user("a")]
    for question in ("b", "c"):
        (signature,) = await answer(messages, [*THINKS, *SAYS, END])
        content = [thinking_block("Mm", signature), {"text": "One"}]
        messages += [{"role": "assistant", "content": content}, user(question)]
    return messages


async def test_a_conversation_that_is_sent_back_unchanged_is_accepted() -> None:
    messages = await two_turns()
    assert accepted(messages) == [True, True]
    messages[0]["content"].append(POINT)
    assert accepted(messages, [*SYSTEM, POINT]) == [True, True]  # BINDING-2


async def test_a_change_invalidates_all_thinking_after_it() -> None:
    """BINDING-1."""
    messages = await two_turns()
    assert accepted(messages, system=[]) == [False, False]
    assert accepted(messages, tools=None) == [False, False]
    assert accepted([user("A"), *messages[1:]]) == [False, False]
    assert accepted([*messages[:2], user("B"), *messages[3:]]) == [True, False]


async def test_only_the_oldest_thinking_may_be_left_out() -> None:
    """BINDING-2."""
    messages = await two_turns()
    (third,) = await answer(messages, [*THINKS, END])
    messages.append({"role": "assistant", "content": [thinking_block("Mm", third)]})
    without = [{**m, "content": m["content"][-1:]} for m in messages[:4]]
    assert accepted([*without[:2], *messages[2:]]) == [True, True]
    assert accepted([*messages[:2], *without[2:4], *messages[4:]]) == [True, False]


async def test_the_blocks_of_an_answer_are_the_prefix_of_its_later_thinking() -> None:
    calls: list[Piece] = [
        ToolStart("t", "f"),
        ToolInput(""),
        ToolInput('{"a": 1}'),
        BlockEnd(),
        ServerBlock(USE),
        BlockEnd(),
    ]
    pieces = [*THINKS, *SAYS, *THINKS, *calls, *THINKS, END]
    one, two, three = await answer([user("a")], pieces)
    server = {"toolUseId": "s", "name": "web_search", "input": {"q": 1}}
    content = [
        thinking_block("Mm", one),
        {"text": "One"},
        thinking_block("Mm", two),
        {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
        {"toolUse": {**server, "type": "server_tool_use"}},
        thinking_block("Mm", three),
    ]
    message_sent_back = {"role": "assistant", "content": content}
    assert accepted([user("a"), message_sent_back]) == [True] * 3
    cited = {"citationsContent": {"content": [{"text": "One"}], "citations": []}}
    content[1] = cited
    assert accepted([user("a"), message_sent_back]) == [True] * 3
    content[1] = {"text": "Two"}
    assert accepted([user("a"), message_sent_back]) == [True, False, False]


async def test_a_later_segments_thinking_is_not_accepted_in_the_stitched_message() -> (
    None
):
    """Its prefix has a user turn, which the stitched message does not have."""
    (first,) = await answer([user("a")], [*THINKS, *SAYS, END])
    first_message = {
        "role": "assistant",
        "content": [thinking_block("Mm", first), {"text": "One"}],
    }
    (second,) = await answer(
        [user("a"), first_message, user("Continue.")], [*THINKS, END]
    )
    stitched = [
        thinking_block("Mm", first),
        {"text": "One"},
        thinking_block("Mm", second),
    ]
    assert accepted([user("a"), {"role": "assistant", "content": stitched}]) == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "signature", ["s", "", "é", "bnVsbA==", b64encode(b"[1]").decode()]
)
def test_a_signature_that_is_not_bound_is_invalid(signature: str) -> None:
    """BINDING-3."""
    assert Conversation([], None).accepts("Mm", signature) is None


def test_a_signature_that_is_bound_to_another_text_is_invalid() -> None:
    """BINDING-3."""
    conversation = Conversation([], None)
    bound = conversation.bind("Mm", "s")
    assert conversation.accepts("Mn", bound) is None
    assert conversation.accepts("Mm", bound) is True
    assert bound != conversation.bind("Mm", "t")

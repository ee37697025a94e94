"""Thinking that is bound to what came before it (K1-K3)."""

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
from langchain_bedrock_continue.local.rules.thinking_binding import Binding, sealed

Json = dict[str, Any]
SYSTEM = [{"text": "Be brief."}]
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}
POINT = {"cachePoint": {"type": "default"}}
USE = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}


def user(text: str) -> Json:
    return {"role": "user", "content": [{"text": text}]}


def thought(text: str, signature: str) -> Json:
    return {
        "reasoningContent": {"reasoningText": {"text": text, "signature": signature}}
    }


def verdicts(
    messages: list[Json], system: Any = SYSTEM, tools: Any = TOOLS
) -> list[bool | None]:
    """Whether each thinking block of a conversation fits its place."""
    binding, found = Binding(system, tools), []
    for message in messages:
        for block in message["content"]:
            if "reasoningContent" in block:
                text = block["reasoningContent"]["reasoningText"]
                found.append(binding.fits(text["text"], text["signature"]))
            binding.add(message["role"], block)
    return found


async def answer(messages: list[Json], pieces: list[Piece]) -> list[str]:
    """The signatures with which an answer comes."""

    async def generate() -> AsyncIterator[Piece]:
        for piece in pieces:
            yield piece

    request = Request("m", messages, 100, system=SYSTEM, tool_config=TOOLS)
    out = [piece async for piece in sealed(generate(), request)]
    assert [type(p) for p in out] == [type(p) for p in pieces]
    return [p.signature for p in out if isinstance(p, Reasoning) and p.signature]


THINKS: list[Piece] = [Reasoning("M"), Reasoning("m", "s"), BlockEnd()]
SAYS: list[Piece] = [Text("On"), Text("e"), BlockEnd()]
END = Finish("end_turn", 1)


async def two_turns() -> list[Json]:
    """A conversation with a thought in each of two turns."""
    messages = [user("a")]
    for question in ("b", "c"):
        (signature,) = await answer(messages, [*THINKS, *SAYS, END])
        content = [thought("Mm", signature), {"text": "One"}]
        messages += [{"role": "assistant", "content": content}, user(question)]
    return messages


async def test_a_conversation_sent_back_as_it_was_fits() -> None:
    messages = await two_turns()
    assert verdicts(messages) == [True, True]
    messages[0]["content"].append(POINT)
    assert verdicts(messages, [*SYSTEM, POINT]) == [True, True]  # K2


async def test_what_changed_is_noticed_by_all_thinking_behind_it() -> None:
    """K1."""
    messages = await two_turns()
    assert verdicts(messages, system=[]) == [False, False]
    assert verdicts(messages, tools=None) == [False, False]
    assert verdicts([user("A"), *messages[1:]]) == [False, False]
    assert verdicts([*messages[:2], user("B"), *messages[3:]]) == [True, False]


async def test_only_the_oldest_thinking_may_be_left_out() -> None:
    """K2."""
    messages = await two_turns()
    (third,) = await answer(messages, [*THINKS, END])
    messages.append({"role": "assistant", "content": [thought("Mm", third)]})
    without = [{**m, "content": m["content"][-1:]} for m in messages[:4]]
    assert verdicts([*without[:2], *messages[2:]]) == [True, True]
    assert verdicts([*messages[:2], *without[2:4], *messages[4:]]) == [True, False]


async def test_what_an_answer_wrote_is_prefix_of_its_later_thinking() -> None:
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
        thought("Mm", one),
        {"text": "One"},
        thought("Mm", two),
        {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
        {"toolUse": {**server, "type": "server_tool_use"}},
        thought("Mm", three),
    ]
    whole = {"role": "assistant", "content": content}
    assert verdicts([user("a"), whole]) == [True] * 3
    cited = {"citationsContent": {"content": [{"text": "One"}], "citations": []}}
    content[1] = cited
    assert verdicts([user("a"), whole]) == [True] * 3
    content[1] = {"text": "Two"}
    assert verdicts([user("a"), whole]) == [True, False, False]


async def test_a_later_segments_thinking_does_not_fit_the_stitched_message() -> None:
    """Its prefix held the user turn that asked to go on; the stitched one does not."""
    (first,) = await answer([user("a")], [*THINKS, *SAYS, END])
    said = {"role": "assistant", "content": [thought("Mm", first), {"text": "One"}]}
    (second,) = await answer([user("a"), said, user("Go on.")], [*THINKS, END])
    stitched = [thought("Mm", first), {"text": "One"}, thought("Mm", second)]
    assert verdicts([user("a"), {"role": "assistant", "content": stitched}]) == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "signature", ["s", "", "é", "bnVsbA==", b64encode(b"[1]").decode()]
)
def test_a_signature_that_is_no_seal(signature: str) -> None:
    """K3."""
    assert Binding([], None).fits("Mm", signature) is None


def test_a_seal_of_another_text() -> None:
    """K3."""
    binding = Binding([], None)
    assert binding.fits("Mn", binding.seal("Mm", "s")) is None
    assert binding.fits("Mm", binding.seal("Mm", "s")) is True
    assert binding.seal("Mm", "s") != binding.seal("Mm", "t")

"""Conversations with system messages anywhere, or alone, are continued."""

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Request, Script
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation
from tests.support.models import (
    NOVA,
    PREFILL_MODEL,
    chat_bedrock,
    model,
    plain_model,
)
from tests.support.scripts import quote_of
from tests.support.texts import LONG

QUESTION, SYSTEM = HumanMessage("Who acts next?"), SystemMessage("Say why.")
BEGUN = AIMessage("The researcher", name="worker")
IN_BLOCKS = AIMessage([{"type": "text", "text": "The researcher"}])
CALL: Any = {"name": "look", "args": {}, "id": "t"}
LOOKED = [AIMessage("", tool_calls=[CALL]), ToolMessage("3 ports", tool_call_id="t")]
TOOLS: Any = [{"name": "look", "description": "Look.", "input_schema": {}}]
CACHED = SystemMessage(
    [{"type": "text", "text": "Rules."}, {"cachePoint": {"type": "default"}}]
)

CONVERSATIONS: dict[str, list[BaseMessage]] = {
    "first": [SYSTEM, QUESTION],
    "last": [QUESTION, SYSTEM],
    "two last": [QUESTION, SYSTEM, CACHED],
    "between": [QUESTION, SYSTEM, HumanMessage("Well?")],
    "after an assistant message": [QUESTION, BEGUN, SYSTEM],
    "two after an assistant message": [QUESTION, BEGUN, SYSTEM, CACHED],
    "after blocks": [QUESTION, IN_BLOCKS, SYSTEM],
    "around an assistant message": [SYSTEM, QUESTION, BEGUN, SYSTEM],
    "after two assistant messages": [QUESTION, AIMessage("Well."), BEGUN, SYSTEM],
    "after a tool result": [QUESTION, *LOOKED, SYSTEM],
    "alone": [SYSTEM],
    "two alone": [SYSTEM, CACHED],
}


WAYS = {
    "prefill": (PREFILL_MODEL, "auto"),
    "user turn": (PREFILL_MODEL, "user_turn"),
    "Nova": (NOVA, "auto"),
}
"""A model, and how it is continued. All take the caller's own prefill."""


def said_by(messages: list[BaseMessage], end: str = "") -> Script:
    """Make a model that says LONG after the caller's own prefill, if there is one."""
    begun = any(one.text == f"The researcher{end}" for one in messages)
    before = f"The researcher{end}" if begun else ""

    def answer(request: Request) -> str:
        quote = quote_of(request)
        return quote + LONG.partition(quote)[2] if quote else before + LONG

    return Script(answer)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_that_converse_accepts_is_continued(
    serve: Serve, entrance: Entrance, name: str, way: str
) -> None:
    model_id, strategy = WAYS[way]
    messages = CONVERSATIONS[name]
    given = [message.model_copy(deep=True) for message in messages]
    bedrock = serve(said_by(messages))
    bare = entrance(
        plain_model(bedrock, model=model_id).bind_tools(TOOLS), list(messages)
    )
    first = bedrock.requests[0].body
    bedrock.clear()
    llm = model(
        bedrock, model=model_id, strategy=strategy, max_continuations=1
    ).bind_tools(TOOLS)
    message = entrance(llm, list(messages))
    assert message.text.startswith(bare.text)
    assert len(continuation(message)["segments"]) == 2
    sent = bedrock.requests[0].body, bedrock.requests[1].body
    assert sent[0] == first
    assert sent[1].get("system") == first.get("system")
    roles = [one["role"] for one in sent[1]["messages"]]
    assert roles == [("user", "assistant")[at % 2] for at in range(len(roles))]
    assert messages == given


@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
@pytest.mark.parametrize("name", ["last", "after an assistant message"])
def test_a_chat_bedrock_continues_them_too(
    serve: Serve, entrance: Entrance, name: str, strategy: Any
) -> None:
    bedrock = serve(said_by(CONVERSATIONS[name]))
    inner = chat_bedrock(bedrock, model=PREFILL_MODEL)
    llm = ChatBedrockContinuing(llm=inner, strategy=strategy, max_continuations=1)
    message = entrance(llm, list(CONVERSATIONS[name]))
    assert len(continuation(message)["segments"]) == 2
    roles = [one["role"] for one in bedrock.requests[1].body["messages"]]
    assert roles == [("user", "assistant")[at % 2] for at in range(len(roles))]


@pytest.mark.parametrize("end", ["", " ", "\n"])
@pytest.mark.parametrize("name", ["after an assistant message", "alone"])
def test_the_text_is_whole(
    serve: Serve, entrance: Entrance, name: str, end: str
) -> None:
    messages = [
        one.model_copy(update={"content": f"{one.content}{end}"})
        if isinstance(one, AIMessage)
        else one
        for one in CONVERSATIONS[name]
    ]
    bedrock = serve(said_by(messages, end))
    message = entrance(model(bedrock, model=NOVA), messages)
    assert message.text == LONG
    if name == "alone":
        return
    for number, request in enumerate(bedrock.requests):
        sent = request.body["messages"][-1]["content"][0]["text"]
        assert sent.startswith(f"The researcher{end}")
        assert number == 0 or LONG.startswith(sent.removeprefix(f"The researcher{end}"))

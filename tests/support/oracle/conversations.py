"""Conversations that a caller may send: valid, and often odd."""

from typing import Any, TypeAlias

from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call

Messages: TypeAlias = list[BaseMessage]

TOOLS = ("write", "time")
"""The tools of every situation that has tools."""

PNG = "iVBORw0KGgo="
IMAGE: dict[str, Any] = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PNG},
}
DOCUMENT: dict[str, Any] = {
    "document": {"format": "txt", "name": "notes", "source": {"bytes": b"Some notes."}}
}
CACHE_POINT: dict[str, Any] = {"cachePoint": {"type": "default"}}
SIGNED: dict[str, Any] = {
    "type": "reasoning_content",
    "reasoning_content": {"text": "Hm.", "signature": "c2lnbmF0dXJl"},
}

WORDS = ("Hi", "Go on: ", "a b", "{\n", "日本", "x.\n\n", "Why?")


def text_part(text: str) -> dict[str, Any]:
    """Return a text block."""
    return {"type": "text", "text": text}


def texts(*odd: str) -> st.SearchStrategy[str]:
    """Return some words, or one of the odd texts."""
    plain = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("".join)
    return plain | st.sampled_from(odd) if odd else plain


def _human_content(api: str) -> st.SearchStrategy[Any]:
    parts: list[Any] = [text_part("Look."), text_part("Why?"), IMAGE]
    odd = [text_part(" "), text_part("")]
    if api == "Converse":
        parts += [{**DOCUMENT}, CACHE_POINT]
    some = st.lists(st.sampled_from(parts), min_size=1, max_size=3)
    lists = st.tuples(some, st.lists(st.sampled_from(odd), max_size=1)).map(
        lambda both: [text_part("See:"), *both[0], *both[1]]
    )
    plain = texts()
    return st.one_of(plain, plain, plain, lists, lists, texts("", " "))


def humans(api: str) -> st.SearchStrategy[BaseMessage]:
    """Return user messages."""
    return _human_content(api).map(HumanMessage)


def systems(api: str) -> st.SearchStrategy[BaseMessage]:
    """Return system messages."""
    contents: list[Any] = ["Be kind.", [text_part("Be brief.")]]
    if api == "Converse":
        contents.append([text_part("Be exact."), CACHE_POINT])
    return st.sampled_from(contents).map(SystemMessage)


def assistants(api: str) -> st.SearchStrategy[BaseMessage]:
    """Return assistant messages without tool calls."""
    contents: list[Any] = [[text_part("So"), text_part(" far.")]]
    if api == "Converse":
        contents.append([SIGNED, text_part("Thought.")])
    content = texts("Sure", "So: ", "Then\n", "", " ") | st.sampled_from(contents)
    return content.map(AIMessage)


@st.composite
def tool_exchanges(draw: st.DrawFn, api: str) -> Messages:
    """Return an assistant message that calls tools, and their results."""
    names = draw(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=2))
    calls = [
        tool_call(name=name, args={"n": at}, id=f"old{at}")
        for at, name in enumerate(names)
    ]
    said = draw(st.sampled_from(["", "Let me look."]))
    return [
        AIMessage(said, tool_calls=calls),
        *(draw(_results(api, call["id"] or "")) for call in calls),
    ]


def _results(api: str, call_id: str) -> st.SearchStrategy[BaseMessage]:
    contents: list[Any] = ["3", "", [text_part("4")], [text_part("See."), IMAGE]]
    if api == "Converse":
        contents += [[{"json": {"n": 1}}], [text_part("5"), CACHE_POINT]]
    return st.builds(
        lambda content, status: ToolMessage(
            content, tool_call_id=call_id, status=status
        ),
        st.sampled_from(contents),
        st.sampled_from(["success", "success", "error"]),
    )


@st.composite
def conversations(draw: st.DrawFn, api: str, *, has_tools: bool) -> Messages:
    """Return a conversation of a few messages."""
    only_systems = api == "Converse" and draw(st.integers(0, 19)) == 19
    if only_systems:
        return draw(st.lists(systems(api), min_size=1, max_size=2))
    steps: list[Any] = [
        humans(api).map(lambda one: [one]),
        humans(api).map(lambda one: [one]),
        assistants(api).map(lambda one: [one]),
    ]
    if has_tools:
        steps += [tool_exchanges(api)] * 2
    found: Messages = [draw(humans(api))]
    for step in draw(st.lists(st.one_of(steps), max_size=3)):
        found += step
    if draw(st.booleans()):
        for _ in range(draw(st.integers(1, 2))):
            at = draw(st.integers(0, len(found))) if api == "Converse" else 0
            found.insert(_outside_results(found, at), draw(systems(api)))
            if api != "Converse":
                break
    last_is_assistant = isinstance(_last_spoken(found), AIMessage)
    if last_is_assistant and draw(st.integers(0, 2)):
        found.append(draw(humans(api)))
    return found


def _outside_results(messages: Messages, at: int) -> int:
    """Return a place that is not between a tool call and its results."""
    while at < len(messages) and isinstance(messages[at], ToolMessage):
        at += 1
    return at


def _last_spoken(messages: Messages) -> BaseMessage:
    return next(m for m in reversed(messages) if not isinstance(m, SystemMessage))

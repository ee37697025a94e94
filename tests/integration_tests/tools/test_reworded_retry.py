"""A retry for which the model chooses other words.

The text that the caller saw of the first attempt stays; nothing is shown twice, and no
incomplete call is returned.
"""

import copy
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock, Request
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending
from tests.support.models import (
    PREFILL_MODEL,
    REFUSING_MODEL,
    STRATEGIES,
    model,
    plain_model,
)
from tests.support.scripts import Given, in_order, prefill_of, quote_of

TEXT = "I write it. "
LONG = "Let me say at some length what it is that I am going to do about it, for "
INPUT = {"path": "a.md", "content": "x y z " * 30}
TOOLS = tools("write", "read")
READ = CallTool("read", {"path": "b.md"}, tool_use_id="r")


def write(tool_use_id: str = "w") -> CallTool:
    return CallTool("write", INPUT, tool_use_id=tool_use_id)


ARGUMENTS = {"w": INPUT, "again": INPUT, "r": READ.input}


def tooled(bedrock: LocalBedrock, **kwargs: Any) -> Any:
    settings = {"model": PREFILL_MODEL, "max_tokens": 20, **kwargs}
    return model(bedrock, **settings).bind_tools(TOOLS)


def check(message: AIMessage, text: str, *ids: str) -> None:
    """Check the message's text, its calls, and that it is complete."""
    assert message.text == text
    calls = [(call["id"], call["args"]) for call in message.tool_calls]
    assert calls == [(one, ARGUMENTS[one]) for one in ids]
    assert message.invalid_tool_calls == []
    blocks = message.content if isinstance(message.content, list) else []
    assert all(isinstance(block, dict) for block in blocks)
    if isinstance(message, AIMessageChunk):
        assert [block["index"] for block in blocks] == [*range(len(blocks))]  # type: ignore[index]
    assert ending(message) == ("model", True)


# Retries of [TEXT, write], with the text and the calls of the message that results.
WITH_CALLS: dict[str, tuple[list[Any], str, list[str]]] = {
    "the same": ([TEXT, write("again")], TEXT, ["again"]),
    "another": (["Sure. ", write("again")], TEXT, ["again"]),
    "more after it": ([TEXT + "Now.", write("again")], TEXT + "Now.", ["again"]),
    "a block more": ([TEXT, "Now. ", write("again")], TEXT + "Now. ", ["again"]),
    "less": ([TEXT[:6], write("again")], TEXT, ["again"]),
    "no text": ([write("again")], TEXT, ["again"]),
    "two calls": (["So: ", READ, write("again")], TEXT, ["r", "again"]),
    "another call": (["So: ", READ], TEXT, ["r"]),
    "text after the call": ([TEXT, READ, "Wait."], TEXT + "Wait.", ["r"]),
}


@pytest.mark.parametrize("model_id", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("wording", WITH_CALLS)
def test_the_shown_text_stays_and_the_calls_are_those_of_the_retry(
    serve: Serve, entrance: Entrance, wording: str, model_id: str
) -> None:
    content, text, ids = WITH_CALLS[wording]
    first = Answer([TEXT, write()])
    bedrock = serve(in_order(first, Answer(content)))
    message = entrance(tooled(bedrock, model=model_id), "Write.")
    check(message, text, *ids)
    answered = [ToolMessage("Done.", tool_call_id=one) for one in ids]
    plain = plain_model(bedrock, model=model_id, max_tokens=500).bind_tools(TOOLS)
    plain.invoke([HumanMessage("Write."), message, *answered])


# Retries without a call: the text of both attempts is kept.
WITHOUT: dict[str, tuple[list[str], str]] = {
    "the same": ([TEXT], TEXT),
    "another": (["I can't, sorry."], "I write it. I can't, sorry."),
    "more after it": ([TEXT + "Or not."], TEXT + "Or not."),
    "nothing": ([], TEXT),
}


@pytest.mark.parametrize("wording", WITHOUT)
def test_a_retry_without_a_call_is_complete(
    serve: Serve, entrance: Entrance, wording: str
) -> None:
    content, text = WITHOUT[wording]
    bedrock = serve(in_order(Answer([TEXT, write()]), Answer(content)))
    check(entrance(tooled(bedrock), "Write."), text)
    assert len(bedrock.requests) == 2


def continued(request: Request) -> Answer:
    return Answer(f"{prefill_of(request) or quote_of(request)} the end.")


SECONDS = {"the same at first": TEXT + LONG * 6, "another": LONG * 6}


@pytest.mark.parametrize("model_id", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("wording", SECONDS)
def test_a_retry_that_is_truncated_in_its_text_is_continued(
    serve: Serve, entrance: Entrance, wording: str, model_id: str
) -> None:
    second = SECONDS[wording]
    bedrock = serve(in_order(Answer([TEXT, write()]), Answer(second), continued))
    message = entrance(tooled(bedrock, model=model_id), "Write.")
    assert len(bedrock.requests) == 3
    sent = bedrock.requests[-1].body["messages"][1]["content"]
    written = "".join(block["text"] for block in sent)
    assert written.startswith(TEXT)
    assert second.startswith(written[len(TEXT) if wording == "another" else 0 :])
    check(message, f"{written} the end.")


def test_a_second_retry_may_be_reworded_too(serve: Serve, entrance: Entrance) -> None:
    wordings = [TEXT, "Sure. ", "Well, then: "]
    answers = [Answer([text, write(text)]) for text in wordings]
    ARGUMENTS[wordings[-1]] = INPUT
    message = entrance(tooled(serve(in_order(*answers)), max_tokens=12), "Write.")
    check(message, TEXT, wordings[-1])


@pytest.mark.parametrize("wording", ["with a call", "without"])
def test_a_reworded_user_turn_is_joined_without_its_echo(
    serve: Serve, entrance: Entrance, wording: str
) -> None:
    calls = [write("again")] if wording == "with a call" else []
    answers: list[Given] = [
        Answer(LONG * 2),
        lambda request: Answer([quote_of(request) + " today.", write()]),
        lambda request: Answer([quote_of(request) + " some day.", *calls]),
    ]
    bedrock = serve(in_order(*answers))
    llm = tooled(bedrock, model=REFUSING_MODEL, max_tokens=25)
    message = entrance(llm, "Write.")
    sent = bedrock.requests[1].body["messages"][1]["content"][0]["text"]
    more = " today." if calls else " today. some day."
    check(message, sent + more, *(["again"] if calls else []))


def test_a_stream_shows_no_text_twice(serve: Serve) -> None:
    for content, text, _ids in WITH_CALLS.values():
        bedrock = serve(in_order(Answer([TEXT, write()]), Answer(content)))
        chunks = list(tooled(bedrock).stream("Write."))
        assert "".join(chunk.text for chunk in chunks) == text
        assert "".join(chunk.text for chunk in chunks if chunk.tool_call_chunks) == ""


# Several calls, forced calls --------------------------------------------------------


@pytest.mark.parametrize("fine_grained", [False, True])
@pytest.mark.parametrize("recovery", ["retry", "return"])
def test_parallel_calls_are_all_complete_or_all_invalid(
    serve: Serve, entrance: Entrance, recovery: str, fine_grained: bool
) -> None:
    bedrock = serve(Answer([TEXT, READ, write()], fine_grained=fine_grained))
    # The first call is complete, the second one is not.
    message = entrance(
        tooled(bedrock, max_tokens=40, tool_call_recovery=recovery), "Write."
    )
    if recovery == "retry":
        check(message, TEXT, "r", "w")
        return
    assert message.tool_calls == []
    assert [call["id"] for call in message.invalid_tool_calls] == ["r", "w"]


@pytest.mark.parametrize("max_tokens", [15, 40])
def test_a_truncation_after_a_complete_call_makes_it_invalid(
    serve: Serve, entrance: Entrance, max_tokens: int
) -> None:
    # In the text after it, or in the second call: a call may be missing.
    bedrock = serve(Answer([TEXT, READ, "And now the other one. ", write()]))
    llm = tooled(bedrock, max_tokens=max_tokens, tool_call_recovery="return")
    message = entrance(llm, "Write.")
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["id"] == "r"
    assert continuation(message)["ended_by"] == "tool_call"


@pytest.mark.parametrize("choice", ["any", "write"])
@pytest.mark.parametrize("model_id", STRATEGIES.values(), ids=STRATEGIES)
def test_a_forced_call_is_forced_in_each_retry(
    serve: Serve, entrance: Entrance, model_id: str, choice: str
) -> None:
    bedrock = serve(Answer([write()]))
    llm = model(bedrock, model=model_id, max_tokens=20)
    check(entrance(llm.bind_tools(TOOLS, tool_choice=choice), "Write."), "", "w")
    choices = [one.body["toolConfig"]["toolChoice"] for one in bedrock.requests]
    assert len(choices) == 3
    assert choices == [choices[0]] * 3


def test_the_callers_objects_are_not_changed(serve: Serve, entrance: Entrance) -> None:
    asked = [
        HumanMessage("Write."),
        AIMessage(content=[{"type": "text", "text": "So \n"}]),
    ]
    given: Any = copy.deepcopy(TOOLS)
    kwargs: dict[str, Any] = {"tools": given, "stop": ["@"], "max_tokens": 20}
    before = copy.deepcopy((asked, kwargs))
    bedrock = serve(Answer(["So I write it.", write()]))
    llm = model(bedrock, model=PREFILL_MODEL).bind_tools(given)
    entrance(llm, asked, **{k: v for k, v in kwargs.items() if k != "tools"})
    assert len(bedrock.requests) == 3
    assert (asked, kwargs) == before

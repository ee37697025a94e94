"""A model that words a segment differently when it is asked for it again.

What the caller saw of the first wording stands; he sees nothing twice, and no call
that was not whole.
"""

import copy
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock, Request
from tests.integration_tests.conftest import (
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.support.entrances import Entrance
from tests.support.tool_models import (
    PREFILL_MODEL,
    Given,
    by_number,
    prefilled,
    quote_of,
    tools,
)

TEXT = "I write it. "
LONG = "Let me say at some length what it is that I am going to do about it, for "
INPUT = {"path": "a.md", "content": "x y z " * 30}
TOOLS = tools("write", "read")
READ = CallTool("read", {"path": "b.md"}, tool_use_id="r")
MODELS = {"prefill": PREFILL_MODEL, "user turn": REFUSING_MODEL}


def write(tool_use_id: str = "w") -> CallTool:
    return CallTool("write", INPUT, tool_use_id=tool_use_id)


WHOLE = {"w": INPUT, "again": INPUT, "r": READ.input}


def tooled(bedrock: LocalBedrock, **kwargs: Any) -> Any:
    settings = {"model": PREFILL_MODEL, "max_tokens": 20, **kwargs}
    return model(bedrock, **settings).bind_tools(TOOLS)


def check(message: AIMessage, text: str, *ids: str) -> None:
    """Check the message's text, its calls, and that it is whole."""
    assert message.text == text
    calls = [(call["id"], call["args"]) for call in message.tool_calls]
    assert calls == [(one, WHOLE[one]) for one in ids]
    assert message.invalid_tool_calls == []
    blocks = message.content if isinstance(message.content, list) else []
    assert all(isinstance(block, dict) for block in blocks)
    if isinstance(message, AIMessageChunk):
        assert [block["index"] for block in blocks] == [*range(len(blocks))]  # type: ignore[index]
    summary = message.response_metadata["continuation"]
    assert (summary["ended_by"], summary["complete"]) == ("model", True)


# Second wordings of [TEXT, write], with the text and the calls of the message then.
WITH_CALLS: dict[str, tuple[list[Any], str, list[str]]] = {
    "the same": ([TEXT, write("again")], TEXT, ["again"]),
    "another": (["Sure. ", write("again")], TEXT, ["again"]),
    "more behind it": ([TEXT + "Now.", write("again")], TEXT + "Now.", ["again"]),
    "a block more": ([TEXT, "Now. ", write("again")], TEXT + "Now. ", ["again"]),
    "less": ([TEXT[:6], write("again")], TEXT, ["again"]),
    "no text": ([write("again")], TEXT, ["again"]),
    "two calls": (["So: ", READ, write("again")], TEXT, ["r", "again"]),
    "another call": (["So: ", READ], TEXT, ["r"]),
    "text behind the call": ([TEXT, READ, "Wait."], TEXT + "Wait.", ["r"]),
}


@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("wording", WITH_CALLS)
def test_what_was_shown_stands_with_the_new_calls(
    serve: Serve, entrance: Entrance, wording: str, model_id: str
) -> None:
    content, text, ids = WITH_CALLS[wording]
    first = Answer([TEXT, write()])
    bedrock = serve(by_number(first, Answer(content)))
    message = entrance(tooled(bedrock, model=model_id), "Write.")
    check(message, text, *ids)
    answered = [ToolMessage("Done.", tool_call_id=one) for one in ids]
    plain = plain_model(bedrock, model=model_id, max_tokens=500).bind_tools(TOOLS)
    plain.invoke([HumanMessage("Write."), message, *answered])


# Second wordings without a call: nothing of either is lost.
WITHOUT: dict[str, tuple[list[str], str]] = {
    "the same": ([TEXT], TEXT),
    "another": (["I can't, sorry."], "I write it. I can't, sorry."),
    "more behind it": ([TEXT + "Or not."], TEXT + "Or not."),
    "nothing": ([], TEXT),
}


@pytest.mark.parametrize("wording", WITHOUT)
def test_a_second_wording_may_call_nothing(
    serve: Serve, entrance: Entrance, wording: str
) -> None:
    content, text = WITHOUT[wording]
    bedrock = serve(by_number(Answer([TEXT, write()]), Answer(content)))
    check(entrance(tooled(bedrock), "Write."), text)
    assert len(bedrock.requests) == 2


def going_on(request: Request) -> Answer:
    return Answer(f"{prefilled(request) or quote_of(request)} the end.")


SECONDS = {"the same at first": TEXT + LONG * 6, "another": LONG * 6}


@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("wording", SECONDS)
def test_a_second_wording_that_is_cut_in_its_text_is_gone_on_from(
    serve: Serve, entrance: Entrance, wording: str, model_id: str
) -> None:
    second = SECONDS[wording]
    bedrock = serve(by_number(Answer([TEXT, write()]), Answer(second), going_on))
    message = entrance(tooled(bedrock, model=model_id), "Write.")
    assert len(bedrock.requests) == 3
    sent = bedrock.requests[-1].body["messages"][1]["content"]
    written = "".join(block["text"] for block in sent)
    assert written.startswith(TEXT)
    assert second.startswith(written[len(TEXT) if wording == "another" else 0 :])
    check(message, f"{written} the end.")


def test_a_third_wording_too(serve: Serve, entrance: Entrance) -> None:
    wordings = [TEXT, "Sure. ", "Well, then: "]
    answers = [Answer([text, write(text)]) for text in wordings]
    WHOLE[wordings[-1]] = INPUT
    message = entrance(tooled(serve(by_number(*answers)), max_tokens=12), "Write.")
    check(message, TEXT, wordings[-1])


@pytest.mark.parametrize("wording", ["with a call", "without"])
def test_a_user_turn_worded_anew_is_joined_without_its_echo(
    serve: Serve, entrance: Entrance, wording: str
) -> None:
    calls = [write("again")] if wording == "with a call" else []
    answers: list[Given] = [
        Answer(LONG * 2),
        lambda request: Answer([quote_of(request) + " today.", write()]),
        lambda request: Answer([quote_of(request) + " some day.", *calls]),
    ]
    bedrock = serve(by_number(*answers))
    llm = tooled(bedrock, model=REFUSING_MODEL, max_tokens=25)
    message = entrance(llm, "Write.")
    sent = bedrock.requests[1].body["messages"][1]["content"][0]["text"]
    more = " today." if calls else " today. some day."
    check(message, sent + more, *(["again"] if calls else []))


def test_each_piece_of_text_is_streamed_once(serve: Serve) -> None:
    for content, text, _ids in WITH_CALLS.values():
        bedrock = serve(by_number(Answer([TEXT, write()]), Answer(content)))
        chunks = list(tooled(bedrock).stream("Write."))
        assert "".join(chunk.text for chunk in chunks) == text
        assert "".join(chunk.text for chunk in chunks if chunk.tool_call_chunks) == ""


# Several calls, forced calls --------------------------------------------------------


@pytest.mark.parametrize("fine_grained", [False, True])
@pytest.mark.parametrize("recovery", ["retry", "return"])
def test_parallel_calls_come_all_or_not_at_all(
    serve: Serve, entrance: Entrance, recovery: str, fine_grained: bool
) -> None:
    bedrock = serve(Answer([TEXT, READ, write()], fine_grained=fine_grained))
    # The first call is whole, the second one is not.
    message = entrance(
        tooled(bedrock, max_tokens=40, tool_call_recovery=recovery), "Write."
    )
    if recovery == "retry":
        check(message, TEXT, "r", "w")
        return
    assert message.tool_calls == []
    assert [call["id"] for call in message.invalid_tool_calls] == ["r", "w"]


@pytest.mark.parametrize("max_tokens", [15, 40])
def test_a_cut_behind_a_whole_call_may_have_cost_another_one(
    serve: Serve, entrance: Entrance, max_tokens: int
) -> None:
    # In the text behind it, or in the second call.
    bedrock = serve(Answer([TEXT, READ, "And now the other one. ", write()]))
    llm = tooled(bedrock, max_tokens=max_tokens, tool_call_recovery="return")
    message = entrance(llm, "Write.")
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["id"] == "r"
    assert message.response_metadata["continuation"]["ended_by"] == "tool_call"


@pytest.mark.parametrize("choice", ["any", "write"])
@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_a_forced_call_is_forced_again(
    serve: Serve, entrance: Entrance, model_id: str, choice: str
) -> None:
    bedrock = serve(Answer([write()]))
    llm = model(bedrock, model=model_id, max_tokens=20)
    check(entrance(llm.bind_tools(TOOLS, tool_choice=choice), "Write."), "", "w")
    choices = [one.body["toolConfig"]["toolChoice"] for one in bedrock.requests]
    assert len(choices) == 3
    assert choices == [choices[0]] * 3


def test_the_callers_objects_are_never_changed(
    serve: Serve, entrance: Entrance
) -> None:
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

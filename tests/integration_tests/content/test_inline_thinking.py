"""Thinking in the text of Amazon Nova: split as of an uncut answer, at every cut."""

from typing import Any, cast

import pytest

from langchain_bedrock_continue.local import Answer, CallTool
from tests.integration_tests.conftest import Serve, model, plain_model
from tests.support.echo import echo
from tests.support.entrances import by_ainvoke, by_invoke, by_stream

NOVA = "us.amazon.nova-pro-v1:0"
TEXTS = {
    "thinking first": "<thinking> The user greets me. I greet in few words. </thinking>"
    "\n\nHello there! How can I help you today, my friend?",
    "two thinkings": "<thinking>One plan.</thinking> Part one of it.\n\n"
    "<thinking>\nThe second plan.\n</thinking>\nPart two of the text.",
    "thinking alone": "<thinking>There is nothing that I would say.</thinking>",
    "none": "Nothing but plain text in here, and no more than that.",
    "no whole pair": "Text with a <thinking> tag that nothing closes at all.",
}
READ = CallTool("read_file", {"path": "b.md"}, tool_use_id="t1")
TOOLS = [{"name": "read_file", "description": "d", "input_schema": {"type": "object"}}]


@pytest.mark.parametrize("by", [by_invoke, by_ainvoke])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_whole_answer_is_split_as_uncut(serve: Serve, kind: str, by: Any) -> None:
    bedrock = serve(TEXTS[kind])
    uncut = plain_model(bedrock, model=NOVA, max_tokens=500).invoke("Go on.")
    for size in range(1, 30):
        message = by(model(bedrock, model=NOVA, max_tokens=size), "Go on.")
        assert message.content == uncut.content, f"cut at {size}"
        seams = message.response_metadata["continuation"]["seams"]
        assert all(0 <= seam <= len(message.text) for seam in seams)


@pytest.mark.parametrize("kind", ["thinking first", "none"])
def test_in_user_turns_too_and_later_thinking_is_dropped(
    serve: Serve, kind: str
) -> None:
    again = "<thinking>I was cut off. I repeat and go on.</thinking>\n"

    def answer(request: Any) -> str:
        said = echo(TEXTS[kind], request)
        return said if len(request.messages) == 1 else again + said

    bedrock = serve(answer)
    uncut = plain_model(bedrock, model=NOVA, max_tokens=500).invoke("Go on.")
    settings = {"model": NOVA, "strategy": "user_turn", "max_tokens": 31}
    message = by_invoke(model(bedrock, **settings), "Go on.")
    assert len(bedrock.requests) > 1
    assert message.content == uncut.content


def test_the_model_reads_what_it_wrote(serve: Serve) -> None:
    bedrock = serve(TEXTS["thinking first"])
    by_invoke(model(bedrock, model=NOVA, max_tokens=29), "Go on.")
    sent = cast("Any", bedrock.requests[-1].body["messages"][-1]["content"][0]["text"])
    assert sent.startswith("<thinking> The user")
    assert TEXTS["thinking first"].startswith(sent)


def test_a_stream_leaves_the_tags_in_as_chat_bedrock_converse_does(
    serve: Serve,
) -> None:
    text = TEXTS["thinking first"]
    bedrock = serve(text)
    assert (
        by_stream(plain_model(bedrock, model=NOVA, max_tokens=500), "Go").text == text
    )
    assert by_stream(model(bedrock, model=NOVA, max_tokens=7), "Go").text == text


def test_thinking_before_a_tool_call_is_split(serve: Serve) -> None:
    bedrock = serve(Answer(["<thinking>I read it.</thinking>\n", READ]))
    settings = {"model": NOVA, "max_tokens": 500}
    uncut = plain_model(bedrock, **settings).bind_tools(TOOLS).invoke("Go on.")
    for size in range(2, 30):
        llm = model(bedrock, model=NOVA, max_tokens=size).bind_tools(TOOLS)
        message = by_invoke(llm, "Go on.")
        assert (message.content, message.tool_calls) == (
            uncut.content,
            uncut.tool_calls,
        ), f"cut at {size}"

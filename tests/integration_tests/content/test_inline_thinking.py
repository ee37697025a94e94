"""Amazon Nova's thinking in its text is split off as ChatBedrockConverse splits it."""

from typing import Any, cast

import pytest

from langchain_bedrock_continue.local import Answer, CallTool
from tests.support.endpoint import Serve
from tests.support.entrances import by_ainvoke, by_invoke, by_stream
from tests.support.messages import continuation
from tests.support.models import NOVA, model, plain_model
from tests.support.scripts import echo

TEXTS = {
    "thinking first": "<thinking> The user greets me. I greet in few words. </thinking>"
    "\n\nHello there! How can I help you today, my friend?",
    "two thinkings": "<thinking>One plan.</thinking> Part one of it.\n\n"
    "<thinking>\nThe second plan.\n</thinking>\nPart two of the text.",
    "thinking alone": "<thinking>There is nothing that I would say.</thinking>",
    "none": "Nothing but plain text in here, and no more than that.",
    "an open tag": "Text with a <thinking> tag that nothing closes at all.",
}
READ = CallTool("read_file", {"path": "b.md"}, tool_use_id="t1")
TOOLS = [{"name": "read_file", "description": "d", "input_schema": {"type": "object"}}]


@pytest.mark.parametrize("by", [by_invoke, by_ainvoke])
@pytest.mark.parametrize("kind", TEXTS)
def test_thinking_is_split_off_wherever_the_text_is_truncated(
    serve: Serve, kind: str, by: Any
) -> None:
    bedrock = serve(TEXTS[kind])
    plain = plain_model(bedrock, model=NOVA, max_tokens=500).invoke("Go on.")
    for size in range(1, 30):
        message = by(model(bedrock, model=NOVA, max_tokens=size), "Go on.")
        assert message.content == plain.content, f"truncated at {size}"
        seams = continuation(message)["seams"]
        assert all(0 <= seam <= len(message.text) for seam in seams)


@pytest.mark.parametrize("kind", ["thinking first", "none"])
def test_in_a_user_turn_later_thinking_is_dropped(serve: Serve, kind: str) -> None:
    again = "<thinking>I was cut off. I repeat and go on.</thinking>\n"

    def answer(request: Any) -> str:
        said = echo(TEXTS[kind], request)
        return said if len(request.messages) == 1 else again + said

    bedrock = serve(answer)
    plain = plain_model(bedrock, model=NOVA, max_tokens=500).invoke("Go on.")
    settings = {"model": NOVA, "strategy": "user_turn", "max_tokens": 31}
    message = by_invoke(model(bedrock, **settings), "Go on.")
    assert len(bedrock.requests) > 1
    assert message.content == plain.content


def test_the_prefill_is_the_text_with_its_tags(serve: Serve) -> None:
    bedrock = serve(TEXTS["thinking first"])
    by_invoke(model(bedrock, model=NOVA, max_tokens=29), "Go on.")
    sent = cast("Any", bedrock.requests[-1].body["messages"][-1]["content"][0]["text"])
    assert sent.startswith("<thinking> The user")
    assert TEXTS["thinking first"].startswith(sent)


def test_a_stream_keeps_the_tags_as_chat_bedrock_converse_does(serve: Serve) -> None:
    text = TEXTS["thinking first"]
    bedrock = serve(text)
    assert (
        by_stream(plain_model(bedrock, model=NOVA, max_tokens=500), "Go").text == text
    )
    assert by_stream(model(bedrock, model=NOVA, max_tokens=7), "Go").text == text


def test_thinking_before_a_tool_call_is_split_off(serve: Serve) -> None:
    bedrock = serve(Answer(["<thinking>I read it.</thinking>\n", READ]))
    settings = {"model": NOVA, "max_tokens": 500}
    plain = plain_model(bedrock, **settings).bind_tools(TOOLS).invoke("Go on.")
    for size in range(2, 30):
        llm = model(bedrock, model=NOVA, max_tokens=size).bind_tools(TOOLS)
        message = by_invoke(llm, "Go on.")
        assert (message.content, message.tool_calls) == (
            plain.content,
            plain.tool_calls,
        ), f"truncated at {size}"

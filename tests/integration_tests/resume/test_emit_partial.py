"""A stream that resumes a message, without the content that the message has."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue.local import Answer, CallTool, Request, Script, Think
from tests.support.answers import tools
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import added
from tests.support.models import (
    MODEL,
    REFUSING_MODEL,
    THINKING,
    chat_bedrock,
    continuing_chat_bedrock,
    model,
    plain_model,
)
from tests.support.scripts import continuing, prefill_of, tokens_of

TEXT = 'Do:\n\n```py\nx = {\n    "日": 1,\n    "本": 2,\n}\n```\n\nha ha! Done, all. '
MODELS = pytest.mark.parametrize("name", [MODEL, REFUSING_MODEL])


def by_resume_stream(llm: Any, partial: AIMessage, **kwargs: Any) -> Any:
    return list(llm.resume_stream("Hi", partial, emit_partial=False, **kwargs))


def by_aresume_stream(llm: Any, partial: AIMessage, **kwargs: Any) -> Any:
    async def collected() -> list[AIMessageChunk]:
        chunks = llm.aresume_stream("Hi", partial, emit_partial=False, **kwargs)
        return [chunk async for chunk in chunks]

    return asyncio.run(collected())


METHODS = pytest.mark.parametrize("method", [by_resume_stream, by_aresume_stream])


def joined(partial: AIMessage, chunks: list[AIMessageChunk]) -> tuple[str, int]:
    """Return the complete text, and where the new text begins in it."""
    message = added(chunks)
    at: int = message.response_metadata["resumed_at"]
    return partial.text[:at] + "".join(chunk.text for chunk in chunks), at


@MODELS
@pytest.mark.parametrize(
    ("make", "method"),
    [(plain_model, by_resume_stream), (chat_bedrock, by_aresume_stream)],
)
def test_the_stream_has_the_rest_wherever_the_message_is_truncated(
    serve: Serve, make: Any, method: Any, name: str
) -> None:
    bedrock = serve(continuing(Answer(TEXT)))
    ours = {plain_model: model, chat_bedrock: continuing_chat_bedrock}[make]
    llm = ours(bedrock, model=name, max_tokens=30)
    for size in range(1, tokens_of(Answer(TEXT)), 2):
        partial = make(bedrock, model=name, max_tokens=size).invoke("Hi")
        chunks = method(llm, partial)
        assert joined(partial, chunks) == (TEXT, len(partial.text))
        complete = added(chunks)
        assert complete.id == partial.id
        assert complete.response_metadata["continuation"]["complete"]


@METHODS
def test_a_model_that_writes_the_end_differently_takes_it_back(
    serve: Serve, method: Any
) -> None:
    """After a healed cut the model writes the punctuation and the line break again."""

    def answer(request: Request) -> Answer:
        prefill = prefill_of(request)
        return Answer(prefill + " + 1\n" if prefill else "x = y\n\n{\n and so on")

    bedrock = serve(Script(answer))
    partial = plain_model(bedrock, max_tokens=5).invoke("Hi")
    assert partial.text.endswith("\n")
    chunks = method(model(bedrock, max_tokens=30), partial)
    text, at = joined(partial, chunks)
    assert at < len(partial.text)
    assert text == "x = y + 1\n"
    assert text == model(bedrock, max_tokens=30).resume("Hi", partial).text


@METHODS
def test_callbacks_get_the_complete_message(
    serve: Serve, recorder: Recorder, method: Any
) -> None:
    bedrock = serve(continuing(Answer(TEXT)))
    partial = plain_model(bedrock, max_tokens=20).invoke("Hi")
    method(model(bedrock), partial, config={"callbacks": [recorder]})
    assert "".join(recorder.tokens) == TEXT


@METHODS
def test_a_complete_message_has_nothing_new(serve: Serve, method: Any) -> None:
    bedrock = serve(continuing(Answer(["Hi. ", CallTool("write", {}, "t")])))
    message = model(bedrock, max_tokens=90).bind_tools(tools("write")).invoke("Hi")
    assert message.tool_calls
    bedrock.clear()
    [last] = method(model(bedrock), message)
    assert (last.content, last.tool_calls) == ("", [])
    assert last.response_metadata["resumed_at"] == len(message.text)
    assert last.response_metadata["continuation"]["complete"]
    assert bedrock.requests == []


@METHODS
def test_thinking_is_not_repeated_and_the_call_is_complete(
    serve: Serve, method: Any
) -> None:
    call = CallTool("write", {"text": TEXT}, "t")
    bedrock = serve(continuing(Answer([Think("A file."), "I write. ", call])))
    settings: Any = {"model": REFUSING_MODEL, **THINKING}
    step = model(bedrock, max_tokens=20, max_tokens_ceiling=20, **settings)
    partial = step.bind_tools(tools("write")).invoke("Hi")
    assert "A file." in str(partial.content)
    assert partial.invalid_tool_calls
    llm = model(bedrock, max_tokens=20, **settings).bind_tools(tools("write"))
    chunks = method(llm, partial)
    assert joined(partial, chunks) == ("I write. ", len(partial.text))
    assert "A file." not in str([chunk.content for chunk in chunks])
    [called] = added(chunks).tool_calls
    assert called["args"] == {"text": TEXT}

"""A retry whose larger `max_tokens` takes longer than the client waits is given up."""

import pytest
from botocore.config import Config

from langchain_bedrock_continue.local import Answer, CallTool, Fault, FaultAt, Think
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import by_ainvoke, by_invoke
from tests.support.messages import continuation, ending
from tests.support.models import (
    MODEL,
    chat_bedrock,
    continuing_chat_bedrock,
    model,
    plain_model,
)

TEXT = "A long argument, which does not fit into the first response of the model."
SILENT = FaultAt(Fault("silence"), request=2)
IMPATIENT = Config(read_timeout=0.5, retries={"total_max_attempts": 1})

MODELS = {
    "Converse": (model, plain_model),
    "InvokeModel": (continuing_chat_bedrock, chat_bedrock),
}

ANSWERS = {
    "tool call": (
        Answer(["I write. ", CallTool("write", {"text": TEXT}, "t1")], faults=[SILENT]),
        "tool_call",
    ),
    "thinking": (Answer([Think(TEXT), "Done."], faults=[SILENT]), "no_progress"),
}


@pytest.mark.parametrize("ask", [by_invoke, by_ainvoke])
@pytest.mark.parametrize("api", MODELS)
@pytest.mark.parametrize("name", ANSWERS)
def test_next_13_the_answer_is_the_one_without_the_retry(
    serve: Serve, ask: object, api: str, name: str
) -> None:
    answer, ended_by = ANSWERS[name]
    ours, bare = MODELS[api]
    small = {"model": MODEL, "max_tokens": 8}
    plain = bare(serve(answer), **small).bind_tools(tools("write")).invoke("Hi")
    bedrock = serve(answer)
    client = bedrock.boto3_client(IMPATIENT)
    llm = ours(bedrock, **small, client=client).bind_tools(tools("write"))
    message = ask(llm, "Hi")  # type: ignore[operator]
    assert ending(message) == (ended_by, False)
    assert message.text == plain.text
    assert message.tool_calls == []
    assert len(message.invalid_tool_calls) == len(plain.tool_calls)
    assert [one["max_tokens"] for one in continuation(message)["segments"]] == [8]
    assert len(bedrock.requests) == 2

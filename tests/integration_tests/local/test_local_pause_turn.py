"""A paused turn over HTTP, sent back without a user message after it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_bedrock_continue.local import (
    Answer,
    LocalBedrock,
    Pause,
    Script,
    ServerBlock,
)

Json = dict[str, Any]
MODEL = "us.anthropic.claude-sonnet-5"  # it does not accept prefill
CALL = {"id": "s1", "name": "web_search", "input": {"query": "capital of Norway"}}
USE = {"type": "server_tool_use", **CALL}
FOUND = [{"type": "web_search_result", "url": "https://example.org", "title": "Oslo"}]
RESULT = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": FOUND}
ANSWER = Answer(
    ["Let me search. ", ServerBlock(USE), Pause(), ServerBlock(RESULT), "It is Oslo."]
)
QUESTION = {"role": "user", "content": "What is the capital of Norway?"}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}


def invoke(bedrock: LocalBedrock, *messages: Json) -> Json:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [QUESTION, *messages],
        "tools": [SEARCH],
    }
    client = bedrock.boto3_client()
    response = client.invoke_model(modelId=MODEL, body=json.dumps(body))
    message: Json = json.load(response["body"])
    return message


def test_a_paused_turn_that_is_sent_back_is_continued() -> None:
    with LocalBedrock(Script(ANSWER)) as bedrock:
        paused = invoke(bedrock)
        assert paused["stop_reason"] == "pause_turn"
        assert paused["content"] == [{"type": "text", "text": "Let me search. "}, USE]
        rest = invoke(bedrock, {"role": "assistant", "content": paused["content"]})
        assert rest["stop_reason"] == "end_turn"
        assert rest["content"] == [RESULT, {"type": "text", "text": "It is Oslo."}]


def test_a_final_message_without_server_blocks_is_a_prefill() -> None:
    text = {"type": "text", "text": "Let me search."}
    with LocalBedrock(Script(ANSWER)) as bedrock:
        with pytest.raises(ClientError, match="must end with a user message"):
            invoke(bedrock, {"role": "assistant", "content": [text]})
        paused = {"role": "assistant", "content": [text, USE]}
        with pytest.raises(ClientError, match="without a corresponding"):
            invoke(bedrock, paused, {"role": "user", "content": "Continue."})


@pytest.mark.parametrize("stop_reason", ["pause_turn", "a_new_reason"])
def test_converse_passes_on_an_unknown_stop_reason(
    stop_reason: str,
) -> None:
    with LocalBedrock(Script(Answer("Hm.", stop_reason=stop_reason))) as bedrock:
        llm = ChatBedrockConverse(model=MODEL, **bedrock.client_kwargs())
        message, streamed = llm.invoke("Hi"), AIMessageChunk(content="")
        for chunk in llm.stream("Hi"):
            streamed += chunk
    assert message.response_metadata["stopReason"] == stop_reason
    assert streamed.response_metadata["stopReason"] == stop_reason


def test_converse_does_not_support_server_blocks() -> None:
    with LocalBedrock(Script(ANSWER)) as bedrock:
        hi = [{"role": "user", "content": [{"text": "Hi"}]}]
        with pytest.raises(ClientError, match="use InvokeModel"):
            bedrock.boto3_client().converse(modelId=MODEL, messages=hi)


def test_chat_bedrock_sends_the_server_blocks_of_a_message() -> None:
    """It moves text before them: a message that starts with text keeps its order."""
    with LocalBedrock(Script(ANSWER)) as bedrock:
        llm = ChatBedrock(
            model=MODEL,
            beta_use_converse_api=False,
            max_tokens=100,
            **bedrock.client_kwargs(),
        )
        # ChatBedrock drops them from its own messages, so the test adds them.
        assert llm.invoke("Hi").content == "Let me search. "
        content: list[str | Json] = [{"type": "text", "text": "Let me search. "}, USE]
        message = llm.invoke([HumanMessage("Hi"), AIMessage(content)])
        assert message.content == "It is Oslo."
        assert bedrock.requests[-1].body["messages"][-1]["content"][1] == USE

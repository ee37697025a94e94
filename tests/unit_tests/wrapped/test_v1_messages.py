"""A message with LangChain's v1 blocks is read in the wrapped model's own form."""

from typing import Any

from langchain_core.messages import AIMessage

from langchain_bedrock_continue._wrapped.private_names import (
    v1_to_anthropic,
    v1_to_converse,
)
from langchain_bedrock_continue._wrapped.v1_messages import from_v1

V1 = {"output_version": "v1", "model_provider": "bedrock_converse"}
CALL: Any = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "1"}


def v1(*blocks: Any, **fields: Any) -> AIMessage:
    return AIMessage(list(blocks), response_metadata=V1, **fields)


def in_converse_form(message: AIMessage) -> AIMessage:
    return from_v1(message, v1_to_converse)


def test_other_messages_are_returned_as_they_are() -> None:
    for message in (AIMessage("a"), AIMessage([{"type": "text", "text": "a"}])):
        assert in_converse_form(message) is message
    text_only = AIMessage("a", response_metadata=V1)
    assert in_converse_form(text_only) is text_only


def test_blocks_are_converted_and_the_rest_is_kept() -> None:
    reasoning = {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}}
    cited = {"type": "text", "text": "a", "annotations": [{"type": "citation"}]}
    message = v1(reasoning, cited, id="m", tool_calls=[])
    converted = in_converse_form(message)
    thought = {"text": "hm", "signature": "s"}
    assert converted.content == [
        {"type": "reasoning_content", "reasoning_content": thought},
        {"type": "text", "citations": [{}], "text": "a"},
    ]
    assert converted.id == "m"
    assert message.content == [reasoning, cited]


def test_chat_bedrock_has_anthropics_blocks() -> None:
    reasoning = {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}}
    converted = from_v1(v1(reasoning), v1_to_anthropic)
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    assert converted.content == [thought]


def test_calls_stay_in_the_messages_own_lists() -> None:
    text = {"type": "text", "text": "a"}
    calls = [{"name": "f", "args": {"a": 1}, "id": "1"}]
    converted = in_converse_form(v1(text, CALL, tool_calls=calls))
    assert converted.content == [text]
    assert [call["name"] for call in converted.tool_calls] == ["f"]

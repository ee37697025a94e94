"""The rules MESSAGE-2 to MESSAGE-4: the messages of a request that continues."""

import copy
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_bedrock_continue._core.request.messages import (
    contain_line,
    own_copy,
    with_prefill,
)

ANSWER: list[dict[str, Any]] = [{"type": "text", "text": "so far"}]
IMAGE = {"type": "image", "source": {"type": "base64", "data": "eA=="}}


def test_message_2_the_answer_so_far_is_added_after_all_messages() -> None:
    messages = [SystemMessage("s"), HumanMessage("h")]
    assert with_prefill(messages, ANSWER) == [*messages, AIMessage("so far")]


def test_message_2_several_blocks_are_sent_as_blocks() -> None:
    answer = [*ANSWER, {"type": "text", "text": " cited", "citations": [{}]}]
    assert with_prefill([HumanMessage("h")], answer)[-1].content == answer


@pytest.mark.parametrize("content", ["begun ", [{"type": "text", "text": "begun\n"}]])
def test_message_3_the_callers_messages_are_not_changed(content: Any) -> None:
    messages: list[BaseMessage] = [HumanMessage("h"), AIMessage(content)]
    before = copy.deepcopy(messages)
    copied = own_copy(messages)
    copied[-1].content = "changed"
    with_prefill(messages, ANSWER)[-1].content = "changed"
    assert messages == before


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("begun", "begunso far"),
        ("begun \n", "begunso far"),
        (["begun "], "begunso far"),
        ([{"type": "text", "text": "begun\n"}], "begunso far"),
        ([IMAGE], [IMAGE, *ANSWER]),
        ([], "so far"),
        ("", "so far"),
    ],
)
def test_message_4_the_answer_continues_the_callers_own_prefill(
    content: Any, sent: Any
) -> None:
    messages: list[BaseMessage] = [HumanMessage("h"), AIMessage(content)]
    result = with_prefill(messages, ANSWER)
    assert len(result) == 2
    assert result[-1].content == sent


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("* I will not talk. *", True),
        ("i WILL not  talk", True),
        ("吾輩は猫である", True),
        ("I will talk", False),
        ("---", False),
        ("", False),
    ],
)
def test_a_line_that_the_caller_wrote(line: str, *, found: bool) -> None:
    parts: Any = [{"type": "text", "text": "「吾輩は\u732b である。」"}]
    messages = [HumanMessage("Write: 'I will not talk'!"), HumanMessage(parts)]
    assert contain_line(messages, line) is found

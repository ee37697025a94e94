"""langchain-aws's split of inline reasoning: found, and switched off in a copy."""

from typing import Any

import pytest
from langchain_aws import ChatBedrockConverse
from langchain_aws.chat_models import bedrock_converse
from pydantic import SecretStr

from langchain_bedrock_continue._wrapped.reasoning_split import (
    inline_thinking_of,
    stop_splitting,
)

TAGS = ("<thinking>", "</thinking>")


def nova(model: str = "us.amazon.nova-pro-v1:0", **kwargs: Any) -> ChatBedrockConverse:
    return ChatBedrockConverse(
        model=model,
        region_name="us-west-2",
        aws_access_key_id=SecretStr("test"),
        aws_secret_access_key=SecretStr("test"),
        **kwargs,
    )


def tags_of(llm: object) -> Any:
    inline = inline_thinking_of(llm)
    return None if inline is None else inline.tags


@pytest.mark.parametrize(
    ("model", "tags"),
    [
        ("us.amazon.nova-pro-v1:0", TAGS),
        ("amazon.nova-lite-v1:0", TAGS),
        ("us.amazon.nova-2-lite-v1:0", None),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", None),
    ],
)
def test_the_tags_are_langchain_awss(model: str, tags: Any) -> None:
    assert tags_of(nova(model)) == tags


def test_u2_a_version_without_the_split_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(bedrock_converse, "_split_inline_reasoning")
    llm = nova()
    stop_splitting(llm)
    assert (tags_of(llm), llm._inline_reasoning_tags_for_model()) == (None, TAGS)
    assert tags_of(object()) is None


def test_u1_a_copy_stops_splitting_and_the_model_does_not() -> None:
    llm = nova(max_tokens=7)
    copied = llm.model_copy()
    stop_splitting(copied)
    assert copied._inline_reasoning_tags_for_model() is None
    assert llm._inline_reasoning_tags_for_model() == TAGS
    assert (copied.max_tokens, copied.model_copy().max_tokens) == (7, 7)
    assert llm.model_copy()._inline_reasoning_tags_for_model() == TAGS

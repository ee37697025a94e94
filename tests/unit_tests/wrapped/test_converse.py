"""langchain-aws's split of inline reasoning: found, and switched off in a copy."""

from typing import Any

import pytest
from langchain_aws import ChatBedrockConverse
from langchain_aws.chat_models import bedrock_converse
from pydantic import SecretStr

from langchain_bedrock_continue._wrapped.adapters import adapter_for

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
    inline = adapter_for(llm).inline_thinking()
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


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", True),
        ("amazon.nova-2-lite-v1:0", True),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", False),
        ("us.amazon.nova-pro-v1:0", False),
    ],
)
def test_the_reasoning_effort_of_a_call_turns_thinking_on_where_the_model_has_it(
    model: str, *, thinks: bool
) -> None:
    """So a prefill, which the service would refuse, is not sent first."""
    settings = adapter_for(nova(model)).settings
    assert settings(None, {"reasoning_effort": "high"})["thinks"] is thinks
    assert not settings(None, {"reasoning_effort": None})["thinks"]
    off = {"additional_model_request_fields": {"thinking": {"type": "disabled"}}}
    if "claude" in model:
        assert not settings(None, {"reasoning_effort": "high", **off})["thinks"]


def for_turn(llm: object) -> Any:
    return adapter_for(llm).for_turn(lambda client: client).llm


def test_split_3_a_version_without_the_split_is_used_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(bedrock_converse, "_split_inline_reasoning")
    llm = for_turn(nova())
    assert (tags_of(llm), llm._inline_reasoning_tags_for_model()) == (None, TAGS)


def test_split_1_a_turns_copy_does_not_split_and_the_model_does() -> None:
    llm = nova(max_tokens=7)
    copied = for_turn(llm)
    assert copied._inline_reasoning_tags_for_model() is None
    assert llm._inline_reasoning_tags_for_model() == TAGS
    assert (copied.max_tokens, copied.model_copy().max_tokens) == (7, 7)
    assert llm.model_copy()._inline_reasoning_tags_for_model() == TAGS

"""The numbered invariants of `models`."""

from collections.abc import Iterator

import pytest

from langchain_bedrock_continue._core.decisions import prefill_support as models

TAKING = [
    "anthropic.claude-v2:1",
    "anthropic.claude-instant-v1",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "apac.anthropic.claude-sonnet-4-20250514-v1:0",
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "eu.anthropic.claude-opus-4-5-20251101-v1:0",
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-1-v1:0",
]
REFUSING = [
    "anthropic.claude-opus-4-6-v1",
    "us.anthropic.claude-sonnet-4-6",
    "anthropic.claude-opus-4-7",
    "anthropic.claude-opus-4-8",
    "global.anthropic.claude-sonnet-5",
    "anthropic.claude-fable-5-1",
    "anthropic.claude-haiku-5-5",
    "anthropic.claude-opus-10-20270101-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6",
]
UNKNOWN = [
    "",
    "meta.llama3-3-70b-instruct-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "openai.gpt-oss-120b-1:0",
    "deepseek.v3-v1:0",
    "arn:aws:bedrock:us-east-1:1:application-inference-profile/nova-pro",
    "acme.claude",
]


@pytest.fixture(autouse=True)
def a_new_process() -> Iterator[None]:
    models.forget_refusals()
    yield
    models.forget_refusals()


@pytest.mark.parametrize("model_id", TAKING)
def test_m1_m2_claude_up_to_4_5_and_nova_take_a_prefill(model_id: str) -> None:
    assert models.supports_prefill(model_id)


@pytest.mark.parametrize("model_id", REFUSING)
def test_m1_m2_claude_from_4_6_on_takes_none(model_id: str) -> None:
    assert not models.supports_prefill(model_id)


@pytest.mark.parametrize("model_id", UNKNOWN)
def test_m3_of_others_nothing_is_known(model_id: str) -> None:
    assert not models.supports_prefill(model_id)


def test_m4_a_refusal_of_the_model_is_remembered_and_one_of_the_request_not() -> None:
    of_request = ValueError(
        "... When using tools, pre-filling the `assistant` response is not supported."
    )
    models.remember_refusal(TAKING[0], of_request)
    assert models.supports_prefill(TAKING[0])
    of_model = ValueError("This model does not support assistant message prefill.")
    models.remember_refusal(TAKING[0], of_model)
    assert not models.supports_prefill(TAKING[0])
    assert models.supports_prefill(TAKING[1])


@pytest.mark.parametrize(
    "text", ["", "Too many requests", "messages: text content blocks must contain"]
)
def test_other_errors_are_no_refusals(text: str) -> None:
    assert not models.is_prefill_refusal(ValueError(text))

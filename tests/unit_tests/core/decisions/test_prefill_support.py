"""The rules PREFILL-1 to PREFILL-4: which models accept a prefill."""

from collections.abc import Iterator

import pytest

from langchain_bedrock_continue._core.decisions import prefill_support

ACCEPTING = [
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
def no_known_refusals() -> Iterator[None]:
    prefill_support.forget_refusals()
    yield
    prefill_support.forget_refusals()


@pytest.mark.parametrize("model_id", ACCEPTING)
def test_prefill_1_prefill_2_claude_up_to_4_5_and_nova_accept_a_prefill(
    model_id: str,
) -> None:
    assert prefill_support.supports_prefill(model_id)


@pytest.mark.parametrize("model_id", REFUSING)
def test_prefill_1_prefill_2_claude_from_4_6_on_accepts_none(model_id: str) -> None:
    assert not prefill_support.supports_prefill(model_id)


@pytest.mark.parametrize("model_id", UNKNOWN)
def test_prefill_3_nothing_is_known_of_other_models(model_id: str) -> None:
    assert not prefill_support.supports_prefill(model_id)


def test_prefill_4_a_refusal_is_remembered_unless_it_was_about_the_request() -> None:
    about_request = ValueError(
        "... When using tools, pre-filling the `assistant` response is not supported."
    )
    prefill_support.remember_refusal(ACCEPTING[0], about_request)
    assert prefill_support.supports_prefill(ACCEPTING[0])
    by_model = ValueError("This model does not support assistant message prefill.")
    prefill_support.remember_refusal(ACCEPTING[0], by_model)
    assert not prefill_support.supports_prefill(ACCEPTING[0])
    assert prefill_support.supports_prefill(ACCEPTING[1])


@pytest.mark.parametrize(
    "text",
    [*prefill_support.REFUSED_BY_MODEL, "content cannot end with trailing whitespace"],
)
def test_a_refused_assistant_message_is_a_refusal(text: str) -> None:
    error = ValueError(f"messages: final assistant {text}")
    assert prefill_support.is_prefill_refusal(error)


@pytest.mark.parametrize(
    "text", ["", "Too many requests", "messages: text content blocks must contain"]
)
def test_other_errors_are_not_refusals(text: str) -> None:
    assert not prefill_support.is_prefill_refusal(ValueError(text))


@pytest.mark.parametrize("strategy", ["auto", "user_turn"])
@pytest.mark.parametrize("thinks", [False, True])
def test_with_a_guarded_last_turn_only_a_prefill_can_continue(
    strategy: str, *, thinks: bool
) -> None:
    def can_continue(model_id: str, *, guarded: bool = True) -> bool:
        return prefill_support.can_continue(
            strategy=strategy,
            guards_last_turn=guarded,
            thinks=thinks,
            model_id=model_id,
        )

    assert not any(can_continue(model_id) for model_id in REFUSING)
    assert all(can_continue(one) is not thinks for one in [*ACCEPTING, *UNKNOWN])
    assert all(can_continue(one, guarded=False) for one in [*REFUSING, *UNKNOWN])
    refusal = ValueError(
        "Prefilling assistant messages is not supported for this model."
    )
    prefill_support.remember_refusal(UNKNOWN[1], refusal)
    assert not can_continue(UNKNOWN[1])


def test_a_caller_who_asks_for_prefills_gets_them() -> None:
    assert all(
        prefill_support.can_continue(
            strategy="prefill", guards_last_turn=True, thinks=True, model_id=model_id
        )
        for model_id in [*REFUSING, *UNKNOWN, *ACCEPTING]
    )

"""The rules of a model by its id (MODELRULES)."""

import pytest

from langchain_bedrock_continue.local.rules.models import (
    REFUSED_BY_BEDROCK,
    REFUSED_BY_CLAUDE,
    ModelRules,
    rules_for,
)

ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012"


def known(model_id: str) -> ModelRules:
    rules = rules_for(model_id)
    assert rules is not None
    return rules


@pytest.mark.parametrize(
    ("model_id", "takes_prefill", "limit"),
    [
        ("anthropic.claude-v2:1", True, 4_096),
        ("anthropic.claude-instant-v1", True, 4_096),
        ("anthropic.claude-3-haiku-20240307-v1:0", True, 4_096),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", True, 8_192),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", True, 64_000),
        ("anthropic.claude-sonnet-4-20250514-v1:0", True, 64_000),
        ("anthropic.claude-opus-4-1-20250805-v1:0", True, 32_000),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", True, 64_000),
        ("anthropic.claude-opus-4-6-v1", False, 128_000),
        ("anthropic.claude-sonnet-4-6", False, 128_000),
        ("anthropic.claude-fable-5-1", False, 128_000),
        ("anthropic.claude-poem-7-20290101-v1:0", False, 128_000),
        ("anthropic.claude-nameless", False, 128_000),
        ("amazon.nova-pro-v1:0", True, 10_000),
        ("amazon.nova-2-lite-v1:0", True, 65_535),
        ("meta.llama3-3-70b-instruct-v1:0", False, 4_096),
        ("meta.llama4-scout-17b-instruct-v1:0", False, 8_192),
        ("mistral.mistral-large-2402-v1:0", False, 8_192),
        ("qwen.qwen3-32b-v1:0", False, 16_384),
        ("deepseek.v3.2", False, 81_920),
        ("acme.new-model-v1:0", False, None),
    ],
)
def test_families(model_id: str, takes_prefill: bool, limit: int | None) -> None:
    """MODELRULES-2, MODELRULES-3."""
    rules = known(model_id)
    assert (rules.takes_prefill, rules.max_output_tokens) == (takes_prefill, limit)


@pytest.mark.parametrize(
    ("model_id", "binds"),
    [
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", False),
        ("anthropic.claude-opus-4-6-v1", False),
        ("anthropic.claude-sonnet-5", False),
        ("anthropic.claude-fable-5", False),
        ("anthropic.claude-fable-5-1", True),
        ("anthropic.claude-fable-5-2", True),
        ("anthropic.claude-mythos-5-1", False),
        ("anthropic.claude-mythos-5-2", True),
        ("anthropic.claude-opus-5-5", True),
        ("anthropic.claude-sonnet-5-5-20261101-v1:0", True),
        ("global.anthropic.claude-haiku-5-5", True),
        ("anthropic.claude-poem-7-20290101-v1:0", True),
        ("anthropic.claude-nameless", True),
        ("amazon.nova-2-lite-v1:0", False),
    ],
)
def test_models_that_bind_thinking(model_id: str, binds: bool) -> None:
    assert known(model_id).binds_thinking == binds


@pytest.mark.parametrize(
    ("model_id", "minimum", "an_hour"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", None, False),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", None, False),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", 2_048, False),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", 1_024, False),
        ("anthropic.claude-opus-4-1-20250805-v1:0", 1_024, False),
        ("anthropic.claude-opus-4-5-20251101-v1:0", 4_096, True),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", 4_096, True),
        ("us.anthropic.claude-opus-4-7", 2_048, True),
        ("us.anthropic.claude-opus-4-8", 1_024, True),
        ("us.anthropic.claude-sonnet-4-6", 1_024, True),
        ("us.anthropic.claude-sonnet-5", 1_024, True),
        ("us.anthropic.claude-sonnet-5-5", 512, True),
        ("us.anthropic.claude-fable-5-1", 512, True),
        ("amazon.nova-pro-v1:0", 1_000, False),
        ("amazon.nova-2-lite-v1:0", 1_000, False),
        ("meta.llama3-3-70b-instruct-v1:0", None, False),
        ("acme.new-model-v1:0", None, False),
    ],
)
def test_prompt_caches(model_id: str, minimum: int | None, an_hour: bool) -> None:
    rules = known(model_id)
    assert (rules.min_cache_tokens if rules.caches else None) == minimum
    assert rules.caches_an_hour == an_hour


@pytest.mark.parametrize(
    "prefix",
    [
        *("us.", "eu.", "apac.", "global.", "jp.", "au.", "us-gov.", "amer.", "sa."),
        "arn:aws:bedrock:us-east-1::foundation-model/",
        f"{ACCOUNT}:inference-profile/us.",
        "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.",
    ],
)
@pytest.mark.parametrize(
    "base",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "anthropic.claude-sonnet-5",
        "amazon.nova-lite-v1:0",
        "meta.llama3-3-70b-instruct-v1:0",
    ],
)
def test_a_region_or_an_arn_changes_nothing(prefix: str, base: str) -> None:
    """MODELRULES-1."""
    assert known(prefix + base) == known(base)


@pytest.mark.parametrize(
    "model_id", ["", "gpt", "claude-sonnet-5", "us.", "a b.c", f"{ACCOUNT}:x/a.b"]
)
def test_unknown_models(model_id: str) -> None:
    """MODELRULES-4."""
    assert rules_for(model_id) is None


def test_an_application_inference_profile_has_the_rules_of_its_model() -> None:
    """MODELRULES-4."""
    arn = f"{ACCOUNT}:application-inference-profile/abc123"
    base = "us.amazon.nova-lite-v1:0"
    assert rules_for(arn) is None
    assert rules_for(arn, profiles={arn: base}) == known(base)


def test_the_callers_rules_take_precedence() -> None:
    """MODELRULES-5."""
    mine = ModelRules("mine", takes_prefill=True, max_output_tokens=7)
    assert rules_for("smollm2", models={"smollm2": mine}) is mine
    overridden = {"anthropic.claude-sonnet-5": mine}
    assert rules_for("eu.anthropic.claude-sonnet-5", models=overridden) is mine


def test_the_refusal_of_a_prefill_depends_on_the_family() -> None:
    assert known("us.anthropic.claude-sonnet-5").prefill_refusal == REFUSED_BY_CLAUDE
    assert known("meta.llama3-3-70b-v1:0").prefill_refusal == REFUSED_BY_BEDROCK

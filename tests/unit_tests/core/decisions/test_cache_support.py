"""Which models have a prompt cache (CACHE)."""

import pytest

from langchain_bedrock_continue._core.decisions.cache_support import (
    LOOK_BACK,
    cache_support,
    is_cache_refusal,
    remember_cache_refusal,
)
from langchain_bedrock_continue.local.rules.models import rules_for
from langchain_bedrock_continue.local.rules.table import NOT_CACHED
from langchain_bedrock_continue.local.rules.usage import LOOKBACK_BLOCKS
from tests.support import rule_cases_caching

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

MODELS = (
    "anthropic.claude-v2:1",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "us.anthropic.claude-3-5-haiku-20241022-v1:0",
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "us.anthropic.claude-opus-4-20250514-v1:0",
    "us.anthropic.claude-opus-4-1-20250805-v1:0",
    "global.anthropic.claude-opus-4-5-20251101-v1:0",
    "us.anthropic.claude-opus-4-6-v1",
    "us.anthropic.claude-opus-4-7",
    "us.anthropic.claude-opus-4-8",
    "us.anthropic.claude-opus-5",
    "us.anthropic.claude-opus-5-5",
    SONNET,
    "us.anthropic.claude-sonnet-4-6",
    "us.anthropic.claude-sonnet-5",
    "us.anthropic.claude-sonnet-5-5",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-haiku-5-5",
    "us.anthropic.claude-fable-5-1",
    "us.anthropic.claude-mythos-5-1",
    "us.amazon.nova-micro-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "deepseek.v3.2",
    "openai.gpt-oss-120b-1:0",
)


@pytest.mark.parametrize("model_id", MODELS)
def test_the_table_agrees_with_the_local_endpoints(model_id: str) -> None:
    rules, support = rules_for(model_id), cache_support(model_id)
    assert rules is not None
    assert (support is not None) == rules.caches
    if support is not None:
        assert support.minimum == rules.min_cache_tokens
        assert support.maximum == rules.max_cache_tokens
        assert support.has_hour == rules.caches_an_hour
        assert bool(support.look_back) == rules.is_claude
        assert support.beside_tools == rules.is_claude
    assert LOOK_BACK <= LOOKBACK_BLOCKS


def test_no_points_for_a_preview_that_is_closed() -> None:
    """The second Claude 3.5 Sonnet has a cache for the accounts of a preview only."""
    assert cache_support("us.anthropic.claude-3-5-sonnet-20241022-v2:0") is None


@pytest.mark.parametrize(
    ("model_id", "minimum"),
    [
        ("anthropic.claude-poem-7-20290101-v1:0", 512),
        ("anthropic.claude-opus-9", 512),
        ("anthropic.claude-poem-3-20240101-v1:0", None),
        ("acme.new-model-v1:0", None),
        ("amazon.nova-sonic-v1:0", None),
        ("", None),
    ],
)
def test_cache_2_models_that_are_not_in_the_table(
    model_id: str, minimum: int | None
) -> None:
    support = cache_support(model_id)
    assert (support and support.minimum) == minimum


def test_cache_3_a_refusal_is_remembered() -> None:
    remember_cache_refusal(SONNET, RuntimeError("cache_control: not permitted"))
    assert cache_support(SONNET) is not None
    remember_cache_refusal(SONNET, RuntimeError(NOT_CACHED))
    assert cache_support(SONNET) is None
    assert cache_support("us.anthropic.claude-sonnet-4-6") is not None


def test_every_refusal_of_a_cache_point_is_known() -> None:
    texts = [text for *_, text in rule_cases_caching.CASES if text]
    assert len(texts) > 5
    for text in [*texts, NOT_CACHED]:
        assert is_cache_refusal(RuntimeError(text))


@pytest.mark.parametrize(
    "text",
    [
        "Too many requests, please wait before trying again.",
        "This model does not support assistant message prefill.",
        "The maximum tokens you requested exceeds the model limit of 5.",
    ],
)
def test_other_errors_are_no_refusal(text: str) -> None:
    assert not is_cache_refusal(RuntimeError(text))

"""The limit of a model whose id is inside an ARN, or has another prefix."""

import pytest

from langchain_bedrock_continue._wrapped.model_limits import model_limit

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("model_id", "limit"),
    [
        (SONNET, 64_000),
        (f"us.{SONNET}", 64_000),
        (f"sa.{SONNET}", 64_000),  # langchain-aws has no profile with this prefix
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", 64_000),
        (f"{ACCOUNT}:inference-profile/us.{SONNET}", 64_000),
        (f"arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/{SONNET}", 64_000),
        (f"{ACCOUNT}:application-inference-profile/{SONNET}", 64_000),
        (f"{ACCOUNT}:provisioned-model/{SONNET}:200k", 64_000),
        (f"{ACCOUNT}:custom-model/amazon.nova-lite-v1:0:300k/abcdef123456", 10_000),
        (f"{ACCOUNT}:inference-profile/eu.amazon.nova-premier-v1:0", 10_000),
        (f"{ACCOUNT}:application-inference-profile/abc123", None),
        (f"{ACCOUNT}:provisioned-model/xyz", None),
        ("acme.model-v1", None),
        ("", None),
    ],
)
def test_the_limit_is_that_of_the_model_in_the_id(
    model_id: str, limit: int | None
) -> None:
    assert model_limit(None, model_id) == limit


def test_the_first_id_takes_precedence() -> None:
    assert model_limit("amazon.nova-pro-v1:0", SONNET) == 10_000
    assert model_limit("acme.model-v1", SONNET) == 64_000

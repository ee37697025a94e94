"""The models that the tests compare, and the model ids that they ask for.

`model` and `continuing_chat_bedrock` make the model under test; `plain_model` and
`chat_bedrock` make the langchain-aws model that it wraps, to compare with.
"""

from functools import cache
from typing import Any

from langchain_aws import ChatBedrock, ChatBedrockConverse

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
"""Accepts a prefill."""

PREFILL_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
"""Accepts a prefill, also next to tools, and thinks on request."""

REFUSING_MODEL = "us.anthropic.claude-sonnet-4-6"
"""Refuses a prefill, so it is continued in a user turn."""

BINDING_MODEL = "us.anthropic.claude-sonnet-5-5"
"""Accepts its thinking back only after the words that it thought it after."""

NOVA = "us.amazon.nova-pro-v1:0"
"""Writes its thinking into its text, between tags."""

STRATEGIES = {"prefill": PREFILL_MODEL, "user turn": REFUSING_MODEL}
"""A model for each way to continue a text."""

THINKING: dict[str, Any] = {
    "additional_model_request_fields": {"thinking": {"type": "adaptive"}}
}
"""The settings that let Claude think."""


@cache
def client_of(bedrock: LocalBedrock) -> Any:
    """Return the one client of an endpoint: a new one takes longer than most tests."""
    return bedrock.boto3_client()


def arguments(bedrock: LocalBedrock, **kwargs: Any) -> dict[str, Any]:
    """Return a model's arguments: small segments, and the endpoint's client."""
    client = client_of(bedrock)
    shared = {"client": client, "bedrock_client": client}
    return {"model": MODEL, "max_tokens": 12, **shared, **kwargs}


def model(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockContinuing:
    """Make the model under test, round a ChatBedrockConverse."""
    return ChatBedrockContinuing(
        **{"max_continuations": 200, **arguments(bedrock, **kwargs)}
    )


def plain_model(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrockConverse:
    """Make the ChatBedrockConverse that the model under test is compared with."""
    return ChatBedrockConverse(**arguments(bedrock, **kwargs))


def continuing_chat_bedrock(
    bedrock: LocalBedrock, **kwargs: Any
) -> ChatBedrockContinuing:
    """Make the model under test, round a ChatBedrock (InvokeModel)."""
    return ChatBedrockContinuing(llm=chat_bedrock(bedrock, **kwargs))


def chat_bedrock(bedrock: LocalBedrock, **kwargs: Any) -> ChatBedrock:
    """Make the ChatBedrock that the model under test is compared with."""
    return ChatBedrock(**{**arguments(bedrock, **kwargs), "region": "us-east-1"})

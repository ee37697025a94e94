"""Clients of any endpoint, with any settings."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from langchain_bedrock_continue import ChatBedrockContinuing
from tests.support.models import MODEL


@cache
def session() -> boto3.Session:
    """Return one session: it reads the description of the service once."""
    return boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")


def client_for(url: str, config: Config | None = None, **kwargs: Any) -> Any:
    """Make a boto3 client."""
    return session().client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        config=config,
        **kwargs,
    )


def wrapping(client: Any, **kwargs: Any) -> ChatBedrockContinuing:
    """Make the model under test, with a client."""
    return ChatBedrockContinuing(
        **{
            "model": MODEL,
            "client": client,
            "bedrock_client": client,
            "region_name": "us-east-1",
            **kwargs,
        }
    )

"""ChatBedrock, for the providers whose InvokeModel API takes messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_aws import ChatBedrock

from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.adapter import Adapter

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvokeModelAdapter(Adapter[ChatBedrock]):
    """ChatBedrock, over Bedrock's InvokeModel API."""

    model_class = ChatBedrock
    signed_only = True

    def check(self) -> None:
        """Refuse providers without a messages API too; see the base class."""
        provider = private_names.provider(self.llm)
        if provider != "anthropic":
            raise ValueError(
                f"llm: a ChatBedrock of provider {provider!r} turns messages into one "
                "prompt, which cannot be continued. Use ChatBedrockConverse."
            )
        super().check()

    def request_fields(self) -> Mapping[str, Any]:
        """Return `model_kwargs`."""
        return self.llm.model_kwargs or {}

    def blocks_from_v1(self, blocks: list[Any]) -> list[dict[str, Any]]:
        """Convert v1 content blocks to those of Anthropic's messages API."""
        return private_names.v1_to_anthropic(blocks)

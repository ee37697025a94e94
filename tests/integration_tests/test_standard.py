"""LangChain's standard integration suite, on answers that are cut for real."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock
from tests.integration_tests.scripted_model import TALK, scripted_model


@pytest.fixture(scope="module", autouse=True)
def local_bedrock(request: pytest.FixtureRequest) -> Iterator[LocalBedrock]:
    with LocalBedrock(scripted_model()) as bedrock:
        TestStandard.bedrock = bedrock
        yield bedrock


class TestStandard(ChatModelIntegrationTests):
    bedrock: LocalBedrock

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatBedrockContinuing

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "max_tokens": 40,
            **self.bedrock.client_kwargs(),
        }

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        params = super().standard_chat_model_params
        return {**params, "max_tokens": 40}

    @property
    def supports_json_mode(self) -> bool:
        return False  # ChatBedrockConverse has no such method

    def test_the_suites_answers_are_cut(self, model: BaseChatModel) -> None:
        message = model.invoke("Hello")
        assert message.content == TALK
        assert len(message.response_metadata["continuation"]["segments"]) > 1


class TestStandardInUserTurns(TestStandard):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "model": "us.anthropic.claude-sonnet-4-6"}

"""LangChain's standard unit suite."""

import os
from typing import Any
from unittest import mock

import pytest
from langchain_aws import ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd, load
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_bedrock_continue import ChatBedrockContinuing

KEYS = {
    "AWS_ACCESS_KEY_ID": "key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_key",
    "AWS_SESSION_TOKEN": "token",
}


# The suite asks for combinations that langchain-aws warns of, and drops.
@pytest.mark.filterwarnings("ignore:The 'strict' parameter only applies")
@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
class TestStandard(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatBedrockContinuing

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "region_name": "us-west-2",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        # Without the suite's api_key: it would switch the AWS keys off.
        params = super().standard_chat_model_params
        return {key: value for key, value in params.items() if key != "api_key"}

    @pytest.mark.xfail(
        reason="load(allowed_objects='all') allows the classes on langchain-core's own "
        "list only; test_it_is_saved_and_loaded names the class instead.",
        strict=True,
    )
    def test_serdes(self, model: BaseChatModel, snapshot: Any) -> None:
        super().test_serdes(model, snapshot)

    def test_it_is_saved_and_loaded(self, model: BaseChatModel, snapshot: Any) -> None:
        environment, _, _ = self.init_from_env_params
        with mock.patch.dict(os.environ, environment):
            dumped = dumpd(model)
            assert dumped == snapshot(name="serialized")
            loaded = load(
                dumped,
                valid_namespaces=model.get_lc_namespace()[:1],
                allowed_objects=[ChatBedrockContinuing, ChatBedrockConverse],
                secrets_from_env=True,
            )
        assert loaded.asdict() == model.asdict()
        assert loaded.max_continuations == 16
        assert loaded.llm.max_tokens == 100

    @property
    def init_from_env_params(
        self,
    ) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return (
            KEYS,
            {
                "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "region_name": "us-west-2",
            },
            {"model_id": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
        )

"""LangChain's standard integration tests, on answers that are truncated.

ChatBedrockConverse runs the same tests on complete answers. Skipped are the features
that it fails itself (the last test here says how), and VCR, which records real traffic.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL
from tests.support.standard_suite import INPUTS, TALK, scripted_model


def message_of(kind: str, **more: str) -> list[HumanMessage]:
    """Return a message of one block, with its data or with a URL."""
    data = {"base64": "AAAA"} if more else {"url": "https://example.org/a.png"}
    return [HumanMessage([{"type": kind, **data, **more}])]


PDF = "application/pdf"

TINY = {"magic_function_no_args"}
"""The tools whose calls fit in any segment."""


@pytest.fixture(scope="module", autouse=True)
def local_bedrock() -> Iterator[LocalBedrock]:
    with LocalBedrock(scripted_model()) as bedrock:
        Suite.bedrock, Suite.client = bedrock, bedrock.boto3_client()
        yield bedrock


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the downloads of the suite's images and documents."""

    def get(url: str, **_options: Any) -> httpx.Response:
        return httpx.Response(200, content=f"the bytes of {url}".encode())

    monkeypatch.setattr(httpx, "get", get)


# The suite's documents have no name, and Bedrock may want one.
@pytest.mark.filterwarnings("ignore:Bedrock Converse may require a filename")
class Suite(ChatModelIntegrationTests):
    """The suite with the local endpoint."""

    bedrock: LocalBedrock
    client: Any
    tokens = 5

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": PREFILL_MODEL,
            "client": self.client,
            "bedrock_client": self.client,
        }

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        # The caller's max_tokens is the size of a segment.
        params = super().standard_chat_model_params
        # An api_key would switch the client's AWS keys off.
        return {**params, "max_tokens": self.tokens, "api_key": None}

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True


class Continuing(Suite):
    """The suite on answers that are truncated."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatBedrockContinuing

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "max_continuations": 200}

    def test_the_suites_answers_are_truncated(self, model: BaseChatModel) -> None:
        message = model.invoke("Hello")
        assert message.content == TALK
        assert len(message.response_metadata["continuation"]["segments"]) > 1

    @pytest.mark.parametrize("tool", sorted(INPUTS.keys() - TINY))
    def test_the_suites_tool_calls_are_truncated(
        self, model: BaseChatModel, tool: str
    ) -> None:
        schema = {"name": tool, "description": "d", "input_schema": {"type": "object"}}
        message = model.bind_tools([schema]).invoke("Call it.")
        assert [call["args"] for call in message.tool_calls] == [INPUTS[tool]]
        assert len(message.response_metadata["continuation"]["segments"]) > 1

    def test_the_suites_objects_are_truncated(self, model: BaseChatModel) -> None:
        schema = {"title": "Joke", "type": "object", "properties": {}}
        self.bedrock.clear()
        chain = model.with_structured_output(schema, method="json_schema")
        assert chain.invoke("A joke, please.") == INPUTS["Joke"]
        assert len(self.bedrock.requests) > 1


class TestContinuingByPrefill(Continuing):
    pass


class TestContinuingInUserTurns(Continuing):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "model": REFUSING_MODEL}


class ContinuingChatBedrock(ChatBedrockContinuing):
    """Ours around a ChatBedrock, made from the arguments of both."""

    if not TYPE_CHECKING:

        def __init__(self, **kwargs: Any) -> None:
            own = ChatBedrockContinuing.model_fields.keys()
            theirs = {name: kwargs[name] for name in kwargs if name not in own}
            given = {name: kwargs[name] for name in kwargs if name in own}
            inner = invoke_model(**{"region_name": "us-east-1", **theirs})
            super().__init__(llm=inner, **given)


class TestContinuingOverInvokeModel(Continuing):
    """ChatBedrock fails what is not supported here, by the same errors."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ContinuingChatBedrock

    @property
    def supports_pdf_inputs(self) -> bool:
        return False

    @property
    def supports_pdf_tool_message(self) -> bool:
        return False

    @property
    def supports_image_tool_message(self) -> bool:
        return False


class TestChatBedrockConverse(Suite):
    tokens = 4000

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatBedrockConverse


SKIPPED: dict[str, tuple[Any, dict[str, Any], type[Exception]]] = {
    "model override": ("Hello", {"model": "amazon.nova-pro-v1:0"}, TypeError),
    "audio inputs": (message_of("audio", mime_type="audio/wav"), {}, ValueError),
    "image URLs": (message_of("image"), {}, ValueError),
}


@pytest.mark.parametrize("feature", SKIPPED)
def test_a_skipped_feature_fails_as_with_chat_bedrock_converse(
    local_bedrock: LocalBedrock, feature: str
) -> None:
    asked, kwargs, kind = SKIPPED[feature]
    settings = {"model": "amazon.nova-pro-v1:0", **local_bedrock.client_kwargs()}
    errors = []
    for model_class in (ChatBedrockConverse, ChatBedrockContinuing):
        with pytest.raises(kind) as raised:
            model_class(**settings).invoke(asked, **kwargs)
        errors.append(str(raised.value))
    assert errors[0] == errors[1]


def results_with(kind: str) -> list[BaseMessage]:
    """Return a conversation in which a tool returns an image or a document."""
    [data] = message_of(kind, mime_type={"image": "image/png"}.get(kind, PDF))
    return [
        HumanMessage("Hi"),
        AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
        ToolMessage(data.content, tool_call_id="1"),
    ]


OF_INVOKE_MODEL: dict[str, Any] = {
    "PDF inputs": message_of("file", mime_type=PDF),
    "PDFs of tools": results_with("file"),
    "images of tools": results_with("image"),
}


@pytest.mark.parametrize("feature", OF_INVOKE_MODEL)
def test_a_feature_that_chat_bedrock_lacks_fails_the_same_way(
    local_bedrock: LocalBedrock, feature: str
) -> None:
    settings = {"model": PREFILL_MODEL, **local_bedrock.client_kwargs()}
    errors = []
    for make in (invoke_model, ContinuingChatBedrock):
        with pytest.raises((ValueError, ClientError)) as raised:
            make(**settings).invoke(OF_INVOKE_MODEL[feature])
        errors.append(str(raised.value))
    assert errors[0] == errors[1]


def invoke_model(**settings: Any) -> ChatBedrock:
    region = settings.pop("region_name")
    return ChatBedrock(region=region, **settings)

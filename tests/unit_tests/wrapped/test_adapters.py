"""The table of adapters: another class needs one adapter, and one line in it."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ValidationError

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._wrapped import adapters
from langchain_bedrock_continue._wrapped.adapter import Adapter
from langchain_bedrock_continue._wrapped.adapters import adapter_for
from langchain_bedrock_continue._wrapped.converse import ConverseAdapter
from langchain_bedrock_continue._wrapped.invoke_model import InvokeModelAdapter

AWS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def converse(**kwargs: Any) -> ChatBedrockConverse:
    return ChatBedrockConverse(model=CLAUDE, **AWS, **kwargs)


def invoke_model(model: str = CLAUDE, **kwargs: Any) -> ChatBedrock:
    return ChatBedrock(model=model, **AWS, **kwargs)


def test_each_class_has_its_adapter() -> None:
    assert type(adapter_for(converse())) is ConverseAdapter
    assert type(adapter_for(invoke_model())) is InvokeModelAdapter


def test_a_subclass_has_the_adapter_of_its_class() -> None:
    class Own(ChatBedrockConverse):
        pass

    assert type(adapter_for(Own(model=CLAUDE, **AWS))) is ConverseAdapter


def test_a_provider_without_a_messages_api_is_refused() -> None:
    llm = invoke_model("meta.llama3-8b-instruct-v1:0")
    with pytest.raises(ValidationError, match="a ChatBedrock of provider 'meta' turns"):
        ChatBedrockContinuing(llm=llm)


def test_the_settings_of_each_class_are_read() -> None:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    config: dict[str, Any] = {"textFormat": {}}
    llms: list[Any] = [
        converse(
            additional_model_request_fields=thinking,
            output_config=config,
            stop_sequences=["x"],
            max_tokens=5,
        ),
        invoke_model(model_kwargs=thinking, stop_sequences=["x"], max_tokens=5),
    ]
    for llm, constrained in zip(llms, [True, False], strict=True):
        settings = adapter_for(llm).settings(None, {})
        assert settings["thinks"]
        assert settings["constrained"] is constrained
        assert (settings["stops"], settings["max_tokens"]) == (("x",), 5)
        assert settings["model_id"].startswith("anthropic.claude-sonnet-4-5")
        assert not settings["guards_last_turn"]
        assert settings["inline_thinking"] is None


def test_a_call_takes_precedence_over_the_model() -> None:
    wrapped = adapter_for(converse(stop_sequences=["x"]))
    assert wrapped.settings(["y"], {"stop_sequences": ["z"]})["stops"] == ("y",)
    assert wrapped.settings(None, {"stop_sequences": ["z"]})["stops"] == ("z",)
    thinking = {"type": "adaptive"}
    fields = {"additional_model_request_fields": {"thinking": thinking}}
    assert wrapped.settings(None, {"thinking": thinking})["thinks"]
    assert wrapped.settings(None, fields)["thinks"]


# A third class ----------------------------------------------------------------------


class Third(BaseChatModel):
    """A model that tells a text, five characters in each response."""

    model_id: str = "anthropic.claude-sonnet-4-5"
    base_model_id: str | None = None
    max_tokens: int | None = 5
    stop_sequences: list[str] | None = None
    client: object = None
    tells: str = "one, two, three"
    sent: list[dict[str, Any]]

    @property
    def _llm_type(self) -> str:
        return "third"

    def _answer(self, messages: list[BaseMessage]) -> tuple[str, str]:
        last = messages[-1]
        told = len(last.text) if isinstance(last, AIMessage) else 0
        text = self.tells[told : told + 5]
        over = told + 5 >= len(self.tells)
        return text, "end_turn" if over else "max_tokens"

    def _generate(self, messages: Any, *_: Any, **kwargs: Any) -> ChatResult:
        self.sent.append(kwargs)
        text, reason = self._answer(messages)
        message = AIMessage(text)
        output = {"stop_reason": reason}
        return ChatResult(
            generations=[ChatGeneration(message=message)], llm_output=output
        )

    def _stream(self, messages: Any, *_: Any, **kwargs: Any) -> Iterator[Any]:
        self.sent.append(kwargs)
        text, reason = self._answer(messages)
        yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        end = AIMessageChunk(content="", response_metadata={"stop_reason": reason})
        yield ChatGenerationChunk(message=end)


class ThirdAdapter(Adapter[Third]):
    """An adapter that passes `max_tokens` by another name."""

    model_class = Third

    def arguments(self, request: SegmentRequest) -> dict[str, Any]:
        return {**request.kwargs, "tokens_at_most": self.llm.max_tokens}


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> Third:
    monkeypatch.setattr(adapters, "ADAPTERS", (*adapters.ADAPTERS, ThirdAdapter))
    return Third(sent=[])


def test_a_third_class_needs_one_adapter_and_one_line(third: Third) -> None:
    wrapped: Any = third
    llm = ChatBedrockContinuing(llm=wrapped)
    message = llm.invoke("Count.")
    assert message.text == third.tells
    assert len(message.response_metadata["continuation"]["segments"]) > 1
    assert "".join(chunk.text for chunk in llm.stream("Count.")) == third.tells
    assert {kwargs["tokens_at_most"] for kwargs in third.sent} == {5}


def test_the_error_for_any_other_class_lists_the_table(third: Third) -> None:
    listed = "must be a ChatBedrockConverse, a ChatBedrock or a Third, got str"
    with pytest.raises(ValueError, match=listed):
        adapter_for("claude")
    bad: Any = third.model_copy(update={"max_tokens": 0})
    with pytest.raises(ValidationError, match="max_tokens: must be at least 1"):
        ChatBedrockContinuing(llm=bad)

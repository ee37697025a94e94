"""The wrapped model's attributes and class, seen through the wrapper."""

import copy
from functools import cache
from typing import Any

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.load import dumpd
from langchain_core.runnables import (
    ConfigurableField,
    ConfigurableFieldMultiOption,
    ConfigurableFieldSpec,
    RunnableConfig,
)
from pydantic import ValidationError

from langchain_bedrock_continue import ChatBedrockContinuing

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
AWS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}


@cache
def wrapped_model(kind: type[Any]) -> Any:
    return kind(model=MODEL, max_tokens=5, temperature=0.5, **AWS)


@pytest.fixture(params=[ChatBedrockConverse, ChatBedrock])
def inner(request: pytest.FixtureRequest) -> Any:
    return wrapped_model(request.param).model_copy()


@pytest.fixture
def llm(inner: Any) -> Any:
    return ChatBedrockContinuing(llm=inner)


# Reading --------------------------------------------------------------------------


def test_each_field_of_the_wrapped_model_can_be_read(inner: Any, llm: Any) -> None:
    for name in type(inner).model_fields.keys() - type(llm).model_fields.keys():
        assert getattr(llm, name) is getattr(inner, name), name
        assert name in dir(llm)
    assert (llm.model, llm.model_id) == (inner.model, inner.model_id)


def test_an_unknown_or_private_name_is_an_attribute_error(llm: Any) -> None:
    assert not hasattr(llm, "no_such_name")
    assert not hasattr(llm, "_no_such_name")
    assert not hasattr(ChatBedrockContinuing.model_construct(), "max_tokens")


def test_private_methods_of_the_wrapped_class_can_be_called(llm: Any) -> None:
    assert llm._get_base_model() == llm.llm._get_base_model()


def test_a_cache_point_is_that_of_chat_bedrock_converse() -> None:
    point = ChatBedrockConverse.create_cache_point()
    assert ChatBedrockContinuing.create_cache_point() == point


def test_tokens_are_counted_by_the_wrapped_model(inner: Any) -> None:
    counting = inner.model_copy(update={"custom_get_token_ids": lambda text: [7]})
    llm = ChatBedrockContinuing(llm=counting)
    assert (llm.get_token_ids("a b"), llm.get_num_tokens("a b")) == ([7], 1)
    own = ChatBedrockContinuing(llm=inner, custom_get_token_ids=lambda text: [8, 9])
    assert (own.get_token_ids("a b"), own.get_num_tokens("a b")) == ([8, 9], 2)


# Setting --------------------------------------------------------------------------


def test_a_field_is_set_in_a_copy_of_the_wrapped_model(inner: Any, llm: Any) -> None:
    other = llm.model_copy()
    llm.max_tokens, llm.temperature, llm.model_id = 9, 0.25, "anthropic.claude-x"
    assert (llm.llm.max_tokens, llm.llm.temperature) == (9, 0.25)
    assert (llm.max_tokens, llm.model, llm.model_id) == (9, *["anthropic.claude-x"] * 2)
    assert (inner.max_tokens, other.max_tokens) == (5, 5)
    assert inner.model_id == other.model_id == MODEL


def test_a_field_of_both_models_is_set_in_both(inner: Any, llm: Any) -> None:
    profile: Any = {"max_output_tokens": 7}
    llm.profile = profile
    copied = llm.model_copy(update={"profile": {}})
    created = ChatBedrockContinuing(llm=inner, profile=profile)
    assert llm.profile == llm.llm.profile == created.llm.profile == profile
    assert copied.profile == copied.llm.profile == {}
    assert inner.profile != profile


def test_a_field_of_the_wrapper_is_its_own(inner: Any, llm: Any) -> None:
    llm.max_continuations, llm.tags = 3, ["a"]
    assert (llm.max_continuations, llm.tags) == (3, ["a"])
    assert llm.llm is inner


def test_a_name_that_neither_has_cannot_be_set(llm: Any) -> None:
    with pytest.raises(ValueError, match="no field"):
        llm.no_such_name = 1
    with pytest.raises(ValueError, match=r"neither .* Did you mean max_tokens\?"):
        llm.model_copy(update={"max_token": 1})
    with pytest.raises(ValueError, match="neither"):
        llm.configurable_fields(no_such_name=ConfigurableField(id="x"))


@pytest.mark.parametrize("tokens", [0, -1])
def test_a_value_that_cannot_be_continued_is_refused(llm: Any, tokens: int) -> None:
    with pytest.raises(ValueError, match="max_tokens: must be at least 1"):
        llm.max_tokens = tokens
    with pytest.raises(ValueError, match="max_tokens: must be at least 1"):
        llm.model_copy(update={"max_tokens": tokens})
    assert llm.max_tokens == 5


@pytest.mark.parametrize("alias", [False, True])
def test_a_copy_takes_fields_of_both_models(inner: Any, llm: Any, alias: bool) -> None:
    name = "model" if alias else "model_id"
    update = {"max_tokens": 9, "max_continuations": 2, name: "anthropic.claude-x"}
    copied = llm.model_copy(update=update)
    assert (copied.max_tokens, copied.max_continuations) == (9, 2)
    assert copied.model_id == "anthropic.claude-x"
    assert (llm.max_tokens, llm.max_continuations) == (5, 16)
    assert llm.llm is inner
    assert llm.model_copy() == llm == copy.copy(llm)


# Configuring ----------------------------------------------------------------------


def configured(llm: Any, **values: Any) -> Any:
    """Return the model that a call with these configured values runs on."""
    config: RunnableConfig = {"configurable": values}
    prepared, _ = llm.prepare(config)
    return prepared


def test_fields_of_both_models_are_configurable(inner: Any, llm: Any) -> None:
    dynamic = llm.configurable_fields(
        max_tokens=ConfigurableField(id="size"),
        temperature=ConfigurableField(id="heat"),
        max_continuations=ConfigurableField(id="calls"),
    )
    one = configured(dynamic, size="9", calls=2)
    assert (one.max_tokens, one.temperature, one.max_continuations) == (9, 0.5, 2)
    assert type(one) is ChatBedrockContinuing
    assert configured(dynamic) is llm
    assert configured(dynamic.with_config(configurable={"size": 7})).max_tokens == 7
    assert (inner.max_tokens, llm.max_tokens) == (5, 5)
    more = dynamic.configurable_fields(strategy=ConfigurableField(id="way"))
    two = configured(more, size=3, way="prefill")
    assert (two.max_tokens, two.strategy) == (3, "prefill")


def test_configured_values_are_validated(llm: Any) -> None:
    dynamic = llm.configurable_fields(
        max_tokens=ConfigurableField(id="size"),
        max_continuations=ConfigurableField(id="calls"),
    )
    for bad in ({"size": "many"}, {"size": 0}, {"calls": -1}):
        with pytest.raises(ValueError, match=r"max_tokens|max_continuations"):
            configured(dynamic, **bad)


def test_their_specs_are_those_of_the_wrapped_model(llm: Any) -> None:
    dynamic = llm.configurable_fields(
        max_tokens=ConfigurableField(id="size", name="Size"),
        on_limit=ConfigurableField(id="end"),
    )
    specs: list[ConfigurableFieldSpec] = dynamic.config_specs
    assert {(spec.id, spec.name, spec.default) for spec in specs} == {
        ("size", "Size", 5),
        ("end", None, "return"),
    }


def test_options_and_alternatives_work_on_them(llm: Any) -> None:
    stops = ConfigurableFieldMultiOption(
        id="stops", options={"a": "A", "b": "B"}, default=["a"]
    )
    dynamic: Any = llm.configurable_fields(stop_sequences=stops)
    assert configured(dynamic).stop_sequences == ["A"]
    assert configured(dynamic, stops=["b", "a"]).stop_sequences == ["B", "A"]
    chosen = dynamic.configurable_alternatives(ConfigurableField(id="which"), other=llm)
    assert configured(chosen, stops=["b"]).stop_sequences == ["B"]
    assert configured(chosen, which="other") is llm


# The class ------------------------------------------------------------------------


def test_it_is_an_instance_of_the_wrapped_models_class(inner: Any, llm: Any) -> None:
    other = ChatBedrock if type(inner) is ChatBedrockConverse else ChatBedrockConverse
    assert isinstance(llm, type(inner))
    assert isinstance(llm, ChatBedrockContinuing)
    assert not isinstance(llm, other)
    assert type(llm) is ChatBedrockContinuing


def test_its_class_looks_like_its_own(llm: Any) -> None:
    assert llm.__class__.__name__ == llm.get_name() == "ChatBedrockContinuing"
    assert llm.__class__.model_fields.keys() == type(llm).model_fields.keys()
    created = llm.__class__(llm=llm.llm, max_continuations=2)
    assert type(created) is ChatBedrockContinuing
    assert dumpd(llm)["id"][-1] == "ChatBedrockContinuing"
    assert "region_name" not in dumpd(llm)["kwargs"]  # it is the wrapped model's


def test_a_subclass_is_one_too(inner: Any) -> None:
    class Own(ChatBedrockContinuing):
        """A subclass with a field of its own."""

        note: str = ""

    own = Own(llm=inner, note="n")
    assert isinstance(own, type(inner))
    assert isinstance(own, Own)
    assert (own.model_copy(update={"note": "m", "max_tokens": 9}).note) == "m"


def test_it_cannot_wrap_itself(llm: Any) -> None:
    with pytest.raises(ValidationError, match="got ChatBedrockContinuing"):
        ChatBedrockContinuing(llm=llm)

"""Arguments go to their owner; an error names a bad one."""

from typing import Any

import pytest
from botocore.config import Config
from langchain_aws import ChatBedrockConverse
from langchain_core.caches import InMemoryCache
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import ValidationError

from langchain_bedrock_continue import ChatBedrockContinuing

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
AWS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}


@pytest.fixture(scope="module")
def converse() -> ChatBedrockConverse:
    return ChatBedrockConverse(model=MODEL, max_tokens=5, temperature=0.5, **AWS)


def test_model_arguments_go_to_the_wrapped_model() -> None:
    llm = ChatBedrockContinuing(
        model=MODEL, max_tokens=7, temperature=0.25, max_continuations=3, **AWS
    )
    assert (llm.llm.max_tokens, llm.llm.temperature) == (7, 0.25)
    assert (llm.max_continuations, llm.model, llm.model_id) == (3, MODEL, MODEL)


def test_a_model_is_wrapped_as_it_is(converse: ChatBedrockConverse) -> None:
    assert ChatBedrockContinuing(llm=converse).llm is converse


def test_the_fields_of_every_langchain_model_come_from_the_wrapped_one() -> None:
    limiter, cache = InMemoryRateLimiter(), InMemoryCache()
    inner = ChatBedrockConverse(
        model=MODEL,
        rate_limiter=limiter,
        cache=cache,
        tags=["a"],
        output_version="v1",
        disable_streaming=True,
        **AWS,
    )
    llm = ChatBedrockContinuing(llm=inner)
    assert (llm.rate_limiter, llm.cache, llm.tags) == (limiter, cache, ["a"])
    assert (llm.output_version, llm.disable_streaming) == ("v1", True)
    assert llm.profile == inner.profile
    assert ChatBedrockContinuing(llm=inner, tags=["b"]).tags == ["b"]


@pytest.mark.parametrize(
    ("arguments", "pool", "read_timeout"),
    [
        ({}, 64, 60),
        ({"max_concurrency": 33}, 33, 60),
        ({"max_concurrency": "33"}, 33, 60),
        ({"timeout": 9}, 64, 9),
        ({"config": Config(read_timeout=7)}, 64, 7),
        ({"config": Config(read_timeout=7), "max_concurrency": 33}, 33, 7),
        ({"config": Config(max_pool_connections=5), "max_concurrency": 33}, 5, 60),
    ],
)
def test_the_connection_pool_is_as_large_as_the_threads(
    arguments: dict[str, Any], pool: int, read_timeout: int
) -> None:
    llm = ChatBedrockContinuing(model=MODEL, **arguments, **AWS)
    config = llm.client.meta.config
    assert (config.max_pool_connections, config.read_timeout) == (pool, read_timeout)
    assert llm.config is arguments.get("config")  # the caller's own, as given


def test_a_positional_argument_is_refused_with_the_name_that_is_meant(
    converse: ChatBedrockConverse,
) -> None:
    create: Any = ChatBedrockContinuing
    with pytest.raises(TypeError, match=f"did you mean model='{MODEL}'"):
        create(MODEL, max_tokens=5)
    with pytest.raises(TypeError, match="did you mean llm="):
        create(converse)


@pytest.mark.parametrize(
    ("misspelled", "meant"),
    [
        ("modle", "model"),
        ("max_token", "max_tokens"),
        ("maxTokens", "max_tokens"),
        ("temprature", "temperature"),
        ("regon_name", "region_name"),
        ("stop_sequence", "stop_sequences"),
        ("max_continuation", "max_continuations"),
    ],
)
@pytest.mark.parametrize("model", [{}, {"model": MODEL}])
def test_a_misspelled_argument_is_refused_with_the_name_that_is_meant(
    misspelled: str, meant: str, model: dict[str, Any]
) -> None:
    arguments: dict[str, Any] = {misspelled: 1, **model, **AWS}
    with pytest.raises(ValidationError) as raised:
        ChatBedrockContinuing(**arguments)
    said = f"{misspelled}: no such argument; did you mean {meant}?"
    assert said in str(raised.value)


@pytest.mark.parametrize("name", ["top_k", "anthropic_beta", "seed", "min_p", "top_a"])
def test_a_field_of_some_models_is_not_a_misspelled_argument(name: str) -> None:
    arguments: dict[str, Any] = {"model": MODEL, name: 5, **AWS}
    with pytest.warns(UserWarning, match=f"{name} is not default parameter"):
        llm = ChatBedrockContinuing(**arguments)
    assert llm.additional_model_request_fields == {name: 5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "model: missing"),
        ({"model": None}, "model: missing"),
        ({"max_continuation": 3, "model": MODEL}, "did you mean max_continuations?"),
        ({"max_total_token": 3, "model": MODEL}, "did you mean max_total_tokens?"),
        ({"model": MODEL, "max_tokens": 0}, "max_tokens: must be at least 1, got 0"),
        ({"model": MODEL, "max_tokens": -3}, "max_tokens: must be at least 1, got -3"),
        ({"model": MODEL, "max_continuations": -1}, "max_continuations"),
        ({"model": MODEL, "max_continuations": "many"}, "max_continuations"),
        ({"model": MODEL, "max_total_tokens": 0}, "max_total_tokens"),
        ({"model": MODEL, "on_limit": "ignore"}, "'return' or 'raise'"),
        ({"model": MODEL, "usage_view": "all"}, "'billed' or 'response'"),
        ({"model": MODEL, "strategy": "magic"}, "'auto', 'prefill' or 'user_turn'"),
        ({"model": MODEL, "continuation_prompt": "go on"}, "must contain {tail}"),
        ({"model": MODEL, "max_concurrency": 0}, "max_concurrency"),
        ({"model": MODEL, "raw_blocks": []}, "raw_blocks: not supported"),
        (
            {"llm": "claude"},
            "llm: must be a ChatBedrockConverse or a ChatBedrock, got str",
        ),
        ({"llm": FakeListChatModel(responses=[])}, "got FakeListChatModel"),
    ],
)
def test_bad_arguments_are_refused_by_name(
    arguments: dict[str, Any], said: str
) -> None:
    aws = {} if "llm" in arguments else AWS
    with pytest.raises(ValidationError) as raised:
        ChatBedrockContinuing(**arguments, **aws)
    assert said in str(raised.value)


def test_a_model_and_the_arguments_of_one_are_refused_together(
    converse: ChatBedrockConverse,
) -> None:
    with pytest.raises(ValidationError, match="llm= already is a model, so max_tokens"):
        ChatBedrockContinuing(llm=converse, max_tokens=3)


def test_a_bound_model_is_refused_with_what_to_do(
    converse: ChatBedrockConverse,
) -> None:
    bound: Any = converse.bind_tools([])
    with pytest.raises(ValidationError, match=r"call \.bind_tools on the ChatBedrock"):
        ChatBedrockContinuing(llm=bound)


@pytest.mark.parametrize("tokens", [0, -1, "12"])
def test_a_call_with_a_bad_max_tokens_is_refused(
    converse: ChatBedrockConverse, tokens: object
) -> None:
    llm = ChatBedrockContinuing(llm=converse)
    with pytest.raises(ValueError, match="max_tokens: must be a whole number"):
        llm.invoke("Hi", max_tokens=tokens)


def test_no_key_is_in_the_models_text_or_errors() -> None:
    secret = "SECRETSECRET"  # noqa: S105 - to be looked for
    llm = ChatBedrockContinuing(model=MODEL, **{**AWS, "aws_secret_access_key": secret})
    assert secret not in repr(llm)
    assert secret not in str(llm.asdict())
    bad: dict[str, Any]
    for bad in ({"max_continuations": -1}, {"max_tokens": 0}, {"raw_blocks": []}):
        with pytest.raises(ValidationError) as raised:
            # Last, where pydantic's shortened text of the arguments would show it.
            ChatBedrockContinuing(
                model=MODEL, **{**bad, **AWS, "aws_secret_access_key": secret}
            )
        assert secret not in str(raised.value)

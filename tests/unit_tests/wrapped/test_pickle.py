"""A model in another process: REBUILD-1 to REBUILD-5."""

import copy
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import BaseModel, SecretStr

from langchain_bedrock_continue import ChatBedrockContinuing

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
REGION = "eu-west-1"
KEYS: dict[str, Any] = {
    "aws_access_key_id": "GIVENKEY",
    "aws_secret_access_key": "GIVENSECRET",
}
CLIENTS = {"client", "bedrock_client"}


@cache
def wrapped_model(kind: type[Any]) -> Any:
    config = Config(read_timeout=7, retries={"total_max_attempts": 2})
    return kind(model=MODEL, region_name=REGION, max_tokens=5, config=config, **KEYS)


@pytest.fixture(params=[ChatBedrockConverse, ChatBedrock])
def llm(request: pytest.FixtureRequest) -> ChatBedrockContinuing:
    inner = wrapped_model(request.param).model_copy()
    return ChatBedrockContinuing(llm=inner, max_continuations=3, tags=["a"])


def sent(model: Any) -> Any:
    """Send a model to another process, as far as this one can show it."""
    return pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes


def fields_of(model: Any) -> dict[str, Any]:
    return {
        name: getattr(model, name)
        for name in type(model).model_fields
        if name not in {*CLIENTS, "llm", "config"}
    }


def test_rebuild_1_a_client_is_made_with_the_same_settings(
    llm: ChatBedrockContinuing,
) -> None:
    again = sent(llm)
    assert type(again) is ChatBedrockContinuing
    assert fields_of(again) == fields_of(llm)
    assert type(again.llm) is type(llm.llm)
    assert fields_of(again.llm) == fields_of(llm.llm)
    assert again.llm.model_fields_set == llm.llm.model_fields_set
    for name in CLIENTS:
        ours, theirs = getattr(again, name), getattr(llm, name)
        assert ours is not theirs
        assert ours.meta.region_name == REGION
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        services = [one.meta.service_model.service_name for one in (ours, theirs)]
        assert services[0] == services[1]
        for option in ("read_timeout", "retries", "max_pool_connections"):
            mine = getattr(ours.meta.config, option)
            assert mine == getattr(theirs.meta.config, option)


@pytest.mark.parametrize("given", [{"max_retries": 2}, {"timeout": 7}], ids=str)
def test_rebuild_1_no_timeout_is_a_setting_too(given: Any) -> None:
    """langchain-aws's `max_retries` alone means no timeout, in place of botocore's."""
    llm = ChatBedrockContinuing(model=MODEL, region_name=REGION, **given, **KEYS)
    for option in ("connect_timeout", "read_timeout", "retries"):
        mine = getattr(sent(llm).client.meta.config, option)
        assert mine == getattr(llm.client.meta.config, option)


def test_rebuild_1_a_second_pickle_is_the_same(llm: ChatBedrockContinuing) -> None:
    assert fields_of(sent(sent(llm)).llm) == fields_of(llm.llm)


def test_rebuild_1_bound_arguments_and_chains_are_sent_too() -> None:
    class Port(BaseModel):
        name: str

    globals()["Port"] = Port  # where pickle looks for it
    Port.__qualname__ = "Port"
    llm = ChatBedrockContinuing(model=MODEL, region_name=REGION, **KEYS)
    bound = sent(llm.bind_tools([Port], tool_choice="any"))
    assert bound.kwargs["tools"] == llm.bind_tools([Port]).kwargs["tools"]
    assert hasattr(bound, "resume")
    chain = sent(llm.with_structured_output(Port))
    assert chain.get_output_jsonschema()


def test_rebuild_1_a_test_double_is_pickled_as_it_is() -> None:
    llm = ChatBedrockContinuing(
        model=MODEL, client=("a", "double"), bedrock_client=(), region_name=REGION
    )
    assert sent(llm).client == ("a", "double")


def test_a_model_without_validation_is_pickled_as_it_is() -> None:
    plain = ChatBedrockContinuing.model_construct(llm="a stand-in")
    assert sent(plain).llm == "a stand-in"


def test_rebuild_2_keys_that_were_given_are_in_the_pickle(
    llm: ChatBedrockContinuing,
) -> None:
    assert b"GIVENSECRET" in pickle.dumps(llm)


@pytest.mark.parametrize("kind", [ChatBedrockConverse, ChatBedrock])
def test_rebuild_2_keys_of_the_environment_are_not(
    kind: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, f"HERE-{name}")
    llm = ChatBedrockContinuing(llm=kind(model=MODEL, region_name=REGION))
    pickled = pickle.dumps(llm)
    assert b"HERE" not in pickled
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "THERE")
    again = pickle.loads(pickled)  # noqa: S301 - our own bytes
    assert again.aws_access_key_id.get_secret_value() == "THERE"
    assert again.client._request_signer._credentials.access_key == "THERE"


def with_keys_of_its_own(monkeypatch: pytest.MonkeyPatch, _: Path) -> Any:
    return boto3.client("bedrock-runtime", region_name=REGION, **KEYS)


def with_a_token(monkeypatch: pytest.MonkeyPatch, _: Path) -> Any:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    key = SecretStr("a token")
    return ChatBedrockConverse(model=MODEL, region_name=REGION, api_key=key).client


def with_a_profile(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Any:
    credentials = folder / "credentials"
    credentials.write_text(
        "[default]\naws_access_key_id=A\naws_secret_access_key=S\n"
        "[other]\naws_access_key_id=B\naws_secret_access_key=S\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    session = boto3.Session(profile_name="other", region_name=REGION)
    return session.client("bedrock-runtime")


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("make", [with_keys_of_its_own, with_a_token, with_a_profile])
def test_rebuild_3_a_client_with_other_credentials_is_refused(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = make(monkeypatch, tmp_path)
    shared: dict[str, Any] = {"client": client, "bedrock_client": client}
    llm = ChatBedrockContinuing(model=MODEL, region_name=REGION, **shared)
    with pytest.raises(pickle.PicklingError, match="credentials_profile_name="):
        pickle.dumps(llm)


@pytest.mark.usefixtures("no_keys")
def test_rebuild_3_a_client_with_a_profile_that_the_model_names_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = with_a_profile(monkeypatch, tmp_path)
    llm = ChatBedrockContinuing(
        model=MODEL,
        client=client,
        bedrock_client=client,
        credentials_profile_name="other",
    )
    again = sent(llm)
    assert again.client._request_signer._credentials.access_key == "B"
    assert again.client.meta.region_name == REGION  # the client's own


def test_rebuild_4_one_client_is_made_for_the_same_settings(
    llm: ChatBedrockContinuing,
) -> None:
    one, two = sent(llm), sent(llm.model_copy(update={"max_tokens": 6}))
    assert one.client is two.client
    other = ChatBedrockContinuing(model=MODEL, region_name="us-east-1", **KEYS)
    assert sent(other).client is not one.client


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: m.model_copy(deep=True)])
def test_rebuild_5_a_deep_copy_shares_the_client(
    llm: ChatBedrockContinuing, copied: Callable[[Any], Any]
) -> None:
    limited = llm.model_copy(update={"rate_limiter": InMemoryRateLimiter()})
    both = copied(limited)
    assert both.llm is not limited.llm
    assert (both.client, both.bedrock_client) == (llm.client, llm.bedrock_client)
    assert both.rate_limiter is limited.rate_limiter
    both.tags.append("b")
    both.max_tokens = 9
    assert (limited.tags, limited.max_tokens) == (["a"], 5)
    two = copy.deepcopy([limited, limited])
    assert two[0] is two[1]

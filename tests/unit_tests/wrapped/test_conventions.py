"""Conventions of LangChain and Python: `repr`, signatures, the version."""

import ast
import importlib.metadata
import inspect
from pathlib import Path
from typing import Any

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse

import langchain_bedrock_continue
from langchain_bedrock_continue import ChatBedrockContinuing, chat_models

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
AWS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
NOT_SUPPORTED = {"raw_blocks"}


def arguments_of(kind: type[Any]) -> set[str]:
    parameters = inspect.signature(kind).parameters.values()
    named = inspect.Parameter.KEYWORD_ONLY
    return {one.name for one in parameters if one.kind is named}


def static_arguments() -> set[str]:
    """Return the arguments in the signature that type checkers read."""
    tree = ast.parse(Path(chat_models.__file__).read_text(encoding="utf-8"))
    found = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    return {argument.arg for argument in found.args.kwonlyargs}


# repr -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ChatBedrockConverse, ChatBedrock])
def test_repr_tells_what_is_asked_how(kind: type[Any]) -> None:
    inner = kind(model=MODEL, max_tokens=5, **AWS)
    llm = ChatBedrockContinuing(llm=inner, on_limit="raise", max_continuations=16)
    expected = (
        f"ChatBedrockContinuing(llm={kind.__name__}(model_id={MODEL!r}, max_tokens=5, "
        "region_name='us-east-1'), on_limit='raise')"
    )
    assert repr(llm) == expected
    assert repr(llm.bind(stop=["x"])).startswith(f"ResumingBinding(bound={expected}")


def test_repr_of_a_model_without_fields() -> None:
    assert repr(ChatBedrockContinuing.model_construct()) == "ChatBedrockContinuing()"


# Signatures -----------------------------------------------------------------------


def test_the_signature_has_the_arguments_of_both_models() -> None:
    fields = set(ChatBedrockContinuing.model_fields)
    theirs = arguments_of(ChatBedrockConverse) - NOT_SUPPORTED
    assert arguments_of(ChatBedrockContinuing) == theirs | fields
    first = next(iter(inspect.signature(ChatBedrockContinuing).parameters))
    assert first == "model"


def test_type_checkers_know_the_same_arguments() -> None:
    general = set(ChatBedrockContinuing.model_fields) & set(
        ChatBedrockConverse.model_fields
    )
    assert static_arguments() == arguments_of(ChatBedrockContinuing) - general


def test_the_methods_name_their_arguments() -> None:
    method = inspect.signature(ChatBedrockContinuing.with_structured_output)
    assert {"method", "include_raw", "strict"} <= set(method.parameters)
    bind_tools = inspect.signature(ChatBedrockContinuing.bind_tools)
    assert {"tool_choice", "strict"} <= set(bind_tools.parameters)


# The version ----------------------------------------------------------------------


def test_the_version_is_that_of_the_installed_package() -> None:
    expected = importlib.metadata.version("langchain-bedrock-continue")
    assert langchain_bedrock_continue.__version__ == expected
    assert not hasattr(langchain_bedrock_continue, "no_such_name")


def test_tracers_see_the_version_beside_those_of_the_other_packages() -> None:
    given = {"team": "search"}
    inner = ChatBedrockConverse(model=MODEL, metadata=given, **AWS)
    before = dict(inner.metadata or {})
    version = langchain_bedrock_continue.__version__
    for llm in (
        ChatBedrockContinuing(llm=inner),
        ChatBedrockContinuing(model=MODEL, metadata=given, **AWS),
    ):
        metadata = dict(llm.metadata or {})
        versions = metadata.pop("lc_versions")
        assert versions["langchain-bedrock-continue"] == version
        assert "langchain-core" in versions
        assert metadata == given
    assert inner.metadata == before
    assert given == {"team": "search"}

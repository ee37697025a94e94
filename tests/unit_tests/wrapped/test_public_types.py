"""The types of public methods can be read at run time, as LangChain does.

`RunnableWithFallbacks` reads the types of each method that is called through it.
"""

import typing
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._resume import ResumingBinding

OWN = "langchain_bedrock_continue"


def methods(cls: type) -> Iterator[Any]:
    """Every public method that a class has from this package."""
    for name in dir(cls):
        method = getattr(cls, name, None)
        is_public = not name.startswith("_") and callable(method)
        if is_public and method.__module__.startswith(OWN):
            yield pytest.param(method, id=f"{cls.__name__}.{name}")


METHODS = [*methods(ChatBedrockContinuing), *methods(ResumingBinding)]


@pytest.mark.parametrize("method", METHODS)
def test_the_types_of_a_method_can_be_read(method: Any) -> None:
    assert typing.get_type_hints(method)["return"] is not None


def test_the_methods_are_there() -> None:
    names = {parameter.id for parameter in METHODS}
    assert {f"ChatBedrockContinuing.{n}" for n in ("bind_tools", "resume")} <= names

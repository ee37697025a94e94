"""What `repr` shows of a wrapper: how to tell it from another one, in one line.

pydantic shows all fields of both models: the profile twice, and two boto3 clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._wrapped.construction import INHERITED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

OF_WRAPPED = (
    "model_id",
    "max_tokens",
    "temperature",
    "region_name",
    "credentials_profile_name",
    "endpoint_url",
)
"""The fields of the wrapped model that are shown if they are set."""


class Shown(str):
    """A text that is its own `repr`."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text without quotation marks."""
        return str(self)


def shown_fields(model: BaseModel, llm: Any) -> Iterator[tuple[str, Any]]:
    """Yield the wrapped model in short, and the wrapper's fields that are not default.

    Args:
        model: The wrapper.
        llm: The wrapped model.
    """
    theirs = ((name, getattr(llm, name, None)) for name in OF_WRAPPED)
    inside = [f"{name}={value!r}" for name, value in theirs if value is not None]
    yield "llm", Shown(f"{type(llm).__name__}({', '.join(inside)})")
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name != "llm" and name not in INHERITED and value != field.default:
            yield name, value

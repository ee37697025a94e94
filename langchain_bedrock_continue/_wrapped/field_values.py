"""Values for some fields of a pydantic class, validated as its constructor does."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, create_model

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONFIG = ConfigDict(
    arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=()
)


def validated(cls: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of fields, validated and converted.

    Args:
        cls: The class that has the fields.
        values: Values by the fields' names. May be empty.

    Raises:
        ValidationError: A value is not valid. It names the class and the field.
    """
    if not values:
        return {}
    checked = _class_of(cls, frozenset(values))(**values)
    return {name: getattr(checked, name) for name in values}


@functools.cache
def _class_of(cls: type[BaseModel], names: frozenset[str]) -> type[BaseModel]:
    """Return a class with some of the fields, each without its default and alias."""
    fields: dict[str, Any] = {}
    for name in sorted(names):
        info = cls.model_fields[name]
        annotation: Any = info.annotation
        for constraint in info.metadata:
            annotation = Annotated[annotation, constraint]
        fields[name] = (annotation, ...)
    return create_model(cls.__name__, __config__=_CONFIG, **fields)

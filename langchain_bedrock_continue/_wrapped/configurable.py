"""`configurable_fields` for the fields of the wrapped model.

LangChain configures a model by creating it again from its fields. ChatBedrockConverse
cannot be created from its own fields, so a copy gets the configured values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableSerializable
from langchain_core.runnables.configurable import RunnableConfigurableFields
from langchain_core.runnables.utils import AnyConfigurableField, get_unique_config_specs
from pydantic import ConfigDict

from langchain_bedrock_continue._wrapped.field_values import validated

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.runnables.utils import ConfigurableFieldSpec

    _Fields = RunnableConfigurableFields[Any, Any]
else:
    # pydantic does not accept a model as a RunnableSerializable[Any, Any].
    _Fields = RunnableConfigurableFields


class ConfigurableWrapper(_Fields):
    """A wrapper with configurable fields.

    Attributes:
        wrapped: The configurable fields of the wrapped model; `fields` has the
            wrapper's own.
    """

    wrapped: dict[str, AnyConfigurableField]

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The specs of both models' fields."""
        model: Any = self.default
        theirs: _Fields = _Fields(default=model.llm, fields=self.wrapped)
        return get_unique_config_specs([*super().config_specs, *theirs.config_specs])

    def configurable_fields(
        self, **kwargs: AnyConfigurableField
    ) -> RunnableSerializable[Any, Any]:
        """Make further fields configurable."""
        fields = {**self.wrapped, **self.fields, **kwargs}
        return self.default.configurable_fields(**fields)

    def _prepare(
        self, config: RunnableConfig | None = None
    ) -> tuple[Runnable[Any, Any], RunnableConfig]:
        """Return the wrapper with the fields that a config sets."""
        model: Any = self.default
        if given := _values(self.wrapped, config):
            update = validated(type(model.llm), given)
            model = model.model_copy(update=update)
        return _Fields(default=model, fields=self.fields).prepare(config)


class _Values(RunnableSerializable[Any, Any]):
    """Takes the place of a model, to learn which values a config has for its fields."""

    model_config = ConfigDict(extra="allow")

    def invoke(self, *_: Any, **__: Any) -> None:
        """Do nothing: it is never run."""


def _values(
    fields: dict[str, AnyConfigurableField], config: RunnableConfig | None
) -> dict[str, Any]:
    """Return the values of fields that a config sets."""
    found, _ = _Fields(default=_Values(), fields=fields).prepare(config)
    return found.model_extra or {} if isinstance(found, _Values) else {}

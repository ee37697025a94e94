"""The attributes and the class of the wrapped model, seen through the wrapper.

DELEGATE-1. A public attribute that the wrapper lacks is the wrapped model's, and so is
    a private method or property of its class. Code that was written for that class,
    such as a subclass's or a tracer's, may call one.
DELEGATE-2. To set one is to wrap a changed copy. The caller's own model is never
    changed, and neither is a copy of the wrapper that shares it.
DELEGATE-3. A name that neither model has is refused, also in `model_copy(update=...)`,
    where pydantic would store it without effect.
DELEGATE-4. `isinstance(wrapper, type(wrapper.llm))` is True. So middleware that asks
    for ChatBedrockConverse accepts the wrapper. What it reads then is there, by
    DELEGATE-1. `type(wrapper)` is the wrapper's own class.
"""

from __future__ import annotations

import functools
from abc import ABCMeta

# LangChain reads the types of public methods at run time, behind `with_fallbacks`.
from collections.abc import Mapping  # noqa: TC003
from typing import TYPE_CHECKING, Any, Self, cast

from langchain_aws import ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableSerializable  # noqa: TC002
from langchain_core.runnables.utils import AnyConfigurableField  # noqa: TC002
from pydantic import SkipValidation

from langchain_bedrock_continue._wrapped import private_names
from langchain_bedrock_continue._wrapped.adapters import WrappedModel, adapter_for
from langchain_bedrock_continue._wrapped.configurable import ConfigurableWrapper
from langchain_bedrock_continue._wrapped.construction import SHARED
from langchain_bedrock_continue._wrapped.misspelled import suggestion
from langchain_bedrock_continue._wrapped.rebuilt_client import (
    Packed,
    packed,
    shared,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


class DelegatingChatModel(BaseChatModel):
    """A chat model with the attributes of the model in its field `llm`."""

    llm: SkipValidation[WrappedModel]
    """The wrapped model. Default: a ChatBedrockConverse made from the arguments."""

    if TYPE_CHECKING:  # the attributes by which an editor completes `llm.`
        model_id: str = ""
        max_tokens: int | None = None
        temperature: float | None = None
        region_name: str | None = None
        streaming: bool = False

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the wrapped model (DELEGATE-1)."""
        llm = self.__dict__.get("llm")
        if llm is None or not _is_delegated(llm, name):
            return super().__getattr__(name)  # type: ignore[misc] # pydantic hides it
        return getattr(llm, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field, or wrap a copy with a changed attribute (DELEGATE-2)."""
        is_mine = name.startswith("_") or self._has_field(name)
        if is_mine or hasattr(type(self), name):
            super().__setattr__(name, value)
        if name in SHARED or not (is_mine or hasattr(type(self), name)):
            changed = self.llm.model_copy()
            setattr(changed, name, value)
            _wrap(self, changed)
        if not name.startswith("_"):
            private_names.forget_description(self)

    def __dir__(self) -> Iterable[str]:
        """Return the names of this model, and the public ones of the wrapped model."""
        theirs = (name for name in dir(self.llm) if not name.startswith("_"))
        return {*super().__dir__(), *theirs}

    @property  # type: ignore[misc] # a property, as in unittest.mock
    def __class__(self) -> type:
        """A class that is also the wrapped model's (DELEGATE-4)."""
        if "llm" not in self.__dict__:  # it is being created
            return type(self)
        mine: Any = type(self)
        theirs: Any = type(self.__dict__["llm"])
        if not issubclass(theirs, BaseChatModel):
            return type(self)  # made by `model_construct`, without validation
        return _joint_class(mine, theirs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickle: the client is made anew in the other process."""
        state = self.__getstate__()
        llm = self.__dict__.get("llm")
        if not isinstance(llm, BaseChatModel):  # made by `model_construct`
            return object.__new__, (type(self),), state
        state = {**state, "__dict__": {**state["__dict__"], "llm": None}}
        return _unpickled, (type(self), state, packed(llm))

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a deep copy, which shares the boto3 client."""
        memo = {} if memo is None else memo
        llm = self.__dict__.get("llm")
        memo.update(shared(self, llm) if isinstance(llm, BaseChatModel) else {})
        return super().__deepcopy__(memo)

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that were given, to this model or the wrapped one.

        LangChain looks here for `streaming`, which makes `invoke` stream.
        """
        return super().model_fields_set | self.llm.model_fields_set

    @classmethod
    def create_cache_point(cls, cache_type: str = "default") -> dict[str, Any]:
        """Create a cache point, as ChatBedrockConverse does.

        Args:
            cache_type: Bedrock's type of the cache point. Default: `"default"`.
        """
        return ChatBedrockConverse.create_cache_point(cache_type)

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> Self:
        """Return a copy, as pydantic does, with changed fields of either model.

        Args:
            update: New values, by the name of a field of this or of the wrapped model.
                As with pydantic, their types are not checked.
            deep: Whether what the fields refer to is copied, too. Default: False.

        Raises:
            ValueError: Neither model has a field of that name (DELEGATE-3), or the
                wrapped model cannot be continued with the new value.
        """
        given = dict(update or {})
        theirs = {
            self._wrapped_field(name): value
            for name, value in given.items()
            if name in SHARED or not self._has_field(name)
        }
        mine = {name: given[name] for name in given if self._has_field(name)}
        copied = super().model_copy(update=mine, deep=deep)
        if given:
            private_names.forget_description(copied)
        if theirs:
            _wrap(copied, copied.llm.model_copy(update=theirs))
        return copied

    def configurable_fields(
        self, **kwargs: AnyConfigurableField
    ) -> RunnableSerializable[Any, Any]:
        """Make fields of either model configurable by a call's config.

        Args:
            **kwargs: A ConfigurableField for each field.

        Raises:
            ValueError: Neither model has a field of that name.
        """
        theirs = {
            self._wrapped_field(name): kwargs[name]
            for name in kwargs
            if not self._has_field(name)
        }
        if not theirs:
            return super().configurable_fields(**kwargs)
        private_names.check_configurable()
        mine = {name: kwargs[name] for name in kwargs if self._has_field(name)}
        return ConfigurableWrapper(default=self, fields=mine, wrapped=theirs)

    def _has_field(self, name: str) -> bool:
        return name in type(self).model_fields

    def _wrapped_field(self, name: str) -> str:
        """Return the name of a wrapped model's field, given that or its alias."""
        fields = type(self.llm).model_fields
        if name in fields:
            return name
        for field, info in fields.items():
            if info.alias == name:
                return field
        known = {*fields, *type(self).model_fields}
        raise ValueError(
            f"{name}: neither {type(self).__name__} nor {type(self.llm).__name__} has "
            f"a field of that name.{suggestion(name, known)}"
        )


def _unpickled(kind: type[Any], state: dict[str, Any], pack: Packed) -> Any:
    """Return the model of which `__reduce__` returned the state."""
    model = object.__new__(kind)
    model.__setstate__(state)
    vars(model)["llm"] = unpacked(pack)
    return model


def _is_delegated(llm: object, name: str) -> bool:
    """Return True for the names of DELEGATE-1."""
    if name.startswith("__"):
        return False
    return not name.startswith("_") or hasattr(type(llm), name)


def _wrap(model: DelegatingChatModel, llm: WrappedModel) -> None:
    """Make a model wrap another one, if that can be continued."""
    adapter_for(llm).check()
    vars(model)["llm"] = llm


@functools.cache
def _joint_class(mine: Any, theirs: Any) -> type:
    """Return a class that is a subclass of both. It has no instances.

    It looks like `mine`: it has its name, creates its instances, and LangChain
    serializes by its bases. It is made without pydantic, which would merge the fields.
    """

    def create(_: type, *args: Any, **kwargs: Any) -> Any:
        return mine(*args, **kwargs)

    namespace = {
        "__doc__": mine.__doc__,
        "__module__": mine.__module__,
        "__qualname__": mine.__qualname__,
        "__new__": create,
        "mro": mine.mro,
    }
    name, bases = mine.__name__, (mine, theirs)
    return cast("type", ABCMeta.__new__(type(mine), name, bases, namespace))

"""Splits a caller's arguments between the wrapper and the model that it wraps."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import BaseChatModel

from langchain_bedrock_continue._wrapped.adapters import adapter_for
from langchain_bedrock_continue._wrapped.converse import ConverseAdapter

if TYPE_CHECKING:
    from collections.abc import Collection

INHERITED = frozenset(BaseChatModel.model_fields)
"""The fields of every LangChain model. Their defaults come from the wrapped model."""

SHARED = frozenset({"custom_get_token_ids", "profile"})
"""Those that langchain-aws reads in the wrapped model. Both models have one value."""

PACKAGE = "langchain-bedrock-continue"
VERSIONS = "lc_versions"
"""Where langchain-core keeps the versions of the packages that made a model."""

MAX_CONCURRENCY = 64
"""The default of `max_concurrency`."""


def refuse_positional(arguments: tuple[Any, ...]) -> None:
    """Refuse arguments without a name, and say which name is meant.

    Args:
        arguments: The positional arguments of the constructor.

    Raises:
        TypeError: There are some.
    """
    if not arguments:
        return
    name = "model" if isinstance(arguments[0], str) else "llm"
    example = repr(arguments[0]) if name == "model" else "..."
    raise TypeError(
        f"ChatBedrockContinuing takes keyword arguments only; did you mean "
        f"{name}={example}?"
    )


def with_wrapped_model(values: dict[str, Any], own: Collection[str]) -> dict[str, Any]:
    """Return the wrapper's arguments, with the wrapped model among them.

    Args:
        values: The caller's arguments: the wrapper's own, and either `llm` or those of
            a ChatBedrockConverse.
        own: The names of the wrapper's own fields, without LangChain's.

    Returns:
        The wrapper's arguments. `llm` is the wrapped model.

    Raises:
        ValueError: No model is given or two are, an argument is unknown, or the model
            is not supported.
    """
    mine = {name: value for name, value in values.items() if name in own}
    theirs = {name: value for name, value in values.items() if name not in own}
    if "llm" in values:
        _refuse_beside_llm(theirs)
        mine |= theirs
        mine["llm"] = _with_shared(values["llm"], theirs)
    else:
        mine["llm"] = ConverseAdapter.from_arguments(
            theirs, own, _connections(values.get("max_concurrency"))
        )
    adapter_for(mine["llm"]).check()
    complete = {**{name: getattr(mine["llm"], name) for name in INHERITED}, **mine}
    complete["metadata"] = _with_version(complete["metadata"])
    return complete


def _with_version(metadata: Any) -> Any:
    """Return the metadata of a model with the version of this package.

    Every package of LangChain adds its own, for tracers. No dict is changed.
    """
    known = metadata if isinstance(metadata, dict) else {}
    versions = known.get(VERSIONS)
    installed = _installed_version()
    is_other = metadata is not None and not isinstance(metadata, dict)
    if is_other or installed is None or not isinstance(versions or {}, dict):
        return metadata  # pydantic, or langchain-core, says what is wrong with it
    return {**known, VERSIONS: {**(versions or {}), PACKAGE: installed}}


@cache
def _installed_version() -> str | None:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # it runs from its source
        return None


def _refuse_beside_llm(theirs: dict[str, Any]) -> None:
    """Refuse arguments of the wrapped model beside `llm`; allow LangChain's own."""
    if extra := sorted(theirs.keys() - INHERITED):
        raise ValueError(
            f"llm= already is a model, so {', '.join(extra)} can't be given beside it. "
            "Set it on that model, or omit llm= and give all of the model's arguments."
        )


def _with_shared(llm: Any, theirs: dict[str, Any]) -> Any:
    """Return a model with the values that it shares with the wrapper."""
    update = {name: theirs[name] for name in theirs.keys() & SHARED}
    adapter_for(llm)  # refuses what is no model
    return llm.model_copy(update=update) if update else llm


def _connections(max_concurrency: object) -> int:
    """Return the size of the connection pool for a `max_concurrency`."""
    try:
        given = int(cast("int", max_concurrency))
    except (TypeError, ValueError):  # not given, or refused by pydantic later
        return MAX_CONCURRENCY
    return given if given > 0 else MAX_CONCURRENCY

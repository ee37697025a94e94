"""From the caller's arguments to the wrapped model: whose argument is whose."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.language_models import BaseChatModel

if TYPE_CHECKING:
    from collections.abc import Collection

INHERITED = frozenset(BaseChatModel.model_fields)
"""What every LangChain model has: taken from the wrapped one, where not given."""


def with_wrapped_model(values: dict[str, Any], own: Collection[str]) -> dict[str, Any]:
    """Give a wrapped model its arguments, and the wrapper the rest.

    Args:
        values: The caller's arguments.
        own: The names of the wrapper's own fields, without LangChain's.

    Returns:
        The wrapper's arguments, `llm` among them.

    Raises:
        ValueError: No model is named, or two are, or an argument has no owner.
    """
    mine = {name: value for name, value in values.items() if name in own}
    theirs = {name: value for name, value in values.items() if name not in own}
    if "llm" in values:
        mine |= _beside_llm(theirs)
    else:
        mine["llm"] = _new_model(theirs, own, values.get("max_concurrency"))
    llm = _checked(mine["llm"])
    return {**{name: getattr(llm, name) for name in INHERITED}, **mine}


def _beside_llm(theirs: dict[str, Any]) -> dict[str, Any]:
    """Allow LangChain's own arguments beside `llm`, and none of the model's."""
    if extra := sorted(theirs.keys() - INHERITED):
        raise ValueError(
            f"llm= already is a model, so {', '.join(extra)} can't be given beside it. "
            "Set it on that model, or leave llm= out and give all of the model's "
            "arguments."
        )
    return theirs


def _new_model(
    theirs: dict[str, Any], own: Collection[str], connections: object
) -> ChatBedrockConverse:
    if theirs.get("model") is None and theirs.get("model_id") is None:
        raise ValueError(
            "model: missing. Give a Bedrock model id or inference profile, such as "
            'model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", or llm= with a '
            "ChatBedrockConverse."
        )
    known = {*ChatBedrockConverse.model_fields, *_aliases()}
    for name in theirs.keys() - known:
        if near := difflib.get_close_matches(name, own, n=1, cutoff=0.8):
            raise ValueError(
                f"{name}: no such argument; did you mean {near[0]}? Fields of the "
                "request that only one model knows go into "
                "additional_model_request_fields={...}."
            )
    if isinstance(connections, int) and connections > 0:
        theirs = {**theirs, "config": _pool(connections, theirs.get("config"))}
    return ChatBedrockConverse(**theirs)


def _aliases() -> set[str]:
    fields = ChatBedrockConverse.model_fields.values()
    return {field.alias for field in fields if field.alias}


def _pool(connections: int, config: Config | None) -> Config:
    """Let as many calls run at once as threads do: botocore's default is 10."""
    pool = Config(max_pool_connections=connections)
    return pool if config is None else pool.merge(config)


def _checked(llm: object) -> ChatBedrockConverse | ChatBedrock:
    if not isinstance(llm, ChatBedrockConverse | ChatBedrock):
        raise ValueError(
            "llm: must be a ChatBedrockConverse or a ChatBedrock, got "
            f"{type(llm).__name__}. A model that was bound (.bind_tools, .bind) goes "
            "in unbound: call .bind_tools on the ChatBedrockContinuing."
        )
    if isinstance(llm, ChatBedrock) and llm._get_provider() != "anthropic":  # noqa: SLF001 - an ARN hides it
        raise ValueError(
            f"llm: a ChatBedrock of provider {llm._get_provider()!r} turns messages "  # noqa: SLF001 - as above
            "into one prompt, which can't be gone on from; use ChatBedrockConverse."
        )
    if getattr(llm, "raw_blocks", None) is not None:
        raise ValueError(
            "raw_blocks: not supported. It replaces the messages, so no segment could "
            "go on from the one before; give the same content as messages."
        )
    if llm.max_tokens is not None and llm.max_tokens < 1:
        raise ValueError(
            f"max_tokens: must be at least 1, got {llm.max_tokens}. It is the size of "
            "one segment; leave it out for the service's default."
        )
    return llm

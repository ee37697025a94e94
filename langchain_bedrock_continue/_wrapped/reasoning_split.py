"""The wrapped model's own split of thinking out of its text: found, and switched off.

A response that was split is no longer what the model wrote, so the calls of a turn go
through a copy that does not split; the turn is split when it is over (the core's
`inline_thinking`).

U1. The caller's model is never changed.
U2. A version of langchain-aws whose split is not found is left as it is.
"""

from __future__ import annotations

from typing import Any

from langchain_aws.chat_models import bedrock_converse

from langchain_bedrock_continue._core.policy import InlineThinking

_TAGS_FOR_MODEL = "_inline_reasoning_tags_for_model"


def inline_thinking_of(llm: Any) -> InlineThinking | None:
    """Return how langchain-aws splits thinking out of a model's text.

    Args:
        llm: The caller's ChatBedrockConverse, or any other model.

    Returns:
        The tags and langchain-aws's function; None where it splits nothing.
    """
    tags_for_model = getattr(llm, _TAGS_FOR_MODEL, None)
    split = getattr(bedrock_converse, "_split_inline_reasoning", None)
    tags = None if tags_for_model is None or split is None else tags_for_model()
    return None if tags is None or split is None else InlineThinking(tags, split)


def stop_splitting(copy: Any) -> None:
    """Make a model that is a copy give responses as they came (U1).

    Where `inline_thinking_of` is None, it is left alone.
    """
    if inline_thinking_of(copy) is not None:
        # Before the class's method, and past pydantic, which knows fields only.
        vars(copy)[_TAGS_FOR_MODEL] = lambda: None

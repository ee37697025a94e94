"""The wrapped model's own split of thinking out of its text: found, and switched off.

A response that was split is no longer what the model wrote, so the calls of a turn go
through a copy that does not split; the turn is split when it is over (the core's
`inline_thinking`).

U1. The caller's model is never changed.
U2. A version of langchain-aws whose split is not found is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_bedrock_continue._core.content.inline_thinking import can_split

if TYPE_CHECKING:
    from langchain_bedrock_continue._core.content.inline_thinking import Tags

_TAGS_FOR_MODEL = "_inline_reasoning_tags_for_model"


def tags_of(llm: Any) -> Tags | None:
    """Return the tags round the thinking that langchain-aws splits out.

    Args:
        llm: The caller's ChatBedrockConverse, or any other model.

    Returns:
        The opening and the closing tag; None where it splits nothing.
    """
    tags_for_model = getattr(llm, _TAGS_FOR_MODEL, None)
    if tags_for_model is None or not can_split():
        return None
    return cast("Tags | None", tags_for_model())


def stop_splitting(copy: Any) -> None:
    """Make a model that is a copy give responses as they came (U1).

    Where `tags_of` is None, it is left alone.
    """
    if tags_of(copy) is not None:
        # Before the class's method, and past pydantic, which knows fields only.
        vars(copy)[_TAGS_FOR_MODEL] = lambda: None

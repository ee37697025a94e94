"""Replaces the model in a chain that the wrapped model built around itself.

`bind_tools` and `with_structured_output` of ChatBedrockConverse know what each Bedrock
model supports. So they build the chain, and the model in it is replaced.
"""

from __future__ import annotations

from typing import Any, TypeVar

from langchain_core.runnables import (
    Runnable,
    RunnableParallel,
    RunnableSequence,
)
from langchain_core.runnables.base import RunnableBindingBase

from langchain_bedrock_continue._wrapped.adapters import is_stand_in

Output = TypeVar("Output")


def rebind(
    chain: Runnable[Any, Output], old: Runnable[Any, Any], new: Runnable[Any, Any]
) -> Runnable[Any, Output]:
    """Return the chain with `new` in place of `old`, or of what stands in for it.

    Raises:
        TypeError: `old` is not in the chain.
    """
    replaced: Runnable[Any, Output] = _replace(chain, old, new)
    if replaced is chain:
        raise TypeError(
            f"{type(old).__name__} is not in the {type(chain).__name__} that it built. "
            "This version of langchain-aws is not supported."
        )
    return replaced


def _replace(chain: Any, old: Any, new: Any) -> Any:
    """Replace a step wherever it is; return the same object if it is not there."""
    if chain is old or is_stand_in(old, chain):
        return new
    update: dict[str, Any] = {}
    if isinstance(chain, RunnableBindingBase):
        update = {"bound": _replace(chain.bound, old, new)}
    elif isinstance(chain, RunnableSequence):
        update = {
            "first": _replace(chain.first, old, new),
            "middle": [_replace(step, old, new) for step in chain.middle],
            "last": _replace(chain.last, old, new),
        }
    elif isinstance(chain, RunnableParallel):
        steps = chain.steps__
        update = {"steps__": {key: _replace(steps[key], old, new) for key in steps}}
    changed = any(getattr(chain, key) != value for key, value in update.items())
    return chain.model_copy(update=update) if changed else chain

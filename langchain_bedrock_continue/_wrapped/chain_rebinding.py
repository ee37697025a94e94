"""Swap a model in a chain that the wrapped model built round itself.

`bind_tools` and `with_structured_output` of ChatBedrockConverse know what each Bedrock
model can do, so they are asked, and the model in what they return is replaced.
"""

from __future__ import annotations

from typing import Any, TypeVar

from langchain_core.runnables import (
    Runnable,
    RunnableParallel,
    RunnableSequence,
)
from langchain_core.runnables.base import RunnableBindingBase

Output = TypeVar("Output")


def rebind(
    chain: Runnable[Any, Output], old: Runnable[Any, Any], new: Runnable[Any, Any]
) -> Runnable[Any, Output]:
    """Return the chain with `new` in the place of `old`.

    Raises:
        TypeError: `old` is nowhere in the chain.
    """
    swapped: Runnable[Any, Output] = _swap(chain, old, new)
    if swapped is chain:
        raise TypeError(
            f"{type(old).__name__} is not found in the {type(chain).__name__} that it "
            "built; this version of langchain-aws is not supported."
        )
    return swapped


def _swap(chain: Any, old: Any, new: Any) -> Any:
    """Swap wherever a step is found; what holds no such step stays the same object."""
    if chain is old:
        return new
    update: dict[str, Any] = {}
    if isinstance(chain, RunnableBindingBase):
        update = {"bound": _swap(chain.bound, old, new)}
    elif isinstance(chain, RunnableSequence):
        update = {
            "first": _swap(chain.first, old, new),
            "middle": [_swap(step, old, new) for step in chain.middle],
            "last": _swap(chain.last, old, new),
        }
    elif isinstance(chain, RunnableParallel):
        steps = chain.steps__
        update = {"steps__": {key: _swap(steps[key], old, new) for key in steps}}
    changed = any(getattr(chain, key) != value for key, value in update.items())
    return chain.model_copy(update=update) if changed else chain

"""The `continuation` of a stream's last chunk, to which another turn's can be added.

A client may add all chunks that it gets, over several turns. langchain-core adds the
values of their metadata one by one, and raises TypeError for two booleans that differ
(`langchain_core.utils._merge.merge_dicts`).
"""

from __future__ import annotations

from typing import Any


class AddableContinuation(dict[str, Any]):
    """A plain dict, except that langchain-core can add two of them.

    langchain-core adds to a `copy()` of the left one, and assigns a key that the copy
    does not contain. So the copy denies `complete` until it is assigned. The sum is
    complete if both turns are.
    """

    _adding = False

    def copy(self) -> AddableContinuation:
        """Return a copy, to which langchain-core can add another."""
        copied = AddableContinuation(self)
        copied._adding = True
        return copied

    def __contains__(self, key: object) -> bool:
        """Return whether the key is there; see the class."""
        return not (self._adding and key == "complete") and super().__contains__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        """Assign a value; see the class."""
        if self._adding and key == "complete":
            self._adding = False
            value = value and self[key]
        super().__setitem__(key, value)

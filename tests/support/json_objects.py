"""Hypothesis strategies for JSON objects, and for the ways to write them."""

from typing import Any

from hypothesis import strategies as st

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)

OBJECTS = st.dictionaries(st.text(), _VALUES, max_size=6)

FORMATS = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 2])}
)
"""Arguments of `json.dumps`."""

ANY_VALUE: dict[str, Any] = {}
"""A schema to which every value conforms."""

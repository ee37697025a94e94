"""The rules PREFIX-1 to PREFIX-4."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.json_prefix import JsonPrefix

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
DOCUMENTS = st.builds(json.dumps, VALUES, indent=st.sampled_from([None, 2]))


@given(DOCUMENTS)
def test_prefix_1_no_character_of_a_document_is_wrong(document: str) -> None:
    assert JsonPrefix().feed(document) is None


@given(DOCUMENTS, st.data())
def test_prefix_1_what_is_accepted_can_become_a_document(
    document: str, data: st.DataObject
) -> None:
    """`json` finds its error at the end of what is accepted, or later."""
    at = data.draw(st.integers(0, len(document)))
    text = document[:at] + data.draw(st.sampled_from([*'{}[],:"1', "true", " "]))
    prefix = JsonPrefix()
    wrong = prefix.feed(text)
    if wrong is None:
        return
    with pytest.raises(json.JSONDecodeError) as error:
        json.loads(text[: wrong + 1])
    assert error.value.pos <= wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"a": [1}', 8),
        ('{"a": 1 "b"', 8),
        ('[1, "b": 2', 7),
        ('{"a" 1', 5),
        ('{"a": {1', 7),
        ("[1]]", 3),
        ("[1]\n\n, 2", 5),
        ("[1] Done: {]", None),  # the document is over
        ("1}", 1),
        ("]", 0),
        ('[{"a": 1,}, 2,]', None),
        ("[1, // one\n }", None),
        ("[1, ...}", None),
        ('["a\\"]", "}"]', None),
        ('{"a": }', 6),
        ('{"a":, ', 5),
        ("[,", 1),
    ],
)
def test_prefix_1_the_first_wrong_character(text: str, wrong: int | None) -> None:
    assert JsonPrefix().feed(text) == wrong


@given(st.text('[]{},:"\\ 1a'), st.integers(0, 30))
def test_prefix_4_the_chunks_do_not_matter(text: str, at: int) -> None:
    once, twice = JsonPrefix(), JsonPrefix()
    whole, first = once.feed(text), twice.feed(text[:at])
    if first is not None:
        assert whole == first
        return
    second = twice.feed(text[at:])
    assert whole == (None if second is None else len(text[:at]) + second)
    assert whole is not None or once.is_judged == twice.is_judged

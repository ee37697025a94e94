"""The numbered invariants of `arguments`."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.tool_json.json_text import (
    begun,
    can_be_finished,
    whole,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=6)
FORMS = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 2])}
)
JSON_CHARS = st.text(alphabet='{}[]":,\\ \n-0123456789.eEutrfalsn`\ud83d~', max_size=40)
GARBAGE = st.text() | JSON_CHARS | JSON_CHARS.map('{"a": '.__add__)
ANYTHING: dict[str, Any] = {}  # the schema that every value fits


# The beginning --------------------------------------------------------------------


@given(OBJECTS, FORMS, st.data())
def test_a1_a2_any_object_cut_anywhere_can_be_gone_on_from(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    arrived = text[: data.draw(st.integers(0, len(text)))]
    beginning = begun(arrived, streamed=True)
    assert whole(beginning + text[len(beginning) :], ANYTHING) == args
    given_back = arrived[len(beginning) :]
    assert re.fullmatch(r"(\\ud[89ab]..)?(\\(u.{0,3})?)?", given_back)


@given(GARBAGE)
@example('{"a": 1, "a')
@example('{"a": 1, "a"')
@example('{"a": 1e999')
@example('{"a": NaN')
@example('{"a": 1}}')
@example('{"a": "\\ud83dx')
@example('{"a": "\x00')
@example('{"a": "\ud83d')
@example("[1")
@example("null")
def test_a1_a_beginning_of_anything_can_be_finished(text: str) -> None:
    beginning = begun(text, streamed=True)
    assert beginning == "{" or text.lstrip(" \t\r\n").startswith(beginning)
    assert beginning.startswith("{")
    assert can_be_finished(beginning)


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("", False),
        (" ", False),
        ("{", True),
        (' \n{"a"', True),
        ('{"a": [1, {"b": "]}', True),
        ('{"a": [1, {"b": 2]', False),
        ('{"a": 1, ', True),
        ('{"a": 1, }', False),
        ('{"a": 1 "b"', False),
        ('{"a": -', True),
        ('{"a": 1.', True),
        ('{"a": 1.5e+', True),
        ('{"a": 01', False),
        ('{"a": tru', True),
        ('{"a": True', False),
        ('{"a": N', False),
        ('{"a": 1, "a": ', False),
        ('{"a": 1, "a', True),
        ('{"a": "x\n', False),
        ('{"a": 1}', True),
        ('{"a": 1} x', False),
        ('{"a": 1}\n```\nDone.', True),
        ('{"a": true, "b": fals', True),
        ('{"a": nul', True),
        ('{"a": fa', True),
        ('{"a": 1, "ak', True),
        ('{"ak": 1, "akk": 2, "a', True),
        ('{"ak": 1, "a', True),
        ("[" * 100_000, False),
        ('{"a":' * 100_000, False),
    ],
)
def test_a1_what_can_be_finished(text: str, finished: bool) -> None:
    assert can_be_finished(text) is finished


@pytest.mark.parametrize("word", ["true", "false", "null", "-12.5e-7"])
def test_a1_a_word_can_be_finished_from_anywhere(word: str) -> None:
    for end in range(len(word) + 1):
        assert can_be_finished('{"a": [' + word[:end])


@pytest.mark.parametrize(
    ("arrived", "beginning"),
    [
        ("", "{"),
        ("  ", "{"),
        ('\n {"a', '{"a'),
        ('{"path": "a.md"', '{"path": "a.md"'),
        ('{"a": "x ', '{"a": "x '),
        ('{"a": "x\\', '{"a": "x'),
        ('{"a": "x\\\\', '{"a": "x\\\\'),
        ('{"a": "x\\\\\\', '{"a": "x\\\\'),
        ('{"a": "x\\u00', '{"a": "x'),
        ('{"a": "x\\\\u00', '{"a": "x\\\\u00'),
        ('{"a": "x\\u00e9', '{"a": "x\\u00e9'),
        ('{"a": "x\\ud83d', '{"a": "x'),
        ('{"a": "x\\ud83d\\', '{"a": "x'),
        ('{"a": "x\\uD83D\\ude', '{"a": "x'),
        ('{"a": "x\\ud83d\\ude00', '{"a": "x\\ud83d\\ude00'),
        ('{"a" = 1', "{"),
        ("I will write", "{"),
        ('{"a": "\\x', "{"),
    ],
)
def test_a2_only_a_cut_escape_is_given_back(arrived: str, beginning: str) -> None:
    assert begun(arrived, streamed=True) == beginning


@given(OBJECTS.map(json.dumps) | GARBAGE)
def test_a3_of_a_whole_response_nothing_is_kept(arrived: str) -> None:
    assert begun(arrived, streamed=False) == "{"


# The whole ------------------------------------------------------------------------


@given(OBJECTS, FORMS, st.sampled_from(["", " ", "\n", "\n```", "\n```\n", "~~~"]))
def test_a4_a5_a_whole_object_comes_back(
    args: dict[str, Any], form: dict[str, Any], after: str
) -> None:
    text = json.dumps(args, **form)
    for cut in (True, False):
        assert whole(f"\n{text}{after}", ANYTHING, cut=cut) == args


@given(OBJECTS, FORMS, st.data())
def test_a4_no_strict_prefix_is_whole(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    part = text[: data.draw(st.integers(0, len(text) - 1))]
    for after in ("", "\n```", "\nDone."):
        assert whole(part + after, ANYTHING) is None


@given(OBJECTS, FORMS, st.data())
def test_a4_an_object_begun_again_inside_itself_is_not_whole(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    part = text[: data.draw(st.integers(1, len(text) - 1))]
    assert whole(part + text, ANYTHING) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"a"',
        "null",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": ' + "1" * 10_000 + "}",
        '{"a": 1, "a": 1}',
        '{"b": [{"a": 1, "a": 2}]}',
        '{"a": "x\ny"}',
        '{"a": "\\ud83d"}',
        '{"a": "\ud83d"}',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": 1 "b": 2}',
        "```json\n{}",
        'Here: {"a": 1}',
        '{"a":' * 100_000 + "1" + "}" * 100_000,
    ],
)
def test_a4_what_is_not_strict(text: str) -> None:
    assert whole(text, ANYTHING) is None


@given(GARBAGE, st.sampled_from([ANYTHING, None, {"type": "object"}]), st.booleans())
def test_a8_garbage_is_no_arguments(
    text: str, schema: dict[str, Any] | None, cut: bool
) -> None:
    args = whole(text, schema, cut=cut)
    assert args is None or json.loads(text[: text.rindex("}") + 1]) == args


@pytest.mark.parametrize(
    ("after", "ended", "cut"),
    [
        ("", True, True),
        (" \n", True, True),
        ("\n```", True, True),
        ("```  \n\n", True, True),
        ("\nThat is the file.", True, False),
        ("\n```\nThat is the file.", True, False),
        ("```\nThat is the file.", True, False),
        (" That is the file.", False, False),
        ("```That is the file.", False, False),
        ('", "b": 2}', False, False),
        ('\n", "b": 2}', False, False),
        ('\\nmore text"}', False, False),
        ("}", False, False),
        (',\n"b": 2}', False, False),
        ('\n```json\n{"a": 1}\n```', False, False),
    ],
)
def test_a5_what_may_follow_the_object(after: str, ended: bool, cut: bool) -> None:
    text = '{"a": "x"}' + after
    assert (whole(text, ANYTHING) is not None) is ended
    assert (whole(text, ANYTHING, cut=True) is not None) is cut


SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
    },
    "required": ["path"],
    "$defs": {"row": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('{"path": "a"}', True),
        ('{"path": "a", "rows": [1, 2]}', True),
        ('{"path": "a", "rows": [1, "2"]}', False),
        ('{"path": 1}', False),
        ("{}", False),
    ],
)
@pytest.mark.parametrize("draft", [None, "http://json-schema.org/draft-07/schema#"])
def test_a6_arguments_fit_the_schema(text: str, fits: bool, draft: str | None) -> None:
    schema = SCHEMA if draft is None else {**SCHEMA, "$schema": draft}
    assert whole(text, schema) == (json.loads(text) if fits else None)

"""The rules JSON-1 to JSON-6, and JSON-8."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.tool_json.json_text import (
    is_completable,
    parse_complete,
    resumable_prefix,
)
from tests.support.json_objects import ANY_VALUE, FORMATS, OBJECTS

JSON_CHARS = st.text(alphabet='{}[]":,\\ \n-0123456789.eEutrfalsn`\ud83d~', max_size=40)
GARBAGE = st.text() | JSON_CHARS | JSON_CHARS.map('{"a": '.__add__)


# The prefix -----------------------------------------------------------------------


@given(OBJECTS, FORMATS, st.data())
def test_json_1_2_an_object_cut_anywhere_can_be_continued(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    arrived = text[: data.draw(st.integers(0, len(text)))]
    prefix = resumable_prefix(arrived, streamed=True)
    assert parse_complete(prefix + text[len(prefix) :], ANY_VALUE) == args
    removed = arrived[len(prefix) :]
    assert re.fullmatch(r"(\\ud[89ab]..)?(\\(u.{0,3})?)?", removed)


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
def test_json_1_a_resumable_prefix_is_completable(text: str) -> None:
    prefix = resumable_prefix(text, streamed=True)
    assert prefix == "{" or text.lstrip(" \t\r\n").startswith(prefix)
    assert prefix.startswith("{")
    assert is_completable(prefix)


@pytest.mark.parametrize(
    ("text", "completable"),
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
def test_json_1_what_is_completable(text: str, completable: bool) -> None:
    assert is_completable(text) is completable


@pytest.mark.parametrize("word", ["true", "false", "null", "-12.5e-7"])
def test_json_1_a_word_is_completable_at_every_character(word: str) -> None:
    for end in range(len(word) + 1):
        assert is_completable('{"a": [' + word[:end])


@pytest.mark.parametrize(
    ("arrived", "prefix"),
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
def test_json_2_only_a_cut_escape_is_removed(arrived: str, prefix: str) -> None:
    assert resumable_prefix(arrived, streamed=True) == prefix


@given(OBJECTS.map(json.dumps) | GARBAGE)
def test_json_3_nothing_is_kept_of_a_response_that_was_not_streamed(
    arrived: str,
) -> None:
    assert resumable_prefix(arrived, streamed=False) == "{"


# The complete object --------------------------------------------------------------


@given(OBJECTS, FORMATS, st.sampled_from(["", " ", "\n", "\n```", "\n```\n", "~~~"]))
def test_json_4_5_a_complete_object_is_parsed(
    args: dict[str, Any], form: dict[str, Any], after: str
) -> None:
    text = json.dumps(args, **form)
    for truncated in (True, False):
        found = parse_complete(f"\n{text}{after}", ANY_VALUE, truncated=truncated)
        assert found == args


@given(OBJECTS, FORMATS, st.data())
def test_json_4_no_proper_prefix_is_complete(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    part = text[: data.draw(st.integers(0, len(text) - 1))]
    for after in ("", "\n```", "\nDone."):
        assert parse_complete(part + after, ANY_VALUE) is None


@given(OBJECTS, FORMATS, st.data())
def test_json_4_an_object_started_again_inside_itself_is_rejected(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    part = text[: data.draw(st.integers(1, len(text) - 1))]
    assert parse_complete(part + text, ANY_VALUE) is None


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
def test_json_4_what_is_not_strict_json(text: str) -> None:
    assert parse_complete(text, ANY_VALUE) is None


@given(GARBAGE, st.sampled_from([ANY_VALUE, None, {"type": "object"}]), st.booleans())
def test_json_8_garbage_is_no_arguments(
    text: str, schema: dict[str, Any] | None, truncated: bool
) -> None:
    args = parse_complete(text, schema, truncated=truncated)
    assert args is None or json.loads(text[: text.rindex("}") + 1]) == args


@pytest.mark.parametrize(
    ("after", "if_ended", "if_truncated"),
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
def test_json_5_what_may_follow_the_object(
    after: str, if_ended: bool, if_truncated: bool
) -> None:
    text = '{"a": "x"}' + after
    ended = parse_complete(text, ANY_VALUE)
    truncated = parse_complete(text, ANY_VALUE, truncated=True)
    assert (ended is not None) is if_ended
    assert (truncated is not None) is if_truncated


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
    ("text", "valid"),
    [
        ('{"path": "a"}', True),
        ('{"path": "a", "rows": [1, 2]}', True),
        ('{"path": "a", "rows": [1, "2"]}', False),
        ('{"path": 1}', False),
        ("{}", False),
    ],
)
@pytest.mark.parametrize("draft", [None, "http://json-schema.org/draft-07/schema#"])
def test_json_6_arguments_conform_to_the_schema(
    text: str, valid: bool, draft: str | None
) -> None:
    schema = SCHEMA if draft is None else {**SCHEMA, "$schema": draft}
    assert parse_complete(text, schema) == (json.loads(text) if valid else None)

"""The rule JSON-7: the object in a reply to a prompt for all arguments."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.request.prompts import arguments_lead_in
from langchain_bedrock_continue._core.tool_json.json_text import (
    object_in_reply,
    parse_complete,
    resumable_prefix,
)
from tests.support.json_objects import ANY_VALUE, FORMATS, OBJECTS

LEAD_INS = [
    *("", "\n", "```json\n", "Here it is:\n\n", "Sorry.\n```\n"),
    arguments_lead_in("a"),
]


@given(OBJECTS, FORMATS, st.data())
def test_json_7_the_object_that_a_reply_begins(
    args: dict[str, Any], form: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(args, **form)
    part = text[: data.draw(st.integers(1, len(text)))]
    lead_in = data.draw(st.sampled_from(LEAD_INS))
    kept = resumable_prefix(part, streamed=True)
    assert object_in_reply(lead_in + kept) == kept
    assert object_in_reply(kept[1:]) == "{" + kept[1:].lstrip(" \t\r\n")
    if part == text:
        found = object_in_reply(lead_in + text + "\n```\nDone.")
        assert parse_complete(found or "", ANY_VALUE) == args


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("", "{"),
        ('"a": {"b": 1', '{"a": {"b": 1'),
        ('```json\n"a": {"b": 1', None),
        ("```json", None),
        ("I can't do that.", None),
        ("A {b}: {", None),
        ('{"a" = 1}', None),
    ],
)
def test_json_7_a_reply_that_begins_no_object(reply: str, text: str | None) -> None:
    assert object_in_reply(reply) == text

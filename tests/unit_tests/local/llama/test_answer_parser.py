"""Tool calls in a model's text, in the forms that Qwen2.5-Coder writes (PARSER)."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Piece,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.llama.answer_parser import (
    AnswerParser,
    new_tool_use_id,
)

NAMES = ("add", "add_all", "read")
BARE = '{"name": "add", "arguments": {"a": 1, "b": {"c": "}"}}}'
SPREAD = '{\n  "name": "add",\n  "arguments": {\n    "a": "x\\"}"\n  }\n}'
READ = '{"name":"read","arguments":{}}'


def parser(names: tuple[str, ...] = NAMES, **options: Any) -> AnswerParser:
    ids = map(str, itertools.count(1))
    return AnswerParser(names, new_id=lambda: next(ids), **options)


def parse(
    chunks: Iterable[str], *, truncated: bool = False, **options: Any
) -> list[Piece]:
    """Parse the chunks, and join adjacent pieces of one block."""
    reader = parser(**options)
    fed = [reader.feed(chunk) for chunk in chunks]
    pieces = [*itertools.chain.from_iterable(fed), *reader.end(truncated=truncated)]
    return joined(pieces)


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if isinstance(piece, Text) and isinstance(last, Text):
            result[-1] = Text(last.text + piece.text)
        elif isinstance(piece, ToolInput) and isinstance(last, ToolInput):
            result[-1] = ToolInput(last.json_text + piece.json_text)
        else:
            result.append(piece)
    return result


def tool_call(name: str, json_text: str, number: int = 1) -> list[Piece]:
    return [ToolStart(str(number), name), ToolInput(json_text), BlockEnd()]


def text_block(text: str) -> list[Piece]:
    return [Text(text), BlockEnd()]


ADD = '{"a": 1, "b": {"c": "}"}}'


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (BARE, tool_call("add", ADD)),
        (f"<tool_call>\n{BARE}\n</tool_call>", tool_call("add", ADD)),
        (f"<tools>\n{BARE}\n</tools>", tool_call("add", ADD)),
        (f"```json\n{BARE}\n```", tool_call("add", ADD)),
        (f"```\n{BARE}\n```\n", tool_call("add", ADD)),
        (f"```json\n{SPREAD}\n```", tool_call("add", '{\n    "a": "x\\"}"\n  }')),
        (READ.replace("read", "add_all"), tool_call("add_all", "{}")),
        (f"I'll add.\n\n{BARE}", text_block("I'll add.") + tool_call("add", ADD)),
        (f"{BARE}\n\nDone {{}}.", tool_call("add", ADD) + text_block("Done {}.")),
        (f"{BARE}\n{READ}", tool_call("add", ADD) + tool_call("read", "{}", 2)),
        (
            f"```json\n{BARE}\n{READ}\n```",
            tool_call("add", ADD) + tool_call("read", "{}", 2),
        ),
        (
            f"<tool_call>\n{BARE}\n</tool_call>\n<tool_call>\n{READ}\n</tool_call>",
            tool_call("add", ADD) + tool_call("read", "{}", 2),
        ),
        (
            f"```json\n{READ}\n```\n```py\nx\n```",
            tool_call("read", "{}") + text_block("```py\nx\n```"),
        ),
        ('{"name":"read","arguments":{}, "id": {"x": 1}}', tool_call("read", "{}")),
    ],
)
def test_tool_calls_are_found(text, pieces):
    """PARSER-1."""
    assert parse([text]) == pieces
    assert parse(text) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "Hello {name}, `x` < 3.\n",
        '{"name": "unknown", "arguments": {}}',
        '{"name": "ad", "arguments": {}}',
        '{"name": "add", "arguments": [1]}',
        '{"name": "add", "args": {}}',
        '```python\nprint("{}")\n```',
        '```json\n{"x": 1}\n```',
        "<tool_call>\nnothing\n</tool_call>",
        "```json\n",
        '{"name": "add"',
        "  \n",
    ],
)
def test_text_that_is_not_a_tool_call_is_released_unchanged(text):
    """PARSER-1, PARSER-3."""
    assert parse([text]) == text_block(text)
    assert parse(text) == text_block(text)


FRAGMENTS = st.sampled_from(
    [
        *(BARE, SPREAD, READ, "```json\n", "```", "<tool_call>", "</tool_call>", "\n"),
        *(" ", "text", '{"name": "', "add", '", "arguments": {', "}", "{", '"', "\\"),
    ]
)


@st.composite
def chunked(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = "".join(draw(st.lists(FRAGMENTS, max_size=8)))
    splits = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return text, [text[i:j] for i, j in itertools.pairwise([0, *splits, len(text)])]


@given(chunked(), st.booleans())
@example((f"```json\n{READ}```json\n{READ}", []), False)  # noqa: FBT003 # hypothesis
def test_the_chunks_make_no_difference(case, truncated):
    """PARSER-2."""
    text, chunks = case
    at_once = parse([text], truncated=truncated)
    assert parse(text, truncated=truncated) == at_once
    assert parse(chunks or [text], truncated=truncated) == at_once


@given(st.text(st.sampled_from('{}<`"json\n :,\\ne')))
def test_no_text_is_lost_without_a_tool_call(text):
    """PARSER-3."""
    assert parse(text) == (text_block(text) if text else [])


@given(st.text())
def test_without_tools_every_text_is_released_at_once(text):
    reader = parser(names=())
    assert joined(reader.feed(text)) == ([Text(text)] if text else [])
    assert reader.end(truncated=True) == ([BlockEnd()] if text else [])


@given(chunked())
def test_every_block_ends_exactly_once(case):
    _, chunks = case
    opened = False
    for piece in parse(chunks):
        if isinstance(piece, BlockEnd):
            assert opened
            opened = False
        elif isinstance(piece, ToolStart):
            assert not opened
            opened = True
        else:
            assert opened or isinstance(piece, Text)
            opened = True
    assert not opened


@pytest.mark.parametrize("end", range(len("Well: "), len("Well: ") + len(BARE)))
def test_no_part_of_a_truncated_tool_call_becomes_text(end):
    """PARSER-4."""
    pieces = parse(f"Well: {BARE}"[:end], truncated=True)
    assert pieces[0] in (Text("Well:"), Text("Well: "))
    assert all("{" not in piece.text for piece in pieces if isinstance(piece, Text))
    assert isinstance(pieces[-1], BlockEnd)


def test_whitespace_at_a_truncation_is_kept_inside_a_text_block():
    """PARSER-4."""
    assert parse("a \n", truncated=True) == text_block("a \n")
    assert parse(f"{READ}\n", truncated=True) == tool_call("read", "{}")


def test_a_forced_tool_call_starts_even_if_its_head_is_truncated():
    """PARSER-4."""
    assert parse('{"na', truncated=True, forced="add") == [
        ToolStart("1", "add"),
        BlockEnd(),
    ]


def test_a_truncated_input_ends_its_block():
    assert parse(BARE[:35], truncated=True) == tool_call("add", BARE[29:35])


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.dictionaries(st.text(), inner, max_size=3) | st.lists(inner),
    ),
    st.booleans(),
)
def test_any_input_arrives_as_it_was_written(value, ascii_only):
    """PARSER-5."""
    written = json.dumps({"x": value}, ensure_ascii=ascii_only)
    text = f'{{"name": "add", "arguments": {written}}}'
    assert parse([text]) == parse(text) == tool_call("add", written)


@pytest.mark.parametrize(
    ("text", "truncated", "malformed"),
    [
        (BARE, False, False),
        ('{"name": "add", "arguments": {\'a\': 1}}', False, True),
        ('{"name": "add", "arguments": {"a": 1', False, True),
        ('{"name": "add", "arguments": {"a": 1', True, False),
    ],
)
def test_an_input_that_is_not_valid_json_is_malformed(text, truncated, malformed):
    reader = parser()
    reader.feed(text)
    reader.end(truncated=truncated)
    assert reader.called
    assert reader.malformed is malformed


def test_ids_have_the_form_of_bedrocks_and_are_unique():
    ids = {new_tool_use_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(i.startswith("tooluse_") and len(i) == 30 for i in ids)
